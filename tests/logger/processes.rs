//! Times and processes.

use super::*;

fn seconds(text: &str) -> u128 {
    let (whole, nanos) = text.split_once('.').unwrap();
    assert_eq!(nanos.len(), 9, "{text}");
    whole.parse::<u128>().unwrap() * 1_000_000_000 + nanos.parse::<u128>().unwrap()
}

fn now() -> u128 {
    let since = std::time::UNIX_EPOCH.elapsed();
    since.unwrap().as_nanos()
}

#[test]
fn span_at_and_span_elapsed_are_seconds_with_nanoseconds() {
    let before = now();
    let text = lines(plain, || {
        span!("outer", {
            thread::sleep(std::time::Duration::from_millis(20));
            span!("inner", {});
        });
    });
    let number = |nth: usize, key| seconds(&get(&text[nth], key).unwrap());
    let (outer, inner) = (number(0, "span_at"), number(1, "span_at"));
    // A clock that is set meanwhile moves the one and not the other: so no more than roughly.
    assert!(outer.abs_diff(before) < 10_000_000_000);
    assert!(outer + 20_000_000 <= inner);
    let (inner_end, outer_end) = (
        inner + number(2, "span_elapsed"),
        outer + number(3, "span_elapsed"),
    );
    assert!(inner_end <= outer_end);
    assert!(number(3, "span_elapsed") >= 20_000_000);
}

#[test]
fn processes_tell_themselves_apart() {
    let run = || {
        alone("processes::processes_tell_themselves_apart", || {
            let lines = lines(plain, || span!("s", {}));
            lines.iter().for_each(|line| println!("{line}"));
        })
    };
    if is_alone() {
        run();
        return;
    }
    let starts = [run(), run()].map(|out| {
        let start = out.lines().find(|line| line.contains("s, span_mark=start"));
        start.unwrap_or_else(|| panic!("{out}")).to_owned()
    });
    let [first, second] = &starts;
    let (a, b) = (get(first, "process_id"), get(second, "process_id"));
    assert_ne!(a, b);
    for (start, process) in [(first, a), (second, b)] {
        let process = process.unwrap();
        let (pid, began) = process.split_once('-').unwrap();
        assert!(pid.parse::<u32>().is_ok());
        let at = seconds(&get(start, "span_at").unwrap());
        let began: u128 = began.parse().unwrap();
        assert!(began <= at && at < began + 10_000_000_000);
    }
    let at = |line| seconds(&get(line, "span_at").unwrap());
    assert!(at(first) < at(second));
}
