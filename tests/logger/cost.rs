//! The evaluations, calls and allocations of a record, a span and an annotated function.

use super::*;

struct CountingAllocator;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all is left to `System`; the counter is a thread local that is constant at first and has no
// destructor, so that counting never allocates.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// How often the heap is touched by `f`, the first times left out.
fn allocations(f: impl Fn()) -> usize {
    for _ in 0..3 {
        f();
    }
    let before = ALLOCATIONS.with(Cell::get);
    f();
    ALLOCATIONS.with(Cell::get) - before
}

/// Formats what it gets, and keeps its length alone.
struct Length {
    wants: bool,
}

impl Log for Length {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        self.wants
    }

    fn log(&self, record: &Record<'_>) {
        struct Sum(usize);

        impl fmt::Write for Sum {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0 += text.len();
                Ok(())
            }
        }

        impl<'kvs> VisitSource<'kvs> for Sum {
            fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
                Ok(fmt::Write::write_fmt(self, format_args!("{key}{value}"))?)
            }
        }

        let mut sum = Sum(0);
        fmt::Write::write_fmt(&mut sum, *record.args()).unwrap();
        record.key_values().visit(&mut sum).unwrap();
        assert_ne!(black_box(sum.0), 0);
    }

    fn flush(&self) {}
}

#[test]
fn a_plain_record_does_not_allocate() {
    for logger in [
        Logger::wrap(Length { wants: true }, five).with_field("all", "x"),
        Logger::wrap(Length { wants: true }, five).with_key_values(),
    ] {
        with_global(logger, || {
            let path = std::path::Path::new("/tmp");
            assert_eq!(allocations(|| info!("m")), 0);
            assert_eq!(allocations(|| info!("m {}", black_box(1))), 0);
            assert_eq!(allocations(|| info!("two\nlines, task_id=1 \u{7}")), 0);
            assert_eq!(allocations(|| info!(a = 1, b = "x, y", c:? = path; "m")), 0);
            span!(user = 7, path = "x, y"; "s {}", 1, {
                assert_eq!(allocations(|| info!(a = 1, user = "x"; "m {}", black_box(1))), 0);
            });
        });
    }
}

#[test]
fn a_span_does_not_allocate_where_another_has_left_its_buffers() {
    for logger in [
        Logger::wrap(Length { wants: true }, five),
        Logger::wrap(Length { wants: true }, five).with_key_values(),
    ] {
        with_global(logger, || {
            assert_eq!(allocations(|| span!("s", {})), 0);
            assert_eq!(allocations(|| span!("s {}", black_box(1), {})), 0);
            assert_eq!(allocations(|| span!(user = 7, path = "x, y"; "s", {})), 0);
            assert_eq!(allocations(|| function("x", 1)), 0);
            span!(user = 7; "outer", {
                assert_eq!(allocations(|| span!("s", { info!("m") })), 0);
                assert_eq!(allocations(|| span!(n = 1; "s {}", black_box(1), { info!("m") })), 0);
            });
        });
    }
}

/// What is open at once cannot use the same buffers. A static name without fields needs none, but a span's shared state
/// comes in blocks.
#[test]
fn spans_that_are_open_at_once_allocate_each() {
    with_global(Logger::wrap(Length { wants: true }, five), || {
        let mut open = Vec::with_capacity(100);
        let mut count = |make: fn() -> async_log::Span| {
            drop(make());
            let before = ALLOCATIONS.with(Cell::get);
            open.extend((0..20).map(|_| make()));
            ALLOCATIONS.with(Cell::get) - before
        };
        let with_nothing = count(|| span!("s"));
        assert!(with_nothing <= 4, "{with_nothing}");
        let with_fields = count(|| span!(user = 7, path = "x"; "s"));
        assert!(with_fields <= 20 * 3, "{with_fields}");
        let with_name = count(|| span!("s {}", black_box(1)));
        assert!(with_name <= 20 * 2, "{with_name}");
    });
}

