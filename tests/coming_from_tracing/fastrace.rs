//! fastrace's `ui/ok`, with the cases that its earlier versions had: programs that have to compile. Here they run, and
//! the log is what it should be.

use std::future::{ready, Future};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;

use async_log::instrument;
use futures::executor::block_on;
use futures::{Stream, StreamExt};

use crate::capture::{empty, lines, logged, polls};

/// Alike.
#[test]
fn async_in_trait() {
    trait Work {
        async fn work(&self) -> usize;
    }

    struct Worker;

    impl Work for Worker {
        #[instrument]
        async fn work(&self) -> usize {
            unimplemented!()
        }
    }

    let work = AssertUnwindSafe(|| block_on(Worker.work()));
    let lines = lines(|| catch_unwind(work).unwrap_err());
    assert_eq!(lines, ["+ #work", "- #work panicked"]);
}

/// Alike.
#[test]
fn async_trait() {
    #[async_trait::async_trait]
    trait Work {
        async fn work(&self) -> usize;
    }

    struct Worker;

    #[async_trait::async_trait]
    impl Work for Worker {
        #[instrument]
        async fn work(&self) -> usize {
            unimplemented!()
        }
    }

    let work = AssertUnwindSafe(|| block_on(Worker.work()));
    let lines = lines(|| catch_unwind(work).unwrap_err());
    assert_eq!(lines, ["+ #work", "- #work panicked"]);
}

#[derive(Debug)]
struct Refused;

#[derive(Debug)]
#[allow(dead_code)]
struct Failed(Refused);

type Later = Pin<Box<dyn Future<Output = Result<u32, Failed>> + Send>>;

/// Alike.
#[test]
fn async_trait_dyn_future() {
    #[async_trait::async_trait]
    trait Work {
        async fn order() -> Result<Later, Failed>;
    }

    struct Worker;

    #[async_trait::async_trait]
    impl Work for Worker {
        #[instrument]
        async fn order() -> Result<Later, Failed> {
            Ok(Box::pin(async { Err(Failed(Refused)) }))
        }
    }

    let (future, lines) = logged(|| block_on(Worker::order()));
    assert_eq!(lines, empty("#order"));
    assert!(block_on(future.unwrap()).is_err());
}

/// Alike.
#[test]
fn dyn_future() {
    #[instrument]
    async fn order() -> Result<Later, Failed> {
        let refused = ready(Err(Refused));
        Ok(Box::pin(async move { refused.await.map_err(Failed) }))
    }

    let (future, lines) = logged(|| block_on(order()));
    assert_eq!(lines, empty("#order"));
    assert!(block_on(future.unwrap()).is_err());
}

/// Alike.
#[test]
fn has_crate_path() {
    use async_log as logs;
    use logs::instrument;

    #[instrument(crate = logs)]
    async fn f(a: u32) -> u32 {
        a
    }

    #[instrument(crate = ::async_log)]
    fn answer() -> i32 {
        42
    }

    let lines = lines(|| {
        block_on(f(1));
        answer();
    });
    let expected = ["+ #f arg_0=1", "- #f", "+ #answer", "- #answer"];
    assert_eq!(lines, expected);
}

/// The call of a `load(1)` that pends twice has one span, from its first poll to its end.
fn assert_one_span<F: Future<Output = u32>>(load: impl FnOnce(u32) -> F) {
    let (result, lines) = logged(|| block_on(load(1)));
    assert_eq!(result, 1);
    assert_eq!(lines, ["+ #load arg_0=1", "- #load"]);
}

/// Different: a call has one span, not one per poll.
#[test]
fn has_enter_on_poll() {
    #[instrument]
    async fn load(id: u32) -> u32 {
        polls(3).await;
        id
    }

    assert_one_span(load);
}

/// Different: a call has one span, and none per poll inside it.
#[test]
fn has_poll_span() {
    #[instrument]
    async fn load(id: u32) -> u32 {
        polls(3).await;
        id
    }

    assert_one_span(load);
}

/// Alike.
#[test]
fn has_generic_signatures() {
    #[allow(clippy::needless_lifetimes)]
    #[instrument(skip_all)]
    fn borrow<'a, T, E>(value: &'a T) -> Result<&'a T, E>
    where
        T: ?Sized,
    {
        Ok(value)
    }

    #[instrument(skip_all)]
    async fn convert<T>(value: T) -> impl AsRef<str>
    where
        T: Into<String>,
    {
        value.into()
    }

    let lines = lines(|| {
        assert_eq!(borrow::<_, ()>("value"), Ok("value"));
        assert_eq!(block_on(convert("value")).as_ref(), "value");
    });
    let expected = [empty("#borrow"), empty("#convert")];
    assert_eq!(lines, expected.concat());
}

/// Alike.
#[test]
fn has_methods() {
    struct Worker(String);

    impl Worker {
        #[instrument]
        fn name(&self) -> &str {
            &self.0
        }

        #[instrument]
        async fn rename(&mut self, suffix: &str) -> String {
            self.0.push_str(suffix);
            self.0.clone()
        }
    }

    let mut worker = Worker("ada".to_owned());
    let lines = lines(|| {
        assert_eq!(worker.name(), "ada");
        assert_eq!(block_on(worker.rename("!")), "ada!");
    });
    assert_eq!(
        lines,
        ["+ #name", "- #name", "+ #rename arg_0=\"!\"", "- #rename",]
    );
}

