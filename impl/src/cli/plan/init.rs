//! `fencehold plan init`: the protocol of plan files, proposed for the file that agents read.
//!
//! Invariants: no file is changed, a person accepts; asked again it proposes nothing more.

use std::path::{Path, PathBuf};

use fencehold_model::ProposalId;
use serde_json::json;

use super::super::args::{Common, Who};
use super::super::identity::holder;
use super::super::out::Ended;
use super::super::proposal::propose;
use super::super::session::Session;
use crate::error::Error;
use crate::fs::{Fs as _, RealFs, read_file};

/// Its first line, by which it is found again.
const HEADING: &str = "## Plan files";
const ID: &str = "plan-protocol";
/// The longest file that is looked into.
const BYTES_MAX: usize = 8 << 20;

const PROTOCOL: &str = "\
## Plan files

Tasks are written as fenced blocks in markdown, each with an `id` that is used once and a `status` on a line of its own:

````markdown
```task
id: T-1
status: todo
```
````

- A status is changed in the file and committed, or on the board (`fencehold task set T-1 in_progress`). Not both at once.
- `fencehold plan check PATH` says what is out of step and changes nothing; `fencehold plan fix PATH` brings it in step.
- `C-11`: the file is ahead, and the board follows. `C-13`: the board is ahead, and the file follows, in a commit of its own.
- `C-14`: the branch is behind its upstream. Pull first; nothing is done until then.
- `conflict`: both moved. Nothing is changed; make them the same by hand, and say why in the commit.
- To take a task up again that is done, write the status it goes back to, and commit that alone: the message is the reason.
- The commits of `plan fix` are pushed like any other.
";

/// `fencehold plan init [FILE]`.
pub(super) fn init(file: Option<&Path>, who: &Who, common: &Common) -> Ended {
    let (by, _) = holder(who)?;
    let session = Session::begin(common)?;
    let target = match file {
        Some(file) => session.file(file)?,
        None => usual(&session)?,
    };
    let failed = |error| Error::environment("reading", &target, error);
    let stands = match RealFs.resolve(&target) {
        Ok(real) => read_file(&RealFs, &real, BYTES_MAX).map_err(failed)?.unwrap_or_default(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(failed(error).into()),
    };
    if String::from_utf8_lossy(&stands).lines().any(|line| line.trim_end() == HEADING) {
        let value = json!({ "target": target.display().to_string(), "already": true });
        session.out.answer(&json!({ "outcome": "ok", "value": value }), "")?;
        session
            .out
            .say(&format!("{} has the section {HEADING:?} already; nothing is proposed", target.display()));
        return Ok(0);
    }
    let id = ProposalId::new(ID).expect("a word is an id");
    let ended = propose(&session, &by, &target, &id, PROTOCOL)?;
    if ended == 0 {
        session.out.say(&format!("look at it with `fencehold proposal list`, and accept it with `fencehold proposal accept {} {ID}`", target.display()));
    }
    Ok(ended)
}

/// AGENTS.md at the top of the worktree; CLAUDE.md where there is that alone.
fn usual(session: &Session) -> crate::error::Result<PathBuf> {
    let root = &session.place.root;
    let stands = |name: &str| {
        let path = root.join(name);
        let stat = RealFs.stat(&path).map_err(|error| Error::environment("looking at", &path, error))?;
        Ok::<_, Error>(stat.map(|_| path))
    };
    let agents = stands("AGENTS.md")?;
    Ok(match agents {
        Some(agents) => agents,
        None => stands("CLAUDE.md")?.unwrap_or_else(|| root.join("AGENTS.md")),
    })
}
