//! One place of a session: it lives in one process after another, each until it ends or is killed.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::checkout::area;
use super::draw::{self, Deed};
use super::globs::glob;
use super::harness::STAND_IN;
use super::inside::Named;
use super::{Arena, locked};
use crate::rng::Rng;
use crate::target::{Child, Gone, Spec};

/// A stand-in that says nothing for so long is hung: twice what a hook may take, and more than any stop.
const HUNG_AFTER: Duration = Duration::from_secs(20);

/// Lives until the run stops or the place has made its calls. An error ends the run.
pub(super) fn work(arena: &Arena, slot: usize, mut rng: Rng) -> Result<(), String> {
    let mut life = Life {
        arena,
        slot,
        id: String::new(),
        process: 0,
        call: 0,
        made: 0,
        leases: Vec::new(),
        is_ending: false,
        is_over: true,
    };
    while !arena.stopping() && life.made < arena.options.calls_max {
        // The same session in a new process, or another one.
        if life.is_over || !rng.one_in(3) {
            life.end_leases()?;
            life.rename();
        }
        life.in_a_process(&mut rng)?;
    }
    life.end_leases()?;
    locked(&arena.living).remove(&life.id);
    Ok(())
}

struct Life<'a> {
    arena: &'a Arena,
    slot: usize,
    id: String,
    process: u64,
    call: u64,
    made: u64,
    /// The leases of the session: their ids and areas.
    leases: Vec<(String, u64)>,
    /// Whether its last call was to tell its end.
    is_ending: bool,
    /// Whether it must not be resumed.
    is_over: bool,
}

/// What a session's process does after a deed.
enum Then {
    GoesOn,
    Ends,
}

