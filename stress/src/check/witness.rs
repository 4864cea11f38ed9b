//! The witness check: the oracle replayed in the order that the revisions claim.
//!
//! Where it says ok it has in its hands an order of all answers that the specification accepts and that agrees with
//! real time, so it is sound whatever the target claims. It costs O(n log n). An operation without an answer is put
//! in where an answer cannot do without it. Where that is not enough it gives up, and the search decides: the search
//! held to the order of revisions is complete.

use fencehold_model::spec::Spec;

use super::limit::Limit;
use super::object::Object;

/// How far back before an answer that does not fit a lost operation is put in.
const LOOK_BACK: usize = 32;
/// How many lost operations are put in for the sake of one answer.
const LOST_MAX: usize = 3;
/// How many steps one answer may cost before the search is asked.
const REPAIR_STEPS_MAX: u32 = 100_000;

/// The point between two operations of the order.
#[derive(Debug, Clone)]
struct Point<T> {
    state: T,
    /// The latest start of what was placed: nothing that ended before may follow.
    now_us: u64,
}

/// A lost operation, put in before the answered one at `place`.
#[derive(Debug, Clone, Copy)]
struct PutIn {
    place: usize,
    lost: u32,
    variant: usize,
}

/// How far a replay came.
enum Reached<T> {
    /// Past the last operation.
    End(Point<T>),
    /// Before this place.
    Stuck(usize, Point<T>),
}

struct Replay<'a, S: Spec> {
    spec: &'a S,
    object: &'a Object<S::Op>,
    order: Vec<u32>,
    lost: Vec<u32>,
    limit: &'a mut Limit,
    steps: u32,
}

/// The order of the object's operations, by index, that the ranks and the answers determine.
///
/// # Errors
/// If it was not found: the index of the operation that does not fit.
pub(super) fn witness<S: Spec>(
    spec: &S,
    object: &Object<S::Op>,
    ranks: &[u32],
    limit: &mut Limit,
) -> Result<Vec<u32>, usize> {
    let (mut order, mut lost) = (Vec::with_capacity(object.ops.len()), Vec::new());
    for (timed, index) in object.ops.iter().zip(0u32..) {
        if timed.answered { order.push(index) } else { lost.push(index) }
    }
    order.sort_by_key(|index| ranks[object.at[*index as usize]]);
    Replay { spec, object, order, lost, limit, steps: 0 }.run()
}

impl<S: Spec> Replay<'_, S> {
    fn run(mut self) -> Result<Vec<u32>, usize> {
        let mut point = Point { state: self.spec.initial(), now_us: 0 };
        let mut before = vec![point.clone(); LOOK_BACK];
        let mut put_in: Vec<PutIn> = Vec::new();
        for place in 0..self.order.len() {
            before[place % LOOK_BACK] = point.clone();
            if let Some(next) = self.step(&point, place) {
                point = next;
                continue;
            }
            let failed = self.order[place] as usize;
            let found = self.repair(&before, place).ok_or(failed)?;
            let from = found.first().map_or(place, |put| put.place);
            point = before[from % LOOK_BACK].clone();
            for at in from..=place {
                before[at % LOOK_BACK] = point.clone();
                let Reached::End(next) = self.replay(point, at, at, &found) else { return Err(failed) };
                point = next;
            }
            self.lost.retain(|lost| found.iter().all(|put| put.lost != *lost));
            put_in.extend(found);
        }
        put_in.sort_by_key(|put| put.place);
        Ok(self.whole(&put_in))
    }

    /// Places the answered operation at `place`, if it fits there.
    fn step(&mut self, point: &Point<S::State>, place: usize) -> Option<Point<S::State>> {
        let timed = &self.object.ops[self.order[place] as usize];
        if !self.limit.step() || timed.end_us < point.now_us {
            return None;
        }
        self.steps += 1;
        let state = self.spec.step(&point.state, &timed.op).ok()?;
        Some(Point { state, now_us: point.now_us.max(timed.start_us) })
    }

    /// Places a lost operation, if it can have happened there.
    fn put(&self, point: &Point<S::State>, put: PutIn) -> Option<Point<S::State>> {
        let timed = &self.object.ops[put.lost as usize];
        if timed.end_us < point.now_us {
            return None;
        }
        let [first, second] = self.spec.effects(&point.state, &timed.op);
        let state = if put.variant == 0 { first } else { second }?;
        Some(Point { state, now_us: point.now_us.max(timed.start_us) })
    }

    /// Places the operations from `from` to `to` and what is put in before them.
    fn replay(
        &mut self,
        mut point: Point<S::State>,
        from: usize,
        to: usize,
        puts: &[PutIn],
    ) -> Reached<S::State> {
        for place in from..=to {
            for put in puts.iter().filter(|put| put.place == place) {
                let Some(next) = self.put(&point, *put) else { return Reached::Stuck(place, point) };
                point = next;
            }
            let Some(next) = self.step(&point, place) else { return Reached::Stuck(place, point) };
            point = next;
        }
        Reached::End(point)
    }

    /// Finds lost operations that let the operation at `to` fit, as late as possible; first the earliest place.
    fn repair(&mut self, before: &[Point<S::State>], to: usize) -> Option<Vec<PutIn>> {
        self.steps = 0;
        for from in (to.saturating_sub(LOOK_BACK - 1)..=to).rev() {
            let mut puts = Vec::new();
            if self.put_some(&before[from % LOOK_BACK], from, to, &mut puts) {
                return Some(puts);
            }
        }
        None
    }

    fn put_some(&mut self, point: &Point<S::State>, from: usize, to: usize, puts: &mut Vec<PutIn>) -> bool {
        for number in 0..self.lost.len() {
            let lost = self.lost[number];
            let too_late =
                self.object.ops[lost as usize].start_us > self.object.ops[self.order[to] as usize].end_us;
            if too_late || self.steps > REPAIR_STEPS_MAX {
                break;
            }
            if puts.iter().any(|put| put.lost == lost) {
                continue;
            }
            for variant in 0..2 {
                let put = PutIn { place: from, lost, variant };
                let Some(after) = self.put(point, put) else { continue };
                puts.push(put);
                match self.replay(after, from, to, &[]) {
                    Reached::End(_) => return true,
                    Reached::Stuck(place, reached) => {
                        if puts.len() < LOST_MAX && self.put_some(&reached, place, to, puts) {
                            return true;
                        }
                    }
                }
                puts.pop();
            }
        }
        false
    }

    fn whole(&self, puts: &[PutIn]) -> Vec<u32> {
        let mut puts = puts.iter().peekable();
        let mut whole = Vec::with_capacity(self.object.ops.len());
        for (place, index) in self.order.iter().enumerate() {
            while let Some(put) = puts.next_if(|put| put.place <= place) {
                whole.push(put.lost);
            }
            whole.push(*index);
        }
        whole
    }
}
