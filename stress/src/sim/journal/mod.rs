//! A simulated `Journal` whose store is remote: a client decides on a snapshot, outside of any lock, and *sends* an
//! append that takes effect only if nobody was faster.
//!
//! # The protocol
//!
//! - The store keeps a *head*, the events since the last trim, the folded state before them, and the last operations by
//!   their ids. A **fetch** tells a client what it has not seen yet, the store's time, and what is recorded under its
//!   operation id.
//! - An **append** carries the version of the head that it was decided on, and the time. Every append rewrites the head,
//!   so the compare is on a version; that a key is absent would be no version, because trimming makes keys absent again.
//! - Time is the store's. Who was shown a time was promised that nothing decided earlier is still to come, so an append
//!   decided before the latest time shown is refused like one that somebody else overtook, and decided anew.
//! - A client whose append was not answered does not know. It writes a **barrier**, which rewrites the head: what was
//!   sent before can then no longer land, and the barrier's answer says whether it had. Where that is not answered
//!   either, so many times, the client answers indefinite.
//! - A **trim** puts the folded state in the place of the oldest events; it compares the version of the folded state,
//!   which a crash rewrites: what a trim of before would fold may be lost.
//!   Operation ids survive it for a while, and the store knows up to which revision it has forgotten them.
//!
//! # Fault model
//!
//! Which message is next is a choice; a request may be served long after its client gave up; it may be served twice; its
//! answer may be lost; time may pass before anything; the store may crash and lose any of its newest events, unless a
//! client wanted them durable. All of it comes from the one [source of choice](super::choice). Not simulated: a store that
//! loses what was to be durable, or that lies.

mod call;
mod defect;
mod handle;
mod judge;
mod message;
mod remote;
mod settings;
mod store;
mod users;
mod wants;

pub use defect::Defect;
pub use handle::{SimJournal, SimStore, Trouble};
pub use remote::{Faults, Limits, Remote};
pub use settings::{at_large, crashing, forgetful, scenarios, small};
pub use users::StoreUsers;
pub use wants::{Want, Wants};
