//! Who a lock is bound to: a process, named so that another can tell whether it lives.

use fencehold::host::Host;
use fencehold_model::event::{Evidence, Process};
use fencehold_model::lock::Liveness;

/// A process as a holder's name. The boot is this one: in these worlds there is no other.
pub(super) fn name(process: &Process) -> String {
    format!("{}.{}.{}", process.pid, process.start_ticks, process.pid_namespace)
}

pub(super) fn is_dead(host: &impl Host, holder: &str) -> bool {
    matches!(seen(host, holder), Liveness::Dead(_))
}

/// M27: whoever has the pid is taken for the holder.
pub(super) fn has_no_pid(host: &impl Host, holder: &str) -> bool {
    seen(host, holder) == Liveness::Dead(Evidence::NoSuchProcess)
}

fn seen(host: &impl Host, holder: &str) -> Liveness {
    let mut numbers = holder.split('.').map(str::parse);
    let (Some(Ok(pid)), Some(Ok(start_ticks)), Some(Ok(pid_namespace))) =
        (numbers.next(), numbers.next(), numbers.next())
    else {
        return Liveness::Unknowable;
    };
    host.liveness(&Process { pid, start_ticks, pid_namespace, boot: host.boot(), host: String::new() })
}
