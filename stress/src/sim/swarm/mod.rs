//! Swarm runs: long seeded runs in which operations, faults and sizes are switched on and off per run (Groce et al.,
//! *Swarm Testing*, ISSTA 2012), recorded at the client's side and judged by the checker that judges real processes.
