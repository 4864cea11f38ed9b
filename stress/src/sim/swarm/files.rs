//! Documents and logs of a process: incremented, appended to and read; some of them under the token of a lock.
//!
//! A guarded file is used under one lock only and is named for it. Whoever was granted a token goes on to show it after
//! it has lost the lock: then it is stale. Half of the time the ledger is asked first, as every caller should; the mark at
//! the file decides, and alone where the ledger was not asked. What it then lets pass is told to the judge of the run, and
//! not to the checker of the history: a token is no older at a file than what was shown there.

use std::path::Path;

use fencehold::document::{Content, Document, Incremented};
use fencehold::ledger::FenceStanding;
use fencehold::log::{Appended, Log, Page, Records};
use fencehold::mark::{Answer, Fence, Folder, Rooted, Shown};
use fencehold_model::Token;
use serde_json::{Map, Value, json};

use super::tell::Said;
use super::user::User;
use crate::rng::Rng;
use crate::sim::workspace::{self, DIR, PARENT};
use crate::sim::world::{SimFs, SimHost};

/// What is used under which token.
struct File {
    name: String,
    /// The lock and its token.
    fence: Option<(String, Token)>,
    /// Whether the ledger is asked about it.
    asks: bool,
}

/// What a guarded operation was told, whether the ledger or the mark refused it.
type Passed<A> = std::result::Result<A, &'static str>;

impl File {
    fn args(&self) -> Value {
        let mut args = json!({ "file": self.name });
        if let Some((lock, token)) = self.fence.as_ref().filter(|_| self.asks) {
            args["fence"] = json!({ "lock": lock, "token": token });
        }
        args
    }

    fn token(&self) -> Token {
        self.fence.as_ref().map_or(0, |(_, token)| *token)
    }
}

impl User {
    pub(super) fn document(&mut self, rng: &mut Rng) {
        let file = self.file(rng, "doc", "json");
        if rng.below(6) == 0 {
            return self.read_document(&file);
        }
        let mut args = file.args();
        (args["key"], args["by"]) = ("n".into(), 1.into());
        let ask =
            |_: &str| self.passed(&file, |shown| self.open_document(&file.name)?.increment("n", 1, shown));
        let answer = self.tell("doc.increment", &args, ask, |it: &Passed<Incremented>| {
            said(it, |done| json!({ "value": done.value, "version": done.version.as_str() }))
        });
        if let Some(Ok(done)) = answer {
            self.recorder.passed(&file.name, done.value, false, file.token());
        }
    }

    pub(super) fn log(&mut self, rng: &mut Rng) {
        let file = self.file(rng, "log", "ndjson");
        if rng.below(8) == 0 {
            return self.read_log(&file.name);
        }
        self.appends += 1;
        let text = self.reason();
        let id = format!("r{}.{}", self.host.number(), self.appends);
        let record = json!({ "id": id, "token": file.token(), "text": text });
        let mut args = file.args();
        args["record"] = record.clone();
        let Value::Object(record) = record else { unreachable!("it was written as an object") };
        let ask = |_: &str| self.passed(&file, |shown| self.open_log(&file.name)?.append(&record, shown));
        self.tell("log.append", &args, ask, |it: &Passed<Appended>| {
            said(it, |_| json!({ "appended": true }))
        });
    }

    /// Looks at every document and log that may have been used.
    pub(super) fn looks_at_files(&mut self) {
        for number in 0..self.plan.names {
            self.host.pass(1);
            for kind in ["doc", "guarded-doc"].into_iter().filter(|_| self.plan.documents) {
                self.read_document(&File { name: self.path(kind, number, "json"), fence: None, asks: false });
            }
            for kind in ["log", "guarded-log"].into_iter().filter(|_| self.plan.logs) {
                self.read_log(&self.path(kind, number, "ndjson"));
            }
        }
    }

    fn path(&self, kind: &str, number: u64, ending: &str) -> String {
        format!("{}.{ending}", self.named(kind, number))
    }

