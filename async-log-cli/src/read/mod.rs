//! Bytes in, records out: the forms of `docs/format.md` under any logger's prefix.
//!
//! A [`Batch`] holds whole lines; [`Batch::parse`] finds the records in them, by the log's
//! [`Dialect`]. A [`Record`] has what a tracker needs of every record. A [`View`] of it reads the rest.

mod batch;
mod colors;
mod container;
mod dialect;
mod identity;
mod json;
mod key_value;
mod known;
mod learn;
mod order;
mod pairs;
mod prefix;
mod record;
mod reserved;
mod shape;
mod template;
mod text;
mod time;
mod view;
mod words;
mod writer;

pub use batch::{Batch, Unreadable, Why};
pub use container::Container;
pub(crate) use dialect::trim_end;
pub use dialect::{Dialect, Form};
pub use prefix::{Layout, Prefix, TemplateError};
pub use record::{Kind, Level, Outcome, Part, ProcessId, Record, TraceKept};
pub use shape::Shapes;
pub use time::Time;
pub(crate) use view::Owned;
pub(crate) use view::TargetField;
pub use view::View;
pub(crate) use view::raw_pairs;
pub use writer::Writers;
