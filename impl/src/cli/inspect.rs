//! Commands that only look: `where`.

use serde_json::json;

use super::args::Common;
use super::out::{Ended, Out};
use super::session::find;
use crate::fs::RealFs;
use crate::locate::{self, Place};

/// `fencehold where`: the folder on stdout; a folder that would be refused is printed too, with the refusal.
pub(super) fn place(common: &Common) -> Ended {
    let (fs, out) = (RealFs, Out { json: common.json });
    let place = find(fs, common)?;
    out.answer(&object(&place), &format!("{}\n", place.dir.display()))?;
    if !out.json {
        let not_yet = if place.exists { "" } else { "; it is not there yet, the first write creates it" };
        out.tell_who_watches(&format!("{}{not_yet}", place.why));
    }
    locate::check(&fs, &place)?;
    if let (_, Some(note)) = locate::check_filesystem(fs, &place.dir)? {
        out.say(&note);
    }
    Ok(0)
}

fn object(place: &Place) -> serde_json::Value {
    json!({
        "workspace": place.dir.to_string_lossy(),
        "root": place.root.to_string_lossy(),
        "why": place.why,
        "exists": place.exists,
        "common_dir": place.common_dir.as_ref().map(|dir| dir.to_string_lossy()),
    })
}
