//! A ledger answers alike over every journal: one story of locks, leases and tasks, told in each place.

use fencehold::host::Host;
use fencehold::journal::Journal;
use fencehold::ledger::{LeaseVerdict, Ledger, TaskVerdict, Verdict};
use fencehold_model::lease::{self, About};
use fencehold_model::lock::Proof;
use fencehold_model::status;
use fencehold_model::{Holder, LeaseId, Pattern, Revision, Status, TaskId};

use super::places::{Place, RealFiles, SimFiles, Store};
use crate::spec_kit::{HOUR, Machine, acquire, asking, by_claim, end_by_hand, release, renew};

/// What was answered, a word each: revisions and times differ between journals.
#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn say(&mut self, word: &str) {
        self.0.push(word.to_owned());
    }

    fn lock(&mut self, verdict: &Verdict) -> Revision {
        let (word, token) = match verdict {
            Verdict::Granted { token, .. } => ("granted", *token),
            Verdict::Released { token, already: false } => ("released", *token),
            Verdict::Released { token, already: true } => ("already released", *token),
            Verdict::Broken { token } => ("broken", *token),
            Verdict::Refused(refusal) => (refusal.word(), 0),
        };
        self.say(word);
        token
    }
}

fn locks<J: Journal, H: Host>(one: &Ledger<J, H>, two: &Ledger<J, H>, pass: impl Fn(u64), words: &mut Words) {
    let mut ask =
        |ledger: &Ledger<J, H>, command| words.lock(&ledger.submit(&asking("me"), &command).unwrap().verdict);
    let token = ask(one, acquire("a", "me#one", 1_000));
    assert_eq!(ask(two, acquire("a", "me#one", 1_000)), token, "the claim keeps its token");
    ask(two, acquire("a", "me#two", 1_000));
    ask(two, acquire("a", "other", 1_000));
    assert_eq!(ask(two, renew("a", "me", by_claim("one"), Some(HOUR))), token);
    pass(2_000);
    ask(one, acquire("a", "other", 1_000));
    ask(one, release("a", "other", Proof::Token(token)));
    ask(one, release("a", "me", Proof::Token(token)));
    ask(two, release("a", "me", Proof::Token(token)));
    let later = ask(two, acquire("a", "other", 1_000));
    assert!(later > token);
    pass(2_000);
    ask(two, renew("a", "other", Proof::Token(later), None));
    let last = ask(one, acquire("a", "third", HOUR));
    assert!(last > later);
    ask(two, end_by_hand("a", "it is in the way"));
}

fn leases<J: Journal, H: Host>(one: &Ledger<J, H>, two: &Ledger<J, H>, words: &mut Words) {
    let mut ask = |ledger: &Ledger<J, H>, command: &lease::Command| {
        let verdict = ledger.lease(&asking("me"), command).unwrap().verdict;
        words.say(match &verdict {
            LeaseVerdict::Granted { .. } => "granted",
            LeaseVerdict::Closed { already, .. } => ["closed", "already closed"][usize::from(*already)],
            LeaseVerdict::Crashed(_) => "crashed",
            LeaseVerdict::Cleared { .. } => "cleared",
            LeaseVerdict::Standing => "standing",
            LeaseVerdict::Refused(refusal) => refusal.word(),
        });
        match verdict {
            LeaseVerdict::Granted { token, .. } => token,
            _ => 0,
        }
    };
    let grant = |lease: &str, writes: &str| lease::Command::Grant {
        lease: LeaseId::new(lease).unwrap(),
        holder: Holder::new("me").unwrap(),
        ttl_ms: Some(HOUR),
        writes: vec![Pattern::new(writes).unwrap()],
        about: About::default(),
        bound: None,
        asked_by: None,
    };
    let token = ask(one, &grant("5", "src/"));
    ask(two, &grant("6", "src/lib.rs"));
    ask(two, &grant("6", "docs/"));
    let close =
        lease::Command::Close { lease: LeaseId::new("5").unwrap(), proof: lease::Proof::Token(token) };
    ask(two, &close);
    ask(one, &close);
    ask(one, &grant("7", "src/lib.rs"));
}

fn tasks<J: Journal, H: Host>(one: &Ledger<J, H>, two: &Ledger<J, H>, words: &mut Words) {
    let mut ask = |ledger: &Ledger<J, H>, to: &str, from: Option<&str>| {
        let command = status::Command::Set {
            task: TaskId::new("t").unwrap(),
            to: Status::new(to).unwrap(),
            from: from.map(|from| Status::new(from).unwrap()),
            epoch: 0,
            detail: None,
            resolve: false,
        };
        let said = match ledger.task(&asking("me"), &command).unwrap().verdict {
            TaskVerdict::Stands { value, already, .. } => {
                let names: Vec<&str> = value.statuses.keys().map(Status::as_str).collect();
                format!("{names:?}, already {already}")
            }
            TaskVerdict::Refused(refusal) => refusal.word().to_owned(),
        };
        words.0.push(said);
    };
    ask(one, "todo", None);
    ask(two, "in_progress", None);
    ask(one, "blocked", None);
    ask(two, "todo", None);
    ask(two, "done", Some("todo"));
    ask(one, "done", None);
}

fn told<P: Place>(place: &P) -> Vec<String> {
    let machine = Machine::new();
    let ledger = || Ledger::new(place.client(), machine.clone());
    let (one, two, mut words) = (ledger(), ledger(), Words::default());
    locks(&one, &two, |ms| place.pass(ms), &mut words);
    leases(&one, &two, &mut words);
    tasks(&one, &two, &mut words);
    words.0
}

#[test]
fn a_ledger_answers_alike_over_every_journal() {
    let files = told(&RealFiles::new());
    println!("{files:#?}");
    assert_eq!(files.len(), 25);
    assert_eq!(told(&SimFiles::new()), files);
    assert_eq!(told(&Store::calm()), files);
    for seed in 0..20 {
        assert_eq!(told(&Store::troubled(seed)), files, "seed {seed}");
    }
}
