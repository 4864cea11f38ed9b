//! Deliberately wrong status machines: each must be caught, or the search is blind.

use fencehold_model::status::{
    self, Command, Decision, Detail, How, Refusal, StatusEvent, Value, Vocabulary,
};
use fencehold_model::{Entry, Event, Policy, State, Status, TaskId};

use super::subject::Subject;

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// One wrong machine.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Mutant {
            $($(#[$doc])* $name,)*
        }

        impl Mutant {
            /// All of them.
            pub const ALL: &[Mutant] = &[$(Mutant::$name),*];
        }
    };
}

mutants! {
    /// A late writer turns what is done back.
    DoneTurnedBack,
    /// A step down is done, where nothing terminal stands.
    SteppedDown,
    /// A step out of a terminal status is done within its rank.
    TerminalLeftBeside,
    /// A step out of a terminal status is done to a higher rank.
    TerminalLeftUp,
    /// An uninformed step within the rank overwrites what stands.
    TieOverwrites,
    /// An uninformed step within the rank changes nothing.
    TieDropped,
    /// What `from` names does not matter.
    FromIgnored,
    /// What `from` names matters for a step up too.
    FromNeededUp,
    /// The first set does not look at `from`.
    FirstFromIgnored,
    /// A set does not look at its epoch.
    EpochIgnored,
    /// A set of an epoch that nobody knows is taken for one of the epoch that stands.
    NewerEpochTaken,
    /// A reopen cannot happen.
    ReopenNever,
    /// A reopen begins no new epoch.
    ReopenKeepsEpoch,
    /// A reopen's epoch is its revision, though a merged board was further on.
    ReopenBelowBoard,
    /// A reopen needs no reason.
    BlankReopen,
    /// A reopen gives a status to a task that has none.
    ReopenMakes,
    /// A reopen does not look at the status that it says it saw.
    ReopenFromIgnored,
    /// A reopen does not look at the epoch that it says it saw.
    ReopenEpochIgnored,
    /// `resolve` overwrites where there is no conflict.
    ResolveAlways,
    /// `resolve` is put beside what stands where there is no conflict, and overwrites that when it is repeated.
    ResolveBeside,
    /// `resolve` takes no turn, so that any board brings the conflict back.
    ResolveKeepsTurn,
    /// `resolve` does nothing.
    ResolveNever,
    /// A step that names what it leaves takes no turn.
    StepKeepsTurn,
    /// A repeated set takes a turn.
    RepeatTakesTurn,
    /// Another detail takes the place of one that stands, whoever says so.
    DetailOverwritten,
    /// A step takes the detail of the status before along.
    DetailKept,
    /// A merge overwrites what stands.
    MergeOverwrites,
    /// A merge keeps what stands where neither value is higher.
    MergeTieKept,
    /// A merge unites values of different turns.
    MergeForgetsTurns,
    /// A merge looks at ranks before epochs.
    MergeRankFirst,
    /// A merge keeps the lesser of two details.
    MergeLesserDetail,
    /// A merge takes the other board's detail.
    MergeTheirDetail,
    /// The first merge of a task takes any statuses.
    MergeUnchecked,
    /// A status that nobody knows is no reason to refuse a `from`.
    UnknownFrom,
    /// Ids are not made canonical.
    IdAsItStands,
    /// Zeros at the end of an id mean nothing.
    IdWithoutZeros,
}

fn record(command: &Command, value: Value) -> Decision {
    Decision::Record(Event::Status(StatusEvent::Set {
        task: command.task().clone(),
        how: How::Set,
        value,
        forced: None,
    }))
}

/// What the commands say of a step.
struct Step<'a> {
    to: &'a Status,
    from: Option<&'a Status>,
    detail: &'a Option<Detail>,
    resolve: bool,
}

