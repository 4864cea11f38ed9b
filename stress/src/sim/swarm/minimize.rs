//! The shortest plan that still fails: operations first, in large pieces, then what is switched on, one by one.

use super::Plan;

/// What minimizing came to.
#[derive(Debug, Clone)]
pub struct Minimized {
    /// The shortest plan that was found.
    pub plan: Plan,
    /// What is wrong in it.
    pub what: String,
    /// How many runs it took.
    pub runs: u64,
}

/// Shrinks `plan` within `runs_max` runs; none where it does not fail.
#[must_use]
pub fn minimize(plan: &Plan, runs_max: u64) -> Option<Minimized> {
    let what = plan.run().found?;
    let mut search = Search { best: Minimized { plan: plan.clone(), what, runs: 1 }, runs_max };
    search.rounds();
    search.operations();
    search.features();
    search.operations();
    Some(search.best)
}

struct Search {
    best: Minimized,
    runs_max: u64,
}

impl Search {
    /// Takes the plan if it still fails.
    fn tries(&mut self, plan: Plan) -> bool {
        if self.best.runs >= self.runs_max {
            return false;
        }
        self.best.runs += 1;
        match plan.run().found {
            None => false,
            Some(what) => {
                (self.best.plan, self.best.what) = (plan, what);
                true
            }
        }
    }

    /// Fewer rounds: what comes after the failure is of no use.
    fn rounds(&mut self) {
        for rounds in 1..self.best.plan.rounds {
            if self.tries(Plan { rounds, ..self.best.plan.clone() }) {
                return;
            }
        }
    }

    /// Leaves out operations, in pieces that get smaller.
    fn operations(&mut self) {
        let count = |plan: &Plan| plan.processes * plan.rounds * plan.ops;
        let mut piece = count(&self.best.plan).div_ceil(2).max(1);
        loop {
            let mut shrunk = false;
            let mut at = 0;
            while at < count(&self.best.plan) {
                let mut plan = self.best.plan.clone();
                plan.skipped.extend(at..(at + piece).min(count(&plan)));
                plan.skipped.sort_unstable();
                plan.skipped.dedup();
                shrunk |= plan.skipped != self.best.plan.skipped && self.tries(plan);
                at += piece;
            }
            if self.best.runs >= self.runs_max || (piece == 1 && !shrunk) {
                return;
            }
            piece = piece.div_ceil(2);
        }
    }

    /// Switches off what the failure does not need.
    fn features(&mut self) {
        for feature in self.best.plan.features.clone() {
            let mut plan = self.best.plan.clone();
            plan.features.retain(|kept| *kept != feature);
            if plan.features.iter().any(|kept| *kept <= super::plan::Feature::Tasks) {
                self.tries(plan);
            }
        }
    }
}
