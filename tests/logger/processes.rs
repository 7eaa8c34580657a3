//! Times and processes.

use super::*;

fn seconds(text: &str) -> u128 {
    let (whole, nanos) = text.split_once('.').unwrap();
    assert_eq!(nanos.len(), 9, "{text}");
    whole.parse::<u128>().unwrap() * 1_000_000_000 + nanos.parse::<u128>().unwrap()
}

fn now() -> u128 {
    let since = std::time::UNIX_EPOCH.elapsed();
    since.unwrap().as_nanos()
}

#[test]
fn span_at_and_span_elapsed_are_seconds_with_nanoseconds() {
    let before = now();
    let text = lines(plain, || {
        span!("outer", {
            thread::sleep(std::time::Duration::from_millis(20));
            span!("inner", {});
        });
    });
    let number = |nth: usize, key| seconds(&get(&text[nth], key).unwrap());
    let (outer, inner) = (number(0, "span_at"), number(1, "span_at"));
    // A clock that is set meanwhile moves the one and not the other: so no more than roughly.
    assert!(outer.abs_diff(before) < 10_000_000_000);
    assert!(outer + 20_000_000 <= inner);
    let (inner_end, outer_end) = (
        inner + number(2, "span_elapsed"),
        outer + number(3, "span_elapsed"),
    );
    assert!(inner_end <= outer_end);
    assert!(number(3, "span_elapsed") >= 20_000_000);
}

#[test]
fn processes_tell_themselves_apart() {
    let run = || {
        alone("processes::processes_tell_themselves_apart", || {
            let lines = lines(plain, || span!("s", {}));
            lines.iter().for_each(|line| println!("{line}"));
        })
    };
    if is_alone() {
        run();
        return;
    }
    let starts = [run(), run()].map(|out| {
        let start = out.lines().find(|line| line.contains("s, span_mark=start"));
        start.unwrap_or_else(|| panic!("{out}")).to_owned()
    });
    let [first, second] = &starts;
    let (a, b) = (get(first, "process_id"), get(second, "process_id"));
    assert_ne!(a, b);
    for (start, process) in [(first, a), (second, b)] {
        let process = process.unwrap();
        let (pid, began) = process.split_once('-').unwrap();
        assert!(pid.parse::<u32>().is_ok());
        let at = seconds(&get(start, "span_at").unwrap());
        let began: u128 = began.parse().unwrap();
        assert!(began <= at && at < began + 10_000_000_000);
    }
    let at = |line| seconds(&get(line, "span_at").unwrap());
    assert!(at(first) < at(second));
}

/// Appends to a file, a line in one write, so that parent and child do not write into each other's lines.
#[cfg(unix)]
struct Appending(std::fs::File);

#[cfg(unix)]
impl Log for Appending {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        use std::io::Write;
        (&self.0)
            .write_all(format!("{}\n", record.args()).as_bytes())
            .unwrap();
    }

    fn flush(&self) {}
}

/// Runs `f` in a process of its own that logs to a file, and checks its log.
#[cfg(unix)]
fn check_forks(test: &str, f: impl FnOnce(), expected: &[&str]) -> Vec<String> {
    let path = std::env::temp_dir().join(format!("async-log-{}", test.replace("::", "-")));
    let run = || {
        let mut options = std::fs::OpenOptions::new();
        let file = options.append(true).create(true).open(&path).unwrap();
        Logger::wrap(Appending(file), async_log::task_id)
            .start(LevelFilter::Trace)
            .unwrap();
        f();
    };
    if is_alone() {
        run();
        return Vec::new();
    }
    let _ = std::fs::remove_file(&path);
    alone(test, || unreachable!());
    let lines = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let lines: Vec<_> = lines.lines().map(str::to_owned).collect();
    assert_eq!(told(&lines), expected);
    lines
}

/// Runs `f` in a child.
#[cfg(unix)]
fn in_child(f: impl FnOnce()) {
    // SAFETY: the child is alone in a process of its own, runs `f`, and leaves without any handler of the parent.
    unsafe {
        match libc::fork() {
            0 => {
                async_log::forked();
                let done = catch_unwind(AssertUnwindSafe(f));
                libc::_exit(i32::from(done.is_err()));
            }
            child => {
                let mut status = -1;
                assert_eq!(libc::waitpid(child, &mut status, 0), child);
                assert_eq!(status, 0, "the child failed");
            }
        }
    }
}

