//! `#[instrument]` on every kind of function.

// Each of these is given for the plain function as well.
#![allow(
    clippy::borrow_as_ptr,
    clippy::boxed_local,
    clippy::elidable_lifetime_names,
    clippy::ignored_unit_patterns,
    clippy::items_after_statements,
    clippy::let_and_return,
    clippy::manual_async_fn,
    clippy::manual_unwrap_or,
    clippy::many_single_char_names,
    clippy::mixed_attributes_style,
    clippy::multiple_bound_locations,
    clippy::needless_arbitrary_self_type,
    clippy::needless_lifetimes,
    clippy::needless_pass_by_value,
    clippy::option_option,
    clippy::ref_option,
    clippy::too_many_arguments,
    clippy::trivially_copy_pass_by_ref,
    clippy::uninlined_format_args,
    clippy::unnecessary_wraps,
    clippy::unused_async
)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use futures::executor::block_on;

use crate::instrument;

async fn later<T>(value: T) -> T {
    tokio::task::yield_now().await;
    value
}

fn sendable<F: Future + Send>(future: F) -> F {
    future
}

/// Implements nothing.
struct Opaque(u8);

// Arguments.

#[instrument]
fn none() {}

#[instrument]
fn one(a: u8) -> u8 {
    a
}

#[instrument]
fn two(a: u8, b: &str) -> usize {
    usize::from(a) + b.len()
}

#[instrument]
fn six(a: u8, b: i16, c: u32, d: i64, e: f32, f: bool) -> String {
    format!("{} {} {} {} {} {}", a, b, c, d, e, f)
}

#[instrument]
fn trailing_comma(a: u8, b: u8) -> u8 {
    a + b
}

#[instrument]
fn opaque(opaque: Opaque, by_ref: &Opaque, many: Vec<Opaque>) -> u8 {
    opaque.0 + by_ref.0 + many[0].0
}

#[instrument]
fn kinds(
    text: String,
    shared: Arc<str>,
    option: Option<Option<u8>>,
    map: &HashMap<u8, Vec<u8>>,
    boxed: Box<dyn Fn(u8) -> u8 + Send>,
    function: fn(u8) -> u8,
    cow: Cow<'_, str>,
    array: [u8; 3],
    tuple: (u8, Rc<u8>),
    pointer: *const u8,
) -> String {
    let parts = (
        text,
        shared,
        option,
        map,
        boxed(1),
        function(2),
        cow,
        array,
        tuple,
    );
    format!("{:?} {}", parts, pointer.is_null())
}

#[instrument]
fn dynamic(debug: &dyn Debug, display: &dyn Display, slice: &[Opaque], text: &mut str) -> usize {
    text.make_ascii_uppercase();
    format!("{:?}{}{}", debug, display, slice.len()).len() + text.len()
}

#[instrument]
fn mutable(mut a: u8, b: &mut Vec<u8>, mut c: Vec<u8>) -> usize {
    a += 1;
    b.push(a);
    c.push(a);
    b.len() + c.len()
}

#[instrument]
fn ignored(_: u8, _b: Opaque, _: &str) -> u8 {
    1
}

#[instrument]
fn patterns(
    (a, b): (u8, u8),
    [first, .., last]: [u8; 3],
    Opaque(inner): Opaque,
    &c: &u8,
    mut d @ 0..=255: u8,
    (mut e, _): (u8, ()),
    ref f: String,
) -> u8 {
    d += 1;
    e += 1;
    a + b + first + last + inner + c + d + e + u8::from(f.is_empty())
}

#[allow(unused_variables)]
#[instrument]
fn unused(a: u8, (b, c): (u8, u8)) -> u8 {
    1
}

#[instrument]
fn names_of_ours(__start: u8, __guard: u8, __arg_0: u8, span: u8, arg_0: u8, log: u8) -> u8 {
    __start + __guard + __arg_0 + span + arg_0 + log
}

