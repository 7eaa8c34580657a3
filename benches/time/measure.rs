//! Measures the time of all paths of one form: a process can be set up only once.

use std::time::{Duration, Instant};

use criterion::Criterion;
use hot_paths::{Form, PATHS};

pub fn all(form: Form) {
    hot_paths::start(form);
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for path in PATHS.iter().filter(|path| path.form == form) {
        criterion.bench_function(&format!("{form:?}: {}", path.name), |bencher| {
            bencher.iter_custom(|n| {
                let start = Instant::now();
                (path.repeat)(n);
                start.elapsed()
            });
        });
    }
    criterion.final_summary();
}
