//! The kill soak: real processes on a real disk, killed at random instants, their history judged.
