//! TEMPORARY stand-in for the ledger.
use super::session::Session;
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs as _, How, LockMode, RealFs, read_from};
use crate::host::{Clock as _, Host as _, RealHost};
use crate::mark::Folder;
use fencehold_model::event::{Entry, Event, Process};
use fencehold_model::lock::{Already, Command, Decision, Grant, Liveness, Refusal, Sighting};
use fencehold_model::{Holder, LockName, OpId, State, WorkspaceId};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug)]
pub(super) enum Told {
    Granted { token: u64, expires_in_ms: Option<u64>, revision: u64 },
    Ended { token: u64, already: bool, revision: u64 },
    Refused { refusal: Refusal, now_ms: u64, revision: u64 },
}
pub(super) struct Seen {
    pub(super) grant: Option<Grant>,
    pub(super) now_ms: u64,
    pub(super) revision: u64,
}
pub(super) struct Held {
    pub(super) grants: Vec<(LockName, Grant)>,
    pub(super) now_ms: u64,
    pub(super) revision: u64,
}
pub(super) struct Locks {
    host: RealHost,
    dir: PathBuf,
    fs: RealFs,
}
impl Locks {
    pub(super) fn open(session: &Session) -> Result<Option<Self>> {
        if !session.place.exists {
            return Ok(None);
        }
        Ok(Some(Locks { host: RealHost::new()?, dir: session.place.dir.clone(), fs: session.fs }))
    }
    pub(super) fn open_or_create(session: &Session) -> Result<Self> {
        let dir = session.place.dir.clone();
        if !session.place.exists {
            for d in [dir.clone(), dir.join("doc"), dir.join("quarantine")] {
                let _ = session.fs.make_dir(&d, 0o700);
            }
            let _ = session.fs.open(&dir.join("lock"), How::CreateNew { mode: 0o600 });
        }
        Ok(Locks { host: RealHost::new()?, dir, fs: session.fs })
    }
    pub(super) fn create(session: &Session) -> Result<()> {
        Locks::open_or_create(session).map(|_| ())
    }
    pub(super) fn host(&self) -> &RealHost {
        &self.host
    }
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }
    pub(super) fn sees(&self, process: &Process) -> bool {
        self.host.liveness(process) == Liveness::Alive
    }
    pub(super) fn folder(&self) -> Result<Folder> {
        Ok(Folder { dir: self.dir.clone(), id: WorkspaceId::new("w").unwrap() })
    }
    pub(super) fn revision(&self) -> Result<u64> {
        Ok(self.state()?.revision)
    }
    fn state(&self) -> Result<State> {
        let mut state = State::default();
        let path = self.dir.join("fake.ndjson");
        let Ok(file) = self.fs.open(&path, How::Read) else { return Ok(state) };
        let bytes = read_from(&file, 0, 1 << 28).map_err(|e| Error::environment("reading", &path, e))?;
        for line in bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let value: serde_json::Value = serde_json::from_slice(line).unwrap();
            let event = Event::read(fencehold_model::json::Fields::of(&value["e"]).unwrap()).unwrap();
            state.apply(&Entry {
                revision: value["r"].as_u64().unwrap(),
                at_ms: value["t"].as_u64().unwrap(),
                actor: Holder::new("x").unwrap(),
                op: OpId::new("x").unwrap(),
                event,
            });
        }
        Ok(state)
    }
    fn sighting(&self, grant: &Option<Grant>) -> Option<Sighting> {
        let grant = grant.as_ref()?;
        Some(Sighting { token: grant.token, liveness: self.host.liveness(grant.bound.as_ref()?) })
    }
    pub(super) fn submit(&self, _actor: &Holder, command: &Command) -> Result<Told> {
        let lockfile = self
            .fs
            .open(&self.dir.join("lock"), How::Append)
            .map_err(|e| Error::environment("opening", &self.dir, e))?;
        let _ = lockfile.lock(LockMode::Exclusive, Duration::from_secs(10));
        let state = self.state()?;
        let now = self.host.reading().monotonic_ms;
        let grant = state.locks.get(command.name()).and_then(|l| l.grant.clone());
        let revision = state.revision;
        match fencehold_model::lock::decide(&state, command, self.sighting(&grant), now) {
            Decision::Record(event) => {
                let mut text = String::new();
                event.write(&mut text);
                let revision = revision + 1;
                let line = format!("{{\"r\":{revision},\"t\":{now},\"e\":{text}}}\n");
                let path = self.dir.join("fake.ndjson");
                let file = self
                    .fs
                    .open(&path, How::Append)
                    .or_else(|_| self.fs.open(&path, How::CreateNew { mode: 0o600 }))
                    .unwrap();
                file.append(line.as_bytes()).unwrap();
                Ok(match event {
                    Event::LockGranted { ttl_ms, bound, .. } => Told::Granted {
                        token: revision,
                        expires_in_ms: bound.is_none().then_some(ttl_ms),
                        revision,
                    },
                    Event::LockRenewed { token, ttl_ms, .. } => {
                        Told::Granted { token, expires_in_ms: Some(ttl_ms), revision }
                    }
                    Event::LockReleased { token, .. } | Event::LockBroken { token, .. } => {
                        Told::Ended { token, already: false, revision }
                    }
                    _ => unreachable!(),
                })
            }
            Decision::Already(Already::Granted { token, expires_ms }) => {
                Ok(Told::Granted { token, expires_in_ms: expires_ms.map(|e| e - now), revision })
            }
            Decision::Already(Already::Released { token }) => {
                Ok(Told::Ended { token, already: true, revision })
            }
            Decision::Refuse(refusal) => Ok(Told::Refused { refusal, now_ms: now, revision }),
            Decision::Probe(..) => unreachable!(),
        }
    }
    fn live(&self, grant: Option<Grant>, now: u64) -> Option<Grant> {
        let mut grant = grant?;
        match self.sighting(&Some(grant.clone())).map(|s| s.liveness) {
            Some(Liveness::Alive) => {
                grant.expires_ms = u64::MAX;
                Some(grant)
            }
            Some(Liveness::Dead(_)) => None,
            _ => (grant.expires_ms > now).then_some(grant),
        }
    }
    pub(super) fn show(&self, name: &LockName) -> Result<Seen> {
        let state = self.state()?;
        let now_ms = self.host.reading().monotonic_ms;
        let grant = self.live(state.locks.get(name).and_then(|l| l.grant.clone()), now_ms);
        Ok(Seen { grant, now_ms, revision: state.revision })
    }
    pub(super) fn list(&self) -> Result<Held> {
        let state = self.state()?;
        let now_ms = self.host.reading().monotonic_ms;
        let grants = state
            .locks
            .iter()
            .filter_map(|(n, l)| Some((n.clone(), self.live(l.grant.clone(), now_ms)?)))
            .collect();
        Ok(Held { grants, now_ms, revision: state.revision })
    }
}
