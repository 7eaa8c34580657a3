//! The task that runs on this thread.

use std::cell::Cell;

use crate::ids;

thread_local! {
    static TASK: Cell<u64> = const { Cell::new(0) };
}

/// The number of the task that runs now, 0 outside any.
#[inline]
pub(crate) fn task() -> u64 {
    TASK.with(Cell::get)
}

/// Makes `task` the one that runs, until the guard is dropped.
#[inline]
pub(crate) fn enter_task(task: u64) -> TaskGuard {
    TaskGuard {
        before: TASK.with(|cell| cell.replace(ours(task))),
    }
}

/// A task of the process from which this was forked is none here.
#[inline]
pub(crate) fn ours(task: u64) -> u64 {
    if ids::is_inherited(task) {
        0
    } else {
        task
    }
}

#[derive(Debug)]
pub(crate) struct TaskGuard {
    before: u64,
}

impl Drop for TaskGuard {
    #[inline]
    fn drop(&mut self) {
        TASK.with(|cell| cell.set(ours(self.before)));
    }
}

/// Leaves the task: that of the process from which this was forked.
pub(super) fn leave_task() {
    TASK.with(|cell| cell.set(0));
}
