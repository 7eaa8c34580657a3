//! Futures that annotated functions return: the span goes on in them, however their type is written.

use std::fmt::{Debug, Display};
use std::future::{ready, Future, Ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use async_log::instrument;
use futures::executor::block_on;
use futures::future::{BoxFuture, FusedFuture, FutureExt, LocalBoxFuture};

use async_log_tests::lines::call;

fn logged<R>(f: impl FnOnce() -> R) -> (R, Vec<String>) {
    async_log_tests::lines::logged("returned_futures", f)
}

async fn inner(n: u32) -> u32 {
    ready(()).await;
    log::info!("inside");
    n
}

/// A start, the record of [`inner`], and an end.
fn covered(name: &str) -> Vec<String> {
    let mut lines = call(name, "");
    lines.insert(1, "INFO returned_futures inside".to_owned());
    lines
}

fn assert_covered(name: &str, made: impl FnOnce() -> Pin<Box<dyn Future<Output = u32>>>) {
    let ran = logged(|| block_on(made()));
    assert_eq!(ran, (1, covered(name)));
}

type Load = Pin<Box<dyn Future<Output = u32> + Send>>;
type Boxed<T> = Pin<Box<T>>;
type Answer<'a, T> = BoxFuture<'a, Result<T, String>>;

macro_rules! load_type {
    () => {
        Pin<Box<dyn Future<Output = u32> + Send>>
    };
}

/// Boxed futures, by each way to write their type.
mod boxed {
    use super::*;

    #[instrument(skip_all)]
    pub(super) fn alias(id: u32) -> Load {
        Box::pin(async move { inner(id).await })
    }

    #[instrument(skip_all)]
    pub(super) fn handed_on(n: u32) -> Load {
        inner(n).boxed()
    }

    #[instrument(skip_all)]
    pub(super) fn early_return(n: u32) -> Load {
        if n == 1 {
            return Box::pin(inner(n));
        }
        Box::pin(ready(n))
    }

    #[instrument(skip_all)]
    pub(super) fn question(n: Option<u32>) -> BoxFuture<'static, Option<u32>> {
        macro_rules! or_none {
            ($e:expr) => {
                match $e {
                    Some(n) => n,
                    None => return Box::pin(ready(None)),
                }
            };
        }
        let n = or_none!(n);
        inner(n).map(Some).boxed()
    }

    #[instrument(skip_all)]
    pub(super) fn by_macro(n: u32) -> load_type!() {
        let future = inner(n);
        Box::pin(future)
    }

    macro_rules! with_type {
        ($name:ident, $ty:ty, $($bound:tt)*) => {
            #[instrument(skip_all)]
            pub(super) fn $name(n: u32) -> $ty $($bound)* {
                let future = inner(n);
                Box::pin(future)
            }
        };
    }

    with_type!(fragment, Load,);
    with_type!(no_bound, Pin<Box<dyn Future<Output = u32>>>,);
    with_type!(sync, Pin<Box<dyn Future<Output = u32> + Sync>>,);
    with_type!(
        both,
        Pin<Box<dyn Future<Output = u32> + Sync + Send + 'static>>,
    );
    with_type!(local, LocalBoxFuture<'static, u32>,);

    #[instrument(skip_all)]
    pub(super) fn unpin(n: u32) -> Box<dyn Future<Output = u32> + Send + Unpin> {
        let future = Box::pin(inner(n));
        Box::new(future)
    }

    #[instrument(skip_all)]
    pub(super) fn fused(n: u32) -> Pin<Box<dyn FusedFuture<Output = u32>>> {
        let future = inner(n).fuse();
        Box::pin(future)
    }

    #[instrument(skip_all)]
    pub(super) fn borrows<'a>(n: &'a u32, _name: &'a str) -> BoxFuture<'a, &'a u32> {
        let future = async move {
            inner(*n).await;
            n
        };
        Box::pin(future)
    }

    // The output may be gone before the box: no other box could hold it.
    #[instrument(skip_all)]
    pub(super) fn short_lived<T: From<u32>>(n: u32) -> Pin<Box<dyn Future<Output = T>>> {
        Box::pin(async move { T::from(inner(n).await) })
    }
}