#[instrument]
fn raw(r#type: u8, r#match: u8) -> u8 {
    r#type + r#match
}

#[instrument]
fn r#loop() -> u8 {
    1
}

// Signatures.

/// It has documentation.
#[must_use]
#[inline]
#[allow(dead_code)]
#[instrument]
pub(crate) fn attributes(#[allow(unused_variables)] a: u8) -> u8 {
    #![allow(clippy::identity_op)]
    1 + 0
}

#[instrument]
fn generic<T, U: Into<u64>, const N: usize>(all: [T; N], of: U) -> u64
where
    T: Into<u64> + Copy,
{
    all.iter().map(|&one| one.into()).sum::<u64>() + of.into()
}

#[instrument]
fn unbound<T>(of: T) -> T {
    of
}

#[instrument]
fn debuggable<T: Debug + ?Sized>(of: &T) -> String {
    format!("{:?}", of)
}

#[instrument]
fn lives<'a, 'b: 'a>(one: &'a str, two: &'b str) -> &'a str {
    if one.is_empty() {
        two
    } else {
        one
    }
}

#[instrument]
fn given(one: impl Into<u8>, two: impl IntoIterator<Item = u8>) -> u8 {
    one.into() + two.into_iter().sum::<u8>()
}

#[instrument]
fn taken(n: u8) -> impl Iterator<Item = u8> + Debug {
    0..n
}

#[instrument]
fn closure(n: u8) -> impl Fn(u8) -> u8 {
    move |of| of + n
}

#[instrument]
unsafe fn dangerous(pointer: *const u8) -> u8 {
    // SAFETY: as the caller says.
    unsafe { *pointer }
}

#[instrument]
extern "C" fn external(a: u8) -> u8 {
    a
}

#[instrument]
unsafe extern "C" fn both(a: u8) -> u8 {
    a
}

#[instrument]
fn never() -> ! {
    panic!("never")
}

#[instrument]
fn question(text: &str) -> Result<u8, std::num::ParseIntError> {
    let number: u8 = text.parse()?;
    Ok(number + 1)
}

#[instrument]
fn coerced() -> Result<Box<dyn Debug + Send>, String> {
    Ok(Box::new(1))
}

#[instrument]
fn coerced_early(early: bool) -> Result<Box<dyn Debug + Send>, String> {
    if early {
        return Ok(Box::new("early"));
    }
    Ok(Box::new(1))
}

#[instrument]
fn function_pointer() -> fn(u8) -> u8 {
    |of| of + 1
}

#[instrument]
fn nested(n: u8) -> u8 {
    #[instrument]
    fn inner(n: u8) -> u8 {
        n + 1
    }
    if n == 0 {
        return 0;
    }
    inner(nested(n - 1))
}

// Asynchronous.

#[instrument]
async fn waits(n: u8) -> u8 {
    later(n).await + later(1).await
}

#[instrument]
async fn borrows(text: &str, vec: &mut Vec<u8>) -> usize {
    vec.push(later(1).await);
    text.len() + vec.len()
}

#[instrument]
async fn asks(text: &str) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
    let number: u8 = later(text).await.parse()?;
    if number > 9 {
        return Err("too much".into());
    }
    Ok(later(number).await)
}

#[instrument]
async fn coerces() -> Result<Box<dyn Debug + Send>, Box<dyn Debug>> {
    later(()).await;
    Ok(Box::new(1))
}

#[instrument]
async fn coerces_at_once() -> Box<dyn Debug + Send> {
    Box::new(1)
}

#[instrument]
async fn takes_apart((a, Opaque(b)): (u8, Opaque), mut c: u8, _: Opaque) -> u8 {
    c += later(a).await;
    c + b
}

#[instrument]
async fn takes_generics<T: Send, const N: usize>(all: [T; N], one: impl Into<u8> + Send) -> usize
where
    T: Into<u8>,
{
    later(()).await;
    all.len() + usize::from(one.into())
}

