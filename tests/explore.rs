use std::time::Duration;

use fencehold_stress::explore::{Config, Limit, Mutant, Shipped, explore};

#[test]
#[ignore]
fn sizes() {
    for config in [Config::one_name(), Config::two_names()] {
        let limit = Limit { depth: 100, time: Duration::from_secs(60) };
        println!("{} {:?}", config.label, explore(&Shipped, &config, limit, &mut |_| {}));
    }
}

#[test]
fn mutants() {
    for m in Mutant::ALL {
        for config in [Config::one_name(), Config::two_names()] {
            let limit = Limit { depth: 6, time: Duration::from_secs(5) };
            let e = explore(&m, &config, limit, &mut |_| {});
            println!("{m:?} {} {} {} {:?}", config.label, e.states, e.transitions, e.violation);
        }
    }
}
