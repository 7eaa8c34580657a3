//! tracing-attributes' `async_fn.rs`: futures.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_log::instrument;
use async_trait::async_trait;
use futures::executor::block_on;
use futures::poll;

use crate::capture::{empty, lines, logged, polls};

/// Alike.
#[test]
fn test_ret_impl_trait() {
    #[instrument(names)]
    async fn squares(n: i32) -> Result<impl Iterator<Item = i32>, ()> {
        Ok((1..=n).map(|x| x * x))
    }

    let (numbers, lines) = logged(|| block_on(squares(3)).unwrap());
    assert_eq!(numbers.count(), 3);
    assert_eq!(lines, ["+ #squares n=3", "- #squares"]);
}

/// Alike.
#[test]
fn test_ret_impl_trait_err() {
    #[instrument(names, err)]
    async fn squares(n: i32) -> Result<impl Iterator<Item = i32>, &'static str> {
        match n {
            0 => Err("none"),
            n => Ok((1..=n).map(|x| x * x)),
        }
    }

    let (numbers, lines) = logged(|| block_on(squares(3)).unwrap());
    assert_eq!(numbers.count(), 3);
    assert_eq!(lines, ["+ #squares n=3", "- #squares"]);
    let (none, lines) = logged(|| block_on(squares(0)).err());
    assert_eq!(none, Some("none"));
    assert_eq!(
        lines,
        [
            "+ #squares n=0",
            "  ERROR #squares err=none",
            "- #squares error"
        ]
    );
}

/// Alike.
#[test]
fn test_async_fn_empty() {
    #[instrument]
    async fn nothing() {}

    assert_eq!(lines(|| block_on(nothing())), empty("#nothing"));
}

/// Alike.
#[test]
fn test_async_unsafe_fn_empty() {
    #[instrument]
    async unsafe fn nothing() {}

    // SAFETY: it does nothing.
    let future = unsafe { nothing() };
    assert_eq!(lines(|| block_on(future)), empty("#nothing"));
}

/// Alike.
#[test]
fn repro_async_2294() {
    #[deny(unused_variables)]
    #[allow(clippy::mixed_attributes_style)]
    #[instrument]
    async fn inner_attribute() {
        #![allow(unused_variables)]
        let unused = "allowed";
    }

    assert_eq!(
        lines(|| block_on(inner_attribute())),
        empty("#inner_attribute")
    );
}

/// Alike.
#[test]
fn repro_1613() {
    // The lint looks at how the tokens are laid out.
    #[instrument(names)]
    #[rustfmt::skip]
    #[deny(clippy::suspicious_else_formatting)]
    async fn answer(yes: bool) -> String {
        format!(
            "{}!",
            if yes { "yes" } else { "no" }
        )
    }

    let (text, lines) = logged(|| block_on(answer(true)));
    assert_eq!(text, "yes!");
    assert_eq!(lines, ["+ #answer yes=true", "- #answer"]);
}

/// Alike.
#[test]
fn repro_1613_2() {
    #[instrument]
    #[deny(clippy::suspicious_else_formatting)]
    async fn commented() {
        // a comment, and nothing
        // else
    }

    assert_eq!(lines(|| block_on(commented())), empty("#commented"));
}

/// Alike.
#[test]
fn repro_1831() {
    #[instrument]
    #[deny(unused_braces)]
    fn boxed() -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async move {})
    }

    assert_eq!(lines(|| block_on(boxed())), empty("#boxed"));
}

/// Different: `()` is a value of `log`, which writes it as `None`.
#[test]
fn repro_1831_2() {
    #[instrument(ret, err)]
    #[deny(unused_braces)]
    #[allow(clippy::manual_async_fn)]
    fn opaque() -> impl Future<Output = Result<(), Infallible>> {
        async { Ok(()) }
    }

    let expected = ["+ #opaque", "  TRACE #opaque ret=None", "- #opaque"];
    assert_eq!(lines(|| block_on(opaque())), expected);
}

/// Alike.
#[test]
fn async_fn_only_enters_for_polls() {
    #[instrument(names)]
    async fn load(polled: usize) -> Result<(), ()> {
        let future = polls(polled);
        log::trace!(started = true; "polled");
        future.await;
        Ok(())
    }

    let lines = lines(|| {
        block_on(async {
            let mut future = Box::pin(load(2));
            log::info!("before");
            assert!(poll!(&mut future).is_pending());
            log::info!("between");
            future.await.unwrap();
            log::info!("after");
        });
    });
    assert_eq!(
        lines,
        [
            "INFO before",
            "+ #load polled=2",
            "  TRACE polled started=true",
            "INFO between",
            "- #load",
            "INFO after",
        ]
    );
}

/// Alike.
#[test]
fn async_fn_nested() {
    #[instrument]
    async fn page() {
        menu().await;
    }

    #[instrument]
    async fn menu() {
        log::trace!(dishes = 3; "cooked");
    }

    assert_eq!(
        lines(|| block_on(page())),
        [
            "+ #page",
            "  + #menu",
            "    TRACE cooked dishes=3",
            "  - #menu",
            "- #page",
        ]
    );
}

