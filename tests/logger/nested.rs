//! Records that are logged while another one is being formatted or written: each is a record of its own, whoever logs
//! it and wherever it comes from.

use super::*;

/// What a text has to hold to be read as the end of a span, if anything let it pass as it is.
const EVIL: &str =
    "evil, span_mark=end, span_id=1, span_elapsed=0.000000001, task_id=0, thread_id=1";

/// `EVIL` in a line that nobody takes for a span.
const TAME: &str = "evil, span_mark\\u{3d}end, span_id\\u{3d}1, span_elapsed\\u{3d}0.000000001, \
                    task_id\\u{3d}0, thread_id\\u{3d}1";

/// Checks that every line has its ids once, and that there is no mark but those of the spans with these names.
#[track_caller]
fn check_genuine(lines: &[String], spans: &[&str]) {
    let mut marks = Vec::new();
    for line in lines {
        let (end, pairs) = reader::split(line);
        let count = |key: &str| pairs.iter().filter(|pair| pair.key == key).count();
        for key in ["task_id", "thread_id"] {
            assert_eq!(count(key), 1, "{key} in {line}");
        }
        assert!(count("span_id") <= 1 && count("span_mark") <= 1, "{line}");
        if let Some(mark) = get(line, "span_mark") {
            marks.push(format!("{} {mark}", &line[..end]));
        }
    }
    marks.sort();
    let mut expected: Vec<_> = (spans.iter())
        .flat_map(|name| [format!("{name} end"), format!("{name} start")])
        .collect();
    expected.sort();
    assert_eq!(marks, expected, "{lines:#?}");
}

/// The same of records with their pairs.
#[track_caller]
fn check_genuine_entries(entries: &[Entry], spans: &[&str]) {
    let mut marks = Vec::new();
    for entry in entries {
        let count = |key: &str| entry.keys().iter().filter(|of| **of == key).count();
        for key in ["task_id", "thread_id"] {
            assert_eq!(count(key), 1, "{key} in {entry:?}");
        }
        assert!(count("span_id") <= 1 && count("span_mark") <= 1);
        if let Some(mark) = entry.get("span_mark") {
            let mark = mark.trim_start_matches("str ");
            marks.push(format!("{} {mark}", entry.message));
        }
    }
    marks.sort();
    let mut expected: Vec<_> = (spans.iter())
        .flat_map(|name| [format!("{name} end"), format!("{name} start")])
        .collect();
    expected.sort();
    assert_eq!(marks, expected, "{entries:#?}");
}

/// Logs from the very line from which it is logged itself.
struct Node<'a>(u32, &'a str);

impl fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > 0 {
            say(self.0 - 1, self.1)
        }
        f.write_str(self.1)
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn say(n: u32, s: &str) {
    info!("visiting {}", Node(n, s))
}

#[test]
fn a_nested_record_from_the_same_line_cannot_forge_a_mark() {
    let run = || span!("s", { say(1, EVIL) });
    let text = lines(plain, run);
    let stable: Vec<_> = text.iter().map(|line| stable(line)).collect();
    let tame = format!("visiting {TAME}, task_id=5");
    assert_eq!(
        stable,
        [
            "s, span_mark=start, task_id=5",
            &tame,
            &tame,
            "s, span_mark=end, task_id=5",
        ]
    );
    check_genuine(&text, &["s"]);
    assert_eq!(get(&text[1], "span_id"), get(&text[0], "span_id"));
    assert_eq!(get(&text[2], "span_id"), get(&text[0], "span_id"));
    check_genuine_entries(&entries(|logger| logger, run), &["s"]);
}

/// Every call of a user's code while a record is in flight.
#[test]
fn a_nested_record_is_one_of_its_own_wherever_it_comes_from() {
    fn value(n: u32, s: &str) {
        info!(node:% = Field(n, s); "value")
    }
    struct Field<'a>(u32, &'a str);
    impl fmt::Display for Field<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            if self.0 > 0 {
                value(self.0 - 1, self.1)
            }
            f.write_str(self.1)
        }
    }

    /// A source of pairs that logs before it gives one.
    struct Telling(u32);
    impl kv::Source for Telling {
        fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
            if self.0 > 0 {
                by_hand(self.0 - 1);
            }
            visitor.visit_pair(Key::from("span_mark"), Value::from("end"))
        }
    }
    fn by_hand(n: u32) {
        let pairs = Telling(n);
        let mut record = Record::builder();
        record.file_static(Some(file!())).line(Some(1));
        log::logger().log(
            &record
                .args(format_args!("{EVIL}"))
                .key_values(&pairs)
                .build(),
        );
    }

    #[instrument(name = "f")]
    fn argument(node: Node<'_>) {}

    #[instrument(name = "g", fields(field:? = Node(1, EVIL)))]
    fn field() {}

    let run = || {
        value(2, EVIL);
        by_hand(2);
        argument(Node(2, EVIL));
        field();
        span!("{}", Node(1, "named"), {});
        span!(node:% = Node(1, EVIL); "s", {});
        drop(span!(node:% = Node(1, EVIL); "t"));
        finish(async {}.in_named_task("task"));
    };
    let spans = ["f", "g", "named", "s", "t", "task"];
    check_genuine(&lines(plain, run), &spans);
    check_genuine_entries(&entries(|logger| logger, run), &spans);
}

