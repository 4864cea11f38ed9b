//! Accepting proposals, as processes of every simulated world do it: as it ships, or wrongly.

use std::path::{Path, PathBuf};

use fencehold::Result;
use fencehold::fs::{Fs as _, create_synced, read_file};
use fencehold::journal::Asking;
use fencehold::ledger::ProposalVerdict;
use fencehold::mark::{Folder, Last, PATIENCE, ResourceLock, Rooted, Shown};
use fencehold::prose::{Answered, Plain, Prose, View, target};
use fencehold_model::ProposalId;
use fencehold_model::proposal::{
    Command, Intent, Proposal, Prose as Known, Sum, Target, Told, Verdict, applied, holds, marker,
};

use super::disk::Disk;
use super::workspace::{self, Client, DIR, PARENT};
use super::world::{Ended, Plan, SimFs, SimHost, World};

/// The file, below the root.
const FILE: &str = "notes.md";
/// What it held at first.
pub(crate) const BEFORE: &str = "# Notes\n\nby hand\n";
/// The proposals that are accepted.
pub(crate) const IDS: [&str; 3] = ["p1", "p2", "p3"];

/// How a process does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As it ships.
    Shipped,
    /// Wrong: no OS lock is held.
    NoLock,
    /// Wrong: the file is written, then all is recorded; nobody looks what the file holds.
    NoIntent,
    /// Wrong: as that, but whoever finds the line of the proposal in the file does not write it again.
    IntentAfter,
    /// Wrong: where a file does not tell what became of an intent, it is done anew.
    Guess,
}

impl Way {
    /// The wrong ones.
    pub const WRONG: [Way; 4] = [Way::NoLock, Way::NoIntent, Way::IntentAfter, Way::Guess];
}

pub(crate) type Ours = Client<SimFs, SimHost>;

/// A process's handle.
pub(crate) fn client(fs: &SimFs, host: &SimHost, me: &str) -> Ours {
    Client::new(fs.clone(), host.clone(), me)
}

/// The file's whole path.
pub(crate) fn path() -> PathBuf {
    Path::new(PARENT).join(FILE)
}

/// What a proposal says.
pub(crate) fn content(id: &str) -> String {
    format!("## Of {id}\n\ntext of {id}\n")
}

/// A workspace with a file of prose, and all of the proposals for it.
pub(crate) fn disk(then: impl FnOnce(&SimFs, &SimHost)) -> Disk {
    let world = World::calm(workspace::disk(|_, _| {}));
    let built = late(&world, 90, |fs, host| {
        create_synced(fs, &path(), 0o644, BEFORE.as_bytes()).expect("a healthy disk");
        fs.sync_dir(Path::new(PARENT)).expect("a healthy disk");
        let client = client(fs, host, "ann");
        for id in IDS {
            let added =
                with(fs, &client, |prose, target| prose.add(&client.me, target, &named(id), &content(id)));
            assert!(added.is_ok_and(|answer| stands(&answer) == Some(Told::Proposed)), "{id}");
        }
        then(fs, host);
    });
    assert!(matches!(built, Ended::Returned(())), "{built:?}");
    world.disk(|disk| disk.clone())
}

/// Runs a process after so many others: what a process draws depends on its number, and the operation ids of who made a
/// disk must not be those of who uses it.
pub(crate) fn late<T>(world: &World, after: usize, body: impl FnOnce(&SimFs, &SimHost) -> T) -> Ended<T> {
    late_by(world, after, Plan::NONE, body)
}

/// As [`late`], with a fault.
pub(crate) fn late_by<T>(
    world: &World,
    after: usize,
    plan: Plan,
    body: impl FnOnce(&SimFs, &SimHost) -> T,
) -> Ended<T> {
    for _ in 0..after {
        let _ = world.alone(Plan::NONE, |_, _| ());
    }
    world.alone(plan, |fs, host| body(&fs, &host))
}

fn named(id: &str) -> ProposalId {
    ProposalId::new(id).expect("a plain id")
}

fn rooted(fs: &SimFs) -> Result<Rooted> {
    Rooted::new(fs, Path::new(PARENT), Path::new(DIR))
}

type Shipped<'a> = Prose<'a, SimFs, fencehold::journal::FileJournal<SimFs, SimHost>, SimHost, Plain>;