#[test]
fn a_boxed_future_is_inside_however_its_type_is_written() {
    assert_covered("#alias", || boxed::alias(1));
    assert_covered("#handed_on", || boxed::handed_on(1));
    assert_covered("#early_return", || boxed::early_return(1));
    assert_covered("#by_macro", || boxed::by_macro(1));
    assert_covered("#fragment", || boxed::fragment(1));
    assert_covered("#no_bound", || boxed::no_bound(1));
    assert_covered("#sync", || boxed::sync(1));
    assert_covered("#both", || boxed::both(1));
    assert_covered("#local", || boxed::local(1));
    assert_covered("#unpin", || Box::pin(boxed::unpin(1)));
    assert_covered("#fused", || Box::pin(boxed::fused(1)));
    assert_covered("#short_lived", || boxed::short_lived(1));
    assert_eq!(
        logged(|| *block_on(boxed::borrows(&1, ""))),
        (1, covered("#borrows"))
    );
    assert_eq!(
        logged(|| block_on(boxed::question(Some(1)))),
        (Some(1), covered("#question"))
    );
    assert_eq!(
        logged(|| block_on(boxed::question(None))),
        (None, call("#question", ""))
    );
}

/// As tower has it.
trait Service<Request> {
    type Response;
    type Future: Future<Output = Self::Response>;
    fn call(&mut self, request: Request) -> Self::Future;
}

struct Generic<S>(S);

impl<S> Service<u32> for Generic<S>
where
    S: From<u32> + Debug + Send + 'static,
{
    type Response = S;
    type Future = Pin<Box<dyn Future<Output = S> + Send>>;

    #[instrument(skip_all)]
    fn call(&mut self, request: u32) -> Self::Future {
        let _ = &self.0;
        let future = inner(request);
        future.map(S::from).boxed()
    }
}

/// Nothing says how long the inner service's response lives.
struct Layered<S>(S);

impl<S, R> Service<R> for Layered<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Future = Pin<Box<dyn Future<Output = S::Response> + Send>>;

    #[instrument(skip_all)]
    fn call(&mut self, request: R) -> Self::Future {
        let future = self.0.call(request);
        Box::pin(async move {
            log::info!("inside");
            future.await
        })
    }
}

#[test]
fn the_future_of_a_service_is_inside() {
    assert_eq!(
        logged(|| block_on(Generic(7_u64).call(1))),
        (1, covered("#call"))
    );
    let mut layered = Layered(Generic(7_u64));
    let (_, lines) = logged(|| block_on(layered.call(1)));
    let inner = covered("#call");
    let mut lines_of_both = covered("#call");
    // The inner service's span starts while the outer function runs, and its future is polled in that.
    lines_of_both.splice(
        1..2,
        [
            inner[0].clone(),
            inner[1].clone(),
            inner[1].clone(),
            inner[2].clone(),
        ],
    );
    assert_eq!(lines, lines_of_both);
}

mod opaque {
    use super::*;

    pub(super) trait Captures<'a> {}
    impl<T: ?Sized> Captures<'_> for T {}

    pub(super) trait Job: Future<Output = u32> + Send {}
    impl<T: Future<Output = u32> + Send> Job for T {}

    /// What no wrapper has.
    pub(super) trait Mine {}
    impl Mine for Ready<u32> {}

    #[instrument(skip_all)]
    pub(super) fn handed_on(n: u32) -> impl Future<Output = u32> {
        inner(n)
    }