#[test]
fn what_is_filtered_costs_nothing() {
    #[instrument]
    fn quiet(bomb: Bomb, kind: &dyn fmt::Debug) {}

    let filtered = || {
        info!(a:% = Bomb; "{}", Bomb);
        span!(a:% = Bomb, b:? = Chatty; "{}", Bomb, {});
        drop(span!(a:% = Bomb; "{}", Bomb));
        quiet(Bomb, &Bomb);
    };
    // By the inner logger: the task is never asked for.
    let logger = Logger::wrap(Length { wants: false }, || panic!("asked"));
    with_global(logger, || assert_eq!(allocations(filtered), 0));
    // By the target.
    alone("cost::what_is_filtered_costs_nothing", || {
        let text = lines(plain, || {
            log::set_max_level(LevelFilter::Error);
            assert_eq!(allocations(filtered), 0);
        });
        assert!(text.is_empty());
    });
}

/// A logger may ask for a message twice, as one that has two outputs, or not at all. A value is formatted before the
/// logger is called, once.
#[test]
fn a_message_is_formatted_once_and_only_where_it_is_asked_for() {
    struct Asking(usize);

    impl Log for Asking {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            let lines: Vec<_> = (0..self.0).map(|_| record.args().to_string()).collect();
            assert!(lines.windows(2).all(|pair| pair[0] == pair[1]), "{lines:?}");
            assert!(lines.iter().all(|line| line.contains("task_id=5")));
        }

        fn flush(&self) {}
    }

    for (asks, formatted) in [(0, 0), (1, 1), (3, 1)] {
        with_global(Logger::wrap(Asking(asks), five), || {
            let (message, value) = (Counting::default(), Counting::default());
            info!(value:% = value; "{message}");
            let whole = formatted * Counting::LEN;
            assert_eq!(message.0.get(), whole);
            let of_value = value.0.get();
            assert!(of_value > 0 && of_value < Counting::LEN, "{of_value}");
            span!("s {message}", {});
            assert_eq!(message.0.get(), whole + Counting::LEN);
        });
    }
}

/// Where a record is decided when it is logged, not when the inner logger formats it.
#[test]
fn a_record_is_where_it_was_logged() {
    struct Spanning(Lines);

    impl Log for Spanning {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            match record.target() {
                "inner" => self.0.log(record),
                _ => span!(target: "inner", inner = 1; "inner", { self.0.log(record) }),
            }
        }

        fn flush(&self) {}
    }

    let inner = Lines::default();
    with_global(Logger::wrap(Spanning(inner.clone()), five), || {
        span!(outer = 1; "outer", { info!("m") });
        info!(own = 2; "outside");
    });
    let text = inner.take();
    let told: Vec<_> = (text.iter().map(|line| stable(line)))
        .filter(|line| !line.starts_with("inner"))
        .collect();
    assert_eq!(
        told,
        [
            "outer, span_mark=start, outer=1, task_id=5",
            "m, outer=1, task_id=5",
            "outer, span_mark=end, outer=1, task_id=5",
            "outside, own=2, task_id=5",
        ]
    );
    let find = |start: &str| text.iter().find(|line| line.starts_with(start)).unwrap();
    assert_eq!(get(find("m,"), "span_id"), get(find("outer,"), "span_id"));
    assert_eq!(get(find("outside,"), "span_id"), None);
}

#[test]
fn the_task_is_asked_for_once_for_a_record() {
    let asked = Arc::new(AtomicU64::new(0));
    let source = {
        let asked = asked.clone();
        move || asked.fetch_add(1, Ordering::Relaxed)
    };
    let inner = Lines::default();
    with_global(Logger::wrap(inner.clone(), source), || {
        info!("m");
        span!("s", {});
        info!("m");
    });
    let ids: Vec<_> = (inner.take().iter())
        .map(|line| get(line, "task_id").unwrap())
        .collect();
    // A span ends in the task that it started in, and does not ask again.
    assert_eq!(ids, ["0", "1", "1", "2"]);
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}
