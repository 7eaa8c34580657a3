//! The arguments of a start record in flight: whether any of them writes them, and their text.

use std::cell::Cell;
use std::mem::ManuallyDrop;

use log::Metadata;

use crate::record::arguments::Arguments;
use crate::record::fields::Fields;
use crate::record::pairs::FirstPairs;

/// Some `Logger` that was asked about a start leaves its arguments out.
const LEAVES_OUT: u8 = 1;
/// Some `Logger` that was asked about a start writes its arguments.
const WRITES: u8 = 2;

thread_local! {
    /// What the `Logger`s said that were asked about the last start with arguments, and about others since.
    static ARGUMENTS: Cell<u8> = const { Cell::new(0) };
}

/// Asks the global logger whether it wants a start with so many arguments.
#[inline]
pub(crate) fn is_wanted(metadata: &Metadata<'_>, arguments: usize) -> bool {
    if arguments > 0 {
        ARGUMENTS.with(|said| said.set(0));
    }
    log::logger().enabled(metadata)
}

/// Answers for a `Logger` that it writes arguments; not where another one has said that it leaves them out: then the
/// answer is for [`answer_start`].
#[inline]
pub(crate) fn answer_writes() -> bool {
    ARGUMENTS.with(|said| {
        let is_first = said.get() & LEAVES_OUT == 0;
        if is_first {
            said.set(WRITES);
        }
        is_first
    })
}

/// Answers for a `Logger` and all inside of it whether arguments are written, if it wants the start.
pub(crate) fn answer_start(writes: bool, is_wanted: impl FnOnce() -> bool) -> bool {
    let before = ARGUMENTS.with(Cell::get);
    let is_wanted = is_wanted();
    if is_wanted {
        let said = if writes { WRITES } else { LEAVES_OUT };
        ARGUMENTS.with(|all| all.set(before | said));
    }
    is_wanted
}

/// Whether all `Logger`s that were asked leave the arguments out. A fan-out may not have asked all that it has.
#[inline]
pub(crate) fn are_arguments_left_out() -> bool {
    ARGUMENTS.with(Cell::get) == LEAVES_OUT
}

thread_local! {
    // Empty when a thread ends, so it needs no destructor.
    static FORMATTED: Cell<ManuallyDrop<Fields>> = const { Cell::new(ManuallyDrop::new(Fields::none())) };
}

/// The arguments of the start in flight are known as text, until this is dropped. There is never more than one start with
/// arguments in flight on a thread, since no annotated function is traced while a span's record is being written.
pub(crate) struct Formatted(());

impl Formatted {
    pub(crate) fn of(arguments: &Arguments) -> Self {
        let fields = ManuallyDrop::new(arguments.fields().clone());
        FORMATTED.with(|formatted| formatted.set(fields));
        Formatted(())
    }

    fn take() -> Fields {
        let none = ManuallyDrop::new(Fields::none());
        ManuallyDrop::into_inner(FORMATTED.with(|formatted| formatted.replace(none)))
    }
}

impl Drop for Formatted {
    fn drop(&mut self) {
        drop(Formatted::take());
    }
}

/// The arguments of the start in flight as text; nothing if they did not have to be formatted.
pub(crate) fn formatted() -> Fields {
    let fields = Formatted::take();
    FORMATTED.with(|formatted| formatted.set(ManuallyDrop::new(fields.clone())));
    fields
}

/// Formats the arguments of a start; `None` if that need not be.
#[inline]
pub(crate) fn settle(arguments: FirstPairs<'_>) -> Option<Arguments> {
    if arguments.is_none() || are_arguments_left_out() {
        return None;
    }
    Arguments::format(arguments)
}
