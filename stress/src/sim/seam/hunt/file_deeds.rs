//! What is done to documents, logs, marks, git's files and quarantine, and how to see whether it was.

use std::path::Path;

use fencehold::document::{Repaired, Version};
use fencehold::error::Error;
use fencehold::fs::{File as _, Fs as _, How, read_file};
use fencehold::locate::keep_in_git_config;
use fencehold::log::{GitCheckout, union_merge};

use super::after::files;
use super::pairs::{append, increment, number, own, records};
use crate::sim::disk::Disk;
use crate::sim::seam::deeds;
use crate::sim::torn::site;
use crate::sim::workspace::{self, DIR};
use crate::sim::world::{SimFs, SimHost, World};

type Told = Result<u64, String>;
type Act = fn(&SimFs, &SimHost) -> Told;

/// Something that a process does and is answered, and a look that tells how much of it there is.
#[derive(Clone, Copy)]
pub(super) struct Deed {
    pub(super) name: &'static str,
    pub(super) disk: fn() -> Disk,
    /// What another program does before, without a sync.
    pub(super) foreign: fn(&World),
    pub(super) is_foreign: bool,
    pub(super) act: Act,
    pub(super) look: Act,
    pub(super) relied_on: By,
}

/// Who may rely on it that it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Who did it and was answered; the next one does it again where it finds nothing.
    WhoDidIt,
    /// Whoever asks for it next, too.
    Whoever,
    /// The same, and no lock keeps that one waiting.
    WhoeverAtOnce,
}

/// A document that is no JSON.
const DAMAGED: &[u8] = b"{\"n\":";
/// What a killed writer left of a line.
const HALF: &[u8] = b"{\"rev\":77,\"half\":\"of a line that was never acked";
/// The quarantine of the documents.
pub(super) const QUARANTINE: &str = "/root/.fencehold/quarantine";
/// The mode of the document: who updates it keeps it.
const MODE: u32 = 0o644;

/// All of them, in a fixed order.
pub(super) fn all() -> Vec<Deed> {
    let deed = |name, disk, act, look| Deed {
        name,
        disk,
        foreign: |_| {},
        is_foreign: false,
        act,
        look,
        relied_on: By::Whoever,
    };
    let foreign =
        |name, disk, foreign, act, look| Deed { foreign, is_foreign: true, ..deed(name, disk, act, look) };
    vec![
        deed("an update", files, increment, kept_number),
        deed("a new document", || site::disk(|_, _| {}), increment, number),
        Deed { relied_on: By::WhoeverAtOnce, ..deed("a removal", files, remove, gone) },
        deed("a record", files, append, records),
        deed("a compaction", repeated, compact, folded),
        deed("a line carried over", late, compact, carried),
        deed("a fence", marked, fenced, older_refused),
        Deed { relied_on: By::WhoeverAtOnce, ..deed("a setting of git", deeds::git_checkout, set, setting) },
        Deed {
            relied_on: By::WhoDidIt,
            ..deed("an attribute of git", deeds::git_checkout, unite, attributes)
        },
        deed("a damaged document", damaged, refused, copies),
        deed("a repaired document", damaged, repair, safe_document),
        deed("a torn tail", torn, own, safe_tail),
        foreign("a foreign document", files, replace, number, number),
        foreign("a foreign record", files, add, records, records),
        foreign("git's own setting", deeds::git_checkout, set_by_git, set, setting),
    ]
}

fn said(error: &Error) -> String {
    format!("a process is told: {error}")
}

fn text(fs: &SimFs, path: &Path) -> Result<String, String> {
    let bytes = read_file(fs, path, 1 << 20).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
}

fn kept_number(fs: &SimFs, host: &SimHost) -> Told {
    let stat = fs.stat(Path::new("/root/state.json")).ok().flatten();
    match stat.map(|stat| stat.mode) {
        Some(MODE) => number(fs, host),
        Some(mode) => Err(format!("the document of mode {MODE:o} has got {mode:o}")),
        None => Err("there is no document".to_owned()),
    }
}

fn remove(fs: &SimFs, host: &SimHost) -> Told {
    deeds::remove(&site::document(fs, host).map_err(|error| said(&error))?)?;
    Ok(1)
}

fn gone(fs: &SimFs, host: &SimHost) -> Told {
    let document = site::document(fs, host).map_err(|error| said(&error))?;
    let content = document.read(&site::shown(None)).map_err(|error| said(&error))?;
    let content = content.map_err(|refusal| format!("a read is refused: {refusal}"))?;
    Ok(u64::from(content.version == Version::absent()))
}

