//! A logarithmic axis: what is a tenth is as far away everywhere, so that fast and slow fit into one picture.

/// Positive values to positions. It ends at 1, 2 or 5 of a power of ten where all values are close together, and at
/// powers of ten where they are not.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    /// From the lowest to the highest.
    ticks: Vec<f64>,
    from_px: f64,
    to_px: f64,
}

/// Up to this ratio of the highest to the lowest value there is a tick at 2 and at 5.
const CLOSE: f64 = 30.0;
/// So many ticks have room.
const TICKS_MAX: usize = 6;

impl Scale {
    /// An axis that has all of the values.
    pub(super) fn of(values: impl Iterator<Item = f64>, from_px: f64, to_px: f64) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| *value > 0.0) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = (1.0, 10.0);
        }
        let steps: &[f64] = if high / low <= CLOSE { &[1.0, 2.0, 5.0] } else { &[1.0] };
        // -9 to 12: a rate of one in thirty years, a time of a quarter of an hour in nanoseconds.
        let all: Vec<f64> =
            (-9..=12).flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power))).collect();
        let from = all.iter().rposition(|tick| *tick <= low * 1.001).unwrap_or(0);
        let to = all.iter().position(|tick| *tick >= high * 0.999).unwrap_or(all.len() - 1).max(from + 1);
        Scale { ticks: all[from..=to.min(all.len() - 1)].to_vec(), from_px, to_px }
    }

    /// Where a value stands; what is beyond an end stands at the end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let (low, high) = (self.ticks[0].log10(), self.ticks[self.ticks.len() - 1].log10());
        let part = if value > 0.0 { (value.log10() - low) / (high - low) } else { 0.0 };
        self.from_px + part.clamp(0.0, 1.0) * (self.to_px - self.from_px)
    }

    /// Where there is a line, and whether it is labelled.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, bool)> {
        let every = self.ticks.len().div_ceil(TICKS_MAX);
        self.ticks.iter().enumerate().map(move |(index, tick)| (*tick, index.is_multiple_of(every)))
    }
}