impl Mutant {
    /// Turns a right decision about a set into the wrong one, where something stands.
    fn set(
        self,
        command: &Command,
        step: &Step<'_>,
        stands: &Value,
        vocabulary: &Vocabulary,
        right: Decision,
    ) -> Decision {
        let at = |turn| record(command, Value::of(stands.epoch, turn, step.to.clone(), step.detail.clone()));
        let rank = |status| vocabulary.rung(status).map_or(0, |rung| rung.rank);
        let terminal = stands.statuses.keys().any(|s| vocabulary.rung(s).is_some_and(|rung| rung.terminal));
        let (is, goes) = (stands.rank(vocabulary), rank(step.to));
        let beside = is == goes && !stands.statuses.contains_key(step.to);
        match (self, &right) {
            (Mutant::DoneTurnedBack, Decision::Refuse(Refusal::Regression(_))) if terminal && goes < is => {
                at(0)
            }
            (Mutant::SteppedDown, Decision::Refuse(Refusal::Regression(_))) if !terminal => at(0),
            (Mutant::TerminalLeftBeside, Decision::Refuse(Refusal::Regression(_)))
                if beside && step.from.is_some_and(|from| stands.is(from)) =>
            {
                at(stands.turn + 1)
            }
            (Mutant::TerminalLeftUp, Decision::Refuse(Refusal::Regression(_))) if goes > is => at(0),
            (Mutant::TieOverwrites, Decision::Record(_)) if beside && step.from.is_none() => {
                at(stands.turn + 1)
            }
            (Mutant::TieDropped, Decision::Record(_)) if beside && step.from.is_none() => {
                Decision::Already(stands.clone())
            }
            (Mutant::FromIgnored, Decision::Refuse(Refusal::Conflict(_))) if beside => at(stands.turn + 1),
            (Mutant::FromNeededUp, Decision::Record(_))
                if goes > is && step.from.is_some_and(|from| !stands.is(from)) =>
            {
                Decision::Refuse(Refusal::Conflict(Some(stands.clone())))
            }
            (Mutant::ResolveAlways, Decision::Refuse(Refusal::Conflict(_))) if step.resolve && beside => {
                at(stands.turn + 1)
            }
            (Mutant::ResolveBeside, Decision::Refuse(Refusal::Conflict(_)))
                if step.resolve && beside && step.from.is_none() =>
            {
                let mut value = stands.clone();
                value.statuses.insert(step.to.clone(), step.detail.clone());
                record(command, value)
            }
            (Mutant::RepeatTakesTurn, Decision::Already(_))
                if stands.is(step.to) && step.detail.is_some() =>
            {
                at(stands.turn + 1)
            }
            (Mutant::DetailOverwritten, Decision::Refuse(Refusal::Conflict(_))) if stands.is(step.to) => {
                at(stands.turn + 1)
            }
            (_, Decision::Record(Event::Status(event))) => {
                self.recorded(command, step, stands, event).unwrap_or(right)
            }
            _ => right,
        }
    }

    /// The wrong value of a set that is rightly recorded.
    fn recorded(
        self,
        command: &Command,
        step: &Step<'_>,
        stands: &Value,
        event: &StatusEvent,
    ) -> Option<Decision> {
        let StatusEvent::Set { how, value, .. } = event else { return None };
        let mut value = value.clone();
        match self {
            Mutant::ResolveKeepsTurn if *how == How::Resolved => value.turn = stands.turn,
            Mutant::StepKeepsTurn if value.turn > stands.turn && *how == How::Set => value.turn = stands.turn,
            Mutant::DetailKept if step.detail.is_none() => {
                let before = stands.statuses.values().next()?.clone();
                value.statuses.values_mut().for_each(|detail| detail.clone_from(&before));
            }
            _ => return None,
        }
        Some(record(command, value))
    }

    fn reopen(self, command: &Command, to: &Status, stands: Option<&Value>, right: Decision) -> Decision {
        match (self, stands, &right) {
            (Mutant::ReopenNever, Some(stands), Decision::Record(_)) => {
                Decision::Refuse(Refusal::Regression(stands.clone()))
            }
            (Mutant::ReopenKeepsEpoch, Some(stands), Decision::Record(_)) => {
                record(command, Value::of(stands.epoch, 0, to.clone(), None))
            }
            (Mutant::ReopenMakes, None, Decision::Refuse(Refusal::NotFound)) => {
                record(command, Value::of(0, 0, to.clone(), None))
            }
            _ => right,
        }
    }

    fn merge(
        self,
        command: &Command,
        value: &Value,
        stands: Option<&Value>,
        vocabulary: &Vocabulary,
        right: Decision,
    ) -> Decision {
        match (self, stands) {
            (Mutant::MergeUnchecked, None) if !value.statuses.is_empty() => record(command, value.clone()),
            (_, Some(stands)) if !matches!(right, Decision::Invalid(_)) => {
                let joined = self.join(stands, value, vocabulary);
                if joined == *stands { Decision::Already(joined) } else { record(command, joined) }
            }
            _ => right,
        }
    }