fn marked() -> Disk {
    site::disk(|fs, host| {
        site::foreign(fs, "state.json", b"{\"n\":0}\n");
        fence(fs, host, 5).expect("a healthy disk");
    })
}

fn fence(fs: &SimFs, host: &SimHost, token: u64) -> Result<bool, String> {
    let document = site::document(fs, host).map_err(|error| said(&error))?;
    Ok(document.increment("n", 1, &site::shown(Some(token))).map_err(|error| said(&error))?.is_ok())
}

fn fenced(fs: &SimFs, host: &SimHost) -> Told {
    if fence(fs, host, 7)? { Ok(1) } else { Err("a newer fence is refused".to_owned()) }
}

fn older_refused(fs: &SimFs, host: &SimHost) -> Told {
    Ok(u64::from(!fence(fs, host, 6)?))
}

fn set(fs: &SimFs, _: &SimHost) -> Told {
    let kept = keep_in_git_config(fs, Path::new(deeds::GIT), Path::new("/elsewhere"));
    kept.map(|()| 1).map_err(|error| said(&error))
}

fn setting(fs: &SimFs, _: &SimHost) -> Told {
    let path = Path::new(deeds::GIT).join("config");
    let mode = fs.stat(&path).ok().flatten().map(|stat| stat.mode);
    if mode != Some(0o644) {
        return Err(format!("git's config has got the mode {:o}", mode.unwrap_or_default()));
    }
    let config = text(fs, &path)?;
    if !config.contains("bare = false") {
        return Err(format!("git's config has become {config:?}"));
    }
    Ok(u64::from(config.contains("/elsewhere")))
}

/// git writes its config anew and syncs nothing.
fn set_by_git(world: &World) {
    let (_, fs, _) = world.process();
    let (git, new) = (Path::new(deeds::GIT), Path::new("/root/.git/new"));
    let file = fs.open(new, How::CreateNew { mode: 0o644 }).expect("a new file");
    file.append(b"[core]\n\tbare = false\n[fencehold]\n\tdir = /elsewhere\n").expect("a healthy disk");
    fs.rename(new, &git.join("config")).expect("a healthy disk");
}

fn unite(fs: &SimFs, _: &SimHost) -> Told {
    let checkout = GitCheckout { common_dir: deeds::GIT.into(), top: "/root".into() };
    let note = union_merge(fs, &checkout, Path::new("/root/bugs.ndjson"));
    note.map_or(Ok(1), |note| Err(note.0))
}

fn attributes(fs: &SimFs, _: &SimHost) -> Told {
    let text = text(fs, &Path::new(deeds::GIT).join("info/attributes"))?;
    match text.matches("/bugs.ndjson merge=union\n").count() {
        count @ 0..=1 => Ok(count as u64),
        count => Err(format!("the line stands {count} times in the attributes")),
    }
}

/// Another program puts a document in the place of ours.
fn replace(world: &World) {
    let (_, fs, _) = world.process();
    site::foreign(&fs, "new", b"{\"n\":1}\n");
    fs.rename(Path::new("/root/new"), Path::new("/root/state.json")).expect("a healthy disk");
}

fn add(world: &World) {
    let (_, fs, _) = world.process();
    site::foreign(&fs, site::LOG, b"{\"id\":\"b\"}\n");
}

/// What is folded, and what is not.
const REPEATED: &[u8] = b"{\"id\":\"a\"}\n{\"id\":\"b\"}\n";
const LATE: &[u8] = b"{\"id\":\"late\",\"n\":1}\n";

fn repeated() -> Disk {
    site::disk(|fs, _| site::foreign(fs, site::LOG, REPEATED))
}

/// A log that was compacted, and to whose old file somebody appended since.
fn late() -> Disk {
    site::disk(|fs, host| {
        site::foreign(fs, site::LOG, REPEATED);
        let open = fs.open(&Path::new(site::ROOT).join(site::LOG), How::Append).expect("it is there");
        compact(fs, host).expect("a healthy disk");
        open.append(LATE).expect("a healthy disk");
    })
}

fn compact(fs: &SimFs, _: &SimHost) -> Told {
    let log = site::log(fs).map_err(|error| said(&error))?;
    let answer = log.compact(&site::shown(None)).map_err(|error| said(&error))?;
    answer.map(|_| 1).map_err(|refusal| format!("a compaction is refused: {refusal}"))
}

