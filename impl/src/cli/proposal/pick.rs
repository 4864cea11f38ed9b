//! Numbers of proposals, as they are typed: `1-3,5`.

use std::str::FromStr;

/// Numbers and ranges of them, the last included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Numbers(Vec<(u64, u64)>);

impl Numbers {
    pub(super) fn contains(&self, number: u64) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }

    /// The ranges of which `is_there` knows no number: a slip of the finger.
    pub(super) fn idle(&self, is_there: impl Fn(u64, u64) -> bool) -> Vec<String> {
        let idle = self.0.iter().filter(|(first, last)| !is_there(*first, *last));
        idle.map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
            .collect()
    }
}

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is no list of numbers; write them as in 1-3,5");
        let number = |text: &str| {
            let text = text.trim();
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| text.parse().ok()).flatten().filter(|number| *number > 0).ok_or_else(bad)
        };
        let range = |piece: &str| match piece.split_once('-') {
            None => number(piece).map(|one| (one, one)),
            Some((first, last)) => {
                let (first, last): (u64, u64) = (number(first)?, number(last)?);
                if first <= last { Ok((first, last)) } else { Err(bad()) }
            }
        };
        text.split(',').map(range).collect::<Result<_, _>>().map(Numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    #[test]
    fn numbers_are_what_they_say_and_nothing_else_is_one() {
        let numbers: Numbers = "1-3, 5,18446744073709551615".parse().unwrap();
        let held: Vec<u64> = (1..=9).filter(|number| numbers.contains(*number)).collect();
        assert_eq!(held, [1, 2, 3, 5]);
        assert_eq!(numbers.idle(|first, _| first < 5), ["5", "18446744073709551615"]);
        for bad in ["", ",", "1,", "0", "3-1", "a", "1-", "-1", "1--2", "+1", "1-2-3", "18446744073709551616"]
        {
            assert!(bad.parse::<Numbers>().is_err(), "{bad:?}");
        }
    }
}
