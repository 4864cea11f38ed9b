//! Proposals: any sequence of commands against a second, small account of the rules; and the form on disk.

use std::collections::BTreeMap;

use fencehold_model::proposal::{Command, Decision, Refusal, Sum, Target, Told, Verdict, decide};
use fencehold_model::record::{Head, read_entry, read_head, write_entry, write_head};
use fencehold_model::{Entry, Event, Holder, OpId, ProposalId, State, WorkspaceId};
use proptest::prelude::*;

const CONTENTS: [&str; 3] = ["text", "## a heading\n\"quoted\" \u{1} ä\n", "other"];
const TARGETS: [&str; 2] = ["a.md", "docs/b c.md"];
const IDS: [&str; 3] = ["p", "5", "-->"];

/// What is asked next: of which file, which proposal, and what.
type Asked = (usize, usize, usize, usize, bool);

fn asked() -> impl Strategy<Value = Vec<Asked>> {
    proptest::collection::vec((0..2_usize, 0..3_usize, 0..6_usize, 0..3_usize, any::<bool>()), 0..40)
}

/// The intent that stands of a file, if one does.
fn intent(state: &State, target: &Target) -> u64 {
    state.prose_of(target).and_then(|prose| prose.begun.as_ref()).map_or(7, |(_, intent)| intent.revision)
}

fn command(state: &State, (target, id, what, which, flag): Asked) -> Command {
    let (target, id) = (Target::new(TARGETS[target]).unwrap(), ProposalId::new(IDS[id]).unwrap());
    let intent = intent(state, &target);
    let how = if flag { Verdict::Accepted } else { Verdict::Rejected };
    match what {
        0 => Command::Add { target, id, content: CONTENTS[which].to_owned() },
        1 => {
            let (before, after) = (Sum::absent(), Sum::of(CONTENTS[which].as_bytes()));
            Command::Intend { target, id, file: "/w/a.md".to_owned(), before, after }
        }
        2 => Command::Accept { target, id, intent },
        3 => Command::Withdraw { target, id, intent },
        4 => {
            let (reason, untouched) = ((which > 0).then(|| "why".to_owned()), flag.then_some(intent));
            Command::Reject { target, id, reason, untouched }
        }
        _ => Command::Resolve { target, id, how, reason: ["", "why", " "][which].to_owned(), intent },
    }
}

/// A second account, of words alone: content and end of each proposal, and of each file the one that is begun.
#[derive(Default)]
struct Account {
    proposals: BTreeMap<(String, String), (String, Option<Verdict>)>,
    begun: BTreeMap<String, String>,
}

impl Account {
    /// Whether the command is recorded; else the word it is answered by, `ok` where it already is so.
    fn expects(&mut self, command: &Command) -> Result<(), &'static str> {
        let key = (command.target().as_str().to_owned(), command.id().as_str().to_owned());
        let begun = self.begun.get(&key.0).cloned();
        let mine = begun.as_ref() == Some(&key.1);
        let known = self.proposals.get(&key).cloned();
        match (command, &known) {
            (Command::Add { content, .. }, None) => {
                self.proposals.insert(key, (content.clone(), None));
                return Ok(());
            }
            (Command::Add { content, .. }, Some((known, _))) => {
                return Err(if content == known { "ok" } else { "conflict" });
            }
            (Command::Resolve { reason, .. }, _) if reason.trim().is_empty() => return Err("needs_reason"),
            (_, None) => return Err("not_found"),
            _ => {}
        }
        let wanted = match command {
            Command::Intend { .. } | Command::Accept { .. } => Some(Verdict::Accepted),
            Command::Reject { .. } => Some(Verdict::Rejected),
            Command::Resolve { how, .. } => Some(*how),
            _ => None,
        };
        if let Some((_, Some(ended))) = known {
            return Err(if wanted == Some(ended) { "ok" } else { "not_open" });
        }
        let allowed = match command {
            Command::Intend { .. } => begun.is_none(),
            Command::Reject { untouched, .. } => !mine || untouched.is_some(),
            _ => mine,
        };
        if !allowed {
            return Err("conflict");
        }
        match command {
            Command::Intend { .. } => drop(self.begun.insert(key.0, key.1)),
            _ => {
                if mine {
                    self.begun.remove(&key.0);
                }
                if !matches!(command, Command::Withdraw { .. }) {
                    self.proposals.get_mut(&key).unwrap().1 = wanted;
                }
            }
        }
        Ok(())
    }
}

