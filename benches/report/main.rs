//! `bench-report`: ours beside what people use today, in one run on one machine.

fn main() {}
