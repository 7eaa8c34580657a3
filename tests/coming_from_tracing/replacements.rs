//! What the tables in `docs/coming-from-tracing.md` say to write here.

use std::path::Path;

use async_log::{instrument, span, Context, Span, TaskExt};
use futures::executor::block_on;
use log::Level;

use crate::capture::{empty, lines};

#[test]
fn records() {
    let (n, user, p, path) = (1, "ada", Path::new("/a"), Path::new("/b"));
    let lines = lines(|| {
        log::info!("loaded {n}");
        log::info!(n, user = 7; "loaded");
        log::info!(path:?, user:%; "loaded");
        log::info!(path:? = p; "loaded");
        log::info!(target: "db", "loaded");
        log::log!(Level::Info, "loaded");
        assert!(log::log_enabled!(Level::Debug));
    });
    assert_eq!(
        lines,
        [
            "INFO loaded 1",
            "INFO loaded n=1 user=7",
            "INFO loaded path=\"/b\" user=ada",
            "INFO loaded path=\"/a\"",
            "INFO loaded under db",
            "INFO loaded",
        ]
    );
}

#[test]
fn spans() {
    let lines = lines(|| {
        let other: Span = span!(level: info, id = 7; "load");
        other.run(|| log::info!("inside"));
        let inner = other.run(|| span!("inner"));
        let context = other.run(Context::current);
        block_on(async { log::info!("in inner") }.in_span(inner));
        context.run(|| log::info!("inside again"));
        span!("a root", {
            log::info!("elsewhere");
        });
        block_on(other.run(|| async { log::info!("in a task") }.in_named_task("task")));
    });
    assert_eq!(
        lines,
        [
            "+ load id=7 at INFO",
            "  INFO inside id=7",
            "  + inner id=7",
            "    INFO in inner id=7",
            "  - inner id=7",
            "  INFO inside again id=7",
            "+ a root",
            "  INFO elsewhere",
            "- a root",
            "  + task id=7",
            "    INFO in a task id=7",
            "  - task id=7",
            "- load id=7",
        ]
    );
}

#[test]
fn options_of_the_attribute() {
    struct Shown(u8);
    impl std::fmt::Display for Shown {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "user {}", self.0)
        }
    }

    #[instrument(skip_all, fields(user:%, id:% = format_args!("id {}", user.0), length:? = Some(1)))]
    fn load(user: Shown) {
        let _ = user;
    }

    #[instrument(ret(Debug))]
    fn unit() {}

    let lines = lines(|| {
        load(Shown(7));
        unit();
    });
    let load = empty("#load user=\"user 7\" id=\"id 7\" length=\"Some(1)\"");
    let unit = ["+ #unit", "  TRACE #unit ret=()", "- #unit"].map(str::to_owned);
    assert_eq!(lines, [load.to_vec(), unit.to_vec()].concat());
}
