//! Gates before statuses: every value of every small vocabulary, every command there, every way to come to a gate.
//!
//! Each decision is compared with the oracle's word: with nothing seen, with something else seen than what stands there,
//! with all met, with something unmet; without force, with it, and with it but no reason.

use fencehold_model::policy::Gate;
use fencehold_model::policy::gates::{GatePath, Require, Tasks};
use fencehold_model::spec::Spec as _;
use fencehold_model::spec::status::{AtGate, Force, Seen};
use fencehold_model::status::{
    self, Cell, Command, Decision, Forced, Looked, Refusal, Shown, StatusEvent, Unmet, Value,
};
use fencehold_model::{Event, Policy, State, Status};

use super::lexicon::Lexicon;
use super::node::Texts;
use super::search::entry;
use super::shape::{Shape, shapes};
use super::space::{Action, Bounds, actions, task, values};

/// A machine that decides at gates: the one that ships, or a wrong one.
pub trait Keeper {
    /// As [`status::decide_shown`].
    fn decide(&self, state: &State, command: &Command, shown: &Shown) -> Decision;
}

impl Keeper for super::super::Shipped {
    fn decide(&self, state: &State, command: &Command, shown: &Shown) -> Decision {
        status::decide_shown(state, command, shown)
    }
}

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// One wrong keeper of gates.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum GateMutant {
            $($(#[$doc])* $name,)*
        }

        impl GateMutant {
            /// All of them.
            pub const ALL: &[GateMutant] = &[$(GateMutant::$name),*];
        }
    };
}

mutants! {
    /// There are no gates.
    NeverAsks,
    /// A set comes to no gate.
    SetGoesRound,
    /// A reopen comes to no gate.
    ReopenGoesRound,
    /// A merge comes to no gate.
    MergeGoesRound,
    /// The choice of one side of a conflict comes to no gate.
    ResolveGoesRound,
    /// What was seen under another policy counts.
    OtherwiseCounts,
    /// What is not met does not count.
    UnmetPasses,
    /// Force needs no reason.
    BlankForce,
    /// Force passes though nobody has looked.
    ForceWithoutLook,
    /// A step by force is recorded like any other.
    ForceUnrecorded,
    /// A step at which all was met is recorded as one by force.
    ForceAlways,
    /// A gate lets nothing pass, not even by force.
    NeverOpens,
}

impl GateMutant {
    fn goes_round(self, state: &State, command: &Command) -> bool {
        let ungated = State { policy: Policy { gates: Vec::new(), ..state.policy.clone() }, ..state.clone() };
        let resolves = || match status::decide(&ungated, command) {
            Decision::Record(event) => event.word() == "status.resolved",
            _ => false,
        };
        match self {
            GateMutant::NeverAsks => true,
            GateMutant::SetGoesRound => matches!(command, Command::Set { .. }),
            GateMutant::ReopenGoesRound => matches!(command, Command::Reopen { .. }),
            GateMutant::MergeGoesRound => matches!(command, Command::Merge { .. }),
            GateMutant::ResolveGoesRound => resolves(),
            _ => false,
        }
    }
}

impl Keeper for GateMutant {
    fn decide(&self, state: &State, command: &Command, shown: &Shown) -> Decision {
        if self.goes_round(state, command) {
            let policy = Policy { gates: Vec::new(), ..state.policy.clone() };
            return status::decide_shown(&State { policy, ..state.clone() }, command, shown);
        }
        let mut shown = shown.clone();
        let looking = match status::decide(state, command) {
            Decision::Refuse(Refusal::Gate(held)) => Some(held.looking),
            _ => None,
        };
        match (*self, &mut shown.looked, looking) {
            (GateMutant::OtherwiseCounts, Some(looked), Some(looking)) => looked.at = looking,
            (GateMutant::UnmetPasses, Some(looked), _) => looked.unmet.clear(),
            (GateMutant::ForceWithoutLook, looked @ None, Some(at)) if shown.force.is_some() => {
                *looked = Some(Looked { at, root: "/".into(), unmet: Vec::new() });
            }
            _ => {}
        }
        if *self == GateMutant::BlankForce && shown.force.is_some() {
            shown.force = Some("why".into());
        }
        let mut right = status::decide_shown(state, command, &shown);
        match (*self, &mut right) {
            (GateMutant::ForceUnrecorded, Decision::Record(Event::Status(event))) => *forced(event) = None,
            (GateMutant::ForceAlways, Decision::Record(Event::Status(event))) if shown.force.is_some() => {
                let (unmet, root) = (Vec::new(), "/".into());
                let by = Forced { reason: "why".into(), unmet, more: 0, root, owes: Default::default() };
                *forced(event) = Some(Box::new(by));
            }
            (GateMutant::NeverOpens, Decision::Record(_)) => {
                if let Decision::Refuse(refusal) = status::decide(state, command) {
                    return Decision::Refuse(refusal);
                }
            }
            _ => {}
        }
        right
    }
}

fn forced(event: &mut StatusEvent) -> &mut Option<Box<Forced>> {
    match event {
        StatusEvent::Set { forced, .. } | StatusEvent::Reopened { forced, .. } => forced,
    }
}