/// Whether the log is folded, if it is as it should be: whole, of its mode, and what it was kept.
fn folded(fs: &SimFs, _: &SimHost) -> Told {
    let path = Path::new(site::ROOT).join(site::LOG);
    let mode = fs.stat(&path).ok().flatten().map(|stat| stat.mode);
    if mode != Some(MODE) {
        return Err(format!("the log of mode {MODE:o} has got {:o}", mode.unwrap_or_default()));
    }
    let log = text(fs, &path)?;
    if log.as_bytes() == REPEATED {
        return Ok(0);
    }
    if log != "{\"folded\":{\"b\":1},\"id\":\"a\",\"occurrences\":2}\n" {
        return Err(format!("the log has become {log:?}"));
    }
    let archive = Path::new(site::ARCHIVE);
    for name in fs.list(archive).map_err(|error| format!("{}: {error}", archive.display()))? {
        if text(fs, &archive.join(name))?.as_bytes() == REPEATED {
            return Ok(1);
        }
    }
    Err("the log was folded, and what it was is gone".to_owned())
}

/// Whether the late line stands in the log, once, or is owed to it.
fn carried(fs: &SimFs, _: &SimHost) -> Told {
    let stands = text(fs, &Path::new(site::ROOT).join(site::LOG))?.matches("late").count() as u64;
    let left = site::log(fs).and_then(|log| log.left()).map_err(|error| said(&error))?;
    match (stands, left.iter().map(|left| left.lines).sum::<u64>()) {
        (0, 1) => Ok(0),
        (1, _) => Ok(1),
        other => Err(format!("a late line stands in the log and is owed so often: {other:?}")),
    }
}

pub(super) fn damaged() -> Disk {
    site::disk(|fs, _| site::foreign(fs, "state.json", DAMAGED))
}

/// An update of the damaged document, which is told that its bytes are in quarantine.
pub(super) fn refused(fs: &SimFs, host: &SimHost) -> Told {
    let document = site::document(fs, host).map_err(|error| said(&error))?;
    match document.increment("n", 1, &site::shown(None)) {
        Err(Error::Damaged { advice, .. }) if advice.contains("A copy is") => Ok(1),
        other => Err(format!("{other:?} to an update of a damaged document")),
    }
}

pub(super) fn repair(fs: &SimFs, host: &SimHost) -> Told {
    let document = site::document(fs, host).map_err(|error| said(&error))?;
    let answer = document.repair(None, &site::shown(None)).map_err(|error| said(&error))?;
    match answer.map_err(|refusal| format!("a repair is refused: {refusal}"))? {
        Repaired::Anew { .. } | Repaired::Healthy(_) => Ok(1),
    }
}

/// How often these bytes are in quarantine; whatever has a name there is what the name says.
fn copies_of(fs: &SimFs, dir: &Path, bytes: &str) -> Told {
    let mut count = 0;
    for name in fs.list(dir).map_err(|error| format!("{}: {error}", dir.display()))? {
        let Some((_, said)) = name.rsplit_once('@').filter(|_| !name.starts_with('.')) else { continue };
        let held = text(fs, &dir.join(&name))?;
        let version = fencehold::document::Version::of(held.as_bytes());
        if said.split_once('-').is_none_or(|(_, said)| said != version.as_str()) {
            return Err(format!("{name} in quarantine is {held:?}"));
        }
        count += u64::from(held == bytes);
    }
    Ok(count)
}

fn copies(fs: &SimFs, _: &SimHost) -> Told {
    let damaged = String::from_utf8_lossy(DAMAGED);
    copies_of(fs, Path::new(QUARANTINE), &damaged)
}

/// Whether the damaged bytes are in place or in quarantine.
pub(super) fn safe_document(fs: &SimFs, host: &SimHost) -> Told {
    let there = text(fs, Path::new("/root/state.json"))?.as_bytes() == DAMAGED;
    Ok(u64::from(copies(fs, host)? > 0 || there))
}

fn torn() -> Disk {
    let mut disk = workspace::disk(|_, _| {});
    let path = Path::new(DIR).join("journal.1.ndjson");
    let journal = [disk.contents(&path).expect("the journal of a workspace"), HALF].concat();
    disk.put(&path, &journal);
    disk
}

fn safe_tail(fs: &SimFs, _: &SimHost) -> Told {
    let half = String::from_utf8_lossy(HALF);
    let there = text(fs, &Path::new(DIR).join("journal.1.ndjson"))?.ends_with(half.as_ref());
    Ok(u64::from(copies_of(fs, &Path::new(DIR).join("quarantine"), &half)? > 0 || there))
}
