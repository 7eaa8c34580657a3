//! What each option of a `Logger` does, in text and in key-value form.

use super::*;

#[test]
fn text_form() {
    let lines = lines(
        plain,
        || span!(user = 7; "s", { info!(own = true; "m {}", 1) }),
    );
    let stable: Vec<_> = lines.iter().map(|line| stable(line)).collect();
    assert_eq!(
        stable,
        [
            "s, span_mark=start, user=7, task_id=5",
            "m 1, own=true, user=7, task_id=5",
            "s, span_mark=end, user=7, task_id=5",
        ]
    );
}

#[test]
fn key_value_form() {
    let all = entries(
        |logger| logger,
        || {
            span!(user = 7, load = 0.5, at = "/x", ok = true, no = None::<u8>, low = -3; "s", {
                info!(own = 1u8, text = "a, b", dis:% = 'x', deb:? = "q"; "m, task_id={}", 1);
            });
        },
    );
    let [start, inside, end] = &all[..] else {
        panic!("{all:?}")
    };
    assert_eq!(start.message, "s");
    assert_eq!(inside.message, "m, task_id=1");
    for entry in [start, inside, end] {
        assert_eq!(entry.get("user"), Some("i64 7"));
        assert_eq!(entry.get("load"), Some("f64 0.5"));
        assert_eq!(entry.get("at"), Some("str /x"));
        assert_eq!(entry.get("ok"), Some("bool true"));
        assert_eq!(entry.get("no"), Some("null"));
        assert_eq!(entry.get("low"), Some("i64 -3"));
        assert_eq!(entry.get("task_id"), Some("u64 5"));
        assert!(entry.get("thread_id").unwrap().starts_with("u64 "));
        assert_eq!(entry.get("span_id"), start.get("span_id"));
    }
    assert_eq!(inside.get("own"), Some("u64 1"));
    assert_eq!(inside.get("text"), Some("str a, b"));
    assert_eq!(inside.get("dis"), Some("any x"));
    assert_eq!(inside.get("deb"), Some("any \"q\""));
    assert_eq!(start.get("span_mark"), Some("str start"));
    assert_eq!(end.get("span_mark"), Some("str end"));
}

#[test]
fn with_field_is_on_every_record() {
    let run = || span!("s", { info!("m") });
    for line in lines(
        |logger| logger.with_field("service", "a, b").with_field("n", 1),
        run,
    ) {
        assert_eq!(get(&line, "service").as_deref(), Some("a, b"));
        assert_eq!(get(&line, "n").as_deref(), Some("1"));
    }
    for entry in entries(
        |logger| logger.with_field("service", "a, b").with_field("n", 1u8),
        run,
    ) {
        assert_eq!(entry.get("service"), Some("str a, b"));
        assert_eq!(entry.get("n"), Some("u64 1"));
    }
}

#[test]
fn with_field_twice_has_the_later_value() {
    let lines = lines(
        |logger| {
            logger
                .with_field("a", 1)
                .with_field("b", 2)
                .with_field("a", 3)
        },
        || info!("m"),
    );
    assert_eq!(stable(&lines[0]), "m, a=3, b=2, task_id=5");
}

#[test]
fn with_process_id_is_on_every_record() {
    let run = || span!("s", { span!("inner", { info!("m") }) });
    let process = format!("{}-", std::process::id());
    for line in lines(|logger| logger.with_process_id(), run) {
        assert_eq!(
            keys(&line)
                .iter()
                .filter(|key| *key == "process_id")
                .count(),
            1
        );
        assert!(get(&line, "process_id").unwrap().starts_with(&process));
    }
    for entry in entries(|logger| logger.with_process_id(), run) {
        assert_eq!(
            entry
                .keys()
                .iter()
                .filter(|key| **key == "process_id")
                .count(),
            1
        );
    }
    let has = |lines: Vec<String>| -> Vec<bool> {
        let lines = lines.iter();
        lines
            .map(|line| get(line, "process_id").is_some())
            .collect()
    };
    assert_eq!(has(lines(plain, run)), [true, false, false, false, false]);
    assert_eq!(
        has(lines(
            |logger| logger.with_process_id().with_minimal_keys(),
            run
        )),
        [false; 5]
    );
}

