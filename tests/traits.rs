//! Auto traits: what this crate wraps is sendable, shareable and movable exactly when it was.

use std::cell::Cell;
use std::fmt::Debug;
use std::future::{Future, Pending, Ready};
use std::marker::PhantomPinned;
use std::rc::Rc;

use async_log::{instrument, span, Context, InSpan, InTask, Logger, Span, TaskExt};
use futures::future::{Fuse, FusedFuture};

/// Whether a type implements a trait: the inherent constant is found first, where its bound holds.
macro_rules! implements {
    ($type:ty: $($bound:tt)+) => {{
        #[allow(dead_code)]
        trait Otherwise {
            const IS: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        struct Asked<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        impl<T: ?Sized + $($bound)+> Asked<T> {
            const IS: bool = true;
        }
        <Asked<$type>>::IS
    }};
}

/// As `implements!`, of a value whose type has no name.
macro_rules! is {
    ($value:expr, $($bound:tt)+) => {{
        #[allow(dead_code)]
        trait Otherwise {
            fn is(&self) -> bool {
                false
            }
        }
        impl<T> Otherwise for &Asked<T> {}
        struct Asked<T>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        impl<T: $($bound)+> Asked<T> {
            fn is(&self) -> bool {
                true
            }
        }
        fn of<T>(_: &T) -> Asked<T> {
            Asked(std::marker::PhantomData)
        }
        (&of(&$value)).is()
    }};
}

/// `[Send, Sync, Unpin]` of a value.
macro_rules! auto_traits {
    ($value:expr) => {{
        let value = $value;
        [is!(value, Send), is!(value, Sync), is!(value, Unpin)]
    }};
}

type NotSend = Rc<u8>;
type NotSync = Cell<u8>;
type NotUnpin = PhantomPinned;

#[test]
fn the_questions_tell_both_answers() {
    assert!(implements!(u8: Send) && !implements!(NotSend: Send));
    assert!(implements!(u8: Sync) && !implements!(NotSync: Sync));
    assert!(implements!(u8: Unpin) && !implements!(NotUnpin: Unpin));
    assert_eq!(auto_traits!(1), [true; 3]);
    assert_eq!(auto_traits!(Rc::new(1)), [false, false, true]);
    assert_eq!(auto_traits!(Cell::new(1)), [true, false, true]);
    assert_eq!(auto_traits!(PhantomPinned), [true, true, false]);
}

#[test]
fn what_is_not_generic() {
    fn holds<T: Send + Sync + Unpin + Debug + 'static>() {}
    holds::<Span>();
    holds::<Context>();
    holds::<Logger<env_logger::Logger>>();
    assert!(implements!(Logger<Box<dyn log::Log>>: Send + Sync + Unpin + log::Log));
    assert!(implements!(Context: Clone) && !implements!(Span: Clone));
}

#[test]
fn a_logger_is_as_its_parts() {
    type Of<F> = Logger<env_logger::Logger, F>;
    assert!(implements!(Of<fn() -> u64>: log::Log));
    assert!(!implements!(Of<NotSend>: Send) && !implements!(Of<NotSync>: Sync));
    assert!(!implements!(Of<NotUnpin>: Unpin));
}

/// A future that is whatever its type is.
#[derive(Debug)]
struct Holds<T>(T);

impl<T> Future for Holds<T> {
    type Output = ();

    fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        std::task::Poll::Ready(())
    }
}

macro_rules! as_what_they_wrap {
    ($($wrapper:ident)*) => {
        $(
            assert!(implements!($wrapper<Holds<u8>>: Send + Sync + Unpin + Debug));
            assert!(!implements!($wrapper<Holds<NotSend>>: Send));
            assert!(!implements!($wrapper<Holds<NotSync>>: Sync));
            assert!(implements!($wrapper<Holds<NotSync>>: Send));
            assert!(!implements!($wrapper<Holds<NotUnpin>>: Unpin));
            assert!(implements!($wrapper<Holds<NotUnpin>>: Send + Sync));
            assert!(implements!($wrapper<Fuse<Holds<NotSend>>>: FusedFuture));
            assert!(implements!($wrapper<Ready<u8>>: Future));
            assert!(!implements!($wrapper<Pending<u8>>: FusedFuture));
            assert!(!implements!($wrapper<u8>: Future));
        )*
    };
}

#[test]
fn futures_are_as_what_they_wrap() {
    as_what_they_wrap! { InTask InSpan }
}

