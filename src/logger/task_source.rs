//! The task that the `Logger` behind the global logger writes.

use std::cell::Cell;

use log::{Level, Metadata};

use crate::stack;

/// The target of a question, not of a record: a `Logger` that is asked whether this is enabled
/// answers through [`ANSWER`] with its own task id.
const ASK_TASK_ID: &str = "async_log::task_id?";

#[derive(Clone, Copy)]
enum Answer {
    NotAsked,
    Asked,
    Task(u64),
}

thread_local! {
    static ANSWER: Cell<Answer> = const { Cell::new(Answer::NotAsked) };
}

/// The task that runs now, by the source of the `Logger` that writes the records, wherever it is
/// behind the global logger.
pub(crate) fn written_task_id() -> u64 {
    let question = Metadata::builder()
        .level(Level::Error)
        .target(ASK_TASK_ID)
        .build();
    ANSWER.with(|answer| answer.set(Answer::Asked));
    log::logger().enabled(&question);
    match ANSWER.with(|answer| answer.replace(Answer::NotAsked)) {
        Answer::Task(task_id) => task_id,
        Answer::NotAsked | Answer::Asked => stack::task(),
    }
}

/// Answers if this is the question. Anybody may use its target, nobody else asks.
pub(crate) fn answer_task_id(metadata: &Metadata<'_>, task_id: impl FnOnce() -> u64) -> bool {
    let is_asked = !matches!(ANSWER.with(Cell::get), Answer::NotAsked);
    // Not by address: a constant has another one in each crate that this is compiled into.
    if !is_asked || metadata.target() != ASK_TASK_ID {
        return false;
    }
    // What the source logs, and where it panics, is no answer.
    ANSWER.with(|answer| answer.set(Answer::NotAsked));
    let task_id = task_id();
    ANSWER.with(|answer| answer.set(Answer::Task(task_id)));
    true
}
