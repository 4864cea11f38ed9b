//! The chapter JOURNAL of the specification, on the real disk.

mod attacks;
