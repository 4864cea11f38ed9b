//! The command line as a process: what it prints, and the code it ends with.

use crate::program::{Yard, said};

#[test]
fn help_says_the_exit_codes_and_goes_to_stdout() {
    let yard = Yard::new();
    let said = yard.run(["--help"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    for code in [
        "0 done",
        "1 refused",
        "2 usage",
        "3 it may have happened",
        "4 damaged",
        "70 a bug",
        "75",
        "76",
        "125",
    ] {
        assert!(said.stdout.contains(code), "{code}");
    }
}

#[test]
fn whoami_takes_the_first_that_is_set() {
    let yard = Yard::new();
    let mut base = yard.fencehold();
    base.arg("whoami").env_remove("FENCEHOLD_HOLDER").env("USER", "ada");
    let by_session = said(&mut base).stdout;
    assert!(by_session.starts_with("ada@"), "{by_session}");
    assert_eq!(said(base.env("CODEX_THREAD_ID", "codex-1")).stdout, "codex-1\n");
    assert_eq!(said(base.env("CLAUDE_CODE_SESSION_ID", "claude-1")).stdout, "claude-1\n");
    assert_eq!(said(base.env("FENCEHOLD_HOLDER", "h")).stdout, "h\n");
    assert_eq!(said(base.args(["--holder", "flag"])).stdout, "flag\n");
}