    #[instrument(skip_all)]
    pub(super) fn captures<'a>(n: &'a u32) -> impl Future<Output = u32> + Captures<'a> {
        inner(*n)
    }

    #[instrument(skip_all)]
    pub(super) fn by_a_trait(n: u32) -> impl Job {
        inner(n)
    }

    #[instrument(skip_all)]
    pub(super) fn nested(n: u32) -> Pin<Box<impl Future<Output = u32> + Send>> {
        Box::pin(inner(n))
    }

    #[instrument(skip_all)]
    pub(super) fn nested_by_alias(n: u32) -> Boxed<impl Future<Output = u32>> {
        let future = inner(n);
        Box::pin(future)
    }

    #[instrument(skip_all)]
    pub(super) fn nested_unpin(n: u32) -> Box<impl Future<Output = u32> + Unpin> {
        Box::new(Box::pin(inner(n)))
    }

    #[instrument(skip_all)]
    pub(super) fn not_kept(n: u32) -> impl Future<Output = u32> + Mine {
        log::info!("inside");
        ready(n)
    }

    #[instrument(skip_all)]
    pub(super) fn cloned(n: u32) -> impl Future<Output = u32> + Clone {
        log::info!("inside");
        ready(n)
    }

    #[instrument(skip_all)]
    pub(super) fn fused(n: u32) -> impl FusedFuture<Output = u32> + Unpin {
        Box::pin(inner(n)).fuse()
    }

    #[instrument(skip_all)]
    pub(super) fn in_a_return(n: u32) -> impl Future<Output = u32> {
        if n == 1 {
            return inner(n).left_future();
        }
        ready(n).right_future()
    }

    #[instrument(skip_all, err, ret)]
    pub(super) fn unsized_error(
        text: &str,
    ) -> impl Future<Output = Result<u32, Box<dyn std::error::Error>>> + '_ {
        async move { Ok(text.parse::<u32>()?) }
    }
}

#[test]
fn an_opaque_future_is_inside() {
    assert_covered("#handed_on", || Box::pin(opaque::handed_on(1)));
    assert_covered("#captures", || Box::pin(opaque::captures(&1)));
    assert_covered("#by_a_trait", || Box::pin(opaque::by_a_trait(1)));
    assert_covered("#nested", || Box::pin(opaque::nested(1)));
    assert_covered("#nested_by_alias", || Box::pin(opaque::nested_by_alias(1)));
    assert_covered("#nested_unpin", || Box::pin(opaque::nested_unpin(1)));
    assert_covered("#fused", || Box::pin(opaque::fused(1)));
    assert_covered("#in_a_return", || Box::pin(opaque::in_a_return(1)));
    assert_eq!(
        logged(|| block_on(opaque::unsized_error("1")).unwrap()).1,
        [
            "#unsized_error, span_mark=start",
            "#unsized_error, ret=1",
            "#unsized_error, span_mark=end"
        ]
    );
}

/// A wrapper would not have the bounds of the declared type: the future is given as it is.
#[test]
fn an_opaque_future_keeps_its_bounds() {
    let inside = |name| {
        let mut lines = call(name, "");
        lines.insert(1, "INFO returned_futures::opaque inside".to_owned());
        lines
    };
    assert_eq!(
        logged(|| block_on(opaque::not_kept(1))),
        (1, inside("#not_kept"))
    );
    assert_eq!(
        logged(|| block_on(opaque::cloned(1).clone())),
        (1, inside("#cloned"))
    );
}

/// What the documentation says is not inside: a future by the name of its type, or in another type.
mod not_covered {
    use super::*;

    #[instrument]
    pub(super) fn named() -> Ready<u32> {
        ready(1)
    }

    #[instrument(skip_all)]
    pub(super) fn generic<F: Future<Output = u32>>(future: F) -> F {
        future
    }

    #[instrument]
    pub(super) fn in_an_option() -> Option<Load> {
        Some(Box::pin(inner(1)))
    }

    #[instrument]
    pub(super) fn in_a_tuple() -> (impl Future<Output = u32>, u32) {
        (inner(1), 2)
    }
}

#[test]
fn other_futures_are_given_as_they_are() {
    let ((), lines) = logged(|| {
        block_on(not_covered::named());
        block_on(not_covered::generic(inner(1)));
        block_on(not_covered::in_an_option().unwrap());
        block_on(not_covered::in_a_tuple().0);
    });
    let inside = "INFO returned_futures inside".to_owned();
    let expected = [
        call("#named", ""),
        call("#generic", ""),
        vec![inside.clone()],
        call("#in_an_option", ""),
        vec![inside.clone()],
        call("#in_a_tuple", ""),
        vec![inside],
    ];
    assert_eq!(lines, expected.concat());
}

