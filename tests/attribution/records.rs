//! Reads the log back and compares it with the truth.

use std::collections::hash_map::Entry;
use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use log::{Level, LevelFilter, Log, Metadata};

use async_log_tests::truth::{Ledger, Outcome, Place, SpanTruth};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static ONE_PROGRAM: Mutex<()> = Mutex::new(());

/// The inner logger.
struct Sink;

impl Log for Sink {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        if target.contains("quiet") {
            return metadata.level() <= Level::Debug;
        }
        target.starts_with("attribution")
            || target.starts_with("async_log_tests")
            || target == "loud"
            || target == "task"
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = record.args().to_string();
        // It tells of some records in records of its own, from where it was called.
        let event = Record::parse(&line).number("event");
        if event % 16 == 1 {
            log::info!(target: "attribution", echo = event; "told by the logger");
        }
        LINES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }

    fn flush(&self) {}
}

/// The lines that are logged while this lives: those of one program.
pub(crate) struct Recording(#[allow(dead_code)] MutexGuard<'static, ()>);

impl Recording {
    pub(crate) fn start() -> Self {
        static START: Once = Once::new();
        let turn = ONE_PROGRAM.lock().unwrap_or_else(PoisonError::into_inner);
        START.call_once(|| {
            async_log::Logger::wrap(Sink, async_log::task_id)
                .start(LevelFilter::Trace)
                .expect("the only logger of this process");
        });
        take_lines();
        Recording(turn)
    }

    pub(crate) fn lines(self) -> Vec<String> {
        take_lines()
    }

    /// What was logged, for the eye: `NAME start`, `NAME end OUTCOME` or the message, `in` the name of the
    /// span around, the fields `uid` and `tag`, and `@` the name of the task.
    pub(crate) fn told(self) -> Vec<String> {
        let lines = take_lines();
        let records: Vec<_> = lines.iter().map(|line| Record::parse(line)).collect();
        let name_of = |key: &str, id: &str| {
            let named = |record: &&Record<'_>| record.pairs.get(key) == Some(&id);
            records
                .iter()
                .find(named)
                .map_or("?", |record| record.message)
        };
        records.iter().map(|record| record.told(&name_of)).collect()
    }
}

fn take_lines() -> Vec<String> {
    std::mem::take(&mut *LINES.lock().unwrap_or_else(PoisonError::into_inner))
}

/// `MESSAGE, key=value, key=value`; none of these programs' values needs quotes.
struct Record<'a> {
    message: &'a str,
    pairs: HashMap<&'a str, &'a str>,
}

impl<'a> Record<'a> {
    fn parse(line: &'a str) -> Self {
        let mut parts = line.split(", ");
        let message = parts.next().unwrap_or_default();
        let mut pairs = HashMap::new();
        for part in parts {
            let (key, value) = part.split_once('=').expect("a pair");
            assert!(pairs.insert(key, value).is_none(), "a key twice: {line}");
        }
        Record { message, pairs }
    }

    /// 0 where it is absent.
    fn number(&self, key: &str) -> u64 {
        let value = self.pairs.get(key).copied();
        value.map_or(0, |value| {
            value.parse().unwrap_or_else(|_| panic!("{key} is {value}"))
        })
    }

    /// `name_of` knows the first record with a pair.
    fn told(&self, name_of: &dyn Fn(&str, &str) -> &'a str) -> String {
        let get = |key| self.pairs.get(key).copied();
        let mut told = self.message.to_owned();
        let around = match get("span_mark") {
            Some("end") => None,
            Some(_) => get("span_parent"),
            None => get("span_id"),
        };
        for word in [get("span_mark"), get("span_outcome")]
            .into_iter()
            .flatten()
        {
            let _ = write!(told, " {word}");
        }
        if let Some(around) = around {
            let _ = write!(told, " in {}", name_of("span_id", around));
        }
        for key in ["uid", "tag"] {
            if let Some(value) = get(key) {
                let _ = write!(told, " {key}={value}");
            }
        }
        if let Some(task) = get("task_id").filter(|&task| task != "0") {
            let _ = write!(told, " @{}", name_of("task_id", task));
        }
        told
    }

