//! What an annotated function returns: whether it is a future that the span goes on in.
//!
//! The compiler chooses by the value's type, as it does for captured arguments: a method call finds the first type
//! on the way through `Deref` whose bounds hold. What it finds is a kind, and the kind says how the value goes on.
//!
//! ```text
//! declared type          value                    goes on as
//! a name                 Pin<Box<dyn Future>>     a box around it, with the span
//! a name                 another future           itself: no wrapper has its type
//! impl Future            any future               a wrapper, with the span
//! Pin<Box<impl Future>>  Pin<Box<F>>              a box around it, with the span
//! any                    no future                itself
//! ```

use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::future::FusedFuture;
use pin_project_lite::pin_project;

use crate::expansion::inline_span::InlineSpan;
use crate::instrumented::InSpan;
use crate::span::Span;

/// A value of a type with a name.
#[doc(hidden)]
#[derive(Debug)]
pub struct Returned<'a, T>(AnyFuture<'a, T>);

/// A value whose declared type is `impl Future`.
#[doc(hidden)]
#[derive(Debug)]
pub struct ReturnedOpaque<'a, T>(NoFuture<'a, T>);

/// A value whose declared type has an `impl Future` in it.
#[doc(hidden)]
#[derive(Debug)]
pub struct ReturnedNested<'a, T>(Returned<'a, T>);

#[doc(hidden)]
#[derive(Debug)]
pub struct AnyFuture<'a, T>(NoFuture<'a, T>);

#[doc(hidden)]
#[derive(Debug)]
pub struct NoFuture<'a, T>(#[allow(dead_code)] &'a T);

/// What a function of an expansion falls back to where a wrapper has not all bounds of the declared type.
#[doc(hidden)]
#[derive(Debug)]
pub struct NotCovered;

macro_rules! deref {
    ($($from:ident => $to:ident,)*) => {$(
        impl<'a, T> Deref for $from<'a, T> {
            type Target = $to<'a, T>;

            #[inline]
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    )*};
}

deref! {
    ReturnedNested => Returned,
    Returned => AnyFuture,
    AnyFuture => NoFuture,
    ReturnedOpaque => NoFuture,
}

impl<'a, T> Returned<'a, T> {
    #[inline]
    pub fn new(value: &'a T) -> Self {
        Returned(AnyFuture(NoFuture(value)))
    }
}

impl<'a, T> AnyFuture<'a, T> {
    #[inline]
    pub fn new(value: &'a T) -> Self {
        AnyFuture(NoFuture(value))
    }
}

impl<'a, T> ReturnedOpaque<'a, T> {
    #[inline]
    pub fn new(value: &'a T) -> Self {
        ReturnedOpaque(NoFuture(value))
    }
}

impl<'a, T> ReturnedNested<'a, T> {
    #[inline]
    pub fn new(value: &'a T) -> Self {
        ReturnedNested(Returned::new(value))
    }
}

impl<T: BoxedFuture> Returned<'_, T> {
    #[inline]
    pub fn async_log_kind(&self) -> KindBoxed {
        KindBoxed
    }
}

impl<T: Future> AnyFuture<'_, T> {
    #[inline]
    pub fn async_log_kind(&self) -> KindNamed {
        KindNamed
    }
}

impl<T> NoFuture<'_, T> {
    #[inline]
    pub fn async_log_kind(&self) -> KindPlain {
        KindPlain
    }
}

impl<T: Future> ReturnedOpaque<'_, T> {
    #[inline]
    pub fn async_log_kind(&self) -> KindOpaque {
        KindOpaque
    }
}

impl<T: BoxOfFuture> ReturnedNested<'_, T> {
    #[inline]
    pub fn async_log_kind(&self) -> KindNested {
        KindNested
    }
}

impl NotCovered {
    #[inline]
    pub fn async_log_kind(&self) -> KindNamed {
        KindNamed
    }
}

/// The type that a function declares, where its value is not there yet.
#[doc(hidden)]
#[derive(Debug)]
pub struct ReturnedType<T>(OtherType<T>);

#[doc(hidden)]
#[derive(Debug)]
pub struct OtherType<T>(PhantomData<T>);

impl<T> ReturnedType<T> {
    #[allow(clippy::new_without_default)] // nobody else makes one
    #[inline]
    pub fn new() -> Self {
        ReturnedType(OtherType(PhantomData))
    }
}

