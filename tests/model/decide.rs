use fencehold_model::history::{Ask, Bind, Id, Reason, Token};
use fencehold_model::lock::{Already, Command, Decision, Proof, Refusal, decide};
use fencehold_model::spec::{Given, Lock, LockOp, LockSpec, Rules, Spec as _};
use fencehold_model::{Claim, Entry, Event, Holder, LockName, State};
use proptest::prelude::*;

/// One drawn step: how much later, which of the verbs, by whom, with what.
#[derive(Debug, Clone)]
struct Step {
    later_ms: u64,
    verb: u8,
    name: u8,
    holder: u8,
    claim: Option<u8>,
    /// The token of the last grant but so many; else the claim is shown.
    back: Option<usize>,
    ttl_ms: u64,
}

fn step() -> impl Strategy<Value = Step> {
    let who = (0..4u8, 0..2u8, 0..3u8, proptest::option::weighted(0.8, 0..2u8));
    let what = (proptest::option::weighted(0.7, 0usize..3), 1..12u64);
    (prop_oneof![3 => Just(0u64), 2 => 1..4u64, 1 => 5..15u64], who, what).prop_map(
        |(later_ms, (verb, name, holder, claim), (back, ttl_ms))| Step {
            later_ms,
            verb,
            name,
            holder,
            claim,
            back,
            ttl_ms,
        },
    )
}

fn command(step: &Step, tokens: &[u64]) -> (Command, Ask) {
    let name = LockName::new(["x", "y"][usize::from(step.name)]).unwrap();
    let holder = Holder::new(["a", "b", "c"][usize::from(step.holder)]).unwrap();
    let holder_id = Id(u32::from(step.holder));
    let claim = |claim: u8| (Claim::new(["p", "q"][usize::from(claim)]).unwrap(), Id(10 + u32::from(claim)));
    let shown = step.back.and_then(|back| tokens.iter().rev().nth(back)).copied();
    let (proof, token, claim_id) = match (shown, claim(step.claim.unwrap_or(0))) {
        (Some(token), _) => (Proof::Token(token), Token::Number(token), None),
        (None, (text, id)) => (Proof::Claim(text), Token::Absent, Some(id)),
    };
    let ttl = step.claim.map(|_| step.ttl_ms);
    match step.verb {
        0 => {
            let (claim, claim_id) = step.claim.map(claim).unzip();
            let ask =
                Ask::Acquire { holder: holder_id, claim: claim_id, ttl_us: step.ttl_ms, bind: Bind::No };
            let (ttl_ms, bound, asked_by) = (step.ttl_ms, None, None);
            (Command::Acquire { name, holder, claim, ttl_ms, bound, asked_by }, ask)
        }
        1 => {
            let ask = Ask::Renew { holder: holder_id, token, claim: claim_id, ttl_us: ttl };
            (Command::Renew { name, holder, proof, ttl_ms: ttl }, ask)
        }
        2 => (
            Command::Release { name, holder, proof },
            Ask::Release { holder: holder_id, token, claim: claim_id },
        ),
        _ => {
            let blank = step.claim.is_none();
            (Command::Break { name, reason: if blank { " " } else { "why" }.into() }, Ask::Break { blank })
        }
    }
}

fn op(now_ms: u64, ask: Ask, decision: &Decision, revision: u64) -> LockOp {
    let mut op = LockOp::at(now_ms, ask, Given::Ok);
    let refused = |reason| Given::Refused(reason);
    match decision {
        Decision::Record(Event::LockGranted { expires_ms, .. }) => {
            (op.token, op.expires_in_us) = (Token::Number(revision), Some(expires_ms - now_ms));
        }
        Decision::Record(Event::LockRenewed { token, expires_ms, .. }) => {
            (op.token, op.expires_in_us) = (Token::Number(*token), Some(expires_ms - now_ms));
        }
        Decision::Record(Event::LockReleased { token, .. }) => {
            (op.token, op.already) = (Token::Number(*token), Some(false));
        }
        Decision::Record(Event::LockBroken { token, .. }) => op.token = Token::Number(*token),
        Decision::Already(Already::Released { token }) => {
            (op.token, op.already) = (Token::Number(*token), Some(true));
        }
        Decision::Already(Already::Granted { token, expires_ms }) => {
            (op.token, op.expires_in_us) = (Token::Number(*token), expires_ms.map(|at_ms| at_ms - now_ms));
        }
        Decision::Refuse(Refusal::Held(grant)) => {
            op.given = refused(Reason::Held);
            op.holder = Some(Id(u32::from(grant.holder.as_str().as_bytes()[0] - b'a')));
            (op.token, op.expires_in_us) = (Token::Number(grant.token), Some(grant.expires_ms - now_ms));
        }
        Decision::Refuse(Refusal::NotHolder) => op.given = refused(Reason::NotHolder),
        Decision::Refuse(Refusal::Expired) => op.given = refused(Reason::Expired),
        Decision::Refuse(Refusal::NotFound) => op.given = refused(Reason::NotFound),
        Decision::Refuse(Refusal::NeedsReason) => op.given = refused(Reason::NeedsReason),
        other => panic!("a timed lock is never answered {other:?}"),
    }
    op
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// FENCE-1: The token of a grant is greater than every token granted in the workspace before it, whatever the
    /// name.
    ///
    /// LOCK-1: At any instant of journal time at most one grant of a name is live.
    #[test]
    fn decide_agrees_with_the_oracle(steps in proptest::collection::vec(step(), 1..60)) {
        let spec = LockSpec { rules: Rules::exact() };
        let mut oracles = [Lock::default(), Lock::default()];
        let (mut state, mut now_ms, mut tokens) = (State::default(), 100, Vec::new());
        let mut decided = 0;
        for step in &steps {
            now_ms += step.later_ms;
            let (command, ask) = command(step, &tokens);
            let before = state.clone();
            let decision = decide(&state, &command, None, now_ms);
            prop_assert_eq!(&decision, &decide(&state, &command, None, now_ms), "a decision is pure");
            if let Decision::Record(event) = &decision {
                let (actor, op) = (Holder::new("a").unwrap(), fencehold_model::OpId::new("o").unwrap());
                state.apply(&Entry { revision: before.revision + 2, at_ms: now_ms, actor, op, event: event.clone() });
                if let Event::LockGranted { .. } = event {
                    prop_assert!(tokens.last().is_none_or(|last| *last < state.revision));
                    tokens.push(state.revision);
                }
                let other = LockName::new(["y", "x"][usize::from(step.name)]).unwrap();
                prop_assert_eq!(state.locks.get(&other), before.locks.get(&other), "another name changed");
            }
            let oracle = &mut oracles[usize::from(step.name)];
            oracle.floor = oracle.floor.max(before.revision);
            let judged = spec.step(oracle, &op(now_ms, ask, &decision, state.revision));
            prop_assert!(judged.is_ok(), "{:?}: {:?} was answered {:?} at {}", judged, command, decision, now_ms);
            *oracle = judged.unwrap();
            decided += 1;
        }
        prop_assert_eq!(decided, steps.len());
    }
}
