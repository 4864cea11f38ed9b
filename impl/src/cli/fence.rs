//! Fences and tokens as they are typed: `lock/NAME=TOKEN`.

use std::str::FromStr;

use fencehold_model::{LockName, NUMBER_BOUND, Token};

/// The lock behind which a write stands, and the token it was granted under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fence {
    pub(super) lock: LockName,
    pub(super) token: Token,
}

impl FromStr for Fence {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = || format!("{text:?} is no fence: write lock/NAME=TOKEN, as in lock/build=17");
        let (lock, number) =
            text.strip_prefix("lock/").and_then(|rest| rest.rsplit_once('=')).ok_or_else(shape)?;
        Ok(Fence { lock: LockName::new(lock).map_err(|bad| bad.to_string())?, token: token(number)? })
    }
}

/// Reads a token: a whole number from 1, below 2^53.
pub(super) fn token(text: &str) -> Result<Token, String> {
    match text.parse::<Token>() {
        Ok(token) if (1..NUMBER_BOUND).contains(&token) && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(token)
        }
        _ => Err(format!("{text:?} is no token: give the number that acquire printed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_slashes_and_equals() {
        let fence: Fence = "lock/a/b=c=17".parse().unwrap();
        assert_eq!((fence.lock.as_str(), fence.token), ("a/b=c", 17));
        for text in ["", "build=17", "lock/build", "lock/=17", "lock/build=", "lock/build=0", "lock/build=+1"]
        {
            assert!(text.parse::<Fence>().is_err(), "{text:?}");
        }
    }
}
