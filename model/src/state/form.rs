//! The JSON form of the state, in line one of a journal file.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use super::{Boot, State};
use crate::event::{Process, read_party};
use crate::id::BootId;
use crate::json::{Fields, Malformed, Tree, Writer, write_list, write_text};
use crate::lease::{read_lease, write_lease};
use crate::lock::{Broken, Grant, Lock, Released};
use crate::proposal::{Written, read_proposal, write_proposal};
use crate::status::{Cell, Owed, Value as CellValue};
use crate::{Claim, LockName, Policy, Revision, TaskId, TimeMs};

impl State {
    /// Writes its JSON object.
    pub fn write(&self, out: &mut String) {
        let mut to = Writer::new(out);
        if let Some(Boot { boot, anchor_ms, monotonic_ms }) = &self.boot {
            to.value("boot", |out| {
                let mut to = Writer::new(out);
                to.text("boot", boot.as_str())
                    .number("anchor_ms", *anchor_ms)
                    .number("mono_ms", *monotonic_ms)
                    .end();
            });
        }
        to.number("forgotten", self.forgotten);
        to.value("ended_boots", |out| {
            write_list(out, &self.ended_boots, |out, boot| write_text(out, boot.as_str()));
        });
        to.value("locks", |out| {
            write_list(out, &self.locks, |out, (name, lock)| write_lock(out, name, lock));
        });
        to.value("leases", |out| {
            write_list(out, &self.leases, |out, (id, lease)| write_lease(out, id, lease));
        });
        to.value("tasks", |out| {
            write_list(out, &self.tasks, |out, (task, cell)| write_cell(out, task, cell));
        });
        if !self.prose.is_empty() {
            to.value("proposals", |out| {
                let all = self.prose.iter().flat_map(|(target, prose)| {
                    prose.proposals.iter().map(move |(id, proposal)| (target, prose, id, proposal))
                });
                write_list(out, all, |out, (target, prose, id, proposal)| {
                    let begun =
                        prose.begun.as_ref().filter(|(begun, _)| begun == id).map(|(_, intent)| intent);
                    write_proposal(out, target, id, proposal, begun);
                });
            });
        }
        if !self.owed.is_empty() {
            to.value("owed", |out| write_list(out, &self.owed, |out, (step, owed)| owed.write(*step, out)));
        }
        to.value("policy", |out| self.policy.write(out));
        to.value("ops", |out| {
            write_list(out, &self.recent, |out, (op, revision)| {
                Writer::new(out).text("op", op.as_str()).number("rev", *revision).end();
            });
        });
        to.end();
    }

    /// The lists of a state that may be long: each element is taken on its own, by [`State::take`].
    pub(crate) const LISTS: [&str; 4] = ["locks", "leases", "tasks", "proposals"];

    /// Takes one element of a long list of what [`State::write`] wrote.
    pub(crate) fn take(&mut self, list: &str, element: &Tree<'_>) -> Result<(), Malformed> {
        let fields = Fields::of(element)?;
        let twice = match list {
            "locks" => {
                let (name, lock) = read_lock(fields)?;
                self.locks.insert(name, lock).is_some()
            }
            "leases" => {
                let (id, lease) = read_lease(fields)?;
                let twice = self.leases.contains_key(&id);
                self.put(id, lease);
                twice
            }
            "tasks" => {
                let (task, cell) = read_cell(fields)?;
                self.tasks.insert(task, cell).is_some()
            }
            _ => {
                let Written { target, id, proposal, begun } = read_proposal(fields)?;
                let prose = self.prose.entry(target).or_default();
                let again = begun.is_some() && prose.begun.is_some();
                if let Some(intent) = begun {
                    prose.begun = Some((id.clone(), intent));
                }
                prose.proposals.insert(id, proposal).is_some() || again
            }
        };
        if twice { Err(Malformed(format!("field `{list}` holds {element} twice"))) } else { Ok(()) }
    }

