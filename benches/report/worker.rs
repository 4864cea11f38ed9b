//! A worker of a subject in Rust: says that it is ready, waits for the word to go, works until its time is over.

use std::io::{BufRead as _, Write as _};
use std::time::{Duration, Instant};

use fencehold_benches::Result;
use fencehold_benches::results::Latency;

use crate::subject;
use crate::task::{Said, Task};

/// What came of one operation. An error ends the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was acknowledged.
    Acked,
    /// It may have happened.
    Unsure,
    /// It waited for its turn too long, and nothing happened.
    GaveUp,
}

/// One operation of a subject, opened and ready to be repeated.
pub(crate) type Op = Box<dyn FnMut() -> Result<Outcome>>;

/// Be the worker of this task; what it says goes to stdout.
pub(crate) fn work(task: &Task) -> Result<()> {
    let mut op = subject::open(task)?;
    let mut said = Said { within: 0, acked: 0, unsure: 0, gave_up: 0, latency: Latency::new() };
    // The first one opens what is opened late; it counts, but it is not timed.
    count(&mut said, op()?);
    println!("ready");
    std::io::stdout().flush()?;
    let mut word = String::new();
    std::io::stdin().lock().read_line(&mut word)?;
    if word.trim() != "go" {
        // Whoever started this is gone.
        return Ok(());
    }
    let (begun, window) = (Instant::now(), Duration::from_millis(task.window_ms));
    let mut now = begun;
    while now - begun < window {
        let outcome = op()?;
        let ended = Instant::now();
        said.latency.record(u64::try_from((ended - now).as_nanos()).unwrap_or(u64::MAX));
        said.within += u64::from(outcome == Outcome::Acked && ended - begun <= window);
        count(&mut said, outcome);
        now = ended;
    }
    println!("{}", said.to_json());
    Ok(())
}

fn count(said: &mut Said, outcome: Outcome) {
    match outcome {
        Outcome::Acked => said.acked += 1,
        Outcome::Unsure => said.unsure += 1,
        Outcome::GaveUp => said.gave_up += 1,
    }
}

/// Computes for so long: work that is not sleep, and equally long in every language.
pub(crate) fn busy(us: u64) {
    let until = Instant::now() + Duration::from_micros(us);
    while us > 0 && Instant::now() < until {
        std::hint::spin_loop();
    }
}
