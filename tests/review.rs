//! What a hard look at the protocol's first draft found: critical ways to lose or double something (C1 to C8), major
//! ones (M1 to M21) and minor ones (m1 to m10), each as the story that it was found by. A test is named
//! `review_TAG_…`; its doc comment names the wrong variant that it was shown to find.
// The tags are written as they are known, and only their case tells M1 from m1.
#![allow(non_snake_case)]

mod at_large;
mod attacks;
mod claim;
mod cuts;
mod death;
mod durable;
mod fence;
mod files;
mod floor;
mod hung;
mod judge;
mod kept;
pub(crate) mod kit;
mod marks;
mod oslock;
mod place;
mod prose;
mod remote;
pub(crate) mod sim;
mod status;
mod tags;
mod tail;
mod time;
