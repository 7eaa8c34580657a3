//! The targets of tasks.

use super::*;

use std::pin::Pin;

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The target and the name of the task that this becomes.
fn task(
    future: impl Future<Output = ()>,
    around: impl FnOnce(Box<dyn FnOnce() + '_>),
) -> (String, String) {
    let inner = Entries::default();
    with_global(Logger::wrap(inner.clone(), five), || {
        around(Box::new(|| finish(future.in_task())));
    });
    let all = inner.take();
    let start = all
        .iter()
        .find(|entry| get(&entry.message, "spawn_line").is_some())
        .unwrap();
    let end = all.iter().rev().find(|entry| {
        get(&entry.message, "span_id") == get(&start.message, "span_id")
            && get(&entry.message, "span_mark").as_deref() == Some("end")
    });
    assert_eq!(end.unwrap().target, start.target);
    let name = start.message.split(", ").next().unwrap();
    (start.target.clone(), name.to_owned())
}

fn alone_task(future: impl Future<Output = ()>) -> (String, String) {
    task(future, |run| run())
}

struct Service;

trait Serve {
    fn serve(&self) -> impl Future<Output = ()> + Send;
    fn by_default(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

impl Serve for Service {
    async fn serve(&self) {}
}

impl<T: Sync> Serve for Vec<T> {
    async fn serve(&self) {}
}

#[async_trait::async_trait]
trait Boxes {
    async fn boxed(&self);
}

#[async_trait::async_trait]
impl Boxes for Service {
    async fn boxed(&self) {}
}

mod deeper {
    pub(super) async fn function() {}
    pub(super) async fn generic<T>(_: T) {}
    pub(super) struct Type;
    impl super::Serve for Type {
        async fn serve(&self) {}
    }
}

#[test]
fn the_function_that_the_type_names() {
    let (here, deeper) = (module_path!(), concat!(module_path!(), "::deeper"));
    let named = |name: &str| (here.to_owned(), format!("{here}::{name}"));
    assert_eq!(alone_task(Service.serve()), named("Service::serve"));
    assert_eq!(
        alone_task(deeper::Type.serve()),
        (deeper.to_owned(), format!("{deeper}::Type::serve"))
    );
    assert_eq!(alone_task(vec![1].serve()), named("Serve::serve"));
    assert_eq!(alone_task(Service.by_default()).0, here);
    assert_eq!(
        alone_task(deeper::function()),
        (deeper.to_owned(), format!("{deeper}::function"))
    );
    assert_eq!(alone_task(deeper::generic(|| 1)).0, deeper);
    assert_eq!(alone_task(async {}).0, here);
    // Through futures around it.
    let targets = [
        alone_task(async {
            tokio::time::timeout(std::time::Duration::MAX, Service.serve())
                .await
                .unwrap()
        })
        .0,
        alone_task(futures::FutureExt::map(deeper::function(), drop)).0,
        alone_task(futures::FutureExt::fuse(deeper::Type.serve())).0,
        alone_task(Box::pin(deeper::function())).0,
        alone_task(deeper::function().in_span(span!("s"))).0,
        alone_task(std::future::poll_fn(|_| Poll::Ready(()))).0,
    ];
    assert_eq!(targets, [here, deeper, deeper, deeper, deeper, here]);
}

#[test]
fn else_the_span_around() {
    let boxed = || -> Boxed { Box::pin(async {}) };
    let around = |f: fn(Box<dyn FnOnce() + '_>)| task(boxed(), f).0;
    assert_eq!(around(|run| span!("s", { run() })), module_path!());
    assert_eq!(around(|run| span!(target: "t", "s", { run() })), "t");
    let dynamic = |run: Box<dyn FnOnce() + '_>| {
        let target = format!("dynamic {}", 1);
        span!(target: &target, "s", { run() })
    };
    assert_eq!(around(dynamic), "dynamic 1");
    assert_eq!(
        around(|run| span!(target: "t", user = 1; "s", { span!(target: "u", "s", { run() }) })),
        "u"
    );
    assert_eq!(around(|run| span!(target: "t", "s").run(run)), "t");
    // As methods of `async_trait` are, in a task, behind an await, in an annotated function.
    assert_eq!(
        around(|run| finish(async { span!(target: "t", "s", { ready(()).await; run() }) })),
        "t"
    );
    assert_eq!(
        around(|run| finish(async { run() }.in_span(span!(target: "t", "s")))),
        "t"
    );
    #[instrument(target = "annotated")]
    async fn annotated(run: Box<dyn FnOnce() + '_>) {
        ready(()).await;
        run()
    }
    assert_eq!(around(|run| finish(annotated(run))), "annotated");
    assert_eq!(
        task(Service.boxed(), |run| span!(target: "t", "s", { run() })),
        ("t".to_owned(), "task".to_owned())
    );
}

#[test]
fn else_what_the_program_says() {
    alone("targets::else_what_the_program_says", || {
        let target = || {
            let boxed: Boxed = Box::pin(Box::pin(ready(())));
            alone_task(boxed).0
        };
        assert_eq!(target(), "task");
        let set = |to: &str| drop(Logger::wrap(Lines::default(), five).with_task_target(to));
        set("mine");
        assert_eq!(
            (target(), alone_task(ready(())).0),
            ("mine".into(), "mine".into())
        );
        set("");
        assert_eq!(target(), "mine");
        set("yours");
        assert_eq!(target(), "yours");
        // A span that has ended is none around.
        let context = span!(target: "t", "s", { async_log::Context::current() });
        with_global(Lines::default(), || {
            context.run(|| assert_eq!(target(), "yours"))
        });
    });
}