fn word(refusal: &Refusal) -> &'static str {
    refusal.word()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn proposals_are_decided_as_told_and_read_back_equal(asked in asked()) {
        let (mut state, mut account) = (State::default(), Account::default());
        let workspace = WorkspaceId::new("w").unwrap();
        let (_, mut prev) = write_head(&Head { workspace: workspace.clone(), n: 1, state: state.clone() }, 0);
        for (revision, asked) in (1..).zip(asked) {
            let command = command(&state, asked);
            let said = match decide(&state, &command) {
                Decision::Record(event) => {
                    prop_assert!(state.admits(&event).is_ok());
                    let (actor, op) = (Holder::new("ann").unwrap(), OpId::new(&format!("{revision}")).unwrap());
                    let entry = Entry { revision, at_ms: revision, actor, op, event };
                    let (line, next) = write_entry(&entry, 0, prev);
                    let read = read_entry(line.trim_end(), prev, &state).unwrap();
                    prop_assert_eq!(&read.content, &entry);
                    prev = next;
                    state.apply(&entry);
                    Ok(())
                }
                Decision::Already(_) => Err("ok"),
                Decision::Refuse(refusal) => Err(word(&refusal)),
                Decision::Invalid(why) => panic!("{why}"),
            };
            prop_assert_eq!(said, account.expects(&command), "{:?}", command);
        }
        for ((target, id), (content, ended)) in &account.proposals {
            let prose = &state.prose[&Target::new(target).unwrap()];
            let proposal = &prose.proposals[&ProposalId::new(id).unwrap()];
            prop_assert_eq!(proposal.told(), ended.map_or(Told::Proposed, Told::from));
            prop_assert_eq!(proposal.content(), ended.is_none().then_some(content.as_str()));
        }
        let head = Head { workspace, n: 2, state };
        let (line, _) = write_head(&head, 0);
        prop_assert_eq!(read_head(line.trim_end(), 2).unwrap().content, head);
    }
}

#[test]
fn an_event_that_nothing_led_to_is_not_admitted() {
    let add = Command::Add {
        target: Target::new("a.md").unwrap(),
        id: ProposalId::new("p").unwrap(),
        content: "text".to_owned(),
    };
    let Decision::Record(Event::Proposal(event)) = decide(&State::default(), &add) else { panic!() };
    let mut state = State::default();
    let mut refused = 0;
    use fencehold_model::proposal::What;
    let (file, sum) = ("/w/a.md".to_owned(), Sum::absent());
    let others = [
        What::Intended { file, before: sum.clone(), after: sum },
        What::Accepted,
        What::Withdrawn,
        What::Rejected { reason: None },
        What::Resolved { how: Verdict::Accepted, reason: "why".to_owned() },
    ];
    for what in &others {
        let event =
            Event::Proposal(fencehold_model::proposal::ProposalEvent { what: what.clone(), ..event.clone() });
        refused += usize::from(state.admits(&event).is_err());
    }
    let entry = Entry {
        revision: 1,
        at_ms: 1,
        actor: Holder::new("ann").unwrap(),
        op: OpId::new("1").unwrap(),
        event: Event::Proposal(event.clone()),
    };
    state.apply(&entry);
    refused += usize::from(state.admits(&entry.event).is_err());
    for what in &others[1..3] {
        let event =
            Event::Proposal(fencehold_model::proposal::ProposalEvent { what: what.clone(), ..event.clone() });
        refused += usize::from(state.admits(&event).is_err());
    }
    assert_eq!(refused, 8);
    for path in ["", "/a", "a/", "a//b", "./a", "a/../b", "a\nb", &"a".repeat(1025)] {
        assert!(Target::new(path).is_err(), "{path:?}");
    }
    for text in ["", "absent ", "1", "1-2", "x-00000000", "1-0000000G", "1-000000000"] {
        assert!(text.parse::<Sum>().is_err(), "{text:?}");
    }
}
