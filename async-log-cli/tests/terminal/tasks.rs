//! `tasks` and `task`.

use async_log_cli::track::Selection;
use async_log_cli::write::task::{self, Task};
use async_log_cli::write::tasks::{self, Tasks};

use crate::golden::{check, check_looks, log, run};

fn tasks(change: impl FnOnce(&mut tasks::Options)) -> Tasks<Vec<u8>> {
    let mut options = tasks::Options::default();
    change(&mut options);
    Tasks::new(options, Vec::new())
}

fn task(id: u64, change: impl FnOnce(&mut task::Options)) -> Task<Vec<u8>> {
    let mut options = task::Options::default();
    options.task = id;
    change(&mut options);
    Task::new(options, Vec::new())
}

#[test]
fn tasks_of_a_server() {
    let of = |look| tasks(|options| options.look = look);
    check_looks("server", "tasks", of, Tasks::into_inner);
    check_looks("odd", "tasks", of, Tasks::into_inner);
}

#[test]
fn tasks_as_json() {
    for name in ["server", "killed", "odd"] {
        let sink = tasks(|options| options.json = true);
        let sink = run(&log(name), sink, Selection::default());
        check(&format!("{name}.tasks.json"), &sink.into_inner());
    }
}

#[test]
fn some_tasks() {
    let sink = run(
        &log("server"),
        tasks(|options| options.limit = Some(3)),
        Selection::default(),
    );
    check("server.tasks.limit.txt", &sink.into_inner());
}

#[test]
fn one_task() {
    let of = |look| task(8, |options| options.look = look);
    check_looks("server", "task", of, Task::into_inner);
    let of = |look| task(0, |options| options.look = look);
    check_looks("odd", "task", of, Task::into_inner);
}

#[test]
fn a_task_and_what_it_spawned() {
    let of = |look| {
        task(1, |options| {
            options.look = look;
            options.tree = true;
        })
    };
    check_looks("server", "task-tree", of, Task::into_inner);
}

#[test]
fn a_task_at_its_time_of_day() {
    let sink = task(9, |options| options.time_of_day = true);
    let sink = run(&log("server"), sink, Selection::default());
    check("server.task.time-of-day.txt", &sink.into_inner());
}

#[test]
fn a_task_that_is_not_there() {
    let sink = run(&log("server"), task(99, |_| {}), Selection::default());
    assert_eq!(sink.written(), 0);
    assert_eq!(sink.into_inner(), b"");
}