impl<T> Deref for ReturnedType<T> {
    type Target = OtherType<T>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T: DynFuture> ReturnedType<T> {
    #[inline]
    pub fn async_log_kind(&self) -> KindBoxed {
        KindBoxed
    }
}

impl<T> OtherType<T> {
    #[inline]
    pub fn async_log_kind(&self) -> KindPlain {
        KindPlain
    }
}

/// No future: the span ends here.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct KindPlain;

/// A future that is returned as it is: the span ends here.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct KindNamed;

/// A boxed future, which goes on in a box of the same type.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct KindBoxed;

/// A future that goes on in a wrapper.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct KindOpaque;

/// A boxed future of a type without a name, which goes on in a box of another one.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct KindNested;

impl KindPlain {
    #[inline]
    pub fn go_on<T>(self, value: T, guard: InlineSpan) -> T {
        drop(guard);
        value
    }

    #[inline]
    pub fn watch<T>(self, value: T, guard: InlineSpan, watch: impl FnOnce(&T)) -> T {
        watch(&value);
        drop(guard);
        value
    }

    #[inline]
    pub fn watch_if_seen<T>(self, value: T, guard: InlineSpan, watch: impl FnOnce(&T)) -> T {
        self.watch(value, guard, watch)
    }

    /// What is boxed for another type than that of any boxed future stays as it is.
    #[inline]
    pub fn inside<F>(self, value: F, _: &mut InlineSpan) -> F {
        value
    }

    /// Is an error, since the output is never seen.
    pub fn watched_inside<F: Covered>(
        self,
        value: F,
        _: &mut InlineSpan,
        _: impl FnOnce(&F::Output),
    ) -> F {
        value
    }
}

impl KindNamed {
    #[inline]
    pub fn go_on<T>(self, value: T, guard: InlineSpan) -> T {
        drop(guard);
        value
    }

    /// Is an error, since the output is never seen.
    pub fn watch<F: Covered>(self, value: F, _: InlineSpan, _: impl FnOnce(&F::Output)) -> F {
        value
    }

    #[inline]
    pub fn watch_if_seen<F: Future>(
        self,
        value: F,
        guard: InlineSpan,
        _: impl FnOnce(&F::Output),
    ) -> F {
        self.go_on(value, guard)
    }
}

impl KindBoxed {
    #[inline]
    pub fn inside<F: Future>(self, future: F, guard: &mut InlineSpan) -> InSpan<F> {
        InSpan::new(guard.leave(), future)
    }

    #[inline]
    pub fn watched_inside<F, W>(
        self,
        future: F,
        guard: &mut InlineSpan,
        watch: W,
    ) -> InSpan<Watched<F, W>>
    where
        F: Future,
        W: FnOnce(&F::Output),
    {
        InSpan::new(guard.leave(), Watched::new(future, watch))
    }

    #[inline]
    pub fn go_on<T: BoxedFuture>(self, value: T, mut guard: InlineSpan) -> T {
        match guard.leave() {
            span if span.is_none() => value,
            span => value.in_span(span),
        }
    }

    #[inline]
    pub fn watch<T: BoxedFuture>(
        self,
        value: T,
        mut guard: InlineSpan,
        watch: impl FnOnce(&T::Output) + Send + Sync + Unpin + 'static,
    ) -> T {
        value.watched(guard.leave(), watch)
    }

    #[inline]
    pub fn watch_if_seen<T: BoxedFuture>(
        self,
        value: T,
        guard: InlineSpan,
        watch: impl FnOnce(&T::Output) + Send + Sync + Unpin + 'static,
    ) -> T {
        self.watch(value, guard, watch)
    }
}

impl KindOpaque {
    #[inline]
    pub fn go_on<F: Future>(self, value: F, mut guard: InlineSpan) -> InSpan<F> {
        InSpan::new(guard.leave(), value)
    }

    #[inline]
    pub fn watch<F, W>(self, value: F, mut guard: InlineSpan, watch: W) -> InSpan<Watched<F, W>>
    where
        F: Future,
        W: FnOnce(&F::Output),
    {
        InSpan::new(guard.leave(), Watched::new(value, watch))
    }

