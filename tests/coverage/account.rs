//! What the tags come to: the tests of each thing, and what is missing or too much.

use std::collections::{BTreeMap, BTreeSet};

use fencehold_stress::sim::mutants::{CATALOG, Where};

use super::systems::System;
use super::tags::{Kind, Tag, tags};

/// The tags, beside the tables.
pub(super) struct Account<'a> {
    tags: BTreeMap<(Kind, String), Vec<Tag>>,
    pending: &'a [&'a str],
    pub(super) problems: Vec<String>,
}

impl<'a> Account<'a> {
    /// Reads the sources (paths and texts), and looks for each thing of the systems.
    pub(super) fn of(systems: &[System], sources: &[(String, String)], pending: &'a [&'a str]) -> Self {
        let mut account = Account { tags: BTreeMap::new(), pending, problems: Vec::new() };
        for (path, text) in sources {
            let (found, problems) = tags(path, text);
            account.problems.extend(problems);
            for tag in found {
                account.tags.entry((tag.kind, tag.name.clone())).or_default().push(tag);
            }
        }
        account.names_what_exists(systems);
        for (name, lacking) in account.everything(systems) {
            let is_pending = pending.contains(&name.as_str());
            match lacking {
                Some(what) if !is_pending => account.problems.push(format!("{name} {what}")),
                None if is_pending => {
                    account
                        .problems
                        .push(format!("{name} is in order: take it from the list of what is pending"));
                }
                _ => {}
            }
        }
        account
    }

    /// The tests that carry a tag.
    pub(super) fn tests(&self, kind: Kind, name: &str) -> &[Tag] {
        self.tags.get(&(kind, name.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Whether it is not in order yet, and known not to be.
    pub(super) fn is_pending(&self, name: &str) -> bool {
        self.pending.contains(&name)
    }

    /// Tags and names on the list of what is pending have to name something.
    fn names_what_exists(&mut self, systems: &[System]) {
        let behaviours: BTreeSet<String> =
            systems.iter().flat_map(behaviours).map(|(name, _)| name).collect();
        let defects: BTreeSet<String> = systems.iter().flat_map(defects).map(|(name, _)| name).collect();
        for ((kind, name), tags) in &self.tags {
            let exists = match kind {
                Kind::Behaviour => behaviours.contains(name),
                Kind::Defect | Kind::Published => defects.contains(name),
                Kind::Mutant => CATALOG.iter().any(|numbered| numbered.number == name),
            };
            if !exists {
                let Tag { path, test, .. } = &tags[0];
                self.problems.push(format!("{path}: {test} is tagged with {name}, which does not exist"));
            }
        }
        let mut seen = BTreeSet::new();
        for name in self.pending {
            if !behaviours.contains(*name) && !defects.contains(*name) || !seen.insert(name) {
                self.problems
                    .push(format!("{name} on the list of what is pending does not exist, or is there twice"));
            }
        }
    }

    /// Every name, with what is lacking of it.
    fn everything(&self, systems: &[System]) -> Vec<(String, Option<String>)> {
        let mut all = Vec::new();
        for system in systems {
            for (name, behaviour) in behaviours(system) {
                let lacking = self.lacks(Kind::Behaviour, &name, behaviour.argument);
                all.push((name, lacking));
            }
            for (name, defect) in defects(system) {
                let lacking = self.lacks(Kind::Defect, &name, defect.argument).or_else(|| {
                    if defect.argument.is_some() {
                        return None;
                    }
                    self.not_shown(&name, defect.mutants)
                });
                all.push((name, lacking));
            }
        }
        all
    }

    fn lacks(&self, kind: Kind, name: &str, argument: Option<&str>) -> Option<String> {
        match (self.tests(kind, name).is_empty(), argument) {
            (true, None) => Some("has neither a test nor an argument".to_owned()),
            (false, Some(_)) => Some("has a test, so it needs no argument".to_owned()),
            _ => None,
        }
    }

    /// On what no test of a defect was seen to fail.
    fn not_shown(&self, name: &str, mutants: &[&str]) -> Option<String> {
        if mutants.is_empty() && self.failing(name, Kind::Published, name).is_empty() {
            return Some(format!(
                "needs a test with this tag and `Shown on the published algorithm of {name}`"
            ));
        }
        let missing = mutants.iter().find(|number| self.failing(name, Kind::Mutant, number).is_empty())?;
        Some(format!("is what {missing} has, and none of its tests says `Shown on {missing}`"))
    }

    /// The tests of a defect that were seen to fail on this.
    pub(super) fn failing(&self, defect: &str, kind: Kind, on: &str) -> Vec<Tag> {
        let own = self.tests(Kind::Defect, defect);
        let is_own = |tag: &&Tag| own.iter().any(|own| (&own.path, &own.test) == (&tag.path, &tag.test));
        self.tests(kind, on).iter().filter(is_own).cloned().collect()
    }
}

/// The behaviours of a system, by name.
pub(super) fn behaviours(
    system: &System,
) -> impl Iterator<Item = (String, &'static super::systems::Behaviour)> + use<> {
    let letter = system.letter;
    (1..).zip(system.behaviours).map(move |(n, behaviour)| (format!("{letter}1.{n}"), behaviour))
}

/// The defects of a system, by name.
pub(super) fn defects(
    system: &System,
) -> impl Iterator<Item = (String, &'static super::systems::Defect)> + use<> {
    let prefix = system.prefix;
    (1..).zip(system.defects).map(move |(n, defect)| (format!("{prefix}-{n}"), defect))
}

/// What in the gate's catalog catches a mutant.
pub(super) fn caught(number: &str) -> Option<String> {
    match CATALOG.iter().find(|numbered| numbered.number == number)?.by {
        Where::Targets { simulated, process, .. } => {
            let on_disk = simulated.iter().map(|name| format!("`{name}`"));
            let process = process.then(|| format!("the process `{number}`"));
            let all: Vec<String> = on_disk.chain(process).collect();
            // A guard's is caught by tests, which say so themselves.
            (!all.is_empty()).then(|| format!("the gate's stage `mutants`: {}", all.join(", ")))
        }
        Where::CommandLine(by) => Some(format!("a command line: {}", super::page::test(by.file, by.name))),
        Where::GitHelper(by) => Some(format!("a git helper: {}", super::page::test(by.file, by.name))),
        Where::Argued { shown, .. } => shown.map(|by| super::page::test(by.file, by.name)),
    }
}

/// The short name of a mutant.
pub(super) fn mutant(number: &str) -> &'static str {
    CATALOG.iter().find(|numbered| numbered.number == number).map_or("", |numbered| numbered.name)
}
