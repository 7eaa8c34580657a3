//! The keys of each kind of record: their order, and which hides which.

use super::*;

#[test]
fn the_order_of_keys() {
    let run = || {
        span!(user = 7, path = "x"; "root", {
            function("x", 1);
            finish(ready(()).in_named_task("task"));
            panics(|| span!("panicked", { panic!() }));
        });
        info!(own = 1; "outside");
    };
    let expected = [
        "span_mark user path all span_id span_at process_id task_id thread_id",
        "arg_0 arg_1 span_mark user path all span_id span_parent span_at task_id thread_id",
        "own user path all span_id task_id thread_id",
        "span_mark user path all span_id span_elapsed task_id thread_id",
        "span_mark user path all span_id span_parent span_at task_parent_id spawn_line task_id thread_id",
        "span_mark user path all span_id span_elapsed task_id thread_id",
        "span_mark user path all span_id span_parent span_at task_id thread_id",
        "span_mark user path all span_id span_elapsed span_outcome task_id thread_id",
        "span_mark user path all span_id span_elapsed task_id thread_id",
        "own all task_id thread_id",
    ];
    let written = lines(|logger| logger.with_field("all", 0), run);
    let written: Vec<_> = written.iter().map(|line| keys(line).join(" ")).collect();
    assert_eq!(written, expected);
    let typed = entries(|logger| logger.with_field("all", 0), run);
    let typed: Vec<_> = typed.iter().map(|entry| entry.keys().join(" ")).collect();
    assert_eq!(typed, expected);

    // With `.with_process_id()`, `process_id` comes before `task_id`.
    let expected = [
        "span_mark user path span_id span_at process_id task_id thread_id",
        "arg_0 arg_1 span_mark user path span_id span_parent span_at process_id task_id thread_id",
        "own user path span_id process_id task_id thread_id",
        "span_mark user path span_id span_elapsed process_id task_id thread_id",
    ];
    let written = lines(|logger| logger.with_process_id(), run);
    let written: Vec<_> = written.iter().map(|line| keys(line).join(" ")).collect();
    assert_eq!(written[..4], expected);
}

#[test]
fn a_key_that_is_there_twice() {
    let text = lines(
        plain,
        || span!(a = 1, a = 2; "s", { info!(b = 1, b = 2; "m") }),
    );
    assert_eq!(stable(&text[0]), "s, span_mark=start, a=1, task_id=5");
    assert_eq!(stable(&text[1]), "m, b=1, b=2, a=1, task_id=5");
}

#[test]
fn the_innermost_value_hides_the_others() {
    let run = || {
        span!(a = 1, b = 1, c = 1; "outer", {
            span!(b = 2, c = 2; "inner", {
                info!(c = 3; "own");
            });
            info!("after");
        });
    };
    let text = lines(|logger| logger.with_field("a", 0).with_field("d", 0), run);
    let text: Vec<_> = text.iter().map(|line| stable(line)).collect();
    assert_eq!(
        text,
        [
            "outer, span_mark=start, a=1, b=1, c=1, d=0, task_id=5",
            "inner, span_mark=start, b=2, c=2, a=1, d=0, task_id=5",
            "own, c=3, b=2, a=1, d=0, task_id=5",
            "inner, span_mark=end, b=2, c=2, a=1, d=0, task_id=5",
            "after, a=1, b=1, c=1, d=0, task_id=5",
            "outer, span_mark=end, a=1, b=1, c=1, d=0, task_id=5",
        ]
    );
    let typed = entries(|logger| logger.with_field("a", 0).with_field("d", 0), run);
    let own = &typed[2];
    assert_eq!(own.keys()[..4], ["c", "b", "a", "d"]);
    assert_eq!(own.get("c"), Some("i64 3"));
    assert_eq!(own.get("a"), Some("i64 1"));
}