    /// Reads what remains of what [`State::write`] wrote; revision and time stand beside it in line one.
    pub(crate) fn read_rest(
        self,
        fields: Fields<'_>,
        revision: Revision,
        time_ms: TimeMs,
    ) -> Result<Self, Malformed> {
        let boot = fields.object_or_none("boot")?.map(|boot| {
            Ok::<_, Malformed>(Boot {
                boot: boot.id("boot")?,
                anchor_ms: boot.number("anchor_ms")?,
                monotonic_ms: boot.number("mono_ms")?,
            })
        });
        let ended = fields.array("ended_boots")?.iter().map(|boot| match boot.as_str().map(BootId::new) {
            Some(Ok(boot)) => Ok(boot),
            _ => Err(Malformed("field `ended_boots` holds something that is no boot id".to_owned())),
        });
        let owed = fields.array_or_empty("owed")?.iter().map(|owed| Owed::read(Fields::of(owed)?));
        let ops = fields.array("ops")?.iter().map(|op| {
            let op = Fields::of(op)?;
            Ok::<_, Malformed>((op.id("op")?, op.number("rev")?))
        });
        let state = State {
            revision,
            time_ms,
            boot: boot.transpose()?,
            forgotten: fields.number("forgotten")?,
            owed: owed.collect::<Result<_, _>>()?,
            ended_boots: ended.collect::<Result<_, _>>()?,
            policy: fields.object_or_none("policy")?.map(Policy::read).transpose()?.unwrap_or_default(),
            recent: ops.collect::<Result<_, _>>()?,
            ..self
        };
        for (task, cell) in &state.tasks {
            state.can_hold(task, &cell.value)?;
        }
        Ok(state)
    }
}

fn write_cell(out: &mut String, task: &TaskId, cell: &Cell) {
    let mut to = Writer::new(out);
    to.text("task", task.as_str());
    cell.value.write(&mut to);
    to.number("rev", cell.revision).number("at_ms", cell.at_ms).text("actor", cell.actor.as_str()).end();
}

fn read_cell(fields: Fields<'_>) -> Result<(TaskId, Cell), Malformed> {
    let cell = Cell {
        value: CellValue::read(fields)?,
        revision: fields.number("rev")?,
        at_ms: fields.number("at_ms")?,
        actor: fields.id("actor")?,
    };
    Ok((fields.id("task")?, cell))
}

fn write_lock(out: &mut String, name: &LockName, lock: &Lock) {
    let mut to = Writer::new(out);
    to.text("name", name.as_str());
    if let Some(grant) = &lock.grant {
        to.value("grant", |out| {
            let mut to = Writer::new(out);
            to.number("token", grant.token).text("holder", grant.holder.as_str());
            to.text_if("claim", grant.claim.as_ref().map(Claim::as_str));
            to.number("since_ms", grant.since_ms).number("ttl_ms", grant.ttl_ms);
            to.number("expires_ms", grant.expires_ms);
            if let Some(process) = &grant.bound {
                to.value("bound", |out| process.write(out));
            }
            if let Some((pid, host)) = &grant.asked_by {
                to.number("pid", *pid).text("host", host);
            }
            to.end();
        });
    }
    if let Some(released) = &lock.released {
        to.value("released", |out| {
            let mut to = Writer::new(out);
            to.text("holder", released.holder.as_str());
            to.text_if("claim", released.claim.as_ref().map(Claim::as_str));
            to.number("token", released.token).number("at_ms", released.at_ms).end();
        });
    }
    if let Some(Broken { token, at_ms }) = lock.broken {
        to.value("broken", |out| Writer::new(out).number("token", token).number("at_ms", at_ms).end());
    }
    to.end();
}

fn read_lock(fields: Fields<'_>) -> Result<(LockName, Lock), Malformed> {
    let grant = fields.object_or_none("grant")?.map(|grant| {
        Ok::<_, Malformed>(Grant {
            token: grant.number("token")?,
            holder: grant.id("holder")?,
            claim: grant.id_or_none("claim")?,
            since_ms: grant.number("since_ms")?,
            ttl_ms: grant.number("ttl_ms")?,
            expires_ms: grant.number("expires_ms")?,
            bound: grant.object_or_none("bound")?.map(Process::read).transpose()?,
            asked_by: read_party(grant)?,
        })
    });
    let released = fields.object_or_none("released")?.map(|released| {
        Ok::<_, Malformed>(Released {
            holder: released.id("holder")?,
            claim: released.id_or_none("claim")?,
            token: released.number("token")?,
            at_ms: released.number("at_ms")?,
        })
    });
    let broken = fields.object_or_none("broken")?.map(|broken| {
        Ok::<_, Malformed>(Broken { token: broken.number("token")?, at_ms: broken.number("at_ms")? })
    });
    let lock =
        Lock { grant: grant.transpose()?, released: released.transpose()?, broken: broken.transpose()? };
    Ok((fields.id("name")?, lock))
}
