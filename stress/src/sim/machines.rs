//! Leases and tasks, as processes of every world ask for them.

use fencehold::fs::Fs;
use fencehold::host::Host;
use fencehold::ledger::{Answer, LeaseVerdict, LeaseView, TaskVerdict, TaskView};
use fencehold_model::event::Process;
use fencehold_model::lease::{self, About, Proof};
use fencehold_model::status::{self, Value};
use fencehold_model::{LeaseId, Pattern, Revision, Status, TaskId, Token};

use super::workspace::Client;

/// The answer to a command about a lease.
pub(crate) type LeaseAnswer = fencehold::Result<Answer<LeaseVerdict>>;
/// The answer to a command about a task.
pub(crate) type TaskAnswer = fencehold::Result<Answer<TaskVerdict>>;

impl<F: Fs, H: Host + Clone> Client<F, H> {
    pub(crate) fn ask_lease(&self, op: &str, command: &lease::Command) -> LeaseAnswer {
        self.ledger.lease(&self.asking(op), command)
    }

    pub(crate) fn ask_task(&self, op: &str, command: &status::Command) -> TaskAnswer {
        self.ledger.task(&self.asking(op), command)
    }

    /// A grant of a lease that lapses with its TTL, or with the process that it is bound to.
    pub(crate) fn grant(
        &self,
        op: &str,
        lease: &str,
        writes: &str,
        ttl_ms: Option<u64>,
        bound: Option<Process>,
    ) -> LeaseAnswer {
        let command = lease::Command::Grant {
            lease: lease_id(lease),
            holder: self.me.clone(),
            ttl_ms,
            writes: vec![Pattern::new(writes).expect("a plain path")],
            about: About::default(),
            bound,
            asked_by: None,
        };
        self.ask_lease(op, &command)
    }

    pub(crate) fn close(&self, op: &str, lease: &str, token: Token) -> LeaseAnswer {
        let command = lease::Command::Close { lease: lease_id(lease), proof: Proof::Token(token) };
        self.ask_lease(op, &command)
    }

    pub(crate) fn crash(&self, op: &str, lease: &str) -> LeaseAnswer {
        let reason = "its work stopped".to_owned();
        self.ask_lease(op, &lease::Command::Crash { lease: lease_id(lease), token: None, reason })
    }

    pub(crate) fn clear(&self, op: &str, lease: &str) -> LeaseAnswer {
        let reason = Some("nobody knows whose it was".to_owned());
        self.ask_lease(op, &lease::Command::Clear { lease: lease_id(lease), force: true, reason })
    }

    pub(crate) fn reap(&self, op: &str, lease: &str, token: Token) -> LeaseAnswer {
        self.ask_lease(op, &lease::Command::Reap { lease: lease_id(lease), token })
    }

    pub(crate) fn set(
        &self,
        op: &str,
        task: &str,
        to: &str,
        from: Option<&str>,
        epoch: Revision,
    ) -> TaskAnswer {
        let command = status::Command::Set {
            task: task_id(task),
            to: status_of(to),
            from: from.map(status_of),
            epoch,
            detail: None,
            resolve: false,
        };
        self.ask_task(op, &command)
    }

    pub(crate) fn resolve(&self, op: &str, task: &str, to: &str) -> TaskAnswer {
        let command = status::Command::Set {
            task: task_id(task),
            to: status_of(to),
            from: None,
            epoch: 0,
            detail: None,
            resolve: true,
        };
        self.ask_task(op, &command)
    }

    pub(crate) fn reopen(&self, op: &str, task: &str, to: &str) -> TaskAnswer {
        let reason = "it was not done".to_owned();
        self.ask_task(
            op,
            &status::Command::Reopen {
                task: task_id(task),
                to: status_of(to),
                from: None,
                epoch: None,
                reason,
            },
        )
    }

    pub(crate) fn merge(&self, op: &str, task: &str, value: Value) -> TaskAnswer {
        self.ask_task(op, &status::Command::Merge { task: task_id(task), value })
    }

    pub(crate) fn show_lease(&self, lease: &str) -> fencehold::Result<Option<LeaseView>> {
        Ok(self.ledger.show_lease(&lease_id(lease))?.value)
    }

    pub(crate) fn show_task(&self, task: &str) -> fencehold::Result<Option<TaskView>> {
        Ok(self.ledger.show_task(&task_id(task))?.value)
    }
}

pub(crate) fn lease_id(id: &str) -> LeaseId {
    LeaseId::new(id).expect("a plain lease id")
}

pub(crate) fn task_id(id: &str) -> TaskId {
    TaskId::new(id).expect("a plain task id")
}

/// A status.
pub(crate) fn status_of(name: &str) -> Status {
    Status::new(name).expect("a plain status")
}

/// The names of what stands, in their order; none where nothing is known of the task.
pub(crate) fn names(value: &Value) -> Vec<&str> {
    value.statuses.keys().map(Status::as_str).collect()
}