#[test]
fn what_a_task_source_logs_is_one_of_its_own() {
    for form in [false, true] {
        let inner = Entries::default();
        let source = || {
            say(0, EVIL);
            5
        };
        let logger = Logger::wrap(inner.clone(), source);
        let run = || {
            info!("m");
            span!("s", { say(1, EVIL) });
        };
        match form {
            true => with_global(logger.with_key_values(), run),
            false => with_global(logger, run),
        }
        let all = inner.take();
        assert!(all.len() > 8);
        match form {
            true => check_genuine_entries(&all, &["s"]),
            false => {
                let text: Vec<_> = all.into_iter().map(|entry| entry.message).collect();
                check_genuine(&text, &["s"]);
            }
        }
    }
}

/// Logs whatever is said to it for each record, before it hands that on.
struct Telling<L>(L, fn(&Record<'_>));

impl<L: Log> Log for Telling<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        thread_local! {
            static BUSY: Cell<bool> = const { Cell::new(false) };
        }
        if !BUSY.with(|busy| busy.replace(true)) {
            (self.1)(record);
            BUSY.with(|busy| busy.set(false));
        }
        self.0.log(record);
    }

    fn flush(&self) {}
}

/// What a logger may log about another record: from its line, with its pairs, with nothing of it.
const TOLD: [fn(&Record<'_>); 5] = [
    |_| info!("{}", EVIL),
    |record| {
        let mut told = Record::builder();
        told.file(record.file()).line(record.line());
        log::logger().log(&told.args(format_args!("{EVIL}")).build());
    },
    |record| {
        let mut told = Record::builder();
        told.file_static(record.file_static()).line(record.line());
        told.module_path_static(record.module_path_static());
        told.metadata(record.metadata().clone());
        log::logger().log(&told.args(format_args!("{EVIL}")).build());
    },
    |_| say(2, EVIL),
    |_| span!("told {}", 1, { info!(own:% = Node(1, EVIL); "{}", EVIL) }),
];

/// `TOLD`, where the record that a logger was given by a `Logger` is built anew.
const TOLD_INSIDE: [fn(&Record<'_>); 2] = [
    |record| {
        let mut told = record.to_builder();
        log::logger().log(&told.args(format_args!("{EVIL}")).build());
    },
    |record| {
        let mut told = record.to_builder();
        log::logger().log(&told.args(format_args!("{}", record.args())).build());
    },
];

#[test]
fn what_the_wrapped_logger_logs_is_one_of_its_own() {
    for told in TOLD.into_iter().chain(TOLD_INSIDE) {
        let inner = Lines::default();
        let logger = Logger::wrap(Telling(inner.clone(), told), five);
        with_global(logger, || {
            span!(user = 7; "s", { info!(own:% = Node(1, EVIL); "m") });
        });
        let text = inner.take();
        for line in &text {
            let evil = line.starts_with("evil");
            assert!(!(evil && get(line, "span_mark").is_some()), "{line}");
            assert_eq!(get(line, "task_id").as_deref(), Some("5"), "{line}");
        }
        let of_s = |line: &&String| line.starts_with("s, span_mark=");
        assert_eq!(text.iter().filter(of_s).count(), 2, "{text:#?}");
    }
    for told in TOLD {
        let inner = Entries::default();
        let logger = Logger::wrap(Telling(inner.clone(), told), five).with_key_values();
        with_global(logger, || {
            span!(user = 7; "s", { info!(own:% = Node(1, EVIL); "m") });
        });
        let all = inner.take();
        let told = all.iter().filter(|entry| entry.message == "told 1").count();
        let mut spans = vec!["s"];
        spans.extend(vec!["told 1"; told / 2]);
        check_genuine_entries(&all, &spans);
    }
}

#[test]
fn what_a_logger_around_or_beside_logs_is_one_of_its_own() {
    for told in TOLD {
        let run = || span!(user = 7; "s", { info!(own = 1; "m") });
        let inner = Lines::default();
        with_global(Telling(Logger::wrap(inner.clone(), five), told), run);
        let around = inner.take();
        let (one, other) = (Lines::default(), Lines::default());
        let both = Both(
            Telling(Logger::wrap(one.clone(), five), told),
            Both(
                Telling(Lines::default(), told),
                Telling(Logger::wrap(other.clone(), five), told),
            ),
        );
        with_global(both, run);
        for text in [around, one.take(), other.take()] {
            let told = (text.iter())
                .filter(|line| line.starts_with("told 1, span_mark=start"))
                .count();
            let mut spans = vec!["s"];
            spans.extend(vec!["told 1"; told]);
            check_genuine(&text, &spans);
        }
    }
}

/// The inner of two `Logger`s has to see for itself whether the outer one's ids are there.
#[test]
fn between_two_loggers_nothing_passes_without_ids() {
    /// Puts another message into the record that goes on.
    struct Replacing<L>(L, bool);
    impl<L: Log> Log for Replacing<L> {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            self.0.enabled(metadata)
        }
        fn log(&self, record: &Record<'_>) {
            let mut other = record.to_builder();
            if self.1 {
                other.key_values(&NoPairs);
            }
            self.0.log(&other.args(format_args!("{EVIL}")).build());
        }
        fn flush(&self) {}
    }
    #[derive(Debug)]
    struct NoPairs;
    impl kv::Source for NoPairs {
        fn visit<'kvs>(&'kvs self, _: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
            Ok(())
        }
    }
    for without in [false, true] {
        let inner = Lines::default();
        let between = Replacing(Logger::wrap(inner.clone(), five), without);
        with_global(Logger::wrap(between, five), || info!("m"));
        assert_eq!(
            inner
                .take()
                .iter()
                .map(|line| stable(line))
                .collect::<Vec<_>>(),
            [format!("{TAME}, task_id=5")]
        );
    }
    // `fern` drops key-values where it formats. So the inner `Logger` has all to do again.
    let inner = Lines::default();
    let (_, dispatch) = fern::Dispatch::new()
        .format(|out, message, _| out.finish(format_args!("> {message}")))
        .chain(Box::new(Logger::wrap(inner.clone(), five)) as Box<dyn Log>)
        .into_log();
    with_global(
        Logger::wrap(dispatch, || 1).with_key_values(),
        || span!(user = 7; "s", { info!("{}", EVIL) }),
    );
    let text: Vec<_> = inner.take().iter().map(|line| stable(line)).collect();
    let tame = format!("> {TAME}, user=7, task_id=5");
    assert_eq!(
        text,
        [
            "> s, span_mark=start, user=7, task_id=5",
            &*tame,
            "> s, span_mark=end, user=7, task_id=5",
        ]
    );
}

