//! What a child process does after a fork.

use crate::{ids, process, stack};

/// Tells this crate that the process is a child, which a fork has just made.
///
/// Call it in the child, on the thread that the fork has left there, before anything else is logged. From then on the
/// process has a `process_id` of its own, and its spans and tasks have numbers of their own. Spans that
/// were open in the parent write nothing in the child: they end in the parent. No span of the child
/// names them as its parent, and the child's records are outside of them and of the parent's tasks.
///
/// ```
/// # fn fork() -> i32 { 1 }
/// async_log::span!("main", {
///     if fork() == 0 {
///         async_log::forked();
///         async_log::span!("work of the child", {}); // a root, with a process_id
///     }
/// });
/// ```
///
/// Nothing else notices a fork. A child that does not call this writes the ends of its parent's spans a second time, and
/// gives its own spans numbers that the parent uses too. A process made by
/// [`Command`](std::process::Command) is none of these and needs no call.
///
/// If parent and child write to one stream, use [`with_process_id`](crate::Logger::with_process_id), so that each record
/// says whose it is.
///
/// # Cost
///
/// A few atomic stores and a call of the kernel. No lock is taken.
pub fn forked() {
    ids::renew(std::process::id());
    stack::leave_all();
    process::renew();
}