/// The span starts at the call, whatever the body looks like, and ends with the future.
#[test]
fn the_span_starts_at_the_call_and_ends_with_the_future() {
    for made in [boxed::alias, boxed::handed_on, boxed::early_return] {
        let (future, lines) = logged(|| made(1));
        assert_eq!(lines.len(), 1, "{lines:?}");
        let (_, lines) = logged(|| drop(future));
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].ends_with("span_mark=end"), "{lines:?}");
    }
}

mod watched {
    use super::*;

    #[instrument(skip_all, err)]
    pub(super) fn alias(fails: bool) -> Answer<'static, u32> {
        if fails {
            return Box::pin(ready(Err("no".to_owned())));
        }
        Box::pin(async move { Ok(inner(1).await) })
    }

    #[instrument(skip_all, ret)]
    pub(super) fn value(n: u32) -> Load {
        inner(n).boxed()
    }

    #[instrument(skip_all, ret)]
    pub(super) fn pinned(n: u32) -> Load {
        Box::pin(async move { inner(n).await })
    }

    #[instrument(skip_all, err)]
    pub(super) fn nested() -> Pin<Box<impl Future<Output = Result<u32, String>>>> {
        Box::pin(async { Err("no".to_owned()) })
    }

    #[instrument(skip_all, ret(level = level_of(n)))]
    pub(super) fn at_level(n: u32) -> Load {
        inner(n).boxed()
    }

    fn level_of(n: u32) -> log::Level {
        if n == 1 {
            log::Level::Warn
        } else {
            log::Level::Info
        }
    }
}

#[test]
fn ret_and_err_hold_for_the_output() {
    let (_, lines) = logged(|| block_on(watched::alias(true)));
    assert_eq!(
        lines[1..],
        [
            "ERROR returned_futures::watched #alias, err=no",
            "#alias, span_mark=end"
        ]
    );
    assert_eq!(
        logged(|| block_on(watched::alias(false))).1,
        covered("#alias")
    );
    assert_eq!(logged(|| block_on(watched::value(1))).1[2], "#value, ret=1");
    assert_eq!(
        logged(|| block_on(watched::pinned(1))).1[2],
        "#pinned, ret=1"
    );
    assert_eq!(
        logged(|| block_on(watched::nested())).1[1],
        "ERROR returned_futures::watched #nested, err=no"
    );
    assert_eq!(
        logged(|| block_on(watched::at_level(1))).1[2],
        "WARN returned_futures::watched #at_level, ret=1"
    );
}

struct Store;

#[async_trait::async_trait]
trait Get {
    async fn get(&self, key: &str) -> Result<u32, String>;
    async fn size(&self) -> u32;
}

#[async_trait::async_trait]
impl Get for Store {
    /// The only argument is used in a string alone.
    #[instrument(err)]
    async fn get(&self, key: &str) -> Result<u32, String> {
        Err(format!("no {key}"))
    }

    #[instrument(ret)]
    async fn size(&self) -> u32 {
        inner(1).await
    }
}

#[test]
fn ret_and_err_hold_for_methods_of_async_trait() {
    assert_eq!(
        logged(|| block_on(Store.get("a")).unwrap_err()).1,
        [
            "#get, arg_0=a, span_mark=start",
            "ERROR returned_futures #get, err=no a",
            "#get, span_mark=end"
        ]
    );
    let mut lines = covered("#size");
    lines.insert(2, "#size, ret=1".to_owned());
    assert_eq!(logged(|| block_on(Store.size())).1, lines);
}

/// `err` and `ret` of an `impl` block hold for the methods that they fit.
struct Mixed;

#[instrument(err, ret)]
impl Mixed {
    fn plain(&self) -> u32 {
        1
    }

    fn fails(&self) -> Result<u32, String> {
        Err("no".to_owned())
    }

    fn named(&self) -> Ready<u32> {
        ready(1)
    }

    fn boxed(&self) -> Answer<'static, u32> {
        ready(Err("no".to_owned())).boxed()
    }

    async fn later(&self) -> u32 {
        1
    }
}

