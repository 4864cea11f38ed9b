//! The explorer of the status machine: every value of every small vocabulary, and every command in it.
//!
//! As with locks each transition is compared with the oracle and with the machine's own invariants, and wrong machines
//! ([`Mutant`]) say whether that is blind. Beside it stand the laws of the join, on all pairs and triples of values
//! ([`check_laws`]), the spellings of ids, on all pairs ([`check_ids`]), and gates, at every value ([`check_gates`]).

mod gates;
mod ids;
mod judge;
mod laws;
mod lexicon;
mod mutants;
mod node;
mod search;
mod shape;
mod space;
mod stage;
mod subject;

pub use gates::{GateMutant, GatesChecked, Keeper, check_gates};
pub use ids::{IdsChecked, check_ids};
pub use laws::{LawsChecked, check_laws};
pub use lexicon::Lexicon;
pub use mutants::Mutant;
pub use search::{Explored, Found, explore};
pub use shape::{Shape, shapes};
pub use space::Bounds;
pub(super) use stage::part;
pub use subject::Subject;
