//! What befell a bug log, as steps over what such a log can be asked.

/// What is wrong, where something is.
pub(super) type Outcome = Result<(), String>;

/// A log of bugs that was one JSON file before.
pub(super) trait BugLog {
    /// What stands in the log and in the old file.
    fn begin(&mut self, log: Option<&str>, old: Option<&str>);
    /// Appends a record of this id.
    fn append(&mut self, id: &str);
    /// Two append at once, each with an id of its own making; false where ids are not made here.
    fn append_two_at_once(&mut self) -> bool;
    /// The ids of the records, as a reader finds them.
    fn ids(&mut self) -> Outcome2<Vec<String>>;
    /// Whether anybody is told that something is not in order with the log.
    fn is_told(&mut self) -> bool;
    /// Takes over the old file; an error that changed nothing where it cannot be.
    fn migrate(&mut self) -> Outcome;
    /// The same, killed before this of its steps; false where it has no such step, and was not killed.
    fn migrate_killed(&mut self, step: usize) -> bool;
    /// Two of them at once, and a record that is appended when one of them has looked.
    fn migrate_twice_and_append(&mut self, id: &str);
    /// A hook of the old version reads the old file, adds an entry, and writes it.
    fn old_hook_adds(&mut self, id: &str);
    /// The ids that a reader of the old file finds.
    fn old_reader(&mut self) -> Vec<String>;
    /// Works where the filesystem is none that a lock holds on; an error where it refuses.
    fn on_a_strange_filesystem(&mut self) -> Outcome;
}

/// A value, or what is wrong.
pub(super) type Outcome2<T> = Result<T, String>;

const OLD: &str = "{\"version\":1,\"bugs\":[{\"id\":\"bug-001\",\"occurrences\":3},{\"id\":\"bug-002\",\"occurrences\":1}]}";

fn holds(log: &mut dyn BugLog, expected: &[&str]) -> Outcome {
    let mut ids = log.ids()?;
    ids.sort();
    if ids == expected { Ok(()) } else { Err(format!("{expected:?} should be read, and {ids:?} is")) }
}

pub(super) fn a_hook_died_in_its_line(log: &mut dyn BugLog) -> Outcome {
    for (text, expected) in [
        ("{\"id\":\"a\"}\n{\"id\":\"torn\",\"err", &["a", "good"][..]),
        ("{\"id\":\"to", &["good"]),
        ("{\"id\":\"a\"}\nno record\n{\"id\":\"b\"}\n", &["a", "b", "good"]),
    ] {
        log.begin(Some(text), None);
        let before = log.ids()?;
        if before.iter().any(|id| id.starts_with("to")) {
            return Err("half a record is read".to_owned());
        }
        log.append("good");
        holds(log, expected)?;
    }
    Ok(())
}

pub(super) fn two_of_one_id(log: &mut dyn BugLog) -> Outcome {
    log.begin(Some("{\"id\":\"bug-1\"}\n"), None);
    if log.append_two_at_once() {
        let mut ids = log.ids()?;
        ids.sort();
        ids.dedup();
        if ids.len() < 3 && !log.is_told() {
            return Err(format!("three were appended, {ids:?} are their ids, and nobody is told"));
        }
    }
    log.begin(Some("{\"id\":\"bug-0badcafe\",\"n\":1}\n{\"id\":\"bug-0badcafe\",\"n\":2}\n"), None);
    if log.is_told() { Ok(()) } else { Err("two bugs have one id, and nobody is told".to_owned()) }
}

pub(super) fn a_migration_dies_and_an_old_hook_goes_on(log: &mut dyn BugLog) -> Outcome {
    let mut step = 0;
    loop {
        log.begin(None, Some(OLD));
        let killed = log.migrate_killed(step);
        log.migrate()?;
        holds(log, &["bug-001", "bug-002"])?;
        log.old_hook_adds("bug-003");
        log.migrate()?;
        holds(log, &["bug-001", "bug-002", "bug-003"])
            .map_err(|why| format!("killed before step {step}: {why}"))?;
        log.migrate()?;
        holds(log, &["bug-001", "bug-002", "bug-003"])?;
        if !killed {
            return if step > 2 { Ok(()) } else { Err(format!("it has {step} steps only")) };
        }
        step += 1;
    }
}

pub(super) fn two_migrations_and_an_append(log: &mut dyn BugLog) -> Outcome {
    log.begin(None, Some(OLD));
    log.migrate_twice_and_append("new");
    holds(log, &["bug-001", "bug-002", "new"])
}

pub(super) fn the_old_file_is_no_array(log: &mut dyn BugLog) -> Outcome {
    let text = "{\"version\":1,\"bugs\":{\"bug-001\":{\"id\":\"bug-001\"}}}";
    log.begin(None, Some(text));
    let migrated = log.migrate();
    let there = log.old_reader();
    match (migrated, there.as_slice()) {
        (Err(_), [only]) if only == text => Ok(()),
        (told, there) => Err(format!("it was told {told:?}, and {there:?} is what the old file holds")),
    }
}

pub(super) fn an_old_reader_reads(log: &mut dyn BugLog) -> Outcome {
    log.begin(None, Some(OLD));
    log.migrate()?;
    let ids = log.old_reader();
    if ids == ["bug-001", "bug-002"] { Ok(()) } else { Err(format!("it finds {ids:?}")) }
}

pub(super) fn the_files_lie_where_no_lock_holds(log: &mut dyn BugLog) -> Outcome {
    match log.on_a_strange_filesystem() {
        Err(_) => Ok(()),
        Ok(()) => Err("it went on as if nothing were".to_owned()),
    }
}