#[test]
fn options_of_an_impl_hold_for_the_methods_that_they_fit() {
    assert_eq!(logged(|| Mixed.plain()).1[1], "#Mixed::plain, ret=1");
    assert_eq!(
        logged(|| Mixed.fails().is_err()).1[1],
        "ERROR returned_futures #Mixed::fails, err=no"
    );
    assert_eq!(
        logged(|| block_on(Mixed.named())).1,
        call("#Mixed::named", "")
    );
    assert_eq!(
        logged(|| block_on(Mixed.boxed()).is_err()).1[1],
        "ERROR returned_futures #Mixed::boxed, err=no"
    );
    assert_eq!(
        logged(|| block_on(Mixed.later())).1[1],
        "#Mixed::later, ret=1"
    );
}

/// A future that panics, and one that is dropped while it waits.
#[test]
fn the_outcome_is_that_of_the_future() {
    #[instrument]
    fn panics() -> Load {
        let future = async { panic!("on purpose") };
        Box::pin(future)
    }

    #[instrument]
    fn waits() -> Load {
        let future = std::future::pending();
        Box::pin(future)
    }

    let (_, lines) = logged(|| {
        let poll = || block_on(panics());
        std::panic::catch_unwind(poll).unwrap_err();
    });
    assert_eq!(
        lines,
        call("#the_outcome_is_that_of_the_future::panics", "")
            .iter()
            .map(|line| line.replace("the_outcome_is_that_of_the_future::", ""))
            .collect::<Vec<_>>()
    );
    let (_, lines) = logged(|| {
        let mut future = waits();
        let waker = futures::task::noop_waker();
        assert!(future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending());
    });
    assert_eq!(lines, call("#waits", ""));
}

/// What compiles without the attribute compiles with it.
mod compiles {
    #![allow(dead_code)]
    #![deny(warnings)]

    use super::*;

    #[instrument]
    pub(super) async fn nested_opaque() -> (u32, impl Display) {
        (0, 1)
    }

    #[instrument]
    pub(super) async fn unsized_error() -> Result<impl Display, Box<dyn std::error::Error>> {
        let n: u32 = "1".parse()?;
        if n == 0 {
            return Err(Box::new(std::fmt::Error));
        }
        Ok(n)
    }

    #[instrument(err)]
    pub(super) async fn watched_error() -> Result<impl Display, Box<dyn std::error::Error>> {
        let n: u32 = "1".parse()?;
        Ok(n)
    }

    #[instrument(err)]
    pub(super) fn sync_error() -> Result<impl Display, Box<dyn std::error::Error>> {
        let n: u32 = "x".parse()?;
        Ok(n)
    }

    #[instrument(ret)]
    pub(super) async fn in_a_box() -> Box<dyn Fn(u8) -> u8> {
        Box::new(|n| n)
    }

    pub(super) trait Handler: Fn(u32) -> u32 {}
    impl<T: Fn(u32) -> u32> Handler for T {}

    // The closure's argument has its type from the supertrait of the bound.
    #[instrument]
    pub(super) fn closure_of_a_trait() -> impl Handler {
        |n| n.wrapping_add(1)
    }

    #[instrument]
    pub(super) fn closures(n: u32) -> impl Fn(u32) -> Box<dyn Display> {
        move |m| Box::new(n + m)
    }

    #[instrument]
    pub(super) fn diverges() -> Load {
        panic!("never called")
    }

    #[instrument]
    pub(super) fn to_do() -> impl Future<Output = u32> {
        if true {
            panic!("never called");
        }
        ready(1)
    }

    #[instrument]
    pub(super) fn of_self() -> Load
    where
        Load: Send,
    {
        let f: Load = Box::pin(ready(1));
        f
    }

    #[instrument]
    pub(super) fn iterator() -> impl Iterator<Item = u64> + Clone {
        (0..3).map(|n| n * 2)
    }

    #[instrument]
    pub(super) fn into_opaque(n: u8) -> impl Into<u64> + PartialEq<u8> {
        n
    }

    #[instrument]
    pub(super) fn poll(n: u8) -> Poll<u8> {
        let n = std::task::ready!(Poll::Ready(n));
        Poll::Ready(n)
    }

    #[instrument]
    pub(super) unsafe fn in_unsafe(n: *const u8) -> Load {
        let n = *n;
        if n == 0 {
            return Box::pin(ready(0));
        }
        Box::pin(ready(u32::from(*std::ptr::addr_of!(n))))
    }

