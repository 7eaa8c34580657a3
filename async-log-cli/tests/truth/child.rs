//! The process whose log is read: it runs the programs of `async_log_tests`, and writes down what it
//! knows of them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use async_log::{Logger, span};
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde::{Deserialize, Serialize};

use crate::loggers::Setup;
use crate::witness::Witness;
use async_log_tests::runtime::Runtime;
use async_log_tests::truth::{self, Ledger};
use async_log_tests::{program, texts};

/// What the child is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) setup: Setup,
    pub(crate) seed: u64,
    /// It stops when so many records were to be written.
    pub(crate) records: u64,
    /// It writes down its own knowledge.
    pub(crate) with_truth: bool,
    /// It logs to its standard output, which is a pipe.
    pub(crate) piped: bool,
}

const ORDER: &str = "ASYNC_LOG_TRUTH";

/// What a program knows of one of its spans or events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Known {
    Span {
        number: u64,
        around: Place,
        inside: Place,
        is_task: bool,
        outcome: Option<String>,
    },
    Event {
        number: u64,
        what: String,
        place: Place,
    },
}

/// As [`truth::Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) span: u64,
    pub(crate) uid: u64,
    pub(crate) tag: u64,
    pub(crate) task: u64,
}

impl From<truth::Place> for Place {
    fn from(place: truth::Place) -> Self {
        Place {
            span: place.span,
            uid: place.uid,
            tag: place.tag,
            task: place.task,
        }
    }
}

pub(crate) fn log_file(directory: &Path) -> PathBuf {
    directory.join("program.log")
}

pub(crate) fn told_file(directory: &Path) -> PathBuf {
    directory.join("told")
}

pub(crate) fn known_file(directory: &Path) -> PathBuf {
    directory.join("known")
}

/// Starts this test as the process that runs the programs.
pub(crate) fn start(order: Order, directory: &Path) -> Child {
    let Order {
        setup,
        seed,
        records,
        with_truth,
        piped,
    } = order;
    let words = format!("{setup:?} {seed} {records} {with_truth} {piped}");
    Command::new(std::env::current_exe().expect("this test is a file"))
        .args(["child::runs", "--exact", "--ignored", "--nocapture"])
        .env(ORDER, format!("{words} {}", directory.display()))
        .stdout(match piped {
            true => Stdio::piped(),
            false => Stdio::null(),
        })
        .spawn()
        .expect("it starts")
}

/// The child's own part; of no use when it is run by hand.
#[test]
#[ignore = "the other tests start it"]
fn runs() {
    let Ok(order) = std::env::var(ORDER) else {
        return;
    };
    let words: Vec<_> = order.splitn(6, ' ').collect();
    let [setup, seed, records, with_truth, piped, directory] = words[..] else {
        panic!("not an order: {order}");
    };
    let order = Order {
        setup: Setup::by_name(setup),
        seed: seed.parse().expect("a seed"),
        records: records.parse().expect("a number"),
        with_truth: with_truth.parse().expect("true or false"),
        piped: piped.parse().expect("true or false"),
    };
    order.run(Path::new(directory));
}

impl Order {
    fn run(self, directory: &Path) {
        let log = match self.piped {
            true => PathBuf::from("/dev/stdout"),
            false => log_file(directory),
        };
        let (logger, _kept) = self.setup.logger(&log);
        let file = self.wrap(logger);
        let file = match self.setup.is_key_values() {
            true => file.with_key_values(),
            false => file,
        };
        let mut loggers: Vec<Box<dyn Log>> = vec![Box::new(file)];
        let mut known = None;
        if self.with_truth {
            let create = |path| BufWriter::new(File::create(path).expect("a file"));
            let witness = Witness {
                out: Mutex::new(create(told_file(directory))),
                setup: self.setup,
            };
            loggers.push(Box::new(self.wrap(Box::new(witness)).with_key_values()));
            known = Some(create(known_file(directory)));
        }
        log::set_boxed_logger(Box::new(FanOut(loggers))).expect("the only logger");
        log::set_max_level(LevelFilter::Trace);

        // Where not every record names its process, the start of a root span does.
        span!("main", {});
        let mut seed = self.seed;
        let mut records = 0;
        while records < self.records {
            let ledger = Arc::new(Ledger::with_plain_values());
            let runtime = Runtime::ALL[seed as usize % Runtime::ALL.len()];
            program::run(runtime, seed, &ledger);
            texts::run(seed, !self.setup.quotes());
            records += (ledger.events().len() + 2 * ledger.spans().len()) as u64;
            if let Some(known) = &mut known {
                write_known(&ledger, known);
            }
            seed += 1;
        }
        log::logger().flush();
        if let Some(mut known) = known {
            known.flush().expect("it is written");
        }
    }

    fn wrap(self, logger: Box<dyn Log>) -> Logger<Loud> {
        let service = match self.setup.quotes() {
            true => "a, b=\"c\"",
            false => "shop",
        };
        let task_id: fn() -> u64 = async_log::task_id;
        let logger = Logger::wrap(Loud(logger), task_id).with_field("service", service);
        match self.seed % 2 {
            0 => logger.with_process_id(),
            _ => logger,
        }
    }
}

fn write_known(ledger: &Ledger, out: &mut impl Write) {
    let events = ledger
        .events()
        .into_iter()
        .map(|(number, event)| Known::Event {
            number,
            what: event.what.to_owned(),
            place: event.place.into(),
        });
    let spans = ledger
        .spans()
        .into_iter()
        .map(|(number, span)| Known::Span {
            number,
            around: span.around.into(),
            inside: span.inside.into(),
            is_task: span.is_task,
            outcome: match span.outcome.expect("the program is over") {
                truth::Outcome::None => None,
                truth::Outcome::Cancelled => Some("cancelled".to_owned()),
                truth::Outcome::Panicked => Some("panicked".to_owned()),
            },
        });
    for known in spans.chain(events) {
        serde_json::to_writer(&mut *out, &known).expect("it is written");
        out.write_all(b"\n").expect("it is written");
    }
}

/// Filters as the programs want it.
struct Loud(Box<dyn Log>);

impl Log for Loud {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        if target.contains("quiet") {
            return metadata.level() <= Level::Debug;
        }
        let programs = ["async_log_tests", "truth"];
        programs.iter().any(|of| target.starts_with(of)) || target == "loud" || target == "task"
    }

    fn log(&self, record: &Record<'_>) {
        self.0.log(record);
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// Hands all on to all.
struct FanOut(Vec<Box<dyn Log>>);

impl Log for FanOut {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.iter().any(|logger| logger.enabled(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        self.0.iter().for_each(|logger| logger.log(record));
    }

    fn flush(&self) {
        self.0.iter().for_each(|logger| logger.flush());
    }
}
