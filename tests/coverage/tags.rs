//! Tags, read from the doc comments of tests.

/// What a tag says of its test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Ours does this.
    Behaviour,
    /// Ours does not break like this.
    Defect,
    /// It fails on this mutant, or shows that the test of a defect does.
    Mutant,
    /// It shows that the published algorithm fails the test of this defect.
    Published,
}

/// How a tag begins; what follows up to the colon is its name.
const FORMS: [(&str, Kind); 4] = [
    ("Behaviour ", Kind::Behaviour),
    ("Defect ", Kind::Defect),
    ("Shown on the published algorithm of ", Kind::Published),
    ("Shown on ", Kind::Mutant),
];

/// A tag over a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) kind: Kind,
    /// `C1.4`, `GSDD-5` or `M37`.
    pub(super) name: String,
    /// The file of the test, from the top.
    pub(super) path: String,
    /// The name of the test.
    pub(super) test: String,
}

/// The tags of a file, and what is wrong with them.
pub(super) fn tags(path: &str, text: &str) -> (Vec<Tag>, Vec<String>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let mut above: Vec<(usize, Kind, String)> = Vec::new();
    let mut is_test = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        if let Some(comment) = line.strip_prefix("///") {
            let comment = comment.trim();
            if let Some((form, kind)) = FORMS.iter().find(|(form, _)| comment.starts_with(form)) {
                match comment[form.len()..].split_once(": ").filter(|(name, _)| is_name(name)) {
                    Some((name, _)) => above.push((number, *kind, name.to_owned())),
                    None => problems.push(format!("{path}:{number}: `{comment}` is no tag: {form}NAME: …")),
                }
            }
        } else if line.starts_with("#[") {
            is_test |= line == "#[test]";
        } else if !line.starts_with("//") {
            let name = line.strip_prefix("fn ").and_then(|rest| rest.split_once('(')).map(|(name, _)| name);
            match name.filter(|_| is_test) {
                Some(test) => found.extend(above.drain(..).map(|(_, kind, name)| Tag {
                    kind,
                    name,
                    path: path.to_owned(),
                    test: test.to_owned(),
                })),
                None => problems.extend(above.drain(..).map(|(number, _, name)| {
                    format!("{path}:{number}: the tag of {name} stands over no test")
                })),
            }
            is_test = false;
        }
    }
    (found, problems)
}

/// One word of letters and digits, with a dot or a dash in it or not.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
}