    pub(super) struct Wrapper<'a>(pub(super) &'a mut Vec<u8>);

    impl Wrapper<'_> {
        #[instrument(skip_all)]
        pub(super) fn lends(&mut self) -> std::slice::IterMut<'_, u8> {
            if self.0.is_empty() {
                return [].iter_mut();
            }
            self.0.iter_mut()
        }

        #[instrument(skip_all)]
        pub(super) fn moves(self, other: &mut Vec<u8>) -> Self {
            let Some(byte) = other.pop() else { return self };
            self.0.push(byte);
            self
        }
    }
}

#[test]
fn what_compiles_without_does_what_it_did() {
    assert_eq!(block_on(compiles::nested_opaque()).1.to_string(), "1");
    assert_eq!(
        block_on(compiles::unsized_error()).unwrap().to_string(),
        "1"
    );
    assert_eq!(
        block_on(compiles::watched_error()).unwrap().to_string(),
        "1"
    );
    let (_, lines) = logged(|| compiles::sync_error().is_err());
    assert_eq!(
        lines[1],
        "ERROR returned_futures::compiles #sync_error, err=invalid digit found in string"
    );
    assert_eq!(compiles::closure_of_a_trait()(1), 2);
    assert_eq!(compiles::closures(1)(2).to_string(), "3");
    assert_eq!(compiles::iterator().sum::<u64>(), 6);
    let mut bytes = vec![1];
    let mut wrapper = compiles::Wrapper(&mut bytes);
    assert_eq!(wrapper.lends().len(), 1);
    assert_eq!(wrapper.moves(&mut vec![2]).0.len(), 2);
}

/// What was lost, or did not compile, once.
mod regressions {
    #![deny(warnings)]

    use super::*;
    use std::borrow::Borrow;
    use std::cell::RefCell;
    use std::sync::{Arc, Mutex};

    pub(super) trait Handler {
        type Result;
        fn handle(&mut self) -> Self::Result;
    }

    pub(super) struct Actor;

    /// An associated type with a name of the standard library's.
    impl Handler for Actor {
        type Result = Load;

        #[instrument]
        fn handle(&mut self) -> Self::Result {
            let future = inner(1);
            Box::pin(future)
        }
    }

    /// Nothing says how long the response lives.
    pub(super) struct Handed<S>(pub(super) S);

    impl<S, R> Service<R> for Handed<S>
    where
        S: Service<R>,
        S::Future: Send + 'static,
    {
        type Response = S::Response;
        type Future = Pin<Box<dyn Future<Output = S::Response> + Send>>;

        #[instrument(skip_all)]
        fn call(&mut self, request: R) -> Self::Future {
            Box::pin(self.0.call(request)) as Self::Future
        }
    }

    pub(super) struct Maker<T>(pub(super) T);

    impl<T: From<u32>> Maker<T> {
        #[instrument(skip_all)]
        pub(super) fn make(n: u32) -> Pin<Box<dyn Future<Output = T>>> {
            let future = async move { T::from(inner(n).await) };
            Box::pin(future)
        }
    }

    /// Nothing is known here of the block's generics: the box is given as it is.
    pub(super) struct Boxes<T, U>(pub(super) T, pub(super) std::marker::PhantomData<U>);

    impl<T, U> Boxes<T, U>
    where
        T: Service<u32, Future = Pin<Box<dyn Future<Output = U>>>>,
    {
        #[instrument(skip_all)]
        pub(super) fn handed_on(&mut self) -> Pin<Box<dyn Future<Output = U>>> {
            self.0.call(1)
        }
    }

    /// As tower has it: a box that is handed on.
    impl<T, U, R> Service<R> for Boxes<T, U>
    where
        T: Service<R, Response = U, Future = Pin<Box<dyn Future<Output = U>>>>,
    {
        type Response = U;
        type Future = Pin<Box<dyn Future<Output = U>>>;

        #[instrument(skip_all)]
        fn call(&mut self, request: R) -> Self::Future {
            self.0.call(request)
        }
    }

    pub(super) struct Local;

    impl Service<u32> for Local {
        type Response = u32;
        type Future = Pin<Box<dyn Future<Output = u32>>>;