    /// The test's own number of a span, from its start or end.
    fn span_number(&self) -> u64 {
        match self.message.strip_prefix("task-") {
            Some(number) => number.parse().expect("a number"),
            None if self.pairs.contains_key("arg_0") => self.number("arg_0"),
            None => self.number("uid"),
        }
    }
}

/// What came of one program, or of many.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) programs: u64,
    pub(crate) programs_wrong: u64,
    pub(crate) events: u64,
    pub(crate) spans: u64,
    pub(crate) tasks: u64,
    pub(crate) cancelled: u64,
    pub(crate) panicked: u64,
    pub(crate) wrong: u64,
    pub(crate) lost: u64,
    pub(crate) unended: u64,
    pub(crate) wrong_outcomes: u64,
    /// The first failures, in words.
    pub(crate) failures: String,
}

impl Report {
    pub(crate) fn is_right(&self) -> bool {
        self.wrong + self.lost + self.unended + self.wrong_outcomes == 0
    }

    pub(crate) fn add(&mut self, other: &Report) {
        self.programs += other.programs;
        self.programs_wrong += other.programs_wrong;
        self.events += other.events;
        self.spans += other.spans;
        self.tasks += other.tasks;
        self.cancelled += other.cancelled;
        self.panicked += other.panicked;
        self.wrong += other.wrong;
        self.lost += other.lost;
        self.unended += other.unended;
        self.wrong_outcomes += other.wrong_outcomes;
    }

    fn say(&mut self, expected: &dyn fmt::Debug, got: &str) {
        if self.failures.lines().count() < 8 {
            let _ = writeln!(self.failures, "expected {expected:?}\n     got {got}");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} programs, {} events, {} spans ({} of tasks, {} cancelled, {} panicked): \
             {} wrong, {} lost, {} unended, {} wrong outcomes",
            self.programs,
            self.events,
            self.spans,
            self.tasks,
            self.cancelled,
            self.panicked,
            self.wrong,
            self.lost,
            self.unended,
            self.wrong_outcomes,
        )
    }
}

/// Holds the lines of one program against its ledger.
pub(crate) fn check(ledger: &Ledger, lines: &[String]) -> Report {
    let mut check = Check {
        spans: ledger.spans(),
        ..Check::default()
    };
    check.report.programs = 1;
    let all = ledger.events();
    let mut events = all.clone();
    for line in lines {
        let record = Record::parse(line);
        match record.pairs.get("span_mark").copied() {
            Some("start") => check.start(line, &record),
            Some("end") => check.end(line, &record),
            Some(_) => panic!("no such mark: {line}"),
            None if record.pairs.contains_key("echo") => {
                check.echo(line, &record, &all[&record.number("echo")]);
            }
            None => match events.remove(&record.number("event")) {
                Some(truth) => check.event(line, &record, &truth),
                None => panic!("a record that nobody logged: {line}"),
            },
        }
    }
    for truth in events.values() {
        check.report.lost += 1;
        check.report.say(truth, "nothing");
    }
    check.finish()
}

#[derive(Default)]
struct Check {
    report: Report,
    spans: HashMap<u64, SpanTruth>,
    /// From the library's numbers of spans to ours, where the start has been seen.
    numbers: HashMap<u64, u64>,
    /// Our numbers of spans that have ended.
    ended: HashMap<u64, ()>,
    /// From our numbers of tasks to the library's, and back.
    task_ids: HashMap<u64, u64>,
    task_numbers: HashMap<u64, u64>,
}

impl Check {
    /// The program's number of the span under `key`.
    fn span_under(&self, record: &Record<'_>, key: &str) -> u64 {
        match record.number(key) {
            0 => 0,
            id => self.numbers.get(&id).copied().unwrap_or(u64::MAX),
        }
    }

