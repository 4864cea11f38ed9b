//! The JSON form of a proposal in the folded state.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use super::{End, Intent, Proposal, Standing, Target, Verdict};
use crate::ProposalId;
use crate::json::{Fields, Malformed, Writer};

/// Writes one proposal, with the accept of it that is begun.
pub(crate) fn write_proposal(
    out: &mut String,
    target: &Target,
    id: &ProposalId,
    proposal: &Proposal,
    begun: Option<&Intent>,
) {
    let Proposal { number, by, at_ms, revision, sum, standing } = proposal;
    let mut to = Writer::new(out);
    to.text("target", target.as_str()).text("id", id.as_str()).number("n", *number);
    to.text("by", by.as_str()).number("at_ms", *at_ms).number("rev", *revision).text("sum", sum.as_str());
    match standing {
        Standing::Open(content) => {
            to.text("content", content);
        }
        Standing::Ended(end) => {
            to.value("end", |out| write_end(out, end));
        }
    }
    if let Some(Intent { revision, by, at_ms, file, before, after }) = begun {
        to.value("begun", |out| {
            let mut to = Writer::new(out);
            to.number("rev", *revision).text("by", by.as_str()).number("at_ms", *at_ms);
            to.text("file", file).text("before", before.as_str()).text("after", after.as_str()).end();
        });
    }
    to.end();
}

fn write_end(out: &mut String, end: &End) {
    let End { how, by, at_ms, revision, reason, resolved } = end;
    let mut to = Writer::new(out);
    to.text("how", how.word()).text("by", by.as_str()).number("at_ms", *at_ms).number("rev", *revision);
    to.text_if("reason", reason.as_deref()).number_if("resolved", resolved.then_some(1)).end();
}

/// What [`write_proposal`] wrote.
pub(crate) struct Written {
    pub(crate) target: Target,
    pub(crate) id: ProposalId,
    pub(crate) proposal: Proposal,
    pub(crate) begun: Option<Intent>,
}

/// Reads what [`write_proposal`] wrote.
pub(crate) fn read_proposal(fields: Fields<'_>) -> Result<Written, Malformed> {
    let standing = match (fields.text_or_none("content")?, fields.object_or_none("end")?) {
        (Some(content), None) => Standing::Open(content.to_owned()),
        (None, Some(end)) => Standing::Ended(Box::new(read_end(end)?)),
        _ => return Err(Malformed("a proposal has either a `content` or an `end`".to_owned())),
    };
    let begun = fields.object_or_none("begun")?.map(|begun| {
        Ok::<_, Malformed>(Intent {
            revision: begun.number("rev")?,
            by: begun.id("by")?,
            at_ms: begun.number("at_ms")?,
            file: begun.text("file")?.to_owned(),
            before: begun.id("before")?,
            after: begun.id("after")?,
        })
    });
    let begun = begun.transpose()?;
    if begun.is_some() && !matches!(standing, Standing::Open(_)) {
        return Err(Malformed("a proposal that has ended has an accept that is begun".to_owned()));
    }
    let proposal = Proposal {
        number: fields.number("n")?,
        by: fields.id("by")?,
        at_ms: fields.number("at_ms")?,
        revision: fields.number("rev")?,
        sum: fields.id("sum")?,
        standing,
    };
    Ok(Written { target: fields.id("target")?, id: fields.id("id")?, proposal, begun })
}

fn read_end(fields: Fields<'_>) -> Result<End, Malformed> {
    let how = fields.text("how")?;
    Ok(End {
        how: Verdict::parse(how).ok_or_else(|| Malformed(format!("a proposal that ended as `{how}`")))?,
        by: fields.id("by")?,
        at_ms: fields.number("at_ms")?,
        revision: fields.number("rev")?,
        reason: fields.text_or_none("reason")?.map(str::to_owned),
        resolved: fields.number_or_none("resolved")?.is_some(),
    })
}
