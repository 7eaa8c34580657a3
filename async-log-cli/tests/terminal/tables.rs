//! `stats` and `unfinished`.

use async_log_cli::track::Selection;
use async_log_cli::write::Look;
use async_log_cli::write::stats::{self, Sort, Stats};
use async_log_cli::write::unfinished::{self, Unfinished};

use crate::golden::{check, check_looks, check_only, log, run};

fn stats(change: impl FnOnce(&mut stats::Options)) -> Stats<Vec<u8>> {
    let mut options = stats::Options::default();
    change(&mut options);
    Stats::new(options, Vec::new())
}

fn unfinished(change: impl FnOnce(&mut unfinished::Options)) -> Unfinished<Vec<u8>> {
    let mut options = unfinished::Options::default();
    change(&mut options);
    Unfinished::new(options, Vec::new())
}

#[test]
fn stats_of_a_server() {
    let of = |look| stats(|options| options.look = look);
    check_looks("server", "stats", of, Stats::into_inner);
}

#[test]
fn stats_as_json() {
    for name in ["server", "killed", "odd"] {
        let sink = run(
            &log(name),
            stats(|options| options.json = true),
            Selection::default(),
        );
        check(&format!("{name}.stats.json"), &sink.into_inner());
    }
}

#[test]
fn stats_of_what_is_odd() {
    let sink = run(&log("odd"), stats(|_| {}), Selection::default());
    check("odd.stats.plain.txt", &sink.into_inner());
}

#[test]
fn stats_in_another_order_and_of_some() {
    let sink = stats(|options| {
        options.sort = Sort::Count;
        options.limit = Some(2);
    });
    let sink = run(&log("server"), sink, Selection::default());
    check("server.stats.limit.txt", &sink.into_inner());
}

#[test]
fn unfinished_of_a_killed_program() {
    let of = |look| unfinished(|options| options.look = look);
    check_looks("killed", "unfinished", of, Unfinished::into_inner);
    check_looks("odd", "unfinished", of, Unfinished::into_inner);
}

#[test]
fn unfinished_as_json() {
    for name in ["server", "killed", "odd"] {
        let sink = unfinished(|options| options.json = true);
        let sink = run(&log(name), sink, Selection::default());
        check(&format!("{name}.unfinished.json"), &sink.into_inner());
    }
}

#[test]
fn nothing_is_unfinished() {
    let sink = unfinished(|options| options.look = Look::new(false, Some(80)));
    let sink = run(&log("server"), sink, Selection::default());
    check("server.unfinished.80.txt", &sink.into_inner());
}

/// The samples of `docs/json.md`.
#[test]
fn the_schema_shows_what_is_written() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/json.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let mut samples = 0;
    for block in docs.split("```json ").skip(1) {
        let (name, rest) = block.split_once('\n').unwrap();
        let sample = rest.split("```").next().unwrap();
        check_only(&format!("{name}.json"), sample);
        samples += 1;
    }
    assert_eq!(samples, 4);
}
