//! The two users in a process of their own: to start a program as another user std forks, and a fork copies the tables of
//! all the memory that the stages before have used (seen: the stage took 17 s instead of 4 behind the stage `mutants`).

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use serde_json::{Value, json};

use super::harness::SHIPPED;
use super::stage::THIS_PROGRAM;
use super::users::{Users, two_users};

/// The word that the gate starts itself with.
const WORD: &str = "two-users";

/// Has `program`, the gate's own, be two users, and says what it came to.
///
/// # Errors
/// Where that could not be told.
pub(super) fn apart(program: &Path) -> Result<Users, String> {
    let failed = |why: &dyn std::fmt::Display| format!("two users of one checkout: {why}");
    let output = Command::new(program).arg(WORD).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| failed(&error))?;
    let told = serde_json::from_slice::<Value>(&output.stdout)
        .map_err(|_| failed(&format!("nothing was told, and it ended with {}", output.status)))?;
    let text = |key: &str| told[key].as_str().map(str::to_owned);
    match (told["right"].as_u64(), text("skipped"), text("wrong")) {
        (Some(done), None, None) => Ok(Users::Right(done)),
        (None, Some(why), None) => Ok(Users::Skipped(why)),
        (None, None, Some(why)) => Ok(Users::Wrong(why)),
        _ => Err(failed(&told["failed"])),
    }
}

/// Is two users in a folder that others can reach, and writes to stdout what it came to, as one line of JSON.
#[must_use]
pub fn be_two_users() -> ExitCode {
    // Where a run's folder lies others may not be let in.
    let dir = tempfile::Builder::new().prefix("fencehold-users-").tempdir();
    let came = dir
        .map_err(|error| format!("a folder for two users: {error}"))
        .and_then(|dir| two_users(dir.path(), Path::new(THIS_PROGRAM), SHIPPED));
    let told = match came {
        Ok(Users::Right(done)) => json!({ "right": done }),
        Ok(Users::Skipped(why)) => json!({ "skipped": why }),
        Ok(Users::Wrong(why)) => json!({ "wrong": why }),
        Err(why) => json!({ "failed": why }),
    };
    println!("{told}");
    ExitCode::SUCCESS
}