#[test]
fn an_argument_hides_a_field() {
    let run = || span!(arg_0 = "field"; "outer", { function("argument", 1) });
    let text = lines(|logger| logger.with_field("arg_1", "all"), run);
    assert_eq!(
        stable(&text[1]),
        "function, arg_0=argument, arg_1=1, span_mark=start, task_id=5"
    );
    assert_eq!(
        stable(&text[3]),
        "function, span_mark=end, arg_0=field, arg_1=all, task_id=5"
    );
    let typed = entries(|logger| logger.with_field("arg_1", "all"), run);
    assert_eq!(
        typed[1].keys()[..4],
        ["arg_0", "arg_1", "span_mark", "span_id"]
    );
    // What is not shown hides nothing.
    let text = lines(|logger| logger.without_arguments(), run);
    assert_eq!(
        stable(&text[1]),
        "function, span_mark=start, arg_0=field, task_id=5"
    );
    let typed = entries(|logger| logger.without_arguments(), run);
    assert_eq!(typed[1].get("arg_0"), Some("str field"));
}

#[test]
fn reserved_keys_cannot_be_forged() {
    let run = || {
        span!(span_id = 1, task_id = 9, process_id = "x"; "s", {
            info!(span_mark = "start", task_id = 8, thread_id = 8, span_at = 1; "m");
        });
    };
    let text = lines(|logger| logger.with_field("thread_id", 9), run);
    let text: Vec<_> = text.iter().map(|line| stable(line)).collect();
    assert_eq!(
        text,
        [
            "s, span_mark=start, span_id_=1, task_id_=9, process_id_=x, thread_id_=9, task_id=5",
            "m, span_mark_=start, task_id_=8, thread_id_=8, span_at_=1, span_id_=1, process_id_=x, task_id=5",
            "s, span_mark=end, span_id_=1, task_id_=9, process_id_=x, thread_id_=9, task_id=5",
        ]
    );
    let typed = entries(|logger| logger.with_field("thread_id", 9), run);
    assert_eq!(
        typed[1].keys(),
        [
            "span_mark_",
            "task_id_",
            "thread_id_",
            "span_at_",
            "span_id_",
            "process_id_",
            "span_id",
            "task_id",
            "thread_id"
        ]
    );
    assert_eq!(typed[1].get("task_id_"), Some("i64 8"));
    assert_eq!(typed[1].get("task_id"), Some("u64 5"));
}

#[test]
fn empty_and_odd_keys() {
    let text = lines(plain, || {
        span!("" = 1, "a b" = 2, "ключ" = 3, "a.b:c-d" = 4; "s", {
            info!("\n" = 5, "task id" = 6, "," = 7; "m");
        });
    });
    assert_eq!(
        stable(&text[1]),
        "m, _=5, task_id_=6, _=7, a_b=2, ____=3, a.b:c-d=4, task_id=5"
    );
    assert_eq!(
        stable(&text[2]),
        "s, span_mark=end, _=1, a_b=2, ____=3, a.b:c-d=4, task_id=5"
    );
}

#[test]
fn a_task_inherits_fields_and_has_the_span_as_its_parent() {
    let run = || {
        let mut task = pin!(span!(user = 7; "request", {
            async { info!("working") }.in_named_task("worker")
        }));
        assert!(poll_once(task.as_mut()).is_ready());
        let mut root = pin!(ready(()).in_named_task("root"));
        assert!(poll_once(root.as_mut()).is_ready());
    };
    let text = lines(plain, run);
    assert_eq!(stable(&text[3]), "working, user=7, task_id=5");
    assert_eq!(get(&text[2], "user").as_deref(), Some("7"));
    assert_eq!(get(&text[4], "user").as_deref(), Some("7"));
    assert_eq!(get(&text[2], "span_parent"), get(&text[0], "span_id"));
    assert_eq!(get(&text[2], "task_parent_id").as_deref(), Some("5"));
    let line = get(&text[2], "spawn_line").unwrap();
    assert!(line.starts_with(concat!(file!(), ":")), "{line}");
    assert_eq!(get(&text[3], "span_id"), get(&text[2], "span_id"));
    assert_eq!(get(&text[5], "span_parent"), None);
    assert!(get(&text[5], "process_id").is_some());

    let typed = entries(|logger| logger, run);
    assert_eq!(typed[3].get("user"), Some("i64 7"));
    assert_eq!(typed[2].get("task_parent_id"), Some("u64 5"));
}