/// Alike, written with `fields("self":? = self)` where `self` is to be a field.
#[test]
fn async_fn_with_async_trait() {
    #[async_trait]
    trait Fill {
        async fn fill(&mut self, liters: usize);
    }

    #[async_trait]
    trait Look {
        async fn look(&self);
        async fn look_without_self(&self);
    }

    #[derive(Debug)]
    struct Bucket(usize);

    #[async_trait]
    impl Fill for Bucket {
        #[instrument(names, fields("self":? = self))]
        async fn fill(&mut self, liters: usize) {
            self.look_without_self().await;
            self.0 += liters;
            self.look().await;
        }
    }

    #[async_trait]
    impl Look for Bucket {
        #[instrument(fields("self":? = self))]
        async fn look(&self) {
            log::trace!(liters = self.0; "after");
        }

        #[instrument(skip(self))]
        async fn look_without_self(&self) {
            log::trace!(liters = self.0; "before");
        }
    }

    assert_eq!(
        lines(|| block_on(Bucket(2).fill(3))),
        [
            "+ #fill liters=3 self=\"Bucket(2)\"",
            "  + #look_without_self self=\"Bucket(2)\"",
            "    TRACE before liters=2 self=\"Bucket(2)\"",
            "  - #look_without_self self=\"Bucket(2)\"",
            "  + #look self=\"Bucket(5)\"",
            "    TRACE after liters=5 self=\"Bucket(5)\"",
            "  - #look self=\"Bucket(5)\"",
            "- #fill self=\"Bucket(2)\"",
        ]
    );
}

/// Alike, written `rest = 9 - _liters` instead of `rest = %9 - _liters`.
#[test]
fn async_fn_with_async_trait_and_fields_expressions() {
    #[async_trait]
    trait Fill {
        async fn fill(&mut self, liters: usize);
    }

    #[derive(Clone)]
    struct Bucket;

    impl Bucket {
        fn size(&self) -> usize {
            9
        }
    }

    #[async_trait]
    impl Fill for Bucket {
        #[instrument(names, fields(size = self.size(), copy = Self::clone(self).size(), rest = 9 - _liters))]
        async fn fill(&mut self, _liters: usize) {}
    }

    assert_eq!(
        lines(|| block_on(Bucket.fill(5))),
        [
            "+ #fill _liters=5 size=9 copy=9 rest=4",
            "- #fill size=9 copy=9 rest=4",
        ]
    );
}

/// Alike.
#[test]
fn async_fn_with_async_trait_and_fields_expressions_with_generic_parameter() {
    #[async_trait]
    trait Look {
        async fn none();
        async fn shared(&self);
        async fn unique(&mut self);
    }

    struct Bucket;

    impl Bucket {
        #[instrument(fields(Self = std::any::type_name::<Self>()))]
        fn boxed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            Box::pin(async move {
                let Bucket = self;
            })
        }
    }

    #[async_trait]
    impl Look for Bucket {
        // tracing cannot annotate this one.
        #[instrument(fields(Self = std::any::type_name::<Self>()))]
        async fn none() {}

        #[instrument(fields(Self = std::any::type_name::<Self>()))]
        async fn shared(&self) {
            self.boxed().await;
        }

        #[instrument(fields(Self = std::any::type_name::<Self>()))]
        async fn unique(&mut self) {}
    }

    let lines = lines(|| {
        block_on(async {
            Bucket::none().await;
            Bucket.shared().await;
            Bucket.unique().await;
        });
    });
    let name = std::any::type_name::<Bucket>();
    let line = |line: &str| format!("{line} Self={name:?}");
    assert_eq!(
        lines,
        [
            line("+ #none"),
            line("- #none"),
            line("+ #shared"),
            line("  + #boxed"),
            line("  - #boxed"),
            line("- #shared"),
            line("+ #unique"),
            line("- #unique"),
        ]
    );
}

/// Different: a field needs a value, and `fields(user)` without a variable `user` is an error.
#[test]
fn out_of_scope_fields() {
    struct Server {
        requests: Arc<()>,
    }

    impl Server {
        #[instrument(skip(self, _path))]
        fn answer(&mut self, _path: ()) -> Pin<Box<dyn Future<Output = Arc<()>> + Send + Sync>> {
            let requests = Arc::clone(&self.requests);
            Box::pin(async move { requests })
        }
    }

    let mut server = Server {
        requests: Arc::new(()),
    };
    assert_eq!(lines(|| block_on(server.answer(()))), empty("#answer"));
}

/// Alike.
#[test]
fn manual_impl_future() {
    #[allow(clippy::manual_async_fn)]
    #[instrument]
    fn opaque() -> impl Future<Output = ()> {
        async {
            log::trace!(rows = 3; "loaded");
        }
    }

    assert_eq!(
        lines(|| block_on(opaque())),
        ["+ #opaque", "  TRACE loaded rows=3", "- #opaque"]
    );
}

/// Alike.
#[test]
fn manual_box_pin() {
    #[instrument]
    fn boxed() -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async {
            log::trace!(rows = 3; "loaded");
        })
    }

    assert_eq!(
        lines(|| block_on(boxed())),
        ["+ #boxed", "  TRACE loaded rows=3", "- #boxed"]
    );
}
