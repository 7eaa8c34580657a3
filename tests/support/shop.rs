//! The log of a shop whose truth is known: which requests are slow and why, and which fail and how.
//!
//! The same seed gives the same log.

use std::fmt::Write;

/// What is different from the shop of every day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change {
    #[default]
    None,
    /// The slowest renderings take 30 % longer, each request looks into a cache, and none is audited.
    Planted,
}

/// Requests that are slow, by their numbers, and what the command has to say of them.
pub const SLOW: [(u64, &str); 7] = [
    (1200, "in db::query"),
    (7600, "in db::query"),
    (2300, "in 200 × db::query"),
    (8100, "in 200 × db::query"),
    (
        3400,
        "in a gap of shop::request between `INFO stock is wanted` and `INFO stock is there`",
    ),
    (4500, "in render"),
    (5600, "in smtp"),
];

/// Requests that fail, by their numbers: the span, how it ends, and what is said.
pub const FAILED: [(u64, &str, &str, &str); 5] = [
    (1500, "db::query", "error", "connection reset by peer"),
    (6500, "db::query", "error", "connection reset by peer"),
    (2500, "render", "panicked", "the menu has an entry"),
    (7500, "render", "panicked", "the menu has an entry"),
    (3500, "shop::request", "ERROR", "the payment was refused"),
];

const START: u64 = 1_767_323_045_000_000_000;

/// Between two requests, in nanoseconds.
const PAUSE: u64 = 3_000_000;

/// Writes the log of so many requests.
pub fn log(requests: u64, seed: u64, change: Change) -> String {
    let mut shop = Shop {
        lines: Vec::new(),
        random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        spans: 0,
        tasks: 0,
        change,
    };
    for _ in 0..10 {
        shop.next();
    }
    for number in 0..requests {
        shop.request(number);
    }
    // Requests are there at the same time.
    shop.lines.sort_by_key(|(at, _)| *at);
    let lines = shop.lines.iter().map(|(_, line)| line.as_str());
    lines.collect()
}

struct Shop {
    lines: Vec<(u64, String)>,
    random: u64,
    spans: u64,
    tasks: u64,
    change: Change,
}

struct Span {
    id: u64,
    task: u64,
    name: &'static str,
    start: u64,
    fields: String,
}

impl Shop {
    /// Marsaglia's xorshift.
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random >> 11
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A duration with a long tail, of that median in microseconds.
    fn time(&mut self, micros: u64) -> u64 {
        let unit = |n: u64| n as f64 / (1_u64 << 53) as f64;
        let normal = (0..6).map(|_| unit(self.next())).sum::<f64>() - 3.0;
        (micros as f64 * 1000.0 * (normal * 0.6).exp()) as u64
    }

    fn line(&mut self, at: u64, level: &str, text: &str, task: u64) {
        let time = jiff::Timestamp::from_nanosecond(i128::from(at)).expect("a time of our days");
        let time = time.strftime("%FT%T%.3fZ");
        let line = format!("[{time} {level:<5} shop] {text}, task_id={task}, thread_id=1\n");
        self.lines.push((at, line));
    }

    fn start(
        &mut self,
        name: &'static str,
        around: Option<&Span>,
        task: u64,
        at: u64,
        own: &str,
        of_task: Option<u64>,
    ) -> Span {
        self.spans += 1;
        let inherited = around.map_or("", |around| &around.fields);
        let span = Span {
            id: self.spans,
            task,
            name,
            start: at,
            fields: format!("{inherited}{own}"),
        };
        let mut text = format!(
            "{name}, span_mark=start{}, span_id={}",
            span.fields, span.id
        );
        if let Some(around) = around {
            let _ = write!(text, ", span_parent={}", around.id);
        }
        let _ = write!(
            text,
            ", span_at={}.{:09}",
            at / 1_000_000_000,
            at % 1_000_000_000
        );
        if let Some(parent) = of_task {
            let _ = write!(text, ", task_parent_id={parent}, spawn_line=src/shop.rs:12");
        }
        if around.is_none() {
            let _ = write!(text, ", process_id=42-{START}");
        }
        self.line(at, "TRACE", &text, task);
        span
    }