#[instrument]
async fn gives_impl(n: u8) -> impl Iterator<Item = u8> {
    later(()).await;
    0..n
}

#[instrument]
async fn not_sendable(shared: Rc<u8>) -> u8 {
    later(()).await;
    *shared
}

#[instrument]
async fn forever() -> ! {
    loop {
        later(()).await;
    }
}

#[instrument]
async unsafe fn dangerous_later(pointer: *const u8) -> u8 {
    // SAFETY: as the caller says.
    unsafe { *pointer }
}

#[instrument]
async fn joins() -> (u8, u8) {
    let both = tokio::join!(waits(1), later(2));
    tokio::select! {
        one = later(both.0) => (one, both.1),
        never = std::future::pending() => never,
    }
}

#[instrument]
fn not_async(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
    Box::pin(async move { later(n).await })
}

#[instrument]
fn gives_a_future<'a>(text: &'a str) -> impl Future<Output = usize> + 'a {
    async move { later(text).await.len() }
}

// Methods.

#[derive(Clone, Debug, Default)]
struct Counter<T = u8> {
    count: T,
}

impl<T: Copy + Send + Sync + Debug> Counter<T> {
    #[instrument]
    pub(crate) fn new(count: T) -> Self {
        Self { count }
    }
    #[instrument]
    fn by_ref(&self) -> T {
        self.count
    }
    #[instrument]
    fn by_mut(&mut self, to: T) -> &mut T {
        self.count = to;
        &mut self.count
    }
    #[instrument]
    fn by_value(self) -> T {
        self.count
    }
    #[instrument]
    fn by_mut_value(mut self, to: T) -> T {
        self.count = to;
        self.count
    }
    #[instrument]
    fn boxed(self: Box<Self>) -> T {
        self.count
    }
    #[instrument]
    fn shared(self: Arc<Self>, _: u8) -> Arc<Self> {
        self
    }
    #[instrument]
    fn pinned(self: Pin<&mut Self>) -> T {
        self.count
    }
    #[instrument]
    fn typed(self: &Self, other: &Self) -> (T, T) {
        (self.count, other.count)
    }
    #[instrument]
    async fn later_by_ref(&self) -> T {
        later(self.count).await
    }
    #[instrument]
    async fn later_by_mut(&mut self, to: T) -> &mut T {
        self.count = later(to).await;
        &mut self.count
    }
    #[instrument]
    async fn later_by_value(self) -> T {
        later(self.count).await
    }
    #[instrument]
    async fn later_shared(self: Arc<Self>) -> T {
        later(self.count).await
    }
}

trait Shape {
    fn area(&self) -> u8;

    #[instrument]
    fn doubled(&self) -> u8 {
        self.area() * 2
    }
    #[instrument]
    fn grown(self, by: u8) -> Box<dyn Debug>
    where
        Self: Sized + Debug + 'static,
    {
        let _ = by;
        Box::new(self)
    }
}

impl Shape for Counter {
    #[instrument]
    fn area(&self) -> u8 {
        self.count
    }
}

