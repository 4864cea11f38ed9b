//! The operations on logs and documents.

use fencehold_model::json::Tree;
use serde_json::{Map, Value, json};

use super::request::Request;
use super::target::Greeted;
use super::{Failure, ID_BYTES_MAX, LINE_BYTES_MAX, Outcome, Reply};
use crate::cli::fence::described;
use crate::cli::guarded::lock_of_document;
use crate::document::{self, Document, Version};
use crate::fs::RealFs;
use crate::host::RealHost;
use crate::ledger::FenceStanding;
use crate::log::{self, GitCheckout, Log, Page};
use crate::mark::{Fence, Last, Mark, Place, Refusal, Shown};

/// The bytes of records in one page of `log.read`: with what stands around them a line stays below 1 MiB.
const PAGE_BYTES: usize = 512 * 1024;
/// What an answer holds beside its value: the id and a few words.
const AROUND_BYTES: usize = 2 * ID_BYTES_MAX;

impl Greeted {
    pub(super) fn append(&mut self, request: &Request<'_>) -> Outcome {
        let record: Map<String, Value> = match request.fields.get("record").map(Tree::to_value) {
            Some(Value::Object(record)) => record,
            _ => return Err(Failure::Definite("`record` is not an object with a string `id`".to_owned())),
        };
        log::check_record(&record)?;
        self.find(request, Last::Refuse)?;
        let shown = match self.shown(request)? {
            Ok(shown) => shown,
            Err(refused) => return Ok(refused),
        };
        let log = self.log(request)?;
        if let Some(common_dir) = &self.place.common_dir {
            let git = GitCheckout { common_dir: common_dir.clone(), top: self.place.root.clone() };
            crate::cli::union_lines::note(self.fs, &self.place.dir, &git, &log.place().path());
        }
        match log.append(&record, &shown)? {
            Ok(appended) => {
                if let Some(note) = appended.note {
                    crate::cli::out::say(&note.0);
                }
                Ok(ok(json!({ "appended": true })))
            }
            Err(refusal) => Ok(refused(&refusal)),
        }
    }

    fn log(&mut self, request: &Request<'_>) -> std::result::Result<Log<RealFs>, Failure> {
        let folder = self.folder()?;
        let git = self
            .place
            .common_dir
            .as_ref()
            .map(|common_dir| GitCheckout { common_dir: common_dir.clone(), top: self.place.root.clone() });
        let log = Log::open(self.fs, folder, &self.rooted, &request.file()?, git)?;
        Ok(log.with_patience(self.settings.patience))
    }

    pub(super) fn read_log(&mut self, request: &Request<'_>) -> Outcome {
        let after = request.fields.number_or_none("after")?.unwrap_or(0);
        let place = self.find(request, Last::Refuse)?;
        let mut page = Page { after, bytes_max: PAGE_BYTES, ..Page::default() };
        loop {
            let records = if self.ledger_if_any()?.is_some() {
                self.log(request)?.read(&page)?
            } else {
                log::read(&self.fs, &place, &page)?
            };
            let mut value = json!({
                "records": records.records,
                "damaged": records.damaged.len(),
                "duplicates": records.duplicates,
            });
            if let Some(next) = records.next {
                value["next"] = json!(next);
            }
            // Ids that are duplicates stand in an answer twice, and some numbers are longer there than in the file.
            let fits = value.to_string().len() <= LINE_BYTES_MAX - AROUND_BYTES;
            if fits || records.records.len() <= 1 {
                return Ok(ok(value));
            }
            page.bytes_max /= 2;
        }
    }

    /// Where the request's file is: refused before anything is created for it.
    fn find(&self, request: &Request<'_>, last: Last) -> std::result::Result<Place, Failure> {
        Ok(self.rooted.locate(&self.fs, &request.file()?, last)?)
    }

