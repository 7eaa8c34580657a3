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
/// the target of the module unless `target:` does.
///
/// If the span is filtered out when it would start, nothing of it is logged, and the block runs in the context around
/// it. Its name and fields are not even evaluated if `log`'s maximum level filters it out. If only the logger's own
/// filter does, their expressions are evaluated, but nothing is formatted.
///
/// # In asynchronous code
///
/// An `.await` in the block suspends the span with the code that it is in, so that whatever else runs on the
/// thread meanwhile is not taken for inside. That holds for `.await` wherever it stands, also among the
/// arguments of other macros, and for `join!`, `try_join!`, `select!` and `select_biased!` of tokio,
/// futures and their like.
///
/// An await in the *definition* of any other macro cannot be seen. While it is suspended, the span stays where it was:
/// other code of the same task may be taken for inside, and other code of the same thread if the task is
/// none of this crate's. That ends when the code runs again there, or reaches an await that can be seen, and at the latest when the
/// span ends, on whatever thread it does. [`in_task`](crate::TaskExt::in_task) keeps it to the task.
///
/// # In code that runs other people's jobs
///
/// A block that waits by running other work on its own thread is taken for the caller of that work. So
/// `span!("main", { runtime.block_on(…) })` on a runtime of one thread has everything inside that this runtime runs
/// meanwhile, and a thread of rayon that waits in a span may run a job of somebody else. A job that brings its own context is
/// right all the same: spawn it as [`in_task`](crate::TaskExt::in_task), or run it in the [`Context`](crate::Context)
/// of where it was made. Or start the span inside: `runtime.block_on(async { span!("main", { … }) })`.
///
/// # Without a block
///
/// Without a block the macro gives a [`Span`](crate::Span) that has started and is not entered. If it was filtered out,
/// it stands for the context that it was begun in.
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