#[test]
fn what_is_fused_stays_fused() {
    use futures::executor::block_on;
    use futures::FutureExt;

    let mut task = Holds(1).fuse().in_task();
    let mut inside = Holds(1).fuse().in_span(span!("s"));
    assert!(!task.is_terminated() && !inside.is_terminated());
    block_on(&mut task);
    block_on(&mut inside);
    assert!(task.is_terminated() && inside.is_terminated());
}

async fn later<T>(value: T) -> T {
    tokio::task::yield_now().await;
    value
}

/// The auto traits of a block's future: as a plain block has them, and so as a span's has them.
/// (Those of an `async` block are unknown in the function that contains it.)
macro_rules! same {
    ($($body:tt)*) => {{
        fn plain() -> impl Future {
            async { { $($body)* } }
        }
        fn spanned() -> impl Future {
            async { span!("s", { $($body)* }) }
        }
        fn named() -> impl Future {
            async { span!("s {}", 1, { $($body)* }) }
        }
        fn nested() -> impl Future {
            async { span!(a = 1; "s", { span!("t", { $($body)* }) }) }
        }
        let expected = auto_traits!(plain());
        assert_eq!(auto_traits!(spanned()), expected);
        assert_eq!(auto_traits!(named()), expected);
        assert_eq!(auto_traits!(nested()), expected);
        assert_eq!(auto_traits!(plain().in_task()), expected);
        assert_eq!(auto_traits!(plain().in_span(span!("s"))), expected);
        expected
    }};
}

#[test]
fn blocks_are_as_plain_ones() {
    let simple = same! { later(1).await };
    assert_eq!(simple, [true, true, false]);
    let not_send = same! {
        let shared = Rc::new(1);
        later(()).await;
        drop(shared);
    };
    assert_eq!(not_send, [false, false, false]);
    let not_sync = same! {
        let cell = Cell::new(1);
        later(()).await;
        cell.set(2);
    };
    assert_eq!(not_sync, [true, false, false]);
    let awaits_what_is_not_sync = same! { Holds(Cell::new(1)).await };
    assert_eq!(awaits_what_is_not_sync, [true, false, false]);
    let dropped_before = same! {
        drop(Rc::new(1));
        later(()).await
    };
    assert_eq!(dropped_before, [true, true, false]);
    let joins = same! { tokio::join!(later(1), later(2)).0 };
    assert_eq!(joins, [true, true, false]);
    let joins_what_is_not_send = same! { tokio::join!(later(Rc::new(1)), later(2)).1 };
    assert_eq!(joins_what_is_not_send, [false, false, false]);
    let selects = same! {
        tokio::select! {
            one = later(1) => one,
            two = later(2), if later(true).await => {
                later(two).await
            }
        }
    };
    assert_eq!(selects, [true, true, false]);
    let selects_what_is_not_sync = same! {
        tokio::select! {
            () = Holds(Cell::new(1)) => 1,
            two = later(2) => two,
        }
    };
    assert_eq!(selects_what_is_not_sync, [true, false, false]);
    let handles_what_is_not_send = same! {
        tokio::select! {
            one = later(1) => {
                let shared = Rc::new(one);
                later(()).await;
                *shared
            }
        }
    };
    assert_eq!(handles_what_is_not_send, [false, false, false]);
}

#[test]
fn functions_are_as_plain_ones() {
    async fn plain(n: u8) -> u8 {
        let (one, two) = tokio::join!(later(n), later(2));
        tokio::select! {
            sum = later(one + two) => sum,
            never = std::future::pending() => never,
        }
    }
    #[instrument]
    async fn traced(n: u8) -> u8 {
        let (one, two) = tokio::join!(later(n), later(2));
        span!("s", {
            tokio::select! {
                sum = later(one + two) => sum,
                never = std::future::pending() => never,
            }
        })
    }
    async fn plain_of<T>(of: T) -> T {
        later(()).await;
        of
    }
    #[instrument]
    async fn traced_of<T>(of: T) -> T {
        later(()).await;
        of
    }
    assert_eq!(auto_traits!(plain(1)), auto_traits!(traced(1)));
    assert_eq!(auto_traits!(plain_of(1)), auto_traits!(traced_of(1)));
    assert_eq!(
        auto_traits!(plain_of(Rc::new(1))),
        auto_traits!(traced_of(Rc::new(1)))
    );
    assert_eq!(
        auto_traits!(plain_of(Cell::new(1))),
        auto_traits!(traced_of(Cell::new(1)))
    );
    assert_eq!(auto_traits!(traced(1)), [true, true, false]);
    assert_eq!(auto_traits!(traced_of(Cell::new(1))), [true, false, false]);
}
