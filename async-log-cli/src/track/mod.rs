//! Records in, spans out: what opens, what closes, and what is still open.
//!
//! The [`Tracker`] holds what is open and no more. What is made of it is up to a [`Sink`].

mod ahead;
mod clock;
mod closed;
mod coverage;
mod fold;
mod late;
mod names;
mod open;
mod select;
mod sink;
mod tracker;

pub(crate) use ahead::is_enough;
pub(crate) use fold::fold;
pub use names::{NameId, Names};
pub use open::{Open, OpenSpans};
pub use select::{Bound, Selection, name_like};
pub use sink::{End, Event, Process, Sink, Start};
pub use tracker::{KeptTraces, Problems, Taken, Tracker};