fn with<T>(fs: &SimFs, client: &Ours, then: impl FnOnce(&Shipped<'_>, &Target) -> Result<T>) -> Result<T> {
    let rooted = rooted(fs)?;
    let folder = Folder { dir: DIR.into(), id: client.ledger.workspace()? };
    let target = target(fs, &rooted, Path::new(FILE))?;
    then(&Prose::new(fs, &client.ledger, &rooted, folder, Plain), &target)
}

fn stands(answer: &Answered) -> Option<Told> {
    match &answer.verdict {
        ProposalVerdict::Stands { told, .. } => Some(*told),
        ProposalVerdict::Refused(_) => None,
    }
}

/// Accepts; whether it was told that it is accepted.
pub(crate) fn accept(way: Way, fs: &SimFs, client: &Ours, id: &str) -> Result<bool> {
    with(fs, client, |prose, target| {
        if way == Way::Shipped {
            let answer = prose.accept(&client.me, target, &named(id), &Shown::nothing())?;
            return Ok(answer.is_ok_and(|answer| stands(&answer) == Some(Told::Accepted)));
        }
        Wrong { way, fs, client, target }.accept(&named(id))
    })
}

/// What a process does that does it wrongly.
struct Wrong<'a> {
    way: Way,
    fs: &'a SimFs,
    client: &'a Ours,
    target: &'a Target,
}

impl Wrong<'_> {
    fn accept(&self, id: &ProposalId) -> Result<bool> {
        let place = rooted(self.fs)?.locate(self.fs, Path::new(FILE), Last::Follow)?;
        let folder = Folder { dir: DIR.into(), id: self.client.ledger.workspace()? };
        let lock = ResourceLock::new(self.fs.clone(), folder, &place);
        let _held = (self.way != Way::NoLock).then(|| lock.take(PATIENCE)).transpose()?;
        if let Some((begun, intent)) = &self.known()?.begun {
            self.settle(begun, intent)?;
        }
        let known = self.known()?;
        let proposal = &known.proposals[id];
        if proposal.told() != Told::Proposed {
            return Ok(proposal.told() == Told::Accepted);
        }
        let before = self.read()?;
        let new = self.after(id, proposal, &before);
        let intend = Command::Intend {
            target: self.target.clone(),
            id: id.clone(),
            file: path().to_string_lossy().into_owned(),
            before: Sum::of(&before),
            after: Sum::of(&new),
        };
        let intent = if matches!(self.way, Way::NoIntent | Way::IntentAfter) {
            if self.way == Way::NoIntent || !holds(&before, id, &proposal.sum) {
                self.write(&new)?;
            }
            self.commit(&intend)?.revision
        } else {
            let intended = self.commit(&intend)?;
            if stands(&intended).is_none() {
                return Ok(false);
            }
            self.write(&new)?;
            intended.revision
        };
        self.record(id, intent)
    }

    fn settle(&self, id: &ProposalId, intent: &Intent) -> Result<()> {
        let (known, bytes) = (self.known()?, self.read()?);
        let proposal = &known.proposals[id];
        let there = Sum::of(&bytes) == intent.after || holds(&bytes, id, &proposal.sum);
        if !there && (self.way == Way::Guess || Sum::of(&bytes) == intent.before) {
            self.write(&self.after(id, proposal, &bytes))?;
        } else if !there {
            return Ok(());
        }
        self.record(id, intent.revision).map(|_| ())
    }

    fn known(&self) -> Result<Known> {
        Ok(self.client.ledger.prose_of(self.target)?.value)
    }

    fn read(&self) -> Result<Vec<u8>> {
        let failed = |error| fencehold::Error::environment("reading", &path(), error);
        Ok(read_file(self.fs, &path(), usize::MAX).map_err(failed)?.unwrap_or_default())
    }

    fn after(&self, id: &ProposalId, proposal: &Proposal, before: &[u8]) -> Vec<u8> {
        let content = proposal.content().unwrap_or_default();
        applied(before, &marker(id, proposal), content).unwrap_or_else(|_| before.to_vec())
    }

    fn write(&self, new: &[u8]) -> Result<()> {
        let failed = |error| fencehold::Error::indefinite(&path(), format!("{error}"));
        let temp = Path::new(PARENT).join(format!(".tmp-{}", self.client.me));
        let _ = self.fs.unlink(&temp);
        create_synced(self.fs, &temp, 0o644, new).map_err(failed)?;
        self.fs.rename(&temp, &path()).map_err(failed)?;
        self.fs.sync_dir(Path::new(PARENT)).map_err(failed)
    }

    fn record(&self, id: &ProposalId, intent: u64) -> Result<bool> {
        let accepted = Command::Accept { target: self.target.clone(), id: id.clone(), intent };
        Ok(stands(&self.commit(&accepted)?) == Some(Told::Accepted))
    }

    fn commit(&self, command: &Command) -> Result<Answered> {
        let asking = Asking { actor: self.client.me.clone(), op: self.client.ledger.new_op() };
        self.client.ledger.proposal(&asking, command)
    }
}

