//! The `span!` macro.

/// Runs a block in a span: a start record before it, an end record after it, however it ends, and
/// every record inside belongs to it. Gives the block's value.
///
/// ```
/// use async_log::span;
///
/// # let (user, path) = (7, std::path::Path::new("/tmp"));
/// let sum = span!("level {}", 1, { 1 + 1 });
/// assert_eq!(sum, 2);
///
/// // Options, then fields and name as in `log`'s own macros, then the block.
/// span!(target: "app", level: log::Level::Debug, user, path:? = path; "load", {
///     log::info!("this record has the fields user and path");
/// });
/// ```
///
/// A plain block can be replaced by a span's block: `?`, `return`, `break` and `.await` do in it
/// what they did, it can move and borrow what is around it, and its type is found in the same way.
///
/// The records are at level [`Trace`](log::Level::Trace) unless `level:` says otherwise, and under
/// the target of the module unless `target:` does. If the span is filtered out when it would
/// start, nothing of it is logged and neither name nor fields are evaluated.
///
/// # In asynchronous code
///
/// An `.await` in the block suspends the span with the code that it is in, so that whatever else runs on the
/// thread meanwhile is not taken for inside. That holds for `.await` wherever it stands, also among the
/// arguments of other macros, and for `join!`, `try_join!`, `select!` and `select_biased!` of tokio,
/// futures and their like.
///
/// An await in the *definition* of any other macro cannot be seen. Until the code that it suspends runs
/// again, other code of the same task, and of the same thread where the task is none of this crate's,
/// may be taken for inside the span. [`in_task`](crate::TaskExt::in_task) keeps it to the task.
///
/// # Without a block
///
/// Without a block the macro gives a [`Span`](crate::Span) that has started and is not entered.
///
/// ```
/// let upload = async_log::span!("upload");
/// upload.run(|| log::info!("inside"));
/// ```
///
/// # Panics
///
/// When formatting the name or a field does, and when the logger does; the span has not started then.
///
/// # Cost
///
/// Filtered out, that of a filtered record: the level is compared. Otherwise that of its two records and of
/// two readings of the clock. A name with arguments and fields are formatted when the span starts, into buffers of
/// spans that have ended on this thread; a span with a static name and without fields needs none.
#[macro_export]
macro_rules! span {
    ($($arg:tt)*) => {
        $crate::__private::span! { [$crate] $($arg)* }
    };
}
