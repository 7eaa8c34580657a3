//! Bytes in, records out: the forms of `docs/format.md` under any logger's prefix.
//!
//! A [`Batch`] holds whole lines; [`Batch::parse`] finds the records in them, by the log's
//! [`Dialect`]. A [`Record`] has what a tracker needs of every record. A [`View`] of it reads the rest.

mod batch;
mod colors;
mod dialect;
mod json;
mod key_value;
mod pairs;
mod prefix;
mod record;
mod reserved;
mod text;
mod time;
mod view;
mod words;
mod wrapped;

pub use batch::{Batch, Unreadable, Why};
pub(crate) use dialect::trim_end;
pub use dialect::{Dialect, Form};
pub use prefix::{Layout, Prefix, TemplateError};
pub use record::{Kind, Level, Outcome, Part, ProcessId, Record, TraceKept};
pub use time::Time;
pub(crate) use view::Owned;
pub(crate) use view::TargetField;
pub use view::View;
