//! Random programs: several tasks and threads, arms that overlap, spans and tasks that outlive what
//! they are in, ties, spans without length, spans without an end.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::drawing::Form;
use crate::history::{History, steps};
use crate::{chrome, perfetto, write_chrome, write_perfetto};

/// Both traces of a log that is whole.
fn check(history: &History) {
    let log = history.log();
    let chrome = chrome::read(&write_chrome(&log));
    chrome.check_spans(&history.spans, Form::Chrome);
    assert_eq!(chrome.instants.len(), history.events);
    let perfetto = perfetto::read(&write_perfetto(&log));
    perfetto.check_spans(&history.spans, Form::Perfetto);
    chrome.check_same(&perfetto);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_trace_shows_what_the_log_says(first in steps(0..40), second in prop::option::of(steps(0..10))) {
        let processes: Vec<_> = std::iter::once(first).chain(second).collect();
        check(&History::of(&processes));
    }

    /// There is nothing to compare it with, but the traces are whole, and the same.
    #[test]
    fn a_log_without_its_beginning_gives_a_trace(steps in steps(0..40), cut in any::<prop::sample::Index>()) {
        let history = History::of(&[steps]);
        let log = history.lines[cut.index(history.lines.len())..].concat();
        let chrome = chrome::read(&write_chrome(log.as_bytes()));
        let perfetto = perfetto::read(&write_perfetto(log.as_bytes()));
        chrome.check_same(&perfetto);
    }
}

/// Most of it is written before the rest is read.
#[test]
fn a_long_log_is_no_different() {
    let mut runner = TestRunner::deterministic();
    let steps = steps(20_000).new_tree(&mut runner).unwrap().current();
    check(&History::of(&[steps]));
}
