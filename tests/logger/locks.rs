//! Code of the program that runs for a record never runs while a logger has a lock that it would not have had without
//! a `Logger` around it.

use super::*;

use std::sync::mpsc;
use std::time::Duration;

/// The lock of a logger that formats while it has it, as fern's and log4rs' do.
static WRITING: Mutex<()> = Mutex::new(());

thread_local! {
    /// This thread has the lock.
    static HAS_LOCK: Cell<bool> = const { Cell::new(false) };
}

/// Asks for the message and for the pairs under its lock.
struct Locking<L>(L);

impl<L: Log> Log for Locking<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let locked = WRITING.lock();
        HAS_LOCK.with(|has| has.set(true));
        self.0.log(record);
        HAS_LOCK.with(|has| has.set(false));
        drop(locked);
    }

    fn flush(&self) {}
}

/// Must not be formatted under the lock.
struct Careful;

impl fmt::Display for Careful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(!HAS_LOCK.with(Cell::get), "formatted under the lock");
        f.write_str("care, ful")
    }
}

impl fmt::Debug for Careful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Must not be asked for pairs under the lock.
struct CarefulPairs;

impl kv::Source for CarefulPairs {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        assert!(!HAS_LOCK.with(Cell::get), "visited under the lock");
        visitor.visit_pair(Key::from("user"), Value::from(1))?;
        visitor.visit_pair(Key::from("careful"), Value::from_display(&Careful))
    }
}

#[instrument(name = "f", fields(field:? = Careful))]
fn annotated(number: u32, careful: &Careful, text: &str, float: f64, flag: bool) {}

#[test]
fn arguments_and_pairs_are_formatted_before_the_logger_is_called() {
    let inner = Lines::default();
    with_global(Logger::wrap(Locking(inner.clone()), five), || {
        annotated(7, &Careful, "te, xt", 0.5, true);
        span!(user = 7, careful:% = Careful; "{} {:?}", Careful, Careful, {
            info!(own:? = Careful, next:% = Careful; "m");
            let mut record = Record::builder();
            record.key_values(&CarefulPairs);
            log::logger().log(&record.args(format_args!("by hand")).build());
        });
        finish(async {}.in_span(span!(careful:? = Careful; "s")));
    });
    let text: Vec<_> = inner.take().iter().map(|line| stable(line)).collect();
    let care = "\"care, ful\"";
    assert_eq!(
        text[..4],
        [
            format!(
                "f, arg_0=7, arg_1={care}, arg_2=\"te, xt\", arg_3=0.5, arg_4=true, \
                 span_mark=start, field={care}, task_id=5"
            ),
            format!("f, span_mark=end, field={care}, task_id=5"),
            format!("care, ful care, ful, span_mark=start, user=7, careful={care}, task_id=5"),
            format!("m, own={care}, next={care}, user=7, careful={care}, task_id=5"),
        ]
    );
    assert_eq!(
        text[4],
        format!("by hand, user=1, careful={care}, task_id=5")
    );
}

/// In this form a record's own pairs are formatted when the wrapped logger asks for them, as without a `Logger`.
#[test]
fn arguments_are_formatted_before_the_logger_is_called_in_both_forms() {
    let inner = Entries::default();
    let logger = Logger::wrap(Locking(inner.clone()), five).with_key_values();
    with_global(logger, || {
        annotated(7, &Careful, "te, xt", 0.5, true);
        span!(careful:% = Careful; "{}", Careful, { info!(own = 1; "m") });
    });
    let all = inner.take();
    assert_eq!(all.len(), 5);
    let typed = ["arg_0", "arg_1", "arg_2", "arg_3", "arg_4"].map(|key| all[0].get(key).unwrap());
    assert_eq!(
        typed,
        [
            "u64 7",
            "str care, ful",
            "str te, xt",
            "f64 0.5",
            "bool true"
        ]
    );
    // And without any `Logger`.
    let inner = Entries::default();
    with_global(Locking(inner.clone()), || {
        annotated(7, &Careful, "te, xt", 0.5, true)
    });
    assert_eq!(inner.take()[0].get("arg_1"), Some("str care, ful"));
}

/// Which lets nothing of the program run needs no text.
#[test]
fn numbers_and_strings_stay_as_they_are() {
    #[instrument(name = "f")]
    fn plain_values(a: u8, b: i64, c: f32, d: bool, e: &str, f: Option<u32>, g: u128) {}

    let all = entries(
        |logger| logger,
        || plain_values(1, -2, 0.5, true, "x, y", None, u128::MAX),
    );
    let typed: Vec<_> = (0..7)
        .map(|n| all[0].get(&format!("arg_{n}")).unwrap().to_owned())
        .collect();
    assert_eq!(
        typed,
        [
            "u64 1",
            "i64 -2",
            "f64 0.5",
            "bool true",
            "str x, y",
            "null",
            &format!("any {}", u128::MAX),
        ]
    );
}

/// Two threads, two locks: a thread that has the program's own logs, and one that logs asks for that.
#[test]
fn a_lock_that_an_argument_or_a_pair_wants_is_no_deadlock() {
    struct Shared(Mutex<u32>);

    impl fmt::Debug for Shared {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}", self.0.lock().unwrap())
        }
    }

    #[instrument(name = "count")]
    fn count(shared: &Shared) {}

    alone(
        "locks::a_lock_that_an_argument_or_a_pair_wants_is_no_deadlock",
        || {
            Logger::wrap(Locking(Lines::default()), async_log::task_id)
                .start(LevelFilter::Trace)
                .unwrap();
            let shared = Arc::new(Shared(Mutex::new(0)));
            let (done, finished) = mpsc::channel();
            for locks in [true, false] {
                let (shared, done) = (shared.clone(), done.clone());
                thread::spawn(move || {
                    for n in 0..2_000 {
                        if locks {
                            let mut number = shared.0.lock().unwrap();
                            *number += 1;
                            span!("locked", { info!("number {n}") });
                        } else {
                            count(&shared);
                            info!(shared:? = shared; "logged");
                            span!(shared:? = shared; "s", {});
                        }
                    }
                    done.send(()).unwrap();
                });
            }
            for _ in 0..2 {
                let result = finished.recv_timeout(Duration::from_secs(60));
                result.expect("no deadlock");
            }
        },
    );
}

/// A logger that only asks whether it is enabled lets nothing be formatted.
#[test]
fn what_the_logger_does_not_want_is_not_formatted() {
    let inner = Entries {
        wants: |_| false,
        ..Entries::default()
    };
    with_global(Logger::wrap(inner.clone(), five), || {
        HAS_LOCK.with(|has| has.set(true));
        info!(own:? = Careful; "m");
        annotated(7, &Careful, "", 0.5, true);
        HAS_LOCK.with(|has| has.set(false));
    });
    assert!(inner.take().is_empty());
}