        fn call(&mut self, request: u32) -> Self::Future {
            Box::pin(inner(request))
        }
    }

    #[instrument(skip_all)]
    pub(super) fn generic<T: From<u32>>(n: u32) -> Pin<Box<dyn Future<Output = T>>> {
        let future = async move { T::from(inner(n).await) };
        Box::pin(future)
    }

    #[instrument(skip_all)]
    pub(super) fn pinned_value(n: u32) -> Pin<Box<Ready<u32>>> {
        Box::pin(ready(n))
    }

    #[instrument(skip_all)]
    pub(super) fn closure_before(n: u32) -> impl Future<Output = u32> {
        let _ = { |n: u32| n };
        inner(n)
    }

    impl<T: Clone> Maker<T> {
        #[instrument(skip_all)]
        pub(super) fn borrowed(&self) -> impl Borrow<T> {
            self.0.clone()
        }
    }

    pub(super) trait Takes<T> {}
    impl<T> Takes<T> for u8 {}

    #[instrument]
    pub(super) fn elided(n: u8) -> impl Takes<&'static str> {
        n
    }

    pub(super) trait Job: Fn(u32) -> u32 {}
    impl<T: Fn(u32) -> u32> Job for T {}

    #[instrument]
    pub(super) fn closure_in_a_block() -> impl Job {
        {
            |n| n.wrapping_add(1)
        }
    }

    /// Temporaries of the last expression end before the arguments.
    pub(super) struct State<T>(pub(super) T);

    #[instrument(skip_all)]
    pub(super) async fn locked_later(State(s): State<Arc<Mutex<String>>>) -> String {
        s.lock().unwrap().clone()
    }

    #[instrument(skip_all)]
    pub(super) fn locked(State(s): State<Mutex<u32>>) -> u32 {
        *s.lock().unwrap()
    }

    #[instrument(skip_all)]
    pub(super) fn borrowed_behind_a_pattern((_a, _b): (u8, u8), m: RefCell<u32>) -> u32 {
        *m.borrow()
    }

    #[instrument(skip_all, fields(k = 1))]
    pub(super) fn locked_with_fields(State(s): State<Mutex<u32>>) -> u32 {
        *s.lock().unwrap()
    }

    #[instrument(skip_all, err)]
    pub(super) fn locked_and_watched(
        (m, _): (Mutex<u8>, u8),
    ) -> Result<u8, std::num::ParseIntError> {
        let _: u8 = "1".parse()?;
        m.lock().unwrap().to_string().parse()
    }

    #[instrument]
    pub(super) fn by_mutable_reference(ref mut list: Vec<u8>) -> usize {
        list.push(1);
        list.len()
    }

    #[instrument]
    pub(super) async fn by_mutable_reference_later((ref mut list, _): (Vec<u8>, u8)) -> usize {
        list.push(1);
        list.len()
    }

    #[derive(Debug)]
    pub(super) struct Marker;

    #[instrument]
    pub(super) async fn unit_struct(Marker: Marker, n: u8) -> u8 {
        n
    }

    #[instrument(names)]
    pub(super) async fn unit_struct_by_name(Marker: Marker, n: u8) -> u8 {
        n
    }

    #[instrument(ret)]
    #[allow(dead_code)]
    pub(super) fn never() -> ! {
        panic!("never called")
    }

    macro_rules! by_fragments {
        ($name:ident, $level:literal, $span:literal, $parent:expr, $nested:expr) => {
            #[instrument(level = $level, name = $span, parent = $parent)]
            pub(super) fn $name() {
                async_log::span!(level: $nested, "nested", {});
            }
        };
    }

    by_fragments!(fragments, "info", "by fragment", None, "warn");

    /// A trait that gives every type methods with names of ours.
    mod blanket {
        use super::*;

        #[allow(dead_code)]
        pub(super) trait Blanket {
            fn kind(&self) -> u32 {
                1
            }
            fn value(&self) -> u32 {
                1
            }
            fn result(&self) -> u32 {
                1
            }
            fn leave(self) -> u32
            where
                Self: Sized,
            {
                1
            }
            fn enter(self, _: u64) -> u32
            where
                Self: Sized,
            {
                1
            }
        }
        impl<T> Blanket for T {}

        #[instrument(ret)]
        pub(in super::super) fn boxed(n: u32) -> Load {
            async_log::span!("in it", { n });
            inner(n).boxed()
        }

        #[instrument(err)]
        pub(in super::super) fn fails(n: u32) -> Result<u32, String> {
            Ok(n)
        }
    }
    pub(super) use blanket::{boxed, fails};
}

