//! A folder with a journal and a file of prose, and calls that may be failed one by one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold::error::Result;
use fencehold::fs::{Fs, RealFs};
use fencehold::host::RealHost;
use fencehold::journal::{FileJournal, Journal as _, Modes, Options, create};
use fencehold::ledger::{Ledger, ProposalVerdict};
use fencehold::mark::{self, Folder, Rooted, Shown};
use fencehold::prose::{Answered, Plain, Prose, View, target};
use fencehold_model::proposal::{Refusal, Target, Told, Verdict};
use fencehold_model::{Event, Holder, ProposalId};

pub(crate) const FILE: &str = "notes.md";
/// Longer than any machine takes, however many wait.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder.
pub(crate) struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Desk { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(desk.path("ws")).unwrap();
        let made = create(&RealFs, &RealHost::new().unwrap(), &desk.path("ws"), Modes::Owner).unwrap();
        assert!(made);
        desk
    }

    /// With a file of prose, and a proposal `p` for it.
    pub(crate) fn with(before: &str, content: &str) -> Self {
        let desk = Desk::new();
        desk.write(before);
        desk.on(RealFs).add("p", content);
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn write(&self, text: impl AsRef<[u8]>) {
        fs::write(self.path(FILE), text).unwrap();
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.path(FILE)).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    /// The names beside the file.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A process at work there.
    pub(crate) fn on<F: Fs>(&self, fs: F) -> Clerk<F> {
        let (dir, host) = (self.path("ws"), RealHost::new().unwrap());
        let options = Options { patience: PATIENCE, ..Options::default() };
        let journal = FileJournal::new(fs.clone(), host.clone(), &dir, options);
        let ledger = Ledger::new(journal, host);
        let rooted = Rooted::new(&RealFs, &self.path(""), &dir).unwrap();
        let sound = FileJournal::new(RealFs, RealHost::new().unwrap(), &dir, Options::default());
        let folder = Folder { dir, id: sound.workspace().unwrap() };
        Clerk { fs, ledger, rooted, folder }
    }

    /// A process on the disk as it is.
    pub(crate) fn clerk(&self) -> Clerk<RealFs> {
        self.on(RealFs)
    }

    /// The kinds of what happened to proposals, the oldest first.
    pub(crate) fn story(&self) -> Vec<&'static str> {
        let mut story = Vec::new();
        let notes = self.clerk().ledger.journal().history(|entry| {
            if let Event::Proposal(event) = &entry.event {
                story.push(event.word().strip_prefix("proposal.").unwrap());
            }
        });
        assert!(notes.unwrap().is_empty());
        story
    }
}

/// A process at a desk.
pub(crate) struct Clerk<F: Fs> {
    fs: F,
    pub(crate) ledger: Ledger<FileJournal<F, RealHost>, RealHost>,
    rooted: Rooted,
    folder: Folder,
}

pub(crate) fn id(text: &str) -> ProposalId {
    ProposalId::new(text).unwrap()
}

pub(crate) fn by() -> Holder {
    Holder::new("ann").unwrap()
}

impl<F: Fs> Clerk<F> {
    pub(crate) fn prose(&self) -> Prose<'_, F, FileJournal<F, RealHost>, RealHost, Plain> {
        let prose = Prose::new(&self.fs, &self.ledger, &self.rooted, self.folder.clone(), Plain);
        prose.with_patience(PATIENCE)
    }

    pub(crate) fn target(&self) -> Target {
        target(&RealFs, &self.rooted, Path::new(FILE)).unwrap()
    }

    #[track_caller]
    pub(crate) fn add(&self, name: &str, content: &str) -> Told {
        stands(self.prose().add(&by(), &self.target(), &id(name), content).unwrap())
    }

    pub(crate) fn try_accept(&self, name: &str) -> Result<mark::Answer<Answered>> {
        self.prose().accept(&by(), &self.target(), &id(name), &Shown::nothing())
    }

    /// Accepts, and tells what stands.
    #[track_caller]
    pub(crate) fn accept(&self, name: &str) -> Told {
        stands(self.try_accept(name).unwrap().unwrap())
    }

    #[track_caller]
    pub(crate) fn reject(&self, name: &str) -> Answered {
        self.prose().reject(&by(), &self.target(), &id(name), None).unwrap()
    }

    #[track_caller]
    pub(crate) fn resolve(&self, name: &str, how: Verdict) -> Answered {
        self.prose().resolve(&by(), &self.target(), &id(name), how, "I looked").unwrap()
    }

    pub(crate) fn list(&self) -> Vec<View> {
        self.prose().list(None).unwrap().value
    }

    /// Where a proposal stands.
    #[track_caller]
    pub(crate) fn told(&self, name: &str) -> Told {
        self.list().into_iter().find(|view| view.id == id(name)).expect("it was proposed").told
    }
}

/// What stands; a refusal is none.
#[track_caller]
pub(crate) fn stands(answer: Answered) -> Told {
    match answer.verdict {
        ProposalVerdict::Stands { told, .. } => told,
        ProposalVerdict::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

/// Why it was refused.
#[track_caller]
pub(crate) fn refusal(answer: Answered) -> Refusal {
    match answer.verdict {
        ProposalVerdict::Refused(refusal) => refusal,
        ProposalVerdict::Stands { told, already } => panic!("it is {told:?}, already: {already}"),
    }
}

/// How often a text stands in another.
pub(crate) fn times(text: &str, part: &str) -> usize {
    text.matches(part).count()
}