/// `NAME start PARENT`, with names for ids, and the process as a letter.
#[cfg(unix)]
fn told(lines: &[String]) -> Vec<String> {
    let mut processes = Vec::new();
    let name_of = |id: &str| {
        let start = lines.iter().find(|line| {
            get(line, "span_id").as_deref() == Some(id)
                && get(line, "span_mark").as_deref() == Some("start")
        });
        start.map_or("?", |line| line.split(", ").next().unwrap())
    };
    let mut told = Vec::new();
    for line in lines {
        let mut text = line.split(", ").next().unwrap().to_owned();
        if let Some(mark) = get(line, "span_mark") {
            text += &format!(" {mark}");
        }
        for key in ["span_parent", "span_id"] {
            let is_plain = get(line, "span_mark").is_none();
            if let Some(id) = get(line, key).filter(|_| is_plain || key == "span_parent") {
                text += &format!(" in {}", name_of(&id));
            }
        }
        if get(line, "task_id").as_deref() != Some("0") {
            text += " @task";
        }
        if let Some(process) = get(line, "process_id") {
            if !processes.contains(&process) {
                processes.push(process.clone());
            }
            let nth = processes.iter().position(|known| *known == process);
            text += &format!(" #{}", nth.unwrap());
        }
        told.push(text);
    }
    let mut starts: Vec<_> = (lines.iter())
        .filter(|line| get(line, "span_mark").as_deref() == Some("start"))
        .map(|line| get(line, "span_id"))
        .collect();
    let count = starts.len();
    starts.sort();
    starts.dedup();
    assert_eq!(starts.len(), count, "one number of two spans: {lines:#?}");
    told
}

#[test]
#[cfg(unix)]
fn a_child_is_a_process_of_its_own() {
    let test = "processes::a_child_is_a_process_of_its_own";
    let run = || {
        let kept = span!("kept");
        span!(user = 7; "main", {
            let context = async_log::Context::current();
            in_child(|| {
                info!("child");
                span!("work of the child", {});
                context.run(|| {
                    info!("in no context");
                    span!("not in main", {});
                });
                kept.run(|| span!("not in kept", {}));
                finish(async {}.in_named_task("task of the child"));
                in_child(|| span!("work of a grandchild", { info!("inside") }));
                drop(kept);
            });
            in_child(|| span!("work of another child", {}));
            span!("work of the parent", {});
        });
    };
    let lines = check_forks(
        test,
        run,
        &[
            "kept start #0",
            "main start #0",
            "child",
            "work of the child start #1",
            "work of the child end",
            "in no context",
            "not in main start #1",
            "not in main end",
            "not in kept start #1",
            "not in kept end",
            "task of the child start @task #1",
            "task of the child end @task",
            "work of a grandchild start #2",
            "inside in work of a grandchild",
            "work of a grandchild end",
            // The parent lets go of what it gave to the child.
            "kept end",
            "work of another child start #3",
            "work of another child end",
            "work of the parent start in main",
            "work of the parent end",
            "main end",
        ],
    );
    let of_child = |line: &&String| line.contains("child") || line.contains("not in");
    assert!(lines
        .iter()
        .filter(of_child)
        .all(|line| get(line, "user").is_none()));
}

/// A child that goes on with what the parent has begun writes of its own spans alone.
#[test]
#[cfg(unix)]
fn a_child_goes_on_with_the_parents_blocks_and_futures() {
    check_forks(
        "processes::a_child_goes_on_with_the_parents_blocks_and_futures",
        || {
            let mut in_span = Box::pin(
                async {
                    ready(()).await;
                    futures::pending!();
                    info!("went on");
                    span!("inside", { ready(()).await });
                }
                .in_span(span!("in span")),
            );
            assert!(poll_once(in_span.as_mut()).is_pending());
            let mut task = Box::pin(
                async {
                    span!("block", {
                        futures::pending!();
                        info!("went on in a block");
                    });
                    span!("behind", {});
                }
                .in_named_task("task"),
            );
            assert!(poll_once(task.as_mut()).is_pending());
            let fresh = async { info!("fresh") }.in_named_task("fresh");
            in_child(|| {
                assert!(poll_once(in_span.as_mut()).is_ready());
                assert!(poll_once(task.as_mut()).is_ready());
                span!("own", { info!("in own") });
                finish(fresh);
            });
            info!("parent");
        },
        &[
            "in span start #0",
            "task start @task #0",
            "block start in task @task",
            "went on",
            "inside start #1",
            "inside end",
            "went on in a block",
            "behind start #1",
            "behind end",
            "own start #1",
            "in own in own",
            "own end",
            "fresh start #1",
            "fresh in fresh",
            "fresh end",
            "parent",
            "block end @task",
            "task end @task",
            "in span end",
        ],
    );
}

/// In each record, if the program asks for it.
#[test]
#[cfg(unix)]
fn a_child_has_another_process_id_on_every_record() {
    alone(
        "processes::a_child_has_another_process_id_on_every_record",
        || {
            let path = std::env::temp_dir().join(format!("async-log-every-{}", std::process::id()));
            let mut options = std::fs::OpenOptions::new();
            let file = options.append(true).create(true).open(&path).unwrap();
            Logger::wrap(Appending(file), five)
                .with_process_id()
                .start(LevelFilter::Trace)
                .unwrap();
            info!("parent");
            in_child(|| info!("child"));
            info!("parent");
            let lines = std::fs::read_to_string(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            let ids: Vec<_> = lines.lines().map(|line| get(line, "process_id")).collect();
            assert_eq!(ids.len(), 3);
            assert!(ids[0] == ids[2] && ids[0] != ids[1] && ids[1].is_some());
        },
    );
}
