//! A registry of leases and statuses in one JSON file, replaced by a rename under an OS lock: small and right, and then
//! wrong in one place each.
//!
//! Each defect is one that a program in the field has. None of them waits anywhere: it is found because processes meet,
//! or because the answer is wrong whoever asks.

mod leases;
mod store;
mod tasks;

use std::path::Path;

use serde_json::{Value, json};

use super::wire::{self, Outcome, Target};
use store::Store;

/// What is wrong with a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    /// Nothing: the control.
    None,
    /// M25: a late writer overwrites what stands, whatever that is.
    StaleOverwrite,
    /// M26: who lists leases tidies the file up, without the lock that writers take.
    ReaderWrites,
    /// M27: a process is known by a number that is used again.
    PidReuse,
    /// M31: no lock; a lost update is looked for by counting the entries afterwards.
    CountFingerprint,
    /// M32: no lock; a lost update is found, and is worth a warning.
    WarnOnly,
    /// M33: no lock.
    DoubleGrant,
    /// M39: the registry of the directory that one happens to stand in.
    CwdSplit,
    /// M40: ids as they were typed, though they are numbers.
    IdNormalise,
    /// M41: any state follows any other.
    IllegalTransition,
    /// M42: write sets meet where they are the same text.
    WritesetIgnored,
    /// M43: force needs no reason.
    ForceNoAudit,
    /// M53: of two statuses of one rank the later is the one.
    TieIsAhead,
    /// M54: a board that is merged in counts by its rank, whichever epoch it is of.
    MonotoneForever,
    /// A set counts whichever epoch it saw.
    EpochBlind,
}

/// The registries by name, each with its defect in a few words.
pub(super) const ALL: [(&str, Defect, &str); 15] = [
    ("registry", Defect::None, "control: a registry in one file, under an OS lock"),
    ("M25", Defect::StaleOverwrite, "stale-status-overwrite: a late writer turns what is done back"),
    ("M26", Defect::ReaderWrites, "reader-writes: who lists leases tidies them up"),
    ("M27", Defect::PidReuse, "pid-reuse: who lives is told by a number that is used again"),
    ("M31", Defect::CountFingerprint, "count-fingerprint: a lost update is looked for by counting"),
    ("M32", Defect::WarnOnly, "warn-only: a lost update is found, told to stderr, and answered ok"),
    ("M33", Defect::DoubleGrant, "double-grant: read, decide and rename without a lock"),
    ("M39", Defect::CwdSplit, "cwd-split: every directory has a registry of its own"),
    ("M40", Defect::IdNormalise, "id-normalise: 05 and 5 are two, though ids are numbers"),
    (
        "M41",
        Defect::IllegalTransition,
        "illegal-transition: what is closed may crash, what is open be cleared",
    ),
    ("M42", Defect::WritesetIgnored, "writeset-ignored: a folder and what is in it do not meet"),
    ("M43", Defect::ForceNoAudit, "force-no-audit: force needs no reason"),
    ("M53", Defect::TieIsAhead, "tie-is-ahead: of two statuses of one rank the later is the one"),
    ("M54", Defect::MonotoneForever, "monotone-forever: a board of an earlier epoch takes a reopen back"),
    ("epoch-blind", Defect::EpochBlind, "a set counts whichever epoch it saw"),
];

/// The target.
pub(super) struct Registry {
    defect: Defect,
    store: Option<Store>,
}

impl Registry {
    pub(super) fn new(defect: Defect) -> Self {
        Registry { defect, store: None }
    }
}

impl Target for Registry {
    fn hello(&self) -> Value {
        let name = ALL.iter().find(|(_, defect, _)| *defect == self.defect).map_or("", |(name, ..)| name);
        let mut policy = String::new();
        let form = fencehold_model::policy::IdForm::Numbers;
        fencehold_model::Policy { task_ids: form, lease_ids: form, ..fencehold_model::Policy::default() }
            .write(&mut policy);
        let policy: Value = serde_json::from_str(&policy).expect("a policy writes JSON");
        json!({ "target": format!("{name} registry"), "offers": ["lease", "status"], "survives": ["kill"],
            "locks_end": ["ttl", "process"], "fencing": false, "tokens": "ordered", "revisions": false,
            "policy": policy })
    }

    fn perform(&mut self, root: &Path, op: &str, request: &Value) -> Outcome {
        let store = match &mut self.store {
            Some(store) => store,
            none => none.insert(Store::open(root, self.defect)?),
        };
        let id = |key| {
            let id = wire::text(request, key)?;
            Ok::<_, String>(if self.defect == Defect::IdNormalise { id.to_owned() } else { one_form(id) })
        };
        match op {
            "lease.list" if self.defect == Defect::ReaderWrites => leases::list_and_tidy(store, request),
            "lease.list" => leases::list(&store.read()?, request),
            "lease.show" => Ok(leases::show(&store.read()?, &id("lease")?)),
            "status.get" => Ok(tasks::get(&store.read()?, &id("task")?)),
            "lease.grant" => {
                let (id, wanted) = (id("lease")?, leases::Wanted::read(request)?);
                store.update(|registry, store| Ok(leases::grant(registry, store, &id, &wanted)))
            }
            "lease.close" | "lease.crash" | "lease.clear" => {
                let id = id("lease")?;
                store.update(|registry, store| leases::end(registry, store.defect, op, &id, request))
            }
            "status.set" | "status.reopen" | "status.merge" => {
                let id = id("task")?;
                store.update(|registry, store| tasks::change(registry, store.defect, op, &id, request))
            }
            _ => Err(format!("the operation `{op}` is not offered")),
        }
    }
}

/// Numbers, with dots between them or not, lose their leading zeros.
fn one_form(id: &str) -> String {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !id.split('.').all(is_number) {
        return id.to_owned();
    }
    let parts = id.split('.').map(|part| match part.trim_start_matches('0') {
        "" => "0",
        rest => rest,
    });
    parts.collect::<Vec<_>>().join(".")
}