    fn wrong(&mut self, expected: &dyn fmt::Debug, line: &str, got: Place) {
        self.report.wrong += 1;
        self.report.say(expected, &format!("{got:?} in {line}"));
    }

    /// Whether a task has always had this number.
    fn is_task(&mut self, number: u64, id: u64) -> bool {
        let same = |entry: Entry<'_, u64, u64>, value| *entry.or_insert(value) == value;
        (number == 0) == (id == 0)
            && same(self.task_ids.entry(number), id)
            && same(self.task_numbers.entry(id), number)
    }

    /// What the record says of its place, and whether its task is `task`.
    fn place(&mut self, record: &Record<'_>, span: u64, task: u64) -> Place {
        let is_task = self.is_task(task, record.number("task_id"));
        Place {
            span,
            uid: record.number("uid"),
            tag: record.number("tag"),
            task: if is_task { task } else { u64::MAX },
        }
    }

    fn event(
        &mut self,
        line: &str,
        record: &Record<'_>,
        truth: &async_log_tests::truth::EventTruth,
    ) {
        self.report.events += 1;
        assert_eq!(record.message, truth.what);
        let span = self.span_under(record, "span_id");
        let got = self.place(record, span, truth.place.task);
        if got != truth.place {
            self.wrong(truth, line, got);
        }
    }

    /// What the logger has logged while it was given that event.
    fn echo(
        &mut self,
        line: &str,
        record: &Record<'_>,
        truth: &async_log_tests::truth::EventTruth,
    ) {
        let span = self.span_under(record, "span_id");
        let got = self.place(record, span, truth.place.task);
        if got != truth.place {
            self.wrong(truth, line, got);
        }
    }

    fn start(&mut self, line: &str, record: &Record<'_>) {
        self.report.spans += 1;
        let number = record.span_number();
        let Some(truth) = self.spans.get(&number).copied() else {
            panic!("a span that nobody started: {line}");
        };
        let known = self.numbers.insert(record.number("span_id"), number);
        assert!(known.is_none(), "a span's number twice: {line}");

        // The parent, in the fields and the task of the span itself.
        let parent = self.span_under(record, "span_parent");
        let got = self.place(record, parent, truth.inside.task);
        let expected = Place {
            span: truth.around.span,
            ..truth.inside
        };
        if got != expected {
            self.wrong(&(expected, truth), line, got);
        }
        if truth.is_task {
            self.report.tasks += 1;
            let parent = record.number("task_parent_id");
            if !self.is_task(truth.around.task, parent) {
                self.wrong(&truth, line, got);
            }
        }
    }

    fn end(&mut self, line: &str, record: &Record<'_>) {
        let number = self.span_under(record, "span_id");
        let Some(truth) = self.spans.get(&number).copied() else {
            panic!("the end of a span that did not start: {line}");
        };
        assert!(
            self.ended.insert(number, ()).is_none(),
            "ended twice: {line}"
        );
        let got = self.place(record, number, truth.inside.task);
        if got != truth.inside {
            self.wrong(&truth, line, got);
        }
        let outcome = match record.pairs.get("span_outcome").copied() {
            None => Outcome::None,
            Some("cancelled") => Outcome::Cancelled,
            Some("panicked") => Outcome::Panicked,
            Some(_) => panic!("no such outcome: {line}"),
        };
        match outcome {
            Outcome::None => {}
            Outcome::Cancelled => self.report.cancelled += 1,
            Outcome::Panicked => self.report.panicked += 1,
        }
        if Some(outcome) != truth.outcome {
            self.report.wrong_outcomes += 1;
            self.report.say(&truth, line);
        }
    }

    fn finish(mut self) -> Report {
        let started: HashMap<u64, ()> = self.numbers.values().map(|&number| (number, ())).collect();
        for (number, truth) in &self.spans {
            if !started.contains_key(number) {
                self.report.lost += 1;
                self.report.say(truth, "no start");
            } else if !self.ended.contains_key(number) {
                self.report.unended += 1;
                self.report.say(truth, "no end");
            }
        }
        self.report
    }
}