/// `fern` twice, with a `Logger` of each form in between.
#[test]
fn a_mark_that_is_built_anew_twice_is_still_one() {
    let inner = Lines::default();
    let (_, last) = fern::Dispatch::new()
        .format(|out, message, _| out.finish(format_args!("2 {message}")))
        .chain(Box::new(Logger::wrap(inner.clone(), five)) as Box<dyn Log>)
        .into_log();
    let (_, first) = fern::Dispatch::new()
        .format(|out, message, _| out.finish(format_args!("1 {message}")))
        .chain(Box::new(Logger::wrap(last, five).with_key_values()) as Box<dyn Log>)
        .into_log();
    with_global(first, || span!("s", { say(1, "x") }));
    let text: Vec<_> = inner.take().iter().map(|line| stable(line)).collect();
    assert_eq!(
        text,
        [
            "2 1 s, span_mark=start, task_id=5",
            "2 1 visiting x, task_id=5",
            "2 1 visiting x, task_id=5",
            "2 1 s, span_mark=end, task_id=5",
        ]
    );
}

/// A source without a size may lie at any address, also at that of another.
#[test]
fn pairs_of_no_size_are_nobody_elses() {
    struct Nothing;
    impl kv::Source for Nothing {
        fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
            visitor.visit_pair(Key::from("span_id"), Value::from(1))
        }
    }
    let told: fn(&Record<'_>) = |_| {
        let mut told = Record::builder();
        told.key_values(&Nothing);
        log::logger().log(&told.args(format_args!("{EVIL}")).build());
    };
    let inner = Lines::default();
    let logger = Telling(Logger::wrap(Telling(inner.clone(), told), five), told);
    with_global(logger, || span!("s", { info!("m") }));
    check_genuine(&inner.take(), &["s"]);
}

/// A question of ours goes through `enabled`; its answer cannot be had by its name.
#[test]
fn a_target_of_ours_is_a_target_like_any_other() {
    let text = lines(plain, || {
        for target in ["async_log::task_id?", "async_log"] {
            span!(target: target, "s", { info!(target: target, "m") });
        }
    });
    assert_eq!(text.len(), 6);
    check_genuine(&text, &["s", "s"]);
}
