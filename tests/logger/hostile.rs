//! Attempts to forge a mark, an id or a field, with README and `docs/format.md` alone: what each comes to is told by a
//! reader of the format.

use super::*;

/// The span ids of marks, and all else that a reader would believe.
#[track_caller]
fn check_unforged(text: &[String], expected_marks: usize) {
    let mut marks = 0;
    for line in text {
        assert!(!line.contains('\n') || line.contains("\n\t"), "{line}");
        let last = line.rsplit('\n').next().unwrap();
        let (_, pairs) = reader::split(last);
        let count = |key: &str| pairs.iter().filter(|pair| pair.key == key).count();
        assert_eq!((count("task_id"), count("thread_id")), (1, 1), "{line}");
        assert_eq!(get(last, "task_id").as_deref(), Some("5"), "{line}");
        assert!(count("span_id") <= 1 && count("span_mark") <= 1, "{line}");
        assert_ne!(get(last, "span_id").as_deref(), Some("424242"), "{line}");
        assert_ne!(get(last, "user").as_deref(), Some("forged"), "{line}");
        marks += count("span_mark");
    }
    assert_eq!(marks, expected_marks, "{text:#?}");
}

const TEXTS: [&str; 14] = [
    "x, span_mark=end, span_id=424242, task_id=9, thread_id=9",
    ", span_mark=end, span_id=424242, task_id=9, thread_id=9",
    "span_id=424242",
    " span_id=424242",
    "x\n\tspan_mark=end, span_id=424242, task_id=9, thread_id=9",
    "x\r\ny, span_mark=end, span_id=424242, task_id=9, thread_id=9",
    "x\", span_mark=end, span_id=424242, task_id=9, thread_id=9",
    "x=\"y, span_mark=end, span_id=424242, task_id=9, thread_id=9",
    "x\\, span_mark\\u{3d}end, span_id=424242",
    "x, span_\u{200e}mark=end, span_id=424242",
    "x,\u{a0}span_id=424242, \u{2028}span_id=424242",
    "x\u{1b}[31m, span_id=424242",
    "x, span_mark =end, span_id= 424242, span_id=424242",
    "async_log::mark?, async_log::task_id?=9",
];

#[test]
fn through_messages_values_keys_names_and_targets() {
    for evil in TEXTS {
        let text = lines(plain, || {
            info!("{}", evil);
            info!(target: evil, "m");
            info!(a = evil, b:? = evil, c:% = evil; "m {}", evil);
            span!("{}", evil, { info!("in it") });
            span!(target: evil, user = evil; "s", {});
            finish(async {}.in_named_task(evil));
            function(evil, 1);
            let pairs = [(evil, evil), ("span_id", "424242"), ("task_id", "9")];
            let mut record = Record::builder();
            record.key_values(&pairs).target(evil).file(Some(evil));
            log::logger().log(&record.args(format_args!("{evil}")).build());
            // Piece by piece, so that no piece is a key of ours.
            let (a, b) = evil.split_at(evil.char_indices().nth(4).unwrap().0);
            info!("{a}{b}");
            info!("{a}{}", format_args!("{b}"));
        });
        check_unforged(&text, 8);
    }
}

#[test]
fn through_a_source_of_pairs() {
    /// Says that it is a mark of whatever kind, by every question.
    struct Liar;
    impl kv::Source for Liar {
        fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
            for key in [
                "span_mark",
                "span_id",
                "task_id",
                "thread_id",
                "async_log::mark?",
            ] {
                visitor.visit_pair(Key::from(key), Value::from("424242"))?;
            }
            visitor.visit_pair(Key::from("user, span_id"), Value::from("x, span_id=424242"))
        }
        fn get(&self, _: Key<'_>) -> Option<Value<'_>> {
            Some(Value::from(true))
        }
        fn count(&self) -> usize {
            0
        }
    }
    let log = || {
        let mut record = Record::builder();
        record.key_values(&Liar);
        log::logger().log(&record.args(format_args!("m")).build());
    };
    check_unforged(&lines(plain, log), 0);
    check_unforged(&lines(plain, || span!("s", { log() })), 2);
    let all = entries(|logger| logger, log);
    assert_eq!(all[0].get("task_id"), Some("u64 5"));
    assert!(all[0].get("span_mark").is_none() && all[0].get("span_id").is_none());
}

/// Who says less than there is, and who says another thing each time.
#[test]
fn through_a_source_that_changes() {
    struct Moody(Cell<usize>);
    impl kv::Source for Moody {
        fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
            self.0.set(self.0.get() + 1);
            if self.0.get() % 2 == 0 {
                visitor.visit_pair(Key::from("user"), Value::from("own"))?;
            }
            visitor.visit_pair(Key::from("span_mark"), Value::from("end"))
        }
    }
    for turn in 0..4 {
        let text = lines(plain, || {
            span!(user = "true"; "s", {
                let moody = Moody(Cell::new(turn));
                let mut record = Record::builder();
                record.key_values(&moody);
                log::logger().log(&record.args(format_args!("m")).build());
            });
        });
        check_unforged(&text, 2);
    }
}

/// Pairs that hide a field do so with the record's own value: never with that of another span.
#[test]
fn through_values_that_open_and_leave_spans() {
    struct Leaving;
    impl fmt::Display for Leaving {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            std::mem::forget(span!(user = "forged"; "kept"));
            let context = span!(user = "forged"; "t", { async_log::Context::current() });
            context.run(|| f.write_str("x"))
        }
    }
    for form in 0..2 {
        let run = || {
            span!("s", { info!(leaving:% = Leaving; "m {}", Leaving) });
            info!("behind");
        };
        match form {
            0 => {
                let text = lines(plain, run);
                let of_ours =
                    |line: &&String| line.starts_with("m x") || line.starts_with("behind");
                let text: Vec<_> = text.iter().filter(of_ours).cloned().collect();
                check_unforged(&text, 0);
                assert_eq!(text.len(), 2);
            }
            _ => {
                let all = entries(|logger| logger, run);
                let ours = all
                    .iter()
                    .filter(|entry| entry.message == "m x" || entry.message == "behind");
                assert!(
                    ours.clone().count() == 2
                        && ours.clone().all(|entry| entry.get("user").is_none())
                );
            }
        }
    }
}

/// Written by another thread, or later, a record is that of the thread that has logged it.
#[test]
fn through_a_logger_that_writes_on_another_thread() {
    struct Handing(Lines);
    impl Log for Handing {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn log(&self, record: &Record<'_>) {
            let (line, lines) = (record.args().to_string(), self.0.clone());
            let write = move || {
                let mut record = Record::builder();
                lines.log(&record.args(format_args!("{line}")).build());
            };
            thread::spawn(write).join().unwrap();
        }
        fn flush(&self) {}
    }
    let inner = Lines::default();
    with_global(
        Logger::wrap(Handing(inner.clone()), five),
        || span!(user = 7; "s", { info!("m") }),
    );
    let text = inner.take();
    check_unforged(&text, 2);
    assert_eq!(stable(&text[1]), "m, user=7, task_id=5");
    let threads: Vec<_> = text.iter().map(|line| get(line, "thread_id")).collect();
    assert!(threads.windows(2).all(|pair| pair[0] == pair[1]));
}
