//! An operation in words: what was asked, what was answered.

use fencehold_model::history::{Answer, Ask, Call, Fence, History, Id, Operation, Outcome, Reason, Token};

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
        Call::Append { file, id, fence, .. } => {
            format!("append {} {}{}", text(file), text(id), fenced(fence))
        }
        Call::LogRead { file, .. } => format!("read {}", text(file)),
        Call::Increment { file, key, by, fence } => {
            format!("increment {} {} {by:+}{}", text(file), text(key), fenced(fence))
        }
        Call::DocRead { file, fence } => format!("read {}{}", text(file), fenced(fence)),
        Call::Merge { file, fence, .. } => format!("merge {}{}", text(file), fenced(fence)),
        Call::Invalid(why) => format!("invalid: {why}"),
        Call::Other(name) => text(name).to_owned(),
    }
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

fn shown(history: &History, token: Token) -> String {
    match token {
        Token::Absent => String::new(),
        Token::Number(number) => format!(", token {number}"),
        Token::Text(text) => format!(", token {}", history.names.text(text)),
    }
}

fn under(history: &History, fence: Fence) -> String {
    format!("under {}{}", history.names.text(fence.lock), shown(history, fence.token))
}