/// What a check of gates came to.
#[derive(Debug, Clone, Default)]
pub struct GatesChecked {
    /// Decisions judged.
    pub decisions: u64,
    /// Of these, steps that passed a gate at which all was met.
    pub passed: u64,
    /// Of these, steps that passed one by force.
    pub forced: u64,
    /// Of these, steps that were refused at a gate.
    pub refused: u64,
    /// The first thing that must not be.
    pub found: Option<String>,
}

/// Checks the gates of every vocabulary within the bounds, before every choice of its statuses.
pub fn check_gates(keeper: &impl Keeper, bounds: &Bounds) -> GatesChecked {
    let mut out = GatesChecked::default();
    for shape in shapes(bounds.statuses.0, bounds.statuses.1) {
        for gated in 1_usize..1 << shape.len() {
            if let Err(why) = check(keeper, &shape, gated, bounds, &mut out) {
                out.found = Some(format!("vocabulary {shape}, gates {gated:b}: {why}"));
                return out;
            }
        }
    }
    out
}

fn check(
    keeper: &impl Keeper,
    shape: &Shape,
    gated: usize,
    bounds: &Bounds,
    out: &mut GatesChecked,
) -> Result<(), String> {
    let texts = Texts::new(shape, bounds);
    let mut lexicon = Lexicon::new(&shape.vocabulary(), texts.details.clone());
    let before: Vec<Status> = (0..shape.len())
        .filter(|index| gated >> index & 1 == 1)
        .map(|index| texts.statuses[index].clone())
        .collect();
    lexicon.spec.gated = before.iter().map(|status| lexicon.word(status)).collect();
    let gates = before.into_iter().map(gate).collect();
    let policy = Policy { vocabulary: shape.vocabulary(), gates, ..Policy::default() };
    let actions = actions(shape, &texts, &lexicon, bounds);
    let stands = values(shape, &texts, bounds).into_iter().map(Some).chain([None]);
    for value in stands {
        let mut state = State { policy: policy.clone(), ..State::default() };
        if let Some(value) = &value {
            let actor = fencehold_model::Holder::new("a").expect("one letter is an id");
            state.tasks.insert(task(), Cell { value: value.clone(), revision: 0, at_ms: 0, actor });
        }
        for action in &actions {
            state.revision = action.revision - 1;
            at_gates(keeper, &lexicon, &state, value.as_ref(), action, out)?;
        }
    }
    Ok(())
}

fn gate(to: Status) -> Gate {
    let file = GatePath::new("DONE.md").expect("a path");
    Gate { to, tasks: None, when: Vec::new(), require: vec![Require::exists(file)], on_override: None }
}

/// One command in one state, by every way to come to a gate.
fn at_gates(
    keeper: &impl Keeper,
    lexicon: &Lexicon,
    state: &State,
    value: Option<&Value>,
    action: &Action,
    out: &mut GatesChecked,
) -> Result<(), String> {
    let oracle = lexicon.task(value)?;
    let stands_before = match status::decide(state, &action.command) {
        Decision::Refuse(Refusal::Gate(held)) => Some(held.looking),
        _ => None,
    };
    for seen in [Seen::Nothing, Seen::Otherwise, Seen::Unmet, Seen::Met] {
        for force in [Force::No, Force::Blank, Force::Reason] {
            let looked = stands_before.clone().filter(|_| seen != Seen::Nothing).map(|mut at| {
                if seen == Seen::Otherwise {
                    at.gates[0].tasks = Some(Tasks::new("t*").expect("a pattern"));
                }
                let unmet =
                    Unmet { file: "DONE.md".into(), condition: "file".into(), why: "it is not there".into() };
                let unmet = if seen == Seen::Met { Vec::new() } else { vec![(0, unmet)] };
                Looked { at, root: "/".into(), unmet }
            });
            let reason = match force {
                Force::No => None,
                Force::Blank => Some(" \t-".to_owned()),
                Force::Reason => Some("why".to_owned()),
            };
            let shown = Shown { looked, force: reason };
            let decision = keeper.decide(state, &action.command, &shown);
            let op = lexicon.answered(action.ask, &decision, action.revision);
            let op = fencehold_model::spec::status::StatusOp { at_gate: AtGate { seen, force }, ..op };
            let said = || format!("{:?}, {seen:?}, {force:?}, at {value:?}", action.command);
            let owed = lexicon.spec.step(&oracle, &op);
            let owed = owed.map_err(|breach| format!("{}: {} ({})", breach.word(), breach.why(), said()))?;
            let mut next = state.clone();
            out.decisions += 1;
            match &decision {
                Decision::Record(event) => {
                    next.apply(&entry(action.revision, event.clone()));
                    let is_forced = op.forced;
                    out.forced += u64::from(is_forced);
                    out.passed += u64::from(stands_before.is_some() && !is_forced);
                }
                Decision::Refuse(Refusal::Gate(_)) => out.refused += 1,
                _ => {}
            }
            let machine = lexicon.task(next.tasks.get(&task()).map(|cell| &cell.value))?;
            if owed != machine {
                return Err(format!("the oracle knows {owed:?}, the machine {machine:?} ({})", said()));
            }
        }
    }
    Ok(())
}