    pub(super) fn increment(&mut self, request: &Request<'_>) -> Outcome {
        let key = request.fields.text("key")?;
        let Some(by) = request.fields.get("by").and_then(Tree::as_i64) else {
            return Err(Failure::Definite("`by` is not a whole number".to_owned()));
        };
        self.find(request, Last::Follow)?;
        let shown = match self.shown(request)? {
            Ok(shown) => shown,
            Err(refused) => return Ok(refused),
        };
        Ok(match self.document(request)?.increment(key, by, &shown)? {
            Ok(done) => ok(json!({ "value": done.value, "version": done.version.as_str() })),
            Err(refusal) => refused(&refusal),
        })
    }

    pub(super) fn merge(&mut self, request: &Request<'_>) -> Outcome {
        let Some(patch) = request.fields.get("patch").map(Tree::to_value) else {
            return Err(Failure::Definite("field `patch` is missing".to_owned()));
        };
        document::check_patch(&patch)?;
        let expect = request.fields.text_or_none("expect")?.map(Version::new);
        self.find(request, Last::Follow)?;
        let shown = match self.shown(request)? {
            Ok(shown) => shown,
            Err(refused) => return Ok(refused),
        };
        Ok(match self.document(request)?.merge(&patch, expect.as_ref(), &shown)? {
            Ok(version) => ok(json!({ "version": version.as_str() })),
            Err(refusal) => refused(&refusal),
        })
    }

    pub(super) fn read_document(&mut self, request: &Request<'_>) -> Outcome {
        let place = self.find(request, Last::Follow)?;
        if request.fence()?.is_none() && self.ledger_if_any()?.is_none() {
            return Ok(content(&document::look(&self.fs, &place)?));
        }
        let shown = match self.shown(request)? {
            Ok(shown) => shown,
            Err(refused) => return Ok(refused),
        };
        Ok(match self.document(request)?.read(&shown)? {
            Ok(found) => content(&found),
            Err(refusal) => refused(&refusal),
        })
    }

    fn document(
        &mut self,
        request: &Request<'_>,
    ) -> std::result::Result<Document<RealFs, RealHost>, Failure> {
        let folder = self.folder()?;
        let document = Document::open(self.fs, self.host.clone(), folder, &self.rooted, &request.file()?)?;
        let guarded = self.ledger()?.policy()?.value.guarded;
        let lock = lock_of_document(&self.place, &guarded, &document.place().path())?;
        Ok(document.guarded_by(lock).with_patience(self.settings.patience))
    }

    /// What is shown at the resource, once the ledger has nothing against it.
    pub(super) fn shown(
        &mut self,
        request: &Request<'_>,
    ) -> std::result::Result<std::result::Result<Shown, Reply>, Failure> {
        let shown = request.shown()?;
        let Some(fence) = &shown.fence else { return Ok(Ok(shown)) };
        let never =
            || Failure::Definite(format!("no lock and no lease here ever had the token {}", fence.token));
        // Where there is no workspace, none was ever granted, and none is made to find that out.
        let ledger = self.ledger_if_any()?.ok_or_else(never)?;
        match ledger.right_standing(&fence.right, fence.token)? {
            (right, FenceStanding::Good) => Ok(Ok(Shown::fence(Fence { right, token: fence.token }))),
            (right, FenceStanding::Stale { newest }) => Ok(Err(Reply::Refused {
                reason: "stale_token",
                revision: None,
                value: described(&Mark { right, token: newest }),
            })),
            (_, FenceStanding::NeverGranted) => Err(never()),
        }
    }
}

fn ok(value: Value) -> Reply {
    Reply::Ok { revision: None, value }
}

fn content(found: &document::Content) -> Reply {
    if found.version == Version::absent() {
        return Reply::Refused { reason: "not_found", revision: None, value: Value::Null };
    }
    ok(json!({ "document": found.value, "version": found.version.as_str() }))
}

pub(super) fn refused(refusal: &Refusal) -> Reply {
    let value = match refusal {
        Refusal::StaleToken(mark) | Refusal::Guarded(mark) => described(mark),
        Refusal::Ruled(lock) => json!({ "lock": lock.as_str() }),
        Refusal::Version { found, .. } => json!({ "version": found.as_str() }),
        _ => Value::Null,
    };
    Reply::Refused { reason: refusal.word(), revision: None, value }
}