#[test]
fn with_max_value_len_is_exact_at_character_boundaries() {
    // Bytes: a 1, é 2, … 3, crab 4.
    let text = "aé…🦀";
    for (limit, kept) in [
        (0, ""),
        (1, "a"),
        (2, "a"),
        (3, "aé"),
        (5, "aé"),
        (6, "aé…"),
        (9, "aé…"),
    ] {
        let lines = lines(
            |logger| logger.with_max_value_len(limit).with_field("all", text),
            || span!(text, shown:% = text; "a long message", { info!(own = text, shown:% = text; "also a long one") }),
        );
        for line in &lines {
            assert!(line.contains("a long"), "{line}");
            let (_, pairs) = reader::split(line);
            let texts = ["all", "text", "shown", "own"];
            for pair in pairs.iter().filter(|pair| texts.contains(&&*pair.key)) {
                assert_eq!((&*pair.value, pair.cut), (kept, true), "{limit} {line}");
            }
        }
    }
    let lines = lines(
        |logger| logger.with_max_value_len(10),
        || span!(text; "s", { info!(own = text, number = 12345678901u64, float = 1e20; "m") }),
    );
    for line in &lines {
        assert!(!line.contains("\"…"), "{line}");
    }
    assert_eq!(get(&lines[1], "own").as_deref(), Some(text));
    assert_eq!(get(&lines[1], "number").as_deref(), Some("12345678901"));
    assert_eq!(
        get(&lines[1], "float").as_deref(),
        Some("100000000000000000000")
    );
}

#[test]
fn a_value_is_1024_bytes_unless_told() {
    let long = "x".repeat(1025);
    let lines = lines(plain, || {
        span!(over = &*long, all = &long[1..]; "s", { info!(own = &*long, fits = &long[1..]; "m") });
    });
    for line in &lines {
        for pair in reader::split(line).1 {
            match &*pair.key {
                "over" | "own" => assert_eq!((pair.value.len(), pair.cut), (1024, true)),
                "all" | "fits" => assert_eq!((pair.value.len(), pair.cut), (1024, false)),
                _ => {}
            }
        }
    }
}

#[test]
fn with_max_value_len_in_key_value_form_cuts_fields() {
    let all = entries(
        |logger| logger.with_max_value_len(4).with_field("all", "abcdefgh"),
        || span!(text = "abcdefghijkl", number = 123456; "s", { info!(own = "abcdefgh"; "m") }),
    );
    for entry in &all {
        // The last three bytes may be the `…` of a value that was cut when it was captured.
        for key in ["text", "all"] {
            let text = entry.get(key).unwrap();
            assert!(matches!(text, "str abcd" | "str abcd…"), "{text}");
        }
        assert_eq!(entry.get("number"), Some("i64 123456"));
    }
    assert_eq!(all[1].get("own"), Some("str abcdefgh"));
}

#[test]
fn formatting_stops_at_the_limit() {
    alone("options::formatting_stops_at_the_limit", || {
        let (own, field) = (Counting::default(), Counting::default());
        lines(
            |logger| logger.with_max_value_len(16),
            || span!(field:%; "s", { info!(own:%; "m") }),
        );
        // The piece that goes beyond the limit is the last one.
        assert_eq!((own.0.get(), field.0.get()), (17, 17));
    });
}

#[test]
fn two_loggers_with_different_limits() {
    let (short, long) = (Lines::default(), Lines::default());
    let both = Both(
        Logger::wrap(short.clone(), five).with_max_value_len(3),
        Logger::wrap(long.clone(), five).with_max_value_len(6),
    );
    with_global(both, || {
        span!(a = "abcdefgh", b = "abcd", c = "abc"; "s", { info!(own = "abcdefgh"; "m") });
    });
    let values = |lines: Vec<String>| -> Vec<String> {
        let fields = |line: &String| {
            let pairs = reader::split(line).1.into_iter();
            let fields = pairs.filter(|pair| matches!(&*pair.key, "a" | "b" | "c" | "own"));
            fields.map(|pair| pair.written).collect()
        };
        lines.iter().map(fields).collect()
    };
    let span = ", a=\"abc\"…, b=\"abc\"…, c=abc".to_owned();
    assert_eq!(
        values(short.take()),
        [span.clone(), format!(", own=\"abc\"…{span}"), span]
    );
    let span = ", a=\"abcdef\"…, b=abcd, c=abc".to_owned();
    assert_eq!(
        values(long.take()),
        [span.clone(), format!(", own=\"abcdef\"…{span}"), span]
    );
}

#[test]
fn without_arguments() {
    let run = || function("s3cret", 7);
    let shown = lines(plain, run);
    assert_eq!(get(&shown[0], "arg_0").as_deref(), Some("s3cret"));
    assert_eq!(get(&shown[0], "arg_1").as_deref(), Some("7"));
    let hidden = lines(|logger| logger.without_arguments(), run);
    assert_eq!(hidden.len(), 3);
    assert!(!hidden.concat().contains("arg_"), "{hidden:?}");
    assert_eq!(get(&hidden[1], "own").as_deref(), Some("true"));

    let shown = entries(|logger| logger, run);
    assert_eq!(shown[0].get("arg_0"), Some("str s3cret"));
    assert_eq!(shown[0].get("arg_1"), Some("u64 7"));
    let hidden = entries(|logger| logger.without_arguments(), run);
    assert!(hidden.iter().all(|entry| entry.get("arg_0").is_none()));
    assert_eq!(hidden[1].get("own"), Some("bool true"));
}

