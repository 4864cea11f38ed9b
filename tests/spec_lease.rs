//! The chapter LEASE of the specification, through the journal: grants, lapses, ends, and what a rotation forgets.

mod ends;
mod forgotten;
mod lapse;
mod overlap;
mod rules;

use fencehold::error::Result;
use fencehold::fs::Fs;
use fencehold::ledger::{LeaseVerdict, LeaseView};
use fencehold_model::event::Process;
use fencehold_model::lease::{About, Command, Proof, Refusal};
use fencehold_model::policy::{IdForm, Overlap};
use fencehold_model::{Holder, LeaseId, Pattern, Policy, Token};

use crate::spec_kit::{Lab, Party, asking};

fn id(lease: &str) -> LeaseId {
    LeaseId::new(lease).unwrap()
}

/// A grant to be asked for: without a TTL, a process or a write set until they are said.
#[derive(Clone)]
struct Grant(Command);

fn grant(lease: &str, who: &str) -> Grant {
    Grant(Command::Grant {
        lease: id(lease),
        holder: Holder::new(who).unwrap(),
        ttl_ms: None,
        writes: Vec::new(),
        about: About::default(),
        bound: None,
        asked_by: None,
    })
}

impl Grant {
    fn change(
        mut self,
        change: impl FnOnce(&mut Option<u64>, &mut Vec<Pattern>, &mut Option<Process>),
    ) -> Self {
        if let Command::Grant { ttl_ms, writes, bound, .. } = &mut self.0 {
            change(ttl_ms, writes, bound);
        }
        self
    }

    fn ttl(self, asked_ms: u64) -> Self {
        self.change(|ttl_ms, _, _| *ttl_ms = Some(asked_ms))
    }

    fn writes(self, entries: &[&str]) -> Self {
        self.change(|_, writes, _| {
            *writes = entries.iter().map(|entry| Pattern::new(entry).unwrap()).collect();
        })
    }

    fn by(self, process: &Process) -> Self {
        self.change(|_, _, bound| *bound = Some(process.clone()))
    }

    fn about(mut self, said: About) -> Self {
        if let Command::Grant { about, .. } = &mut self.0 {
            *about = said;
        }
        self
    }
}

fn close(lease: &str, token: Token) -> Command {
    Command::Close { lease: id(lease), proof: Proof::Token(token) }
}

fn close_by(lease: &str, holder: &str) -> Command {
    Command::Close { lease: id(lease), proof: Proof::Holder(Holder::new(holder).unwrap()) }
}

fn crash(lease: &str, token: Option<Token>, reason: &str) -> Command {
    Command::Crash { lease: id(lease), token, reason: reason.to_owned() }
}

fn clear(lease: &str, force: bool, reason: Option<&str>) -> Command {
    Command::Clear { lease: id(lease), force, reason: reason.map(str::to_owned) }
}

/// What a test does with the leases of a party, short.
trait Works {
    fn try_work(&self, command: &Command) -> Result<LeaseVerdict>;
    fn find(&self, lease: &str) -> Option<LeaseView>;
    fn take(&self, policy: &Policy);
    fn reaped(&self) -> Vec<fencehold_model::lease::Crash>;

    #[track_caller]
    fn work(&self, command: &Command) -> LeaseVerdict {
        self.try_work(command).unwrap()
    }

    /// The token of a grant, which there must be.
    #[track_caller]
    fn granted(&self, grant: &Grant) -> Token {
        match self.work(&grant.0) {
            LeaseVerdict::Granted { token, .. } => token,
            other => panic!("{:?} gave {other:?}", grant.0),
        }
    }

    /// The refusal, which there must be.
    #[track_caller]
    fn refused(&self, command: &Command) -> Refusal {
        match self.work(command) {
            LeaseVerdict::Refused(refusal) => refusal,
            other => panic!("{command:?} gave {other:?}"),
        }
    }

    /// The word of its state, and its token.
    #[track_caller]
    fn state(&self, lease: &str) -> (&'static str, Token) {
        let view = self.find(lease).unwrap_or_else(|| panic!("lease {lease} is not known"));
        (view.lease.word(), view.lease.token)
    }
}

impl<F: Fs> Works for Party<F> {
    fn try_work(&self, command: &Command) -> Result<LeaseVerdict> {
        self.lease(&asking("tester"), command).map(|answer| answer.verdict)
    }

    fn find(&self, lease: &str) -> Option<LeaseView> {
        self.show_lease(&id(lease)).unwrap().value
    }

    fn take(&self, policy: &Policy) {
        assert!(self.apply_policy(&asking("tester"), policy).unwrap().verdict);
    }

    fn reaped(&self) -> Vec<fencehold_model::lease::Crash> {
        self.reap(|| asking("reaper")).unwrap()
    }
}

fn numbers() -> Policy {
    Policy { lease_ids: IdForm::Numbers, ..Policy::default() }
}

fn advice() -> Policy {
    Policy { overlap: Overlap::Advise, ..Policy::default() }
}

/// What stands in the journal: nothing changed where it is the same after.
fn unchanged<T>(lab: &Lab, what: impl FnOnce() -> T) -> T {
    let before = lab.events();
    let came = what();
    assert_eq!(lab.events(), before);
    came
}
