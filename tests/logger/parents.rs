//! `#[instrument(parent = …)]` on functions whose spans are filtered out: their code is where the parent is, whether
//! `log`'s maximum level or the logger filters them.

use super::*;

use async_log::{Context as Place, Span};
use std::pin::Pin;

#[instrument(skip_all, parent = parent)]
fn function(parent: &Span) {
    info!("function");
}

#[instrument(skip_all, parent = parent, fields(a = 1))]
fn with_fields(parent: &Place) -> u8 {
    info!("with_fields");
    1
}

#[instrument(skip_all, parent = parent, err)]
fn fails(parent: &Place) -> Result<u8, String> {
    info!("fails");
    Err("broken".to_owned())
}

#[instrument(skip_all, level = level, parent = parent)]
fn by_expression(level: Level, parent: Option<&Place>) {
    info!("by_expression");
}

#[instrument(skip_all, parent = parent)]
async fn asynchronous(parent: Place) {
    info!("asynchronous");
    ready(()).await;
    span!(level: Level::Info, "child", { info!("in child") });
}

#[instrument(skip_all, parent = &parent, fields(a = 1), ret)]
async fn asynchronous_with_fields(parent: Span) -> u8 {
    info!("asynchronous_with_fields");
    1
}

#[instrument(skip_all, parent = parent)]
fn opaque(parent: &Place) -> impl Future<Output = ()> {
    info!("call of opaque");
    async { info!("opaque") }
}

#[instrument(skip_all, parent = parent)]
fn boxed(parent: &Place) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    info!("call of boxed");
    Box::pin(async { info!("boxed") })
}

#[instrument(skip_all, parent = parent)]
fn handed_on(parent: &Place) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    boxed(parent)
}

#[instrument(skip_all, parent = None)]
fn root() {
    info!("root");
}

#[instrument(parent = None)]
async fn asynchronous_root(_lent: u8) {
    info!("asynchronous_root");
}

#[instrument(skip_all, parent = None::<Span>)]
fn root_of_any_type() -> impl Future<Output = ()> {
    async { info!("root_of_any_type") }
}

struct Of(Place);

#[instrument(skip_all, parent = self.0)]
impl Of {
    fn method(&self) {
        info!("method");
    }

    async fn asynchronous_method(&self) {
        info!("asynchronous_method");
    }
}

fn run_all(parent: &Span, place: &Place) {
    function(parent);
    with_fields(place);
    let _ = fails(place);
    by_expression(Level::Debug, Some(place));
    by_expression(Level::Debug, None);
    finish(asynchronous(place.clone()));
    finish(async {
        asynchronous_with_fields(parent.run(|| span!("filtered"))).await;
    });
    finish(opaque(place));
    finish(boxed(place));
    finish(handed_on(place));
    root();
    finish(asynchronous_root(1));
    finish(root_of_any_type());
    let of = Of(place.clone());
    of.method();
    finish(of.asynchronous_method());
}

/// The message of each record and where it is.
fn records(lines: &[String]) -> Vec<String> {
    let field = |line: &str, key| get(line, key).unwrap_or("-".to_owned());
    let is_record = |line: &&String| get(line, "span_mark").is_none();
    let lines = lines.iter().filter(is_record);
    let place = lines.map(|line| {
        let message = line.split(',').next().unwrap();
        format!("{message} {}", field(line, "at"))
    });
    place.collect()
}

const EXPECTED: [&str; 21] = [
    "function parent",
    "with_fields parent",
    "fails parent",
    "#fails parent",
    "by_expression parent",
    "by_expression -",
    "asynchronous parent",
    "in child parent",
    "asynchronous_with_fields parent",
    "call of opaque parent",
    "opaque parent",
    "call of boxed parent",
    "boxed parent",
    "call of boxed parent",
    "boxed parent",
    "root -",
    "asynchronous_root -",
    "root_of_any_type -",
    "method parent",
    "asynchronous_method parent",
    "after caller",
];

fn around(f: impl Fn(&Span, &Place)) {
    let parent = span!(level: Level::Info, at = "parent"; "parent");
    let place = parent.run(Place::current);
    span!(level: Level::Info, at = "caller"; "caller", {
        f(&parent, &place);
        info!("after");
    });
}

fn assert_expected(lines: &[String]) {
    let records = records(lines);
    let records: Vec<_> = records
        .iter()
        .map(|record| record.replace("tests/logger/parents.rs", ""))
        .collect();
    assert_eq!(records, EXPECTED);
    // A record in the parent has the parent's number, too.
    let id = |line: &String| (get(line, "at"), get(line, "span_id"));
    let of_parent = lines
        .iter()
        .map(id)
        .filter(|(at, _)| at.as_deref() == Some("parent"));
    let ids: std::collections::HashSet<_> = of_parent.map(|(_, id)| id).collect();
    assert_eq!(ids.len(), 2, "the parent and `child`: {ids:?}");
}

#[test]
fn code_of_a_filtered_function_is_in_its_parent() {
    alone(
        "parents::code_of_a_filtered_function_is_in_its_parent",
        || {
            let by_level = lines(plain, || {
                log::set_max_level(LevelFilter::Info);
                around(run_all);
            });
            assert_expected(&by_level);
        },
    );
}

/// Where there is no parent, it is where it is called and polled.
#[test]
fn a_filtered_function_without_a_parent_is_where_it_runs() {
    #[instrument]
    fn function() {
        info!("function");
    }
    #[instrument]
    fn opaque() -> impl Future<Output = ()> {
        async { info!("opaque") }
    }
    #[instrument]
    async fn asynchronous() {
        info!("asynchronous");
    }
    let name = "parents::a_filtered_function_without_a_parent_is_where_it_runs";
    alone(name, || {
        let lines = lines(plain, || {
            log::set_max_level(LevelFilter::Info);
            around(|_, _| {
                let future = opaque();
                span!(level: Level::Info, at = "inner"; "inner", {
                    finish(future);
                    function();
                    finish(asynchronous());
                });
            });
        });
        let expected = [
            "opaque inner",
            "function inner",
            "asynchronous inner",
            "after caller",
        ];
        assert_eq!(records(&lines), expected);
    });
}

/// A filtered function of another one's parent leaves nothing behind when it panics or its future is dropped.
#[test]
fn leaving_a_filtered_function_early_leaves_its_parent() {
    #[instrument(skip_all, parent = parent)]
    fn panicking(parent: &Place) {
        panic!("on purpose");
    }
    #[instrument(skip_all, parent = parent)]
    async fn pending(parent: &Place) {
        info!("pending");
        std::future::pending::<()>().await;
    }
    let name = "parents::leaving_a_filtered_function_early_leaves_its_parent";
    alone(name, || {
        let lines = lines(plain, || {
            log::set_max_level(LevelFilter::Info);
            around(|_, place| {
                panics(|| panicking(place));
                info!("behind the panic");
                {
                    let mut future = pin!(pending(place));
                    assert!(poll_once(future.as_mut()).is_pending());
                    info!("suspended");
                    assert!(poll_once(future.as_mut()).is_pending());
                }
                info!("dropped");
            });
        });
        let expected = [
            "behind the panic caller",
            "pending parent",
            "suspended caller",
            "dropped caller",
            "after caller",
        ];
        assert_eq!(records(&lines), expected);
    });
}