    #[inline]
    pub fn watch_if_seen<F, W>(self, value: F, guard: InlineSpan, watch: W) -> InSpan<Watched<F, W>>
    where
        F: Future,
        W: FnOnce(&F::Output),
    {
        self.watch(value, guard, watch)
    }
}

impl KindNested {
    #[inline]
    pub fn go_on<T: BoxOfFuture>(self, value: T, mut guard: InlineSpan) -> T::Box<InSpan<T>> {
        T::new(InSpan::new(guard.leave(), value))
    }

    #[inline]
    pub fn watch<T, W>(
        self,
        value: T,
        mut guard: InlineSpan,
        watch: W,
    ) -> T::Box<InSpan<Watched<T, W>>>
    where
        T: BoxOfFuture,
        W: FnOnce(&T::Output) + Unpin,
    {
        T::new(InSpan::new(guard.leave(), Watched::new(value, watch)))
    }

    #[inline]
    pub fn watch_if_seen<T, W>(
        self,
        value: T,
        guard: InlineSpan,
        watch: W,
    ) -> T::Box<InSpan<Watched<T, W>>>
    where
        T: BoxOfFuture,
        W: FnOnce(&T::Output) + Unpin,
    {
        self.watch(value, guard, watch)
    }
}

/// A future behind a pointer, of a type that another future can have too.
#[doc(hidden)]
pub trait BoxedFuture: Future + Sized {
    fn in_span(self, span: Span) -> Self;

    fn watched<W>(self, span: Span, watch: W) -> Self
    where
        W: FnOnce(&Self::Output) + Send + Sync + Unpin + 'static;
}

/// The types that [`BoxedFuture`] is for, with no say about how long the output lives.
#[doc(hidden)]
pub trait DynFuture {}

macro_rules! boxed_future {
    ($($new:ident $boxed:ty,)*) => {$(
        impl<'a, T> DynFuture for $boxed {}

        impl<'a, T: 'a> BoxedFuture for $boxed {
            fn in_span(self, span: Span) -> Self {
                Box::$new(InSpan::new(span, self))
            }

            fn watched<W>(self, span: Span, watch: W) -> Self
            where
                W: FnOnce(&T) + Send + Sync + Unpin + 'static,
            {
                Box::$new(InSpan::new(span, Watched::new(self, watch)))
            }
        }
    )*};
}

boxed_future! {
    pin Pin<Box<dyn Future<Output = T> + 'a>>,
    pin Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    pin Pin<Box<dyn Future<Output = T> + Sync + 'a>>,
    pin Pin<Box<dyn Future<Output = T> + Send + Sync + 'a>>,
    pin Pin<Box<dyn Future<Output = T> + Unpin + 'a>>,
    pin Pin<Box<dyn Future<Output = T> + Send + Unpin + 'a>>,
    pin Pin<Box<dyn Future<Output = T> + Sync + Unpin + 'a>>,
    pin Pin<Box<dyn Future<Output = T> + Send + Sync + Unpin + 'a>>,
    pin Pin<Box<dyn FusedFuture<Output = T> + 'a>>,
    pin Pin<Box<dyn FusedFuture<Output = T> + Send + 'a>>,
    pin Pin<Box<dyn FusedFuture<Output = T> + Sync + 'a>>,
    pin Pin<Box<dyn FusedFuture<Output = T> + Send + Sync + 'a>>,
    new Box<dyn Future<Output = T> + Unpin + 'a>,
    new Box<dyn Future<Output = T> + Send + Unpin + 'a>,
    new Box<dyn Future<Output = T> + Sync + Unpin + 'a>,
    new Box<dyn Future<Output = T> + Send + Sync + Unpin + 'a>,
}

/// A box of a future whose type has no name.
#[doc(hidden)]
pub trait BoxOfFuture: Future + Unpin + Sized {
    type Box<F>;

    fn new<F>(future: F) -> Self::Box<F>;
}

impl<G: Future> BoxOfFuture for Pin<Box<G>> {
    type Box<F> = Pin<Box<F>>;

    fn new<F>(future: F) -> Self::Box<F> {
        Box::pin(future)
    }
}

impl<G: Future + Unpin> BoxOfFuture for Box<G> {
    type Box<F> = Box<F>;

    fn new<F>(future: F) -> Self::Box<F> {
        Box::new(future)
    }
}

/// The kind of a type that is named as one of the standard library.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this type has a name of the standard library's and is a boxed future",
    label = "`#[instrument]` takes it for no future",
    note = "give the alias another name, such as `BoxFuture`"
)]
pub trait NoFutureKind {}