    /// One of the files, half of the time under any token that this process was ever granted.
    fn file(&self, rng: &mut Rng, kind: &str, ending: &str) -> File {
        if rng.one_in(2) && !self.granted.is_empty() {
            let (lock, token) = rng.pick(&self.granted).clone();
            let number = lock.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
            let name = self.path(&format!("guarded-{kind}"), number, ending);
            return File { name, fence: Some((lock, token)), asks: rng.one_in(2) };
        }
        File { name: self.path(kind, rng.below(self.plan.names), ending), fence: None, asks: false }
    }

    fn read_document(&self, file: &File) {
        let ask = |_: &str| self.passed(file, |shown| self.open_document(&file.name)?.read(shown));
        let answer = self.tell("doc.read", &file.args(), ask, |it: &Passed<Content>| {
            said(it, |content| json!({ "document": content.value, "version": content.version.as_str() }))
        });
        if let (Some(Ok(content)), Some((_, token))) = (answer, &file.fence) {
            let value = content.value.get("n").and_then(Value::as_i64).unwrap_or(0);
            self.recorder.passed(&file.name, value, true, *token);
        }
    }

    fn read_log(&self, name: &str) {
        let ask = |_: &str| self.open_log(name)?.read(&Page::default());
        let answer = self.tell("log.read", &json!({ "file": name }), ask, |it: &Records| {
            Said::of_file(json!({
                "records": it.records,
                "damaged": it.damaged.len(),
                "duplicates": it.duplicates,
            }))
        });
        let token = |record: &Map<String, Value>| record.get("token").and_then(Value::as_u64).unwrap_or(0);
        let records = answer.map(|it| it.records).unwrap_or_default();
        if let Some(two) = records.windows(2).find(|two| token(&two[0]) > token(&two[1])) {
            let (newer, older) = (token(&two[0]), token(&two[1]));
            self.recorder.wrong(format!("{name}: a record of token {older} stands behind one of {newer}"));
        }
    }

    /// Asks the ledger about the token, and then the file.
    fn passed<A>(
        &self,
        file: &File,
        act: impl FnOnce(&Shown) -> fencehold::Result<Answer<A>>,
    ) -> fencehold::Result<Passed<A>> {
        let shown = match &file.fence {
            None => Shown::nothing(),
            Some((lock, token)) => {
                let lock = workspace::lock(lock);
                if file.asks {
                    match self.client.ledger.fence_standing(&lock, *token)? {
                        FenceStanding::Good => {}
                        FenceStanding::Stale { .. } => return Ok(Err("stale_token")),
                        FenceStanding::NeverGranted => {
                            let what =
                                format!("token {token} of {lock} was granted, and never was, it is told");
                            self.recorder.wrong(what);
                        }
                    }
                }
                Shown::fence(Fence::new(lock, *token).expect("a token that was granted is small"))
            }
        };
        Ok(act(&shown)?.map_err(|refusal| refusal.word()))
    }

    fn folder(&self) -> fencehold::Result<(Rooted, Folder)> {
        use fencehold::journal::Journal as _;
        let id = self.client.ledger.journal().workspace()?;
        let rooted = Rooted::new(&self.fs, Path::new(PARENT), Path::new(DIR))?;
        Ok((rooted, Folder { dir: DIR.into(), id }))
    }

    fn open_document(&self, name: &str) -> fencehold::Result<Document<SimFs, SimHost>> {
        let (rooted, folder) = self.folder()?;
        Document::open(self.fs.clone(), self.host.clone(), folder, &rooted, Path::new(name))
    }

    fn open_log(&self, name: &str) -> fencehold::Result<Log<SimFs>> {
        let (rooted, folder) = self.folder()?;
        Log::open(self.fs.clone(), folder, &rooted, Path::new(name), None)
    }
}

fn said<A>(passed: &Passed<A>, value: impl FnOnce(&A) -> Value) -> Said {
    match passed {
        Ok(done) => Said::of_file(value(done)),
        Err(word) => Said::refused_file(word),
    }
}