#[test]
fn what_was_lost_once_is_inside() {
    use regressions::*;
    assert_covered("#handle", || Actor.handle());
    assert_covered("#make", || Maker::make(1));
    assert_covered("#generic", || generic(1));
    let mut boxes = Boxes(Local, std::marker::PhantomData);
    let mut lines = call("#handed_on", "");
    lines.push("INFO returned_futures inside".to_owned());
    assert_eq!(logged(|| block_on(boxes.handed_on())), (1, lines));
    assert_covered("#closure_before", || Box::pin(closure_before(1)));
    let (_, lines) = logged(|| block_on(Handed(Generic(7_u64)).call(1)));
    let [start, inside, end] = &covered("#call")[..] else {
        panic!("three lines");
    };
    assert_eq!(lines, [start, start, inside, end, end].map(String::clone));
    assert_eq!(
        logged(|| block_on(pinned_value(1))),
        (1, call("#pinned_value", ""))
    );
}

#[test]
fn what_did_not_compile_once_does_what_it_did() {
    use regressions::*;
    assert_eq!(std::borrow::Borrow::borrow(&Maker(7).borrowed()), &7);
    let _ = elided(1);
    assert_eq!(closure_in_a_block()(1), 2);
    let shared = std::sync::Arc::new(std::sync::Mutex::new("a".to_owned()));
    assert_eq!(block_on(locked_later(State(shared))), "a");
    assert_eq!(locked(State(3.into())), 3);
    assert_eq!(borrowed_behind_a_pattern((1, 2), 3.into()), 3);
    assert_eq!(locked_with_fields(State(3.into())), 3);
    assert_eq!(locked_and_watched((3.into(), 1)), Ok(3));
    assert_eq!(by_mutable_reference(Vec::new()), 1);
    assert_eq!(block_on(by_mutable_reference_later((Vec::new(), 1))), 1);
    assert_eq!(
        logged(|| block_on(unit_struct(Marker, 1))).1,
        call("#unit_struct", ", arg_0=Marker, arg_1=1")
    );
    assert_eq!(
        logged(|| block_on(unit_struct_by_name(Marker, 1))).1,
        call("#unit_struct_by_name", ", n=1")
    );
    let (_, lines) = logged(fragments);
    assert_eq!(
        lines[0],
        "INFO returned_futures::regressions by fragment, span_mark=start"
    );
    assert_eq!(
        lines[1],
        "WARN returned_futures::regressions nested, span_mark=start"
    );
    assert_eq!(block_on(boxed(1)), 1);
    assert_eq!(fails(1), Ok(1));
}

/// Lints of clippy that expansions once gave rise to: these functions are clean, so what the attribute makes of them
/// has to be (`cargo clippy` checks).
mod lints {
    #![allow(dead_code)]
    #![deny(
        clippy::implicit_return,
        clippy::shadow_reuse,
        clippy::shadow_unrelated
    )]
    #![allow(clippy::needless_return)]

    use super::*;

    #[instrument]
    fn plain(n: u32) -> u32 {
        return n;
    }

    #[instrument(err, ret)]
    fn watched(text: &str) -> Result<u32, std::num::ParseIntError> {
        let n = text.parse::<u32>()?;
        return Ok(n);
    }

    #[instrument(names)]
    async fn later(mut n: u32, (a, mut b): (u32, u32)) -> u32 {
        n += a;
        b += n;
        return b;
    }

    #[instrument(fields(sum = a + b), err)]
    async fn with_fields((a, mut b): (u32, u32)) -> Result<u32, String> {
        b += a;
        return Ok(b);
    }

    #[instrument]
    fn boxed(n: u32) -> Load {
        let future = inner(n);
        return Box::pin(future);
    }

    #[instrument]
    fn opaque(n: u32) -> impl Future<Output = u32> {
        return inner(n);
    }
}
