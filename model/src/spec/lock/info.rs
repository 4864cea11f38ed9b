//! What an operation may have done whose answer was lost.

use crate::history::{Ask, Token};

use super::super::op::LockOp;
use super::{Lock, LockSpec, Same};

impl LockSpec {
    pub(super) fn lost_answer(&self, state: Lock, op: &LockOp) -> [Option<Lock>; 2] {
        match op.ask {
            Ask::Acquire { holder, claim, .. } => {
                let Some(grant) = state.grant else { return [Some(self.granted_unseen(state, op)), None] };
                let lapsed = grant.term.may_have_lapsed(op).then(|| self.granted_unseen(state, op));
                let live = grant.term.may_be_live(op) && grant.answers_to(holder, claim);
                let kept = live.then(|| {
                    let mut kept = grant;
                    kept.extend(self, op);
                    Lock { grant: Some(kept), ..state }
                });
                [lapsed, kept]
            }
            Ask::Renew { holder, token, claim, ttl_us } => {
                let renewed = self.shown_in_time(state, op, holder, token, claim).map(|mut next| {
                    if let Some(grant) = &mut next.grant {
                        let (shortest, longest) = ttl_us.map_or(grant.ttl_us, |ttl_us| (ttl_us, ttl_us));
                        grant.prolong(self, op, shortest, longest);
                    }
                    next
                });
                [renewed, None]
            }
            Ask::Release { holder, token, claim } => {
                let released = self.shown_in_time(state, op, holder, token, claim).map(|next| Lock {
                    released: next.grant.map(|grant| grant.released(op.start_us)),
                    grant: None,
                    floor: next.floor,
                });
                [released, None]
            }
            Ask::Break { blank } => {
                let live = state.grant.is_some_and(|grant| grant.term.may_be_live(op));
                [(live && !blank).then_some(Lock { grant: None, ..state }), None]
            }
            Ask::Show => [None, None],
        }
    }

    /// A grant whose token nobody has seen yet; at least one number is used up by it.
    fn granted_unseen(&self, state: Lock, op: &LockOp) -> Lock {
        Lock { grant: Some(self.new_grant(op)), floor: state.floor.saturating_add(1), ..state }
    }

    fn shown_in_time(
        &self,
        mut state: Lock,
        op: &LockOp,
        holder: crate::history::Id,
        token: Token,
        claim: Option<crate::history::Id>,
    ) -> Option<Lock> {
        let grant = state.grant.as_mut()?;
        if grant.shown_by(holder, token, claim) == Same::No || !grant.term.may_be_live_for_holder(op) {
            return None;
        }
        if token != Token::Absent {
            state.floor = grant.learn(token, state.floor, &self.rules).ok()?;
        }
        Some(state)
    }
}
