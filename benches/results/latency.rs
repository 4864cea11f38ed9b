//! How long operations took: a histogram that workers in any language can write and that is merged here.

use std::fmt;

use hdrhistogram::Histogram;
use serde_json::Value;

/// Latencies, each exact to three digits.
#[derive(Clone)]
pub struct Latency {
    /// In nanoseconds.
    histogram: Histogram<u64>,
}

/// A worker's latencies that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLatency(String);

impl fmt::Display for BadLatency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: latencies are [[nanoseconds, count], …]", self.0)
    }
}

impl std::error::Error for BadLatency {}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} latencies", self.count())
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self::new()
    }
}

impl Latency {
    /// None yet.
    ///
    /// # Panics
    /// Never: three digits are what the histogram takes.
    #[must_use]
    pub fn new() -> Self {
        Latency { histogram: Histogram::new(3).expect("three digits are allowed") }
    }

    /// One more operation that took so many nanoseconds; 0 counts as 1.
    ///
    /// # Panics
    /// Never: the histogram grows.
    pub fn record(&mut self, ns: u64) {
        self.histogram.record(ns.max(1)).expect("it grows");
    }

    /// Adds all of `other`.
    ///
    /// # Panics
    /// Never: the histogram grows.
    pub fn merge(&mut self, other: &Latency) {
        self.histogram.add(&other.histogram).expect("it grows");
    }

    /// How many operations there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The time that `percent` of the operations did not exceed, in nanoseconds; none of no operations.
    #[must_use]
    pub fn percentile_ns(&self, percent: f64) -> Option<u64> {
        (!self.histogram.is_empty()).then(|| self.histogram.value_at_percentile(percent))
    }

    /// As pairs of nanoseconds and counts: what a worker prints.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let pairs = self.histogram.iter_recorded();
        pairs.map(|at| Value::from(vec![at.value_iterated_to(), at.count_at_value()])).collect()
    }

    /// What a worker printed.
    ///
    /// # Errors
    /// Where it is no list of pairs of whole numbers, or one of them is beyond an hour.
    pub fn from_json(json: &Value) -> Result<Self, BadLatency> {
        const HOUR_NS: u64 = 3_600_000_000_000;
        let mut latency = Latency::new();
        for pair in json.as_array().ok_or_else(|| BadLatency(json.to_string()))? {
            let bad = || BadLatency(pair.to_string());
            let [ns, count] = pair.as_array().ok_or_else(bad)?.as_slice() else { return Err(bad()) };
            let (ns, count) = (ns.as_u64().ok_or_else(bad)?, count.as_u64().ok_or_else(bad)?);
            if ns > HOUR_NS {
                return Err(bad());
            }
            latency.histogram.record_n(ns.max(1), count).map_err(|_| bad())?;
        }
        Ok(latency)
    }
}
