//! Two versions of the crate in one program: what a `Logger` of one writes of the spans of both.

use std::process::Command;
use std::sync::{Arc, Mutex};

use log::kv::{self, Key, Value, VisitSource};
use log::{info, LevelFilter, Log, Metadata, Record};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        struct Pairs(String);
        impl<'kvs> VisitSource<'kvs> for Pairs {
            fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
                self.0 += &format!(", {key}={value}");
                Ok(())
            }
        }
        let mut line = Pairs(record.args().to_string());
        record.key_values().visit(&mut line).unwrap();
        self.0.lock().unwrap().push(line.0);
    }

    fn flush(&self) {}
}

/// A line without time, thread and process.
fn stable(line: &str) -> String {
    let keeps = |pair: &&str| {
        let another = ["thread_id", "span_at", "span_elapsed", "process_id"];
        !another.iter().any(|key| pair.starts_with(key))
    };
    line.split(", ")
        .filter(keeps)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The test of this name in a process of its own, since each has a global logger.
fn alone(name: &str, f: impl FnOnce()) {
    if std::env::var_os("ASYNC_LOG_TEST_ALONE").is_some() {
        return f();
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--test-threads=1"])
        .env("ASYNC_LOG_TEST_ALONE", "")
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(child.status.success() && out.contains("1 passed"), "{out}");
}

/// The program uses the one version, a dependency of it the other.
fn program() {
    async_log::span!(user = 7; "ours", {
        other_version::span!(path = "/a, b", task_id = 9; "fetch {}", 1, {
            info!("in both");
            async_log::span!("inner", {});
            other_version::span!("deeper", {});
        });
        dependency(1, "x");
        info!(span_mark = "end", span_id = 1; "forged");
    });
    futures::executor::block_on(other_version::TaskExt::in_named_task(
        async { info!("task") },
        "t",
    ));
}

#[other_version::instrument(crate = other_version, name = "dependency", names)]
fn dependency(number: u32, text: &str) {
    info!("in a function");
}

#[test]
fn a_span_of_another_version_is_two_records() {
    alone("a_span_of_another_version_is_two_records", || {
        let lines = Lines::default();
        async_log::Logger::wrap(lines.clone(), async_log::task_id)
            .start(LevelFilter::Trace)
            .unwrap();
        program();
        let lines: Vec<_> = (lines.0.lock().unwrap().iter().map(|line| stable(line))).collect();
        let fetch = "fetch 1, path=\"/a, b\", task_id_=9, user=7, span_id=1, task_id=0";
        assert_eq!(
            lines,
            [
                "ours, span_mark=start, user=7, span_id=1, task_id=0",
                fetch,
                "in both, user=7, span_id=1, task_id=0",
                "inner, span_mark=start, user=7, span_id=2, span_parent=1, task_id=0",
                "inner, span_mark=end, user=7, span_id=2, task_id=0",
                "deeper, path=\"/a, b\", task_id_=9, user=7, span_id=1, task_id=0",
                "deeper, path=\"/a, b\", task_id_=9, user=7, span_id=1, task_id=0",
                fetch,
                "dependency, number=1, text=x, user=7, span_id=1, task_id=0",
                "in a function, user=7, span_id=1, task_id=0",
                "dependency, user=7, span_id=1, task_id=0",
                "forged, span_mark_=end, span_id_=1, user=7, span_id=1, task_id=0",
                "ours, span_mark=end, user=7, span_id=1, task_id=0",
                "t, task_id=0",
                "task, task_id=0",
                "t, task_id=0",
            ]
        );
    });
}

#[test]
fn the_same_the_other_way_round_as_key_values() {
    alone("the_same_the_other_way_round_as_key_values", || {
        let lines = Lines::default();
        other_version::Logger::wrap(lines.clone(), other_version::task_id)
            .with_key_values()
            .start(LevelFilter::Trace)
            .unwrap();
        program();
        let lines: Vec<_> = (lines.0.lock().unwrap().iter().map(|line| stable(line))).collect();
        assert_eq!(
            lines[..2],
            [
                "ours, user=7, task_id=0",
                "fetch 1, span_mark=start, path=/a, b, task_id_=9, span_id=1, task_id=0",
            ]
        );
        assert!(lines.iter().all(|line| !line.contains("span_mark_=start")));
        let forged = lines.iter().find(|line| line.starts_with("forged"));
        assert_eq!(
            forged.unwrap(),
            "forged, span_mark_=end, span_id_=1, task_id=0"
        );
        assert_eq!(
            lines.last().unwrap(),
            "t, span_mark=end, span_id=4, task_id=1"
        );
    });
}