/// A fan-out that asks only as many loggers whether a record is enabled as it takes to know it.
struct Either<A, B>(A, B);

impl<A: Log, B: Log> Log for Either<A, B> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata) || self.1.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        self.0.log(record);
        self.1.log(record);
    }

    fn flush(&self) {}
}

#[instrument(name = "f")]
fn with_value<T: fmt::Display>(value: T, number: u8) {}

#[instrument(names, name = "f")]
fn taken_apart((value, _): (Shown<'_>, u8), number: u8) {}

#[instrument(fields(half = first.len()), name = "f")]
fn before_a_pattern((first, _second): (String, Shown<'_>)) {}

/// Counts how often it is formatted.
#[derive(Clone, Copy)]
struct Shown<'a>(&'a Cell<usize>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.set(self.0.get() + 1);
        f.write_str("sho, wn")
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How often a value is formatted that is an argument, by the logger.
fn formatted(logger: impl Log + 'static) -> usize {
    let count = Cell::new(0);
    with_global(logger, || {
        with_value(Shown(&count), 7);
        taken_apart((Shown(&count), 1), 7);
        before_a_pattern(("first".to_owned(), Shown(&count)));
        finish(async {
            #[instrument(name = "f")]
            async fn later(value: Shown<'_>, number: u8) {}
            later(Shown(&count), 7).await;
        });
    });
    count.get()
}

#[test]
fn arguments_that_nobody_writes_are_not_formatted() {
    let without = || Logger::wrap(Lines::default(), five).without_arguments();
    let with = || Logger::wrap(Lines::default(), five);
    assert_eq!(formatted(with()), 4);
    assert_eq!(formatted(without()), 0);
    assert_eq!(formatted(without().with_key_values()), 0);
    assert_eq!(formatted(without().with_minimal_keys()), 0);
    assert_eq!(formatted(Both(without(), without())), 0);
    // The outer one writes the line.
    assert_eq!(formatted(Logger::wrap(with(), five).without_arguments()), 0);
    assert_eq!(formatted(Logger::wrap(without(), five)), 4);
    assert_eq!(formatted(Both(without(), with())), 4);
    assert_eq!(formatted(Both(with(), without())), 4);
    // Filtered out by the logger, or by the one that would write them.
    let quiet = || Entries {
        wants: |_| false,
        ..Entries::default()
    };
    assert_eq!(formatted(Logger::wrap(quiet(), five)), 0);
    let filtered = Both(without(), Logger::wrap(quiet(), five));
    assert_eq!(formatted(filtered), 0);
}

/// A fan-out may not ask the one that writes arguments, or the other logger may be none of ours.
#[test]
fn arguments_reach_who_writes_them_beside_one_that_does_not() {
    for typed in [false, true] {
        let (hidden, shown) = (Lines::default(), Entries::default());
        let with = Logger::wrap(shown.clone(), five);
        let with = if typed { with.with_key_values() } else { with };
        let without = Logger::wrap(hidden.clone(), five).without_arguments();
        // The one that had to be formatted before a pattern took it apart is not.
        assert_eq!(formatted(Either(without, with)), 3);
        let entry = &shown.take()[0];
        if typed {
            assert_eq!(entry.get("arg_0"), Some("str sho, wn"));
            assert_eq!(entry.get("arg_1"), Some("u64 7"));
        } else {
            let message = &entry.message;
            assert!(
                message.starts_with("f, arg_0=\"sho, wn\", arg_1=7, span_mark=start"),
                "{message}"
            );
        }
        assert!(!hidden.take().concat().contains("arg_"));
    }
    let (hidden, plain) = (Lines::default(), Entries::default());
    let without = Logger::wrap(hidden.clone(), five).without_arguments();
    formatted(Both(without, plain.clone()));
    assert_eq!(plain.take()[0].get("arg_1"), Some("u64 7"));
    assert!(!hidden.take().concat().contains("arg_"));
}

#[test]
fn minimal() {
    let run = || span!(user = 7; "s", { function("x", 1) });
    let expected = [
        &["span_mark", "user", "task_id", "thread_id"][..],
        &[
            "arg_0",
            "arg_1",
            "span_mark",
            "user",
            "task_id",
            "thread_id",
        ],
        &["own", "user", "task_id", "thread_id"],
        &["span_mark", "user", "task_id", "thread_id"],
        &["span_mark", "user", "task_id", "thread_id"],
    ];
    for (line, expected) in lines(|logger| logger.with_minimal_keys(), run)
        .iter()
        .zip(expected)
    {
        assert_eq!(keys(line), expected);
    }
    for (entry, expected) in entries(|logger| logger.with_minimal_keys(), run)
        .iter()
        .zip(expected)
    {
        assert_eq!(entry.keys(), expected);
    }
}