impl Life<'_> {
    fn rename(&mut self) {
        locked(&self.arena.living).remove(&self.id);
        self.is_over = false;
        self.id = format!("s{}.{}", self.slot, Arena::next(&self.arena.names));
        locked(&self.arena.living).insert(self.id.clone());
    }

    fn in_a_process(&mut self, rng: &mut Rng) -> Result<(), String> {
        let arena = self.arena;
        let words = [arena.options.program.to_string_lossy().as_ref(), STAND_IN, arena.options.hook]
            .map(str::to_owned);
        let spec = Spec::command(&words).map_err(|bad| bad.to_string())?;
        let root = &arena.checkout.root;
        let mut child = spec
            .spawn(root, &arena.checkout.stderr)
            .map_err(|error| format!("starting {}: {error}", spec.text()))?;
        self.process = Arena::next(&arena.processes);
        arena.recorder.note(self.process, "begin", json!({ "pid": child.pid() }));
        locked(&self.arena.living).insert(self.id.clone());
        let slot = &arena.slots[self.slot];
        slot.alone.store(false, Ordering::SeqCst);
        *locked(&slot.alive) = Some((child.handle(), self.process));
        let lived = self.live(&mut child, rng);
        *locked(&slot.alive) = None;
        if slot.alone.load(Ordering::SeqCst) {
            // The hook that it had begun goes on by itself; one that ends a session must not end the next life of it.
            child.close(HUNG_AFTER);
            self.is_over |= self.is_ending;
        } else if matches!(lived, Ok(true)) {
            arena.recorder.note(self.process, "exit", json!({}));
            child.close(HUNG_AFTER);
        } else {
            // Nothing is killed that the record does not say was.
            arena.recorder.note(self.process, "kill", json!({ "alone": false }));
            child.kill_and_reap();
        }
        arena.recorder.note(self.process, "died", json!({}));
        locked(&arena.living).remove(&self.id);
        lived.map(|_| ())
    }

    /// True where the process is to end by itself, false where it is gone or must go.
    fn live(&mut self, child: &mut Child, rng: &mut Rng) -> Result<bool, String> {
        while !self.arena.stopping() && self.made < self.arena.options.calls_max {
            let cwd = rng.pick(&self.arena.checkout.places).clone();
            let own: Vec<u64> = self.leases.iter().map(|(_, area)| *area).collect();
            let deed = draw::next(rng, &self.id, &cwd, &self.arena.checkout.root, &own);
            match self.act(child, &cwd, deed)? {
                None => return Ok(false),
                Some(Then::Ends) => return Ok(true),
                Some(Then::GoesOn) => {}
            }
        }
        Ok(true)
    }

    /// None where the process is gone.
    fn act(&mut self, child: &mut Child, cwd: &Path, deed: Deed) -> Result<Option<Then>, String> {
        let goes_on = |answer: Option<Value>| Ok(answer.map(|_| Then::GoesOn));
        match deed {
            Deed::Grant(area) => self.grant(area).map(|()| Some(Then::GoesOn)),
            Deed::Close => self.close().map(|()| Some(Then::GoesOn)),
            Deed::Stop(payload) => goes_on(self.ask(child, "stop", "stop", None, &payload)),
            Deed::Renamed => {
                self.end_leases()?;
                self.rename();
                Ok(Some(Then::GoesOn))
            }
            Deed::End { goes_on } => {
                let payload = draw::payload(&self.id, cwd, "x", &json!({})).to_string();
                let told = self.ask(child, "session-end", "end", None, &payload);
                self.end_leases()?;
                Ok(told.map(|_| {
                    if goes_on {
                        self.rename();
                        Then::GoesOn
                    } else {
                        Then::Ends
                    }
                }))
            }
            Deed::Reads(payload) => goes_on(self.tool(child, "reads", None, &payload)?),
            Deed::Moves(payload) => goes_on(self.tool(child, "moves", None, &payload)?),
            Deed::Guarded(glob, payload) => goes_on(self.tool(child, "guarded", Some(glob), &payload)?),
            Deed::Edit(area, payload) => goes_on(self.tool(child, "edit", area, &payload)?),
            Deed::Bad(payload) => goes_on(self.tool(child, "bad", None, &payload)?),
        }
    }

    /// A tool call: the hook before it, and, where it passes, the one after it.
    fn tool(
        &mut self,
        child: &mut Child,
        kind: &str,
        area: Option<u64>,
        payload: &str,
    ) -> Result<Option<Value>, String> {
        self.made += 1;
        self.arena.calls.fetch_add(1, Ordering::Relaxed);
        let Some(answer) = self.ask(child, "pre-tool-use", kind, area, payload) else { return Ok(None) };
        if answer["out"] == "{}\n" {
            if needs_lock(kind) {
                self.arena.last_inside.store(self.slot as u64, Ordering::Relaxed);
            }
            return Ok(self.ask(child, "post-tool-use", "after", None, payload));
        }
        let named = Named::of(answer["out"].as_str().unwrap_or_default());
        if let Some(named) = named.filter(|_| needs_lock(kind))
            && !locked(&self.arena.living).contains(named.holder)
        {
            // As the person does who reads it.
            self.arena.break_lock(area)?;
        }
        Ok(Some(answer))
    }

    fn ask(
        &mut self,
        child: &mut Child,
        event: &str,
        kind: &str,
        area: Option<u64>,
        payload: &str,
    ) -> Option<Value> {
        self.call += 1;
        self.is_ending = kind == "end";
        let (call, recorder) = (self.call, &self.arena.recorder);
        let detail = json!({ "call": call, "session": self.id, "event": event, "kind": kind, "area": area });
        recorder.note(self.process, "call", detail);
        let request = json!({ "id": call, "event": event, "payload": payload });
        if needs_lock(kind) {
            self.arena.slots[self.slot].moving.fetch_add(1, Ordering::SeqCst);
        }
        match child.request(&request, HUNG_AFTER) {
            Ok(answer) => {
                let detail = json!({ "call": call, "code": answer["code"], "out": answer["out"],
                    "took_us": answer["took_us"] });
                recorder.note(self.process, "answer", detail);
                Some(answer)
            }
            Err(gone) => {
                let hung = gone != Gone::Eof;
                recorder.note(
                    self.process,
                    "gone",
                    json!({ "call": call, "hung": hung, "why": gone.to_string() }),
                );
                None
            }
        }
    }

    fn grant(&mut self, number: u64) -> Result<(), String> {
        let lease = format!("work-{}", Arena::next(&self.arena.names));
        let writes = format!("{}/", area(number));
        let detail = json!({ "lease": lease, "area": number, "session": self.id });
        self.arena.recorder.note(self.process, "grant", detail);
        let args = ["lease", "grant", &lease, "--writes", &writes, "--holder", &self.id];
        let granted = self.arena.checkout.fencehold(&args)?;
        self.arena.recorder.note(self.process, "granted", json!({ "lease": lease, "granted": granted }));
        if granted {
            self.leases.push((lease, number));
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some((lease, _)) = self.leases.pop() else { return Ok(()) };
        self.arena.recorder.note(self.process, "close", json!({ "lease": lease }));
        let closed = self.arena.checkout.fencehold(&["lease", "close", &lease, "--holder", &self.id])?;
        self.arena.recorder.note(self.process, "closed", json!({ "lease": lease }));
        if closed { Ok(()) } else { Err(format!("the lease {lease} could not be closed by its holder")) }
    }

    fn end_leases(&mut self) -> Result<(), String> {
        while !self.leases.is_empty() {
            self.close()?;
        }
        Ok(())
    }
}

/// Whether such a call needs a lock.
fn needs_lock(kind: &str) -> bool {
    matches!(kind, "moves" | "guarded")
}

impl Arena {
    /// Breaks the lock of a glob, or else `workspace`, as a person would.
    pub(super) fn break_lock(&self, of_glob: Option<u64>) -> Result<(), String> {
        self.recorder.note(0, "break", json!({ "area": of_glob }));
        let lock = of_glob.map_or_else(|| "workspace".to_owned(), glob);
        let broken = self.checkout.fencehold(&["lock", "break", &lock, "--reason", "the gate says so"])?;
        self.recorder.note(0, "broken", json!({ "area": of_glob, "broken": broken }));
        Ok(())
    }
}