    fn end(&mut self, span: &Span, at: u64, outcome: &str) {
        let elapsed = at - span.start;
        let mut text = format!(
            "{}, span_mark=end{}, span_id={}, span_elapsed={}.{:09}",
            span.name,
            span.fields,
            span.id,
            elapsed / 1_000_000_000,
            elapsed % 1_000_000_000
        );
        if !outcome.is_empty() {
            let _ = write!(text, ", span_outcome={outcome}");
        }
        self.line(at, "TRACE", &text, span.task);
    }

    fn said(&mut self, span: &Span, at: u64, level: &str, message: &str) {
        let text = format!("{message}{}, span_id={}", span.fields, span.id);
        self.line(at, level, &text, span.task);
    }

    /// A span in a request, with nothing inside; gives when it ends.
    fn step(&mut self, name: &'static str, around: &Span, at: u64, time: u64) -> u64 {
        let span = self.start(name, Some(around), around.task, at, "", None);
        self.end(&span, at + time, "");
        at + time
    }

    fn request(&mut self, number: u64) {
        self.tasks += 1;
        let task = self.tasks;
        let at = START + number * PAUSE;
        let route = ["/cart", "/item", "/pay"][self.below(3) as usize];
        let user = 1 + self.below(500);
        let fields = format!(", route={route}, user={user}");
        let root = self.start("shop::request", None, task, at, &fields, Some(0));
        let mut now = at + self.time(50);
        let auth = self.time(300);
        now = self.step("auth", &root, now, auth);
        if self.change == Change::Planted {
            let lookup = self.time(100);
            now = self.step("cache::lookup", &root, now, lookup);
        } else if number % 3 == 0 {
            let audit = self.time(80);
            now = self.step("legacy::audit", &root, now, audit);
        }
        now = self.queries(number, &root, now);
        now = self.waits(number, &root, now);
        let failed = self.render(number, &root, now);
        now = failed.1 + self.time(40);
        match number {
            3500 => self.said(&root, now, "ERROR", "the payment was refused"),
            _ if number % 10 == 0 => self.said(&root, now, "INFO", "answered"),
            _ => {}
        }
        self.end(&root, now + 10_000, failed.0);
    }

    fn queries(&mut self, number: u64, root: &Span, mut now: u64) -> u64 {
        let many = if matches!(number, 2300 | 8100) {
            200
        } else {
            1
        };
        for _ in 0..many {
            let time = match number {
                1200 | 7600 => 1_200_000_000,
                _ => self.time(2000),
            };
            let span = self.start(
                "db::query",
                Some(root),
                root.task,
                now,
                ", table=items",
                None,
            );
            now += time;
            if matches!(number, 1500 | 6500) {
                let message = format!("the query failed, err=connection reset by peer {number}");
                self.said(&span, now, "ERROR", &message);
                self.end(&span, now, "error");
            } else {
                self.end(&span, now, "");
            }
            now += 20_000;
        }
        now
    }

    /// What a request waits for that no span of its own task tells.
    fn waits(&mut self, number: u64, root: &Span, now: u64) -> u64 {
        match number {
            3400 => {
                self.said(root, now, "INFO", "stock is wanted");
                self.said(root, now + 800_000_000, "INFO", "stock is there");
                now + 800_100_000
            }
            5600 => {
                self.tasks += 1;
                let mail = self.start(
                    "shop::mail",
                    Some(root),
                    self.tasks,
                    now,
                    "",
                    Some(root.task),
                );
                let end = self.step("smtp", &mail, now + 100_000, 700_000_000);
                self.end(&mail, end + 50_000, "");
                end + 60_000
            }
            _ => now,
        }
    }

    /// Gives how it ends, and when.
    fn render(&mut self, number: u64, root: &Span, now: u64) -> (&'static str, u64) {
        let mut time = self.time(1500);
        if self.change == Change::Planted && time > 2_800_000 {
            time = time / 10 * 13;
        }
        if number == 4500 {
            time = 600_000_000;
        }
        let span = self.start("render", Some(root), root.task, now, "", None);
        let end = now + time;
        if matches!(number, 2500 | 7500) {
            self.said(
                &span,
                end,
                "ERROR",
                "panicked at src/shop.rs:45: the menu has an entry",
            );
            self.end(&span, end, "panicked");
            return ("panicked", end);
        }
        self.end(&span, end, "");
        ("", end)
    }
}