impl NoFutureKind for KindPlain {}

/// Is an error of the compiler where a boxed future hides behind a name such as `Result`.
#[doc(hidden)]
#[inline]
pub fn assert_no_future<K: NoFutureKind>(_: K) {}

/// What may hold the span of a function.
#[doc(hidden)]
pub trait HasSpan {
    fn has_span(&self) -> bool;
}

impl HasSpan for InlineSpan {
    #[inline]
    fn has_span(&self) -> bool {
        self.is_open()
    }
}

impl HasSpan for Span {
    #[inline]
    fn has_span(&self) -> bool {
        self.is_open()
    }
}

/// What `err` can look into.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`err` is for functions that return a `Result`, and `{Self}` is none",
    label = "there is no error to log",
    note = "remove `err`, or return a `Result`; `ret` logs a value of any type"
)]
pub trait Fallible {}

impl<T, E> Fallible for Result<T, E> {}

/// Is an error of the compiler where `err` has nothing to log.
#[doc(hidden)]
#[inline]
pub fn assert_fallible<T: Fallible>(_: &T) {}

/// What a function returns that has `err`: a `Result`, or in an `impl` block with `err` something else.
#[doc(hidden)]
#[derive(Debug)]
pub struct Tried<'a, T>(NotTried<'a, T>);

#[doc(hidden)]
#[derive(Debug)]
pub struct NotTried<'a, T>(&'a T);

impl<'a, T> Tried<'a, T> {
    #[inline]
    pub fn new(value: &'a T) -> Self {
        Tried(NotTried(value))
    }
}

impl<'a, T, E> Tried<'a, Result<T, E>> {
    /// The function's own result.
    ///
    /// # Errors
    ///
    /// Its error.
    #[inline]
    pub fn async_log_result(&self) -> Result<&'a T, &'a E> {
        self.0 .0.as_ref()
    }
}

impl<'a, T> NotTried<'a, T> {
    /// The value, which is no error.
    ///
    /// # Errors
    ///
    /// None.
    #[inline]
    pub fn async_log_result(&self) -> Result<&'a T, &'a std::convert::Infallible> {
        Ok(self.0)
    }
}

impl<'a, T> Deref for Tried<'a, T> {
    type Target = NotTried<'a, T>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// The futures whose output `ret` and `err` see.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`ret` and `err` cannot see the output of `{Self}`, which no wrapper can be put around",
    label = "the span of this function ends when it returns",
    note = "return `impl Future` or a boxed future such as `Pin<Box<dyn Future<Output = T> + Send>>`, or make it an \
            `async fn`; where the output is generic, say that it lives long enough (`T: 'static`)"
)]
pub trait Covered: Future {}

impl<F: Future> Covered for InSpan<F> {}

/// Gives a value the type that a function declares, where that cannot be written.
#[doc(hidden)]
#[derive(Debug)]
pub struct Typed<T>(PhantomData<T>);

impl<T> Typed<T> {
    #[allow(clippy::new_without_default)] // nobody else makes one
    pub fn new() -> Self {
        Typed(PhantomData)
    }

    /// Is returned from the function in a branch that is never taken.
    pub fn type_hint(&self) -> T {
        unreachable!("in a branch that is never taken")
    }

    #[inline]
    pub fn value(self, value: T) -> T {
        value
    }
}

pin_project! {
    /// A future whose output is looked at when it is there.
    #[doc(hidden)]
    #[must_use]
    pub struct Watched<F, W> {
        #[pin]
        future: F,
        watch: Option<W>,
    }
}

impl<F, W> Watched<F, W> {
    #[inline]
    pub fn new(future: F, watch: W) -> Self
    where
        F: Future,
        W: FnOnce(&F::Output),
    {
        Watched {
            future,
            watch: Some(watch),
        }
    }
}

impl<F: Future, W: FnOnce(&F::Output)> Future for Watched<F, W> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = this.future.poll(cx);
        if let Poll::Ready(output) = &polled {
            if let Some(watch) = this.watch.take() {
                watch(output);
            }
        }
        polled
    }
}

impl<F: FusedFuture, W: FnOnce(&F::Output)> FusedFuture for Watched<F, W> {
    fn is_terminated(&self) -> bool {
        self.future.is_terminated()
    }
}

impl<F: std::fmt::Debug, W> std::fmt::Debug for Watched<F, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.future.fmt(f)
    }
}
