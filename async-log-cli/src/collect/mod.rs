//! Whole traces: a root with all that is inside of it, kept until all of that has ended.
//!
//! A `Collector` follows the spans of a log and hands each `Trace` to a `Taker` when it is whole.
//! What is kept is bounded, a trace and all of them: where there is no room the shortest spans that
//! have ended leave, and only sums of them stay.

mod choice;
mod collector;
mod sum;
mod trace;

pub(crate) use choice::Choice;
pub use collector::Place;
pub(crate) use collector::{Collector, Taker};
pub(crate) use sum::Sum;
pub(crate) use trace::{Item, Note, State, Trace, What};

/// A sink that hands all on to its collector.
macro_rules! collects {
    ($sink:ident) => {
        impl<W: std::io::Write> crate::track::Sink for $sink<W> {
            type Kept = Option<crate::collect::Place>;

            fn wants_events(&self) -> bool {
                true
            }

            fn joins_tasks(&self) -> bool {
                self.collector.joins_tasks()
            }

            fn start(
                &mut self,
                start: crate::track::Start<'_>,
                open: &mut crate::track::OpenSpans<Self::Kept>,
            ) -> std::io::Result<Self::Kept> {
                self.collector.start(start, open)
            }

            fn event(
                &mut self,
                event: crate::track::Event<'_>,
                open: &mut crate::track::OpenSpans<Self::Kept>,
            ) -> std::io::Result<()> {
                self.collector.event(event, open)
            }

            fn end(
                &mut self,
                end: crate::track::End<'_, Self::Kept>,
                open: &mut crate::track::OpenSpans<Self::Kept>,
            ) -> std::io::Result<()> {
                self.collector.end(end, open)
            }

            fn lost(
                &mut self,
                process: crate::track::Process,
                root: u64,
                events: &[crate::track::Event<'_>],
                open: &mut crate::track::OpenSpans<Self::Kept>,
            ) -> std::io::Result<()> {
                self.collector.lost(process, root, events, open)
            }

            fn pause(&mut self) -> std::io::Result<()> {
                self.collector.pause()
            }

            fn left_open(
                &mut self,
                process: crate::track::Process,
                open: crate::track::OpenSpans<Self::Kept>,
            ) -> std::io::Result<()> {
                self.collector.left_open(process, open)
            }

            fn finish(&mut self) -> std::io::Result<()> {
                self.collector.finish()
            }
        }
    };
}

pub(crate) use collects;
