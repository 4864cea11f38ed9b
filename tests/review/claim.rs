//! Who is the same: the claim (C8), what an expired lock is (M6), the repeated release (m2).

use fencehold_model::lock::{Liveness, Proof};

use crate::program::Yard;
use crate::spec_kit::{Does as _, HOUR, Lab, acquire, acquire_bound, by_claim, release, renew};

/// Two processes of one holder: `lock run build` in two terminals of one person. The second is refused, held by its
/// own name; the first one's end releases nothing of another's.
#[test]
fn review_C8_two_runs_of_one_holder_are_not_both_let_in() {
    let yard = Yard::with_git();
    let program = env!("CARGO_BIN_EXE_fencehold-under-test");
    let script = format!("env -u FENCEHOLD_CLAIM {program} --json lock run build -- touch both; echo $?");
    let run = yard.run(["lock", "run", "build", "--", "sh", "-c", &script]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.ends_with("75\n") && run.stderr.contains("tester"), "{run:?}");
    assert!(!yard.join("both").exists());
}

/// Idempotence is of the claim: same holder and same claim keep the token and never get a shorter expiry. The wrong
/// variant, which goes by the holder, is `ClaimIgnored` of the explorer's mutants.
#[test]
fn review_C8_the_claim_and_not_the_name_makes_an_acquire_idempotent() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("build", "me#first", HOUR));
    for other in ["me#second", "me"] {
        assert_eq!(lab.party().refusal(&acquire("build", other, HOUR)), "held", "{other}");
    }
    assert_eq!(lab.party().token(&acquire("build", "me#first", 1)), token);
    lab.machine.pass(HOUR - 1);
    assert!(lab.party().held("build").is_some(), "the shorter TTL took nothing away");
    // The second one cannot release the first one's, either.
    let refused = lab.party().refusal(&release("build", "me", by_claim("second")));
    assert_eq!(refused, "not_holder");
}

/// A timed lock lapses at its expiry, the instant included; then it is nobody's: renew and release are refused, and the
/// old claim gets a new token. The wrong variants are `LapsesLate`, `LapsedRenewed`, `LapsedReleased` and `LapsedKept`
/// of the explorer's mutants.
#[test]
fn review_M6_an_expired_lock_is_nobodys_from_the_instant_on() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("x", "h#c", 1_000));
    lab.machine.pass(999);
    assert_eq!(lab.party().refusal(&acquire("x", "other", HOUR)), "held", "a millisecond before");
    lab.machine.pass(1);
    assert_eq!(lab.party().held("x"), None);
    for proof in [Proof::Token(token), by_claim("c")] {
        assert_eq!(lab.party().refusal(&renew("x", "h", proof.clone(), None)), "expired");
        assert_eq!(lab.party().refusal(&release("x", "h", proof)), "expired");
    }
    assert!(lab.party().token(&acquire("x", "h#c", HOUR)) > token, "the old claim gets a new token");
}

/// Renew never shortens. The wrong variant is `RenewShortens` of the explorer's mutants.
#[test]
fn review_M6_a_renewal_never_shortens() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("x", "h", HOUR));
    lab.party().verdict(&renew("x", "h", Proof::Token(token), Some(1)));
    lab.machine.pass(HOUR - 1);
    assert_eq!(lab.party().held("x").map(|(_, token)| token), Some(token));
    lab.machine.pass(1);
    assert_eq!(lab.party().held("x"), None);
}

/// A bound lock has no expiry while its process is not proven dead; where that cannot be found out, its TTL counts. The
/// wrong variants are `BoundByTtl` and `UnseenIsDead` of the explorer's mutants.
#[test]
fn review_M6_a_bound_lock_lapses_by_death_or_where_that_cannot_be_proven_by_ttl() {
    let lab = Lab::new();
    let (alive, unseen) = (lab.machine.process(7), lab.machine.process(8));
    lab.machine.becomes(8, Liveness::Unknowable);
    lab.party().token(&acquire_bound("alive", "h", 1_000, &alive));
    lab.party().token(&acquire_bound("unseen", "h", 1_000, &unseen));
    lab.machine.pass(999);
    assert!(lab.party().held("alive").is_some() && lab.party().held("unseen").is_some());
    lab.machine.pass(1);
    assert!(lab.party().held("alive").is_some() && lab.party().held("unseen").is_none());
}

/// A `lock run` that is killed cannot stop its child: the lock is bound to the child and stays held as long as that
/// lives, past its TTL.
#[test]
fn review_M6_a_killed_run_leaves_the_lock_with_its_child() {
    use std::io::{BufRead as _, BufReader};
    let yard = Yard::with_git();
    let mut run = yard.fencehold();
    run.args(["lock", "run", "build", "--ttl", "1ms", "--", "sh", "-c"]);
    run.arg("trap '' TERM; echo $$; read x; exit 0");
    run.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = crate::program::Kept(run.spawn().unwrap());
    let stdin = child.0.stdin.take().unwrap();
    let mut said = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    let other = ["lock", "acquire", "build", "--holder", "other"];
    assert_eq!(yard.run(other).code, 1, "held by the child");
    drop(stdin);
    let taken = yard.run(other.iter().chain(&["--wait", "30s"]));
    assert_eq!(taken.code, 0, "{taken:?}");
}

/// A release whose answer was lost is retried: it is ok, already, and not a refusal that looks as if another had the
/// lock. The wrong variant is `RepeatRefused` of the explorer's mutants.
#[test]
fn review_m2_a_release_that_is_retried_is_ok_already() {
    use fencehold::ledger::Verdict;
    let lab = Lab::new();
    let token = lab.party().token(&acquire("x", "h", HOUR));
    // Killed after its sync: it cannot know.
    let fs = super::kit::Tampered::new(fencehold::fs::RealFs, {
        let mut synced = false;
        move |call, path| {
            let journal = path.ends_with("journal.1.ndjson");
            let die = synced;
            synced |= call == "sync" && journal;
            if die { super::kit::Act::Die } else { super::kit::Act::Go }
        }
    });
    let asked = release("x", "h", Proof::Token(token));
    let _ = lab.party_on(fs, crate::spec_kit::DURABLE).ask(&asked);
    assert_eq!(lab.party().held("x"), None);
    assert_eq!(lab.party().verdict(&asked), Verdict::Released { token, already: true });
    let other = release("x", "h", Proof::Token(token + 1));
    assert_eq!(lab.party().refusal(&other), "not_holder");
}