/// A person who takes the lines that name proposals out of the file, as one does who does not know what they are for.
pub(crate) fn tidied(world: &World) {
    world.disk(|disk| {
        let text = String::from_utf8_lossy(disk.contents(path()).unwrap_or_default()).into_owned();
        let kept: Vec<&str> = text.split('\n').filter(|line| !line.starts_with("<!--")).collect();
        disk.put(path(), format!("By a person.\n{}", kept.join("\n")).as_bytes());
    });
}

/// What is left: the proposals as they are told, and the file.
pub(crate) fn left(world: &World) -> std::result::Result<(Vec<View>, String), String> {
    let seen = world.alone(Plan::NONE, |fs, host| {
        with(&fs, &client(&fs, &host, "judge"), |prose, _| Ok(prose.list(None)?.value))
    });
    let Ended::Returned(Ok(views)) = seen else { return Err(format!("the next process is told: {seen:?}")) };
    let text =
        world.disk(|disk| disk.contents(path()).map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
    Ok((views, text.ok_or("the file is gone")?))
}

/// Whether a file and what is told of its proposals agree, where nobody else wrote into it.
fn agree(views: &[View], text: &str) -> std::result::Result<(), String> {
    if !text.contains(BEFORE) {
        return Err(format!("what stood in the file is gone: {text:?}"));
    }
    for view in views {
        let count = text.matches(&format!("text of {}\n", view.id)).count();
        let right = match view.told {
            Told::Accepted => count == 1,
            Told::Rejected => count == 0,
            Told::Proposed => count == 0 || (count == 1 && view.begun.is_some()),
            Told::InDoubt => count <= 1,
        };
        if !right {
            let (id, told) = (&view.id, view.told.word());
            return Err(format!("{id} is told as {told} and stands there {count} times: {text:?}"));
        }
    }
    Ok(())
}

/// Judges what is left, lets a new process accept each of `ids` in the same way, and judges again. Where a person wrote into the
/// file meanwhile, a doubt is resolved by what a person sees.
pub(crate) fn judge(
    world: &World,
    way: Way,
    ids: &[&str],
    person: bool,
) -> std::result::Result<Vec<View>, String> {
    let (first, text) = left(world)?;
    if way == Way::Shipped {
        agree(&first, &text)?;
    }
    if person {
        tidied(world);
    }
    for id in ids {
        let next = world.alone(Plan::NONE, |fs, host| {
            let next = client(&fs, &host, "next");
            accept(way, &fs, &next, id)
        });
        match next {
            Ended::Returned(Ok(true)) => {}
            Ended::Returned(Ok(false)) if person => resolve(world)?,
            other => return Err(format!("the next process accepts {id} so: {other:?}")),
        }
    }
    if person {
        for id in ids {
            let again = world.alone(Plan::NONE, |fs, host| accept(way, &fs, &client(&fs, &host, "next"), id));
            if !matches!(again, Ended::Returned(Ok(_))) {
                return Err(format!("a process accepts {id} after a doubt so: {again:?}"));
            }
        }
    }
    let (views, text) = left(world)?;
    agree(&views, &text)?;
    let mut wanted = views.iter().filter(|view| ids.contains(&view.id.as_str()));
    match wanted.find(|view| view.told != Told::Accepted) {
        Some(view) => Err(format!("{} is {} after all was accepted", view.id, view.told.word())),
        None => Ok(first),
    }
}

/// What a person says of a doubt who sees the content in the file, or not; who sees none accepts it anew under another
/// id, which is not done here: it is said to be accepted as well, and put there by hand.
fn resolve(world: &World) -> std::result::Result<(), String> {
    let (views, text) = left(world)?;
    let Some(doubt) = views.iter().find(|view| view.told == Told::InDoubt) else {
        return Err("an accept was refused, and nothing is in doubt".to_owned());
    };
    let said = content(doubt.id.as_str());
    if !text.contains(&said) {
        world.disk(|disk| disk.put(path(), format!("{text}{said}").as_bytes()));
    }
    let resolved = world.alone(Plan::NONE, |fs, host| {
        let client = client(&fs, &host, "person");
        with(&fs, &client, |prose, target| {
            prose.resolve(&client.me, target, &doubt.id, Verdict::Accepted, "it is there")
        })
    });
    match resolved {
        Ended::Returned(Ok(answer)) if stands(&answer) == Some(Told::Accepted) => Ok(()),
        other => Err(format!("a doubt is resolved so: {other:?}")),
    }
}
