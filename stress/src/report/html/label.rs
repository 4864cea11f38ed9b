//! An operation in words: what was asked, what was answered.

use fencehold_model::history::{
    Answer, Ask, Call, Fence, History, Id, LeaseAsk, LeaseState, Operation, Outcome, ProposalAsk,
    ProposalState, Reason, Right, StatusAsk, StatusSeen, Token, Told,
};

/// What was asked: `acquire build by a`.
pub(super) fn asked(history: &History, op: &Operation) -> String {
    let text = |id: &Id| history.names.text(*id);
    let fenced =
        |fence: &Option<Fence>| fence.map_or(String::new(), |fence| format!(" {}", under(history, fence)));
    match &op.call {
        Call::Lock(name, ask) => {
            let name = text(name);
            match ask {
                Ask::Acquire { holder, .. } => format!("acquire {name} by {}", text(holder)),
                Ask::Renew { holder, token, .. } => {
                    format!("renew {name} by {}{}", text(holder), shown(history, *token))
                }
                Ask::Release { holder, token, .. } => {
                    format!("release {name} by {}{}", text(holder), shown(history, *token))
                }
                Ask::Break { .. } => format!("break {name}"),
                Ask::Show => format!("show {name}"),
            }
        }
        Call::Lease(lease, ask) => asked_of_lease(history, text(lease), ask),
        Call::LeaseList { state, .. } => {
            format!(
                "list leases{}",
                state.map_or(String::new(), |state| format!(" that are {}", state.word()))
            )
        }
        Call::Status(task, ask) => asked_of_task(history, text(task), ask),
        Call::Append { file, id, fence, .. } => {
            format!("append {} {}{}", text(file), text(id), fenced(fence))
        }
        Call::LogRead { file, .. } => format!("read {}", text(file)),
        Call::Increment { file, key, by, fence } => {
            format!("increment {} {} {by:+}{}", text(file), text(key), fenced(fence))
        }
        Call::DocRead { file, fence } => format!("read {}{}", text(file), fenced(fence)),
        Call::Merge { file, fence, .. } => format!("merge {}{}", text(file), fenced(fence)),
        Call::Proposal(_, id, ask) => {
            let verb = match ask {
                ProposalAsk::Add { .. } => "propose",
                ProposalAsk::Accept => "accept",
                ProposalAsk::Reject => "reject",
            };
            format!("{verb} {}", text(id))
        }
        Call::ProposalList { target, .. } => format!("list proposals for {}", text(target)),
        Call::HarnessRead { file } => format!("the harness reads {}", text(file)),
        Call::Invalid(why) => format!("invalid: {why}"),
        Call::Other(name) => text(name).to_owned(),
    }
}

/// What was asked of a lease: `grant 05 by a, writes src/`.
fn asked_of_lease(history: &History, lease: &str, ask: &LeaseAsk) -> String {
    match ask {
        LeaseAsk::Grant { holder, write_set, .. } => {
            let writes = if write_set.is_empty() {
                String::new()
            } else {
                format!(", writes {}", texts(history, write_set))
            };
            format!("grant {lease} by {}{writes}", history.names.text(*holder))
        }
        LeaseAsk::Close { token } => format!("close {lease}{}", shown(history, *token)),
        LeaseAsk::Crash { token, .. } => format!("crash {lease}{}", shown(history, *token)),
        LeaseAsk::Clear { force, .. } => format!("clear {lease}{}", if *force { " by force" } else { "" }),
        LeaseAsk::Show => format!("show lease {lease}"),
    }
}

/// What was asked of a task: `set T1 done, from blocked, epoch 9`.
fn asked_of_task(history: &History, task: &str, ask: &StatusAsk) -> String {
    let text = |id: Id| history.names.text(id);
    match ask {
        StatusAsk::Set { to, from, epoch, resolve, .. } => {
            let from = from.map_or(String::new(), |from| format!(", from {}", text(from)));
            let epoch = if *epoch == 0 { String::new() } else { format!(", epoch {epoch}") };
            format!("set {task} {}{from}{epoch}{}", text(*to), if *resolve { ", resolving" } else { "" })
        }
        StatusAsk::Reopen { to, .. } => format!("reopen {task} {}", text(*to)),
        StatusAsk::Get => format!("get {task}"),
        StatusAsk::Merge(seen) => format!("merge {task} {}", cell(history, seen)),
    }
}

