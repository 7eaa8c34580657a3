//! What a process does that is measured: one peer, set up once.

use std::error::Error;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use log::LevelFilter;

use crate::entry::{self, Entry, Form};
use crate::sink;
use crate::work::Operation;

/// A loop is as long as this, so that neither the clock nor a time slice matters much.
const LOOP: Duration = Duration::from_millis(10);

pub fn command(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    match arguments {
        ["list"] => list(),
        ["repeat", form, name, operation, n] => {
            repeat(find(form, name)?, named(operation)?, n.parse()?)
        }
        ["lines", form, name, operation] => lines(find(form, name)?, named(operation)?),
        ["nanoseconds", form, name, operation] => nanoseconds(find(form, name)?, named(operation)?),
        ["threads", form, name, operation] => threads(find(form, name)?, named(operation)?),
        _ => return Err("no such child".into()),
    }
    Ok(())
}

fn find(form: &str, name: &str) -> Result<Entry, String> {
    entry::all()
        .into_iter()
        .find(|entry| form_name(entry.form) == form && entry.name == name)
        .ok_or_else(|| format!("no such peer: {form}, {name}"))
}

fn named(operation: &str) -> Result<Operation, String> {
    Operation::named(operation).ok_or_else(|| format!("no such operation: {operation}"))
}

pub fn form_name(form: Form) -> &'static str {
    match form {
        Form::Text => "text",
        Form::Silent => "silent",
    }
}

fn list() {
    for entry in entry::all() {
        let emits = entry.emits;
        println!(
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            form_name(entry.form),
            entry.name,
            entry.repeats,
            emits.record,
            emits.span,
            emits.both,
            u8::from(emits.context),
            u8::from(emits.both_arguments),
        );
    }
}

fn start(entry: &Entry, operation: Operation) {
    (entry.start)(match operation.is_filtered() {
        true => LevelFilter::Info,
        false => LevelFilter::Trace,
    });
}

fn repeat(entry: Entry, operation: Operation, n: u64) {
    start(&entry, operation);
    (entry.run)(operation, n);
    (entry.finish)();
}

/// Prints what is emitted when an operation is done once.
fn lines(entry: Entry, operation: Operation) {
    start(&entry, operation);
    let lines = sink::kept_during(|| {
        (entry.run)(operation, 1);
        (entry.finish)();
    });
    for line in lines {
        println!("{}", line.replace('\n', "\\n"));
    }
}

/// Prints the nanoseconds that an operation takes in this thread.
fn nanoseconds(entry: Entry, operation: Operation) {
    start(&entry, operation);
    let n = length_of_loop(&entry, operation);
    println!(
        "{}",
        time(&entry, operation, n).as_nanos() as f64 / n as f64
    );
    (entry.finish)();
}

fn time(entry: &Entry, operation: Operation, n: u64) -> Duration {
    let start = Instant::now();
    (entry.run)(operation, n);
    start.elapsed()
}

/// How often it can be done in [`LOOP`]; this is the warm-up too.
fn length_of_loop(entry: &Entry, operation: Operation) -> u64 {
    let mut n = 1000;
    loop {
        let taken = time(entry, operation, n);
        if taken > LOOP / 4 || n >= 1_000_000 {
            let n = n as f64 * LOOP.as_secs_f64() / taken.as_secs_f64();
            return (n as u64).clamp(1000, 10_000_000);
        }
        n *= 2;
    }
}

/// Prints how much more two threads do than one in the same time.
fn threads(entry: Entry, operation: Operation) {
    start(&entry, operation);
    let n = 4 * length_of_loop(&entry, operation);
    let one = in_threads(&entry, operation, n, 1);
    let two = in_threads(&entry, operation, n, 2);
    println!("{}", 2.0 * one.as_secs_f64() / two.as_secs_f64());
    (entry.finish)();
}

/// The time from when all have started until all have done it `n` times.
fn in_threads(entry: &Entry, operation: Operation, n: u64, threads: usize) -> Duration {
    let ready = Barrier::new(threads + 1);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    (entry.run)(operation, 1000);
                    ready.wait();
                    (entry.run)(operation, n);
                })
            })
            .collect();
        ready.wait();
        let start = Instant::now();
        for thread in running {
            thread.join().expect("a peer does not panic");
        }
        start.elapsed()
    })
}