#[test]
fn arguments() {
    none();
    assert_eq!(one(1), 1);
    assert_eq!(two(1, "two"), 4);
    assert_eq!(six(1, 2, 3, 4, 5.5, true), "1 2 3 4 5.5 true");
    assert_eq!(trailing_comma(1, 2), 3);
    assert_eq!(opaque(Opaque(1), &Opaque(2), vec![Opaque(3)]), 6);
    let text = kinds(
        "text".into(),
        "shared".into(),
        Some(None),
        &HashMap::new(),
        Box::new(|of| of + 1),
        |of| of + 1,
        "cow".into(),
        [1, 2, 3],
        (1, Rc::new(2)),
        std::ptr::null(),
    );
    assert!(text.ends_with("true"));
    assert_eq!(dynamic(&1, &"x", &[Opaque(1)], &mut String::from("abc")), 6);
    assert_eq!(mutable(1, &mut vec![], vec![]), 2);
    assert_eq!(ignored(1, Opaque(1), ""), 1);
    let sum = patterns((1, 2), [1, 2, 3], Opaque(1), &1, 1, (1, ()), String::new());
    assert_eq!(sum, 14);
    assert_eq!(unused(1, (2, 3)), 1);
    assert_eq!(names_of_ours(1, 2, 3, 4, 5, 6), 21);
    assert_eq!(raw(1, 2) + r#loop(), 4);
}

#[test]
fn signatures() {
    assert_eq!(attributes(1), 1);
    assert_eq!(generic([1_u8, 2], 3_u16), 6);
    assert_eq!(unbound(Opaque(1)).0, 1);
    assert_eq!(debuggable("text"), "\"text\"");
    assert_eq!(lives("", "two"), "two");
    assert_eq!(given(1, vec![2, 3]), 6);
    assert_eq!(taken(3).count(), 3);
    assert_eq!(closure(3)(1), 4);
    let number = 7_u8;
    // SAFETY: the pointers are those of a local, or not used.
    unsafe {
        assert_eq!(dangerous(&number), 7);
        assert_eq!(both(1), 1);
        assert_eq!(block_on(dangerous_later(&number)), 7);
    }
    assert_eq!(external(1), 1);
    assert!(std::panic::catch_unwind(|| never()).is_err());
    assert_eq!(question("1"), Ok(2));
    assert!(question("x").is_err());
    assert_eq!(
        format!("{:?} {:?}", coerced(), coerced_early(true)),
        "Ok(1) Ok(\"early\")"
    );
    assert_eq!(function_pointer()(1), 2);
    assert_eq!(nested(3), 3);
}

#[test]
fn asynchronous() {
    assert_eq!(block_on(sendable(waits(1))), 2);
    assert_eq!(block_on(sendable(borrows("text", &mut vec![]))), 5);
    assert_eq!(block_on(sendable(asks("1"))).unwrap(), 1);
    assert!(block_on(asks("x")).is_err() && block_on(asks("10")).is_err());
    assert_eq!(format!("{:?}", block_on(coerces())), "Ok(1)");
    assert_eq!(format!("{:?}", block_on(sendable(coerces_at_once()))), "1");
    assert_eq!(
        block_on(sendable(takes_apart((1, Opaque(2)), 3, Opaque(4)))),
        6
    );
    assert_eq!(block_on(sendable(takes_generics([1, 2], 3))), 5);
    assert_eq!(block_on(gives_impl(3)).count(), 3);
    assert_eq!(block_on(not_sendable(Rc::new(1))), 1);
    assert!(futures::FutureExt::now_or_never(forever()).is_none());
    assert_eq!(block_on(sendable(joins())), (2, 2));
    assert_eq!(block_on(not_async(1)), 1);
    assert_eq!(block_on(gives_a_future("text")), 4);
}

#[test]
fn methods() {
    let mut counter = Counter::new(1_u8);
    assert_eq!(counter.by_ref(), 1);
    *counter.by_mut(2) += 1;
    assert_eq!(counter.clone().by_value(), 3);
    assert_eq!(counter.clone().by_mut_value(4), 4);
    assert_eq!(Box::new(counter.clone()).boxed(), 3);
    let shared = Arc::new(counter.clone()).shared(0);
    assert_eq!(Pin::new(&mut counter).pinned(), 3);
    assert_eq!(counter.typed(&shared), (3, 3));
    assert_eq!(block_on(sendable(counter.later_by_ref())), 3);
    *block_on(sendable(counter.later_by_mut(5))) += 1;
    assert_eq!(block_on(counter.clone().later_by_value()), 6);
    assert_eq!(block_on(sendable(shared.later_shared())), 3);
    assert_eq!(counter.doubled(), 12);
    assert_eq!(format!("{:?}", counter.grown(1)), "Counter { count: 6 }");
}