/// Alike.
#[test]
fn has_name() {
    #[instrument(name = "twice")]
    fn double(n: u32) -> u32 {
        2 * n
    }

    assert_eq!(lines(|| double(3)), ["+ twice arg_0=3", "- twice"]);
}

/// Alike, written without `short_name = false`.
#[test]
fn has_name_and_short_name() {
    #[instrument(name = "Twice")]
    async fn double(n: u32) -> u32 {
        2 * n
    }

    let lines = lines(|| block_on(double(3)));
    assert_eq!(lines, ["+ Twice arg_0=3", "- Twice"]);
}

/// Alike.
#[test]
fn has_name_async() {
    #[instrument(name = "twice")]
    async fn double(n: u32) -> u32 {
        2 * n
    }

    let lines = lines(|| block_on(double(3)));
    assert_eq!(lines, ["+ twice arg_0=3", "- twice"]);
}

/// Alike.
#[test]
fn has_name_async_mut() {
    #[instrument(name = "twice")]
    async fn double(mut n: u32) -> u32 {
        n *= 2;
        n
    }

    let (six, lines) = logged(|| block_on(double(3)));
    assert_eq!(six, 6);
    assert_eq!(lines, ["+ twice arg_0=3", "- twice"]);
}

/// Alike.
#[test]
fn has_name_mut() {
    #[instrument(name = "twice")]
    fn double(mut n: u32) -> u32 {
        n *= 2;
        n
    }

    let (six, lines) = logged(|| double(3));
    assert_eq!(six, 6);
    assert_eq!(lines, ["+ twice arg_0=3", "- twice"]);
}

/// Alike.
#[test]
fn has_no_arguments() {
    #[allow(unused_braces)]
    #[instrument]
    fn double(n: u32) -> u32 {
        2 * n
    }

    assert_eq!(lines(|| double(3)), ["+ #double arg_0=3", "- #double"]);
}

#[derive(Debug)]
struct Order {
    dishes: u64,
}

/// Alike, written `fields(…)` instead of `properties = { … }`, and `format_args!` for text with values in it.
#[test]
fn has_properties() {
    #[instrument(skip_all, fields(
        kind = "lunch",
        table:% = format_args!("table {table:?}"),
        order:?,
        last:% = format_args!("{last:?}{{}}"),
        json = "{ \"spoons\": \"2\" }",
    ))]
    async fn serve(table: i64, order: &Order, last: Order) -> u64 {
        let _ = table;
        order.dishes + last.dishes
    }

    #[instrument(fields())]
    async fn pay(table: u32) -> u32 {
        table
    }

    let serving = lines(|| block_on(serve(1, &Order { dishes: 2 }, Order { dishes: 3 })));
    let expected = "#serve kind=\"lunch\" table=\"table 1\" order=\"Order { dishes: 2 }\" \
        last=\"Order { dishes: 3 }{}\" json=\"{ \\\"spoons\\\": \\\"2\\\" }\"";
    assert_eq!(serving, empty(expected));
    let paying = lines(|| block_on(pay(1)));
    assert_eq!(paying, ["+ #pay arg_0=1", "- #pay"]);
}

/// Different: the name has the file. `name = "…"` gives a short one.
#[test]
fn has_short_name() {
    #[instrument(name = "double")]
    async fn double(n: u32) -> u32 {
        2 * n
    }

    let lines = lines(|| block_on(double(3)));
    assert_eq!(lines, ["+ double arg_0=3", "- double"]);
}

/// Alike, written `fields(…)` instead of `properties = { … }`.
#[test]
fn has_sync_properties() {
    #[instrument(fields(kind = "lunch", order:?, template = "{order}"))]
    fn serve(order: &Order) -> u64 {
        order.dishes
    }

    let expected = "#serve kind=\"lunch\" order=\"Order { dishes: 2 }\" template=\"{order}\"";
    assert_eq!(lines(|| serve(&Order { dishes: 2 })), empty(expected));
}

/// Alike.
#[test]
fn has_unsafe_extern() {
    #[instrument]
    pub(crate) unsafe extern "C" fn double(n: u32) -> u32 {
        2 * n
    }

    // SAFETY: it only computes.
    let (six, lines) = logged(|| unsafe { double(3) });
    assert_eq!(six, 6);
    assert_eq!(lines, ["+ #double arg_0=3", "- #double"]);
}

/// Alike.
#[test]
fn impl_stream() {
    #[instrument]
    async fn evens() -> impl Stream<Item = u32> {
        async_stream::stream! {
            for n in 0..5 {
                yield 2 * n;
            }
        }
    }

    let (evens, lines) = logged(|| block_on(evens()));
    assert_eq!(block_on(evens.collect::<Vec<_>>()), [0, 2, 4, 6, 8]);
    assert_eq!(lines, empty("#evens"));
}

/// Alike. `tests/ui/instrument_unused_function.rs` shows the lint.
#[test]
fn preserves_dead_code_lint() {
    struct Worker;

    impl Worker {
        #[allow(dead_code)]
        #[instrument]
        fn rest(&self) {}

        #[allow(dead_code)]
        #[instrument]
        async fn rest_later(&self) {}
    }

    assert_eq!(lines(|| Worker), [""; 0]);
}