/// A cell: `blocked+in_progress, epoch 9, turn 2`.
fn cell(history: &History, seen: &StatusSeen) -> String {
    let mut statuses: Vec<&str> = seen.statuses.iter().map(|status| history.names.text(*status)).collect();
    statuses.sort_unstable();
    let mut out = statuses.join("+");
    for (what, number) in [("epoch", seen.epoch), ("turn", seen.turn)] {
        if number > 0 {
            out.push_str(&format!(", {what} {number}"));
        }
    }
    out
}

fn texts(history: &History, ids: &[Id]) -> String {
    ids.iter().map(|id| history.names.text(*id)).collect::<Vec<_>>().join(" ")
}

/// What came of it: `ok, token 17`. `own` is the text of a reason of the target's own.
pub(super) fn answered(history: &History, op: &Operation, own: Option<&str>) -> String {
    match &op.outcome {
        Outcome::Ok(answer) => {
            let free = matches!(op.call, Call::Lock(_, Ask::Show)) && answer.holder.is_none();
            format!("ok{}{}", if free { ", free" } else { "" }, carried(history, answer))
        }
        Outcome::Refused(reason, answer) => {
            let word = match reason {
                Reason::Held => "held",
                Reason::NotHolder => "not_holder",
                Reason::Expired => "expired",
                Reason::NotFound => "not_found",
                Reason::NeedsReason => "needs_reason",
                Reason::StaleToken => "stale_token",
                Reason::Guarded => "guarded",
                Reason::Version => "version",
                Reason::AlreadyOpen => "already_open",
                Reason::NotOpen => "not_open",
                Reason::Overlap => "overlap",
                Reason::Regression => "regression",
                Reason::Conflict => "conflict",
                Reason::StaleEpoch => "stale_epoch",
                Reason::Own => own.unwrap_or("x-…"),
                Reason::Other(word) => history.names.text(*word),
            };
            format!("refused: {word}{}", carried(history, answer))
        }
        Outcome::Fail => "fail".to_owned(),
        Outcome::Info => "info: may have happened".to_owned(),
    }
}

fn carried(history: &History, answer: &Answer) -> String {
    let mut out = String::new();
    if let Some(holder) = answer.holder {
        out.push_str(&format!(", by {}", history.names.text(holder)));
    }
    out.push_str(&shown(history, answer.token));
    out.push_str(&told(history, &answer.told));
    if let Some(number) = answer.number {
        out.push_str(&format!(", value {number}"));
    }
    if let Some(records) = answer.body["records"].as_array() {
        out.push_str(&format!(", {} records", records.len()));
    }
    if let Some(damaged) = answer.body["damaged"].as_u64().filter(|damaged| *damaged > 0) {
        out.push_str(&format!(", {damaged} damaged"));
    }
    if !answer.body["document"].is_null() {
        out.push_str(&format!(", {}", answer.body["document"]));
    }
    out
}

fn told(history: &History, told: &Told) -> String {
    let ids = |what: &str, ids: &[Id]| {
        if ids.is_empty() { String::new() } else { format!(", {what} {}", texts(history, ids)) }
    };
    match told {
        Told::Nothing => String::new(),
        Told::Granted { beside, crashed, .. } => ids("beside", beside) + &ids("crashed", crashed),
        Told::Lease(seen) => {
            seen.state.map_or(String::new(), |state: LeaseState| format!(", {}", state.word()))
        }
        Told::Leases { leases, .. } => {
            let named: Vec<Id> = leases.iter().filter_map(|seen| seen.lease).collect();
            if named.is_empty() { ", none".to_owned() } else { ids("leases", &named) }
        }
        Told::Status(seen) => format!(", {}", cell(history, seen)),
        Told::Proposal(state) => format!(", {}", state_of(*state)),
        Told::Proposals { proposals, .. } => {
            let told = proposals
                .iter()
                .map(|(id, state)| format!(", {} {}", history.names.text(*id), state_of(*state)));
            if proposals.is_empty() { ", none".to_owned() } else { told.collect() }
        }
    }
}

fn state_of(state: ProposalState) -> &'static str {
    match state {
        ProposalState::Proposed => "proposed",
        ProposalState::Accepted => "accepted",
        ProposalState::Rejected => "rejected",
        ProposalState::InDoubt => "in_doubt",
        ProposalState::Unknown => "in no state",
    }
}

fn shown(history: &History, token: Token) -> String {
    match token {
        Token::Absent => String::new(),
        Token::Number(number) => format!(", token {number}"),
        Token::Text(text) => format!(", token {}", history.names.text(text)),
    }
}

fn under(history: &History, fence: Fence) -> String {
    let right = match fence.right {
        Right::Lock(name) => history.names.text(name).to_owned(),
        Right::Lease(id) => format!("lease {}", history.names.text(id)),
    };
    format!("under {right}{}", shown(history, fence.token))
}
