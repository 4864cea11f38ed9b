//! What is wrong with what was measured, in sentences: it stands above the numbers.

use super::{Cell, Report};

/// Every finding, worst first: lost records, records too many, rounds that failed, processes that gave up.
pub(super) fn findings(report: &Report) -> Vec<String> {
    let place = |cell: &Cell| {
        format!("{}, {}, {} processes", cell.subject.name(), cell.workload.id(), cell.processes)
    };
    let mut found = Vec::new();
    for cell in report.cells.iter().filter(|cell| cell.lost() > 0) {
        let acked: u64 = cell.measured().map(|round| round.acked).sum();
        found.push(format!("LOST {} of {acked} acknowledged: {}", cell.lost(), place(cell)));
    }
    for cell in report.cells.iter().filter(|cell| cell.surplus() > 0) {
        found.push(format!("{} more than can have happened: {}", cell.surplus(), place(cell)));
    }
    for cell in &report.cells {
        for why in cell.rounds.iter().filter_map(|round| round.as_ref().err()) {
            found.push(format!("a round failed: {}: {why}", place(cell)));
        }
    }
    for cell in &report.cells {
        let gave_up: u64 = cell.measured().map(|round| round.gave_up).sum();
        if gave_up > 0 {
            found.push(format!("waited too long and gave up, {gave_up} times: {}", place(cell)));
        }
    }
    found
}