    /// The command as it is taken, where that is what is wrong.
    fn taken(self, command: &Command, stands: Option<&Value>, vocabulary: &Vocabulary) -> Command {
        let mut command = command.clone();
        match (self, &mut command, stands) {
            (Mutant::EpochIgnored, Command::Set { epoch, .. }, Some(stands)) => {
                *epoch = (*epoch).max(stands.epoch);
            }
            (Mutant::NewerEpochTaken, Command::Set { epoch, .. }, Some(stands)) => {
                *epoch = (*epoch).min(stands.epoch);
            }
            (Mutant::FirstFromIgnored, Command::Set { from, .. }, None) => *from = None,
            (Mutant::UnknownFrom, Command::Set { from, .. }, _) => {
                from.take_if(|from| vocabulary.rung(from).is_none());
            }
            (Mutant::ResolveNever, Command::Set { resolve, .. }, _) => *resolve = false,
            (Mutant::BlankReopen, Command::Reopen { reason, .. }, _) => "why".clone_into(reason),
            (Mutant::ReopenFromIgnored, Command::Reopen { from, .. }, _) => *from = None,
            (Mutant::ReopenEpochIgnored, Command::Reopen { epoch, .. }, _) => *epoch = None,
            (
                Mutant::IdWithoutZeros,
                Command::Set { task, .. } | Command::Reopen { task, .. } | Command::Merge { task, .. },
                _,
            ) => {
                let short = task.as_str().trim_end_matches('0');
                *task = TaskId::new(short).unwrap_or_else(|_| task.clone());
            }
            _ => {}
        }
        command
    }
}

impl Subject for Mutant {
    fn decide(&self, state: &State, command: &Command) -> Decision {
        if *self == Mutant::IdAsItStands {
            let policy = Policy { vocabulary: state.policy.vocabulary.clone(), ..Policy::default() };
            return status::decide(&State { policy, ..state.clone() }, command);
        }
        let vocabulary = &state.policy.vocabulary;
        let stands = state.tasks.get(&state.policy.task(command.task())).map(|cell| &cell.value);
        let command = &self.taken(command, stands, vocabulary);
        let right = status::decide(state, command);
        match (command, stands) {
            (Command::Set { to, from, detail, resolve, .. }, Some(stands)) => {
                let step = Step { to, from: from.as_ref(), detail, resolve: *resolve };
                self.set(command, &step, stands, vocabulary, right)
            }
            (Command::Reopen { to, .. }, _) => self.reopen(command, to, stands, right),
            (Command::Merge { value, .. }, _) => self.merge(command, value, stands, vocabulary, right),
            _ => right,
        }
    }

    fn apply(&self, state: &mut State, entry: &Entry) {
        state.apply(entry);
        if let (Mutant::ReopenBelowBoard, Event::Status(StatusEvent::Reopened { task, .. })) =
            (self, &entry.event)
            && let Some(cell) = state.tasks.get_mut(task)
        {
            cell.value.epoch = entry.revision;
        }
    }

    fn join(&self, one: &Value, other: &Value, vocabulary: &Vocabulary) -> Value {
        let right = one.join(other, vocabulary);
        let rank = |value: &Value| value.rank(vocabulary);
        let level = |value: &Value| (value.epoch, rank(value), value.turn);
        let tie = level(one) == level(other);
        match self {
            Mutant::MergeOverwrites => other.clone(),
            Mutant::MergeTieKept if tie => one.clone(),
            Mutant::MergeForgetsTurns if (one.epoch, rank(one)) == (other.epoch, rank(other)) => {
                let turn = one.turn.max(other.turn);
                let at = |value: &Value| Value { turn, ..value.clone() };
                at(one).join(&at(other), vocabulary)
            }
            Mutant::MergeRankFirst if rank(one) != rank(other) => {
                if rank(one) > rank(other) {
                    one.clone()
                } else {
                    other.clone()
                }
            }
            Mutant::MergeLesserDetail | Mutant::MergeTheirDetail if tie => {
                let mut value = right;
                for (status, detail) in &mut value.statuses {
                    if let (Some(ours), Some(theirs)) = (one.statuses.get(status), other.statuses.get(status))
                    {
                        let lesser = ours.min(theirs);
                        detail.clone_from(if *self == Mutant::MergeTheirDetail { theirs } else { lesser });
                    }
                }
                value
            }
            _ => right,
        }
    }
}
