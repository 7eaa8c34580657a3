//! `#[instrument]` on every kind of function, and every option: what the records say, and that
//! annotated code does what it did without.

use std::cell::RefCell;
use std::fmt::{Debug, Display};
use std::future::{ready, Future};
use std::pin::Pin;

use async_log::{instrument, span, Context};
use futures::executor::block_on;
use log::Level;

use async_log_tests::lines::call;

fn logged<R>(f: impl FnOnce() -> R) -> (R, Vec<String>) {
    async_log_tests::lines::logged("instrument", f)
}

#[derive(Debug)]
struct Point {
    #[allow(dead_code)]
    x: u8,
}

struct Opaque;

mod functions {
    use super::*;

    #[instrument]
    pub(super) fn none() -> u8 {
        1
    }

    #[instrument]
    pub(super) fn two(a: u8, b: &str) -> String {
        format!("{a}{b}")
    }

    #[instrument]
    pub(super) fn six(a: u8, b: i8, c: f32, d: bool, e: char, f: Option<u8>) -> usize {
        let _ = (a, b, c, d, e, f);
        6
    }

    #[instrument]
    pub(super) fn captured(typed: u64, debug: Point, opaque: &Opaque) -> u8 {
        let _ = opaque;
        debug.x + typed as u8
    }

    #[instrument]
    pub(super) fn patterns(
        mut a: Vec<u8>,
        (b, _): (u8, u8),
        _: u8,
        Point { x }: Point,
        [.., last]: [u8; 3],
    ) -> u8 {
        a.push(b);
        a[0] + x + last
    }

    #[instrument]
    #[allow(clippy::needless_lifetimes)] // it is there to pass through
    pub(super) fn generic<'a, T: Debug, U, const N: usize>(a: &'a T, b: U, c: [u8; N]) -> (&'a T, U)
    where
        U: Clone,
    {
        let _ = c;
        (a, b)
    }

    #[instrument]
    pub(super) fn opaque_types(a: impl Display + Copy, b: impl Fn(u8) -> u8) -> impl Display {
        b(1);
        a
    }

    #[instrument]
    pub(super) fn question(text: &str) -> Result<u8, Box<dyn std::error::Error>> {
        let number: u8 = text.parse()?;
        if number == 1 {
            return Ok(7);
        }
        Ok(number)
    }

    #[instrument]
    pub(super) fn diverges() -> ! {
        std::panic::resume_unwind(Box::new("on purpose"))
    }

    #[instrument]
    pub(super) unsafe fn with_unsafe(a: u8) -> u8 {
        a
    }

    #[instrument]
    pub(super) extern "C" fn with_c(a: u8) -> u8 {
        a
    }

    #[instrument]
    #[must_use]
    #[inline]
    #[track_caller]
    /// Documented.
    pub(super) fn with_attributes(#[allow(unused_variables)] a: u8) -> u32 {
        #![allow(clippy::needless_return)]
        return std::panic::Location::caller().line();
    }

    #[instrument]
    pub(super) fn r#type(__guard: u8, __span: u8) -> u8 {
        __guard + __span
    }

    pub(super) fn nested() -> u8 {
        #[instrument]
        fn inside(a: u8) -> u8 {
            a
        }
        inside(3)
    }

    macro_rules! function {
        ($vis:vis $name:ident($($arg:ident: $ty:ty),*) -> $out:ty $body:block) => {
            #[instrument]
            $vis fn $name($($arg: $ty),*) -> $out $body
        };
    }

    function!(pub(super) made_by_a_macro(a: Option<u8>) -> u8 { a.unwrap_or(4) });
}

#[test]
fn functions_are_traced_and_do_what_they_did() {
    use functions::*;
    assert_eq!(logged(none), (1, call("#none", "")));
    assert_eq!(logged(|| two(1, "x")).1, call("#two", ", arg_0=1, arg_1=x"));
    assert_eq!(
        logged(|| six(1, -2, 0.5, true, 'e', None)).1,
        call(
            "#six",
            ", arg_0=1, arg_1=-2, arg_2=0.5, arg_3=true, arg_4=e, arg_5=null"
        )
    );
    assert_eq!(
        logged(|| captured(7, Point { x: 1 }, &Opaque)),
        (
            8,
            call(
                "#captured",
                ", arg_0=7, arg_1=Point { x: 1 }, arg_2=&instrument::Opaque"
            )
        )
    );
    assert_eq!(
        logged(|| patterns(vec![1], (2, 3), 4, Point { x: 5 }, [6, 7, 8])),
        (
            14,
            call(
                "#patterns",
                ", arg_0=[1], arg_1=\"(2, 3)\", arg_2=4, arg_3=Point { x: 5 }, arg_4=\"[6, 7, 8]\""
            )
        )
    );
    assert_eq!(
        logged(|| generic(&1, "u", [1])).1,
        call("#generic", ", arg_0=1, arg_1=&str, arg_2=[1]")
    );
    let (value, lines) = logged(|| opaque_types(3, |x| x).to_string());
    assert_eq!(value, "3");
    assert_eq!(lines[0], "#opaque_types, arg_0=3, arg_1=instrument::functions_are_traced_and_do_what_they_did::{{closure}}::{{closure}}, span_mark=start");
    assert_eq!(
        logged(|| question("x").is_err()),
        (true, call("#question", ", arg_0=x"))
    );
    assert_eq!(logged(|| question("1").unwrap()).0, 7);
    assert_eq!(
        logged(|| std::panic::catch_unwind(|| diverges()).is_err()),
        (true, call("#diverges", ""))
    );
    assert_eq!(
        // SAFETY: the function asks for nothing.
        logged(|| unsafe { with_unsafe(1) }),
        (1, call("#with_unsafe", ", arg_0=1"))
    );
    assert_eq!(logged(|| with_c(1)), (1, call("#with_c", ", arg_0=1")));
    let here = line!() + 1;
    let (line, lines) = logged(|| with_attributes(1));
    assert_eq!((line, lines), (here, call("#with_attributes", ", arg_0=1")));
    assert_eq!(
        logged(|| r#type(1, 2)),
        (3, call("#type", ", arg_0=1, arg_1=2"))
    );
    assert_eq!(logged(nested), (3, call("#inside", ", arg_0=3")));
    assert_eq!(
        logged(|| made_by_a_macro(None)),
        (4, call("#made_by_a_macro", ", arg_0=null"))
    );
}

mod asynchronous {
    use super::*;

    #[instrument]
    pub(super) async fn plain(a: u8) -> u8 {
        ready(()).await;
        log::info!("inside");
        a
    }

    #[instrument]
    pub(super) async fn borrows<'a>(a: &'a mut Vec<u8>, b: &u8) -> &'a u8 {
        a.push(*b);
        ready(()).await;
        &a[0]
    }

    #[instrument]
    pub(super) async fn coerces() -> Result<Box<dyn Debug + Send>, std::num::ParseIntError> {
        if "x".len() > 1 {
            return Ok(Box::new("x"));
        }
        let _: u8 = "1".parse()?;
        Ok(Box::new(1))
    }

    #[instrument]
    pub(super) async fn opaque(a: impl Display) -> impl Display {
        a.to_string()
    }

    #[instrument]
    pub(super) async fn unit((a, b): (u8, u8)) {
        if a > b {
            return;
        }
        ready(()).await;
    }

    #[instrument]
    pub(super) fn returned(a: u8) -> impl Future<Output = u8> + Send {
        log::info!("made");
        async move {
            ready(()).await;
            log::info!("inside");
            a
        }
    }

    #[instrument]
    pub(super) fn boxed(a: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
        if a == 0 {
            return Box::pin(ready(0));
        }
        Box::pin(async move {
            log::info!("inside");
            a
        })
    }

    #[instrument]
    pub(super) fn chosen(a: u8) -> Pin<Box<dyn Future<Output = u8>>> {
        match a {
            0 => Box::pin(ready(0)),
            _ => Box::pin(async move { a }),
        }
    }
}

#[test]
fn futures_have_their_span_around_them() {
    use asynchronous::*;
    let inside = |name: &str| {
        let mut lines = call(name, ", arg_0=1");
        lines.insert(1, "INFO instrument::asynchronous inside".to_owned());
        lines
    };
    assert_eq!(logged(|| block_on(plain(1))), (1, inside("#plain")));
    assert_eq!(
        logged(|| *block_on(borrows(&mut Vec::new(), &3))),
        (3, call("#borrows", ", arg_0=[], arg_1=3"))
    );
    assert_eq!(
        logged(|| format!("{:?}", block_on(coerces()).unwrap())),
        ("1".to_owned(), call("#coerces", ""))
    );
    assert_eq!(logged(|| block_on(opaque(1)).to_string()).0, "1");
    assert_eq!(
        logged(|| block_on(unit((1, 2)))).1,
        call("#unit", ", arg_0=\"(1, 2)\"")
    );
    assert_eq!(logged(|| block_on(boxed(1))), (1, inside("#boxed")));
    // The span of a function that is not `async` starts when it is called.
    let (future, made) = logged(|| returned(1));
    assert_eq!(
        made,
        [
            "#returned, arg_0=1, span_mark=start",
            "INFO instrument::asynchronous made"
        ]
    );
    assert_eq!(logged(|| block_on(future)).1, inside("#returned")[1..]);
    assert_eq!(
        logged(|| block_on(chosen(1))),
        (1, call("#chosen", ", arg_0=1"))
    );
}

struct Stack<T>(Vec<T>);

trait Shape {
    fn area(&self, scale: u8) -> u8;

    #[instrument]
    fn default_method(&self) -> u8 {
        self.area(2)
    }

    fn boxed<'a>(&'a self, scale: u8) -> Pin<Box<dyn Future<Output = u8> + 'a>>;
}

#[instrument]
impl<T: Clone + Debug> Stack<T>
where
    T: Default,
{
    const LIMIT: usize = { 3 };

    fn new() -> Self {
        Stack(Vec::new())
    }

    const fn limit() -> usize {
        Self::LIMIT
    }

    fn push(&mut self, value: T) -> usize {
        self.0.push(value);
        self.0.len()
    }

    #[instrument(off)]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[instrument(name = "drained", skip_all)]
    fn drain(self, secret: &str) -> Vec<T> {
        let _ = secret;
        self.0
    }

    async fn last(self: &std::rc::Rc<Self>, or: T) -> T {
        ready(()).await;
        self.0.last().cloned().unwrap_or(or)
    }

    fn mutated(mut self: Box<Self>) -> Box<Self> {
        self.0.clear();
        self
    }
}

#[instrument(names)]
impl<T> Shape for Stack<T> {
    fn area(&self, scale: u8) -> u8 {
        self.0.len() as u8 * scale
    }

    fn boxed<'a>(&'a self, scale: u8) -> Pin<Box<dyn Future<Output = u8> + 'a>> {
        Box::pin(async move { self.0.len() as u8 * scale })
    }
}

#[test]
fn methods_have_the_type_in_their_name() {
    let (mut stack, lines) = logged(Stack::<u8>::new);
    assert_eq!(lines, call("#Stack::new", ""));
    assert_eq!(logged(Stack::<u8>::limit), (3, vec![]));
    assert_eq!(
        logged(|| stack.push(7)),
        (1, call("#Stack::push", ", arg_0=7"))
    );
    assert_eq!(logged(|| stack.len()), (1, vec![]));
    assert_eq!(
        logged(|| stack.area(2)),
        (2, call("#Stack::area", ", scale=2"))
    );
    assert_eq!(
        logged(|| block_on(stack.boxed(3))),
        (3, call("#Stack::boxed", ", scale=3"))
    );
    let (area, lines) = logged(|| stack.default_method());
    assert_eq!(
        (area, &lines[0][..]),
        (2, "#default_method, span_mark=start")
    );
    let stack = std::rc::Rc::new(stack);
    assert_eq!(
        logged(|| block_on(stack.last(1))),
        (7, call("#Stack::last", ", arg_0=1"))
    );
    let stack = std::rc::Rc::into_inner(stack).unwrap();
    assert_eq!(
        logged(|| stack.drain("secret")),
        (vec![7], call("drained", ""))
    );
    assert_eq!(
        logged(|| Box::new(Stack::<u8>(vec![1])).mutated().len()).0,
        0
    );
}

mod options {
    use super::*;

    const TARGET: &str = "elsewhere";

    #[instrument(name = "named", target = TARGET, level = debug)]
    pub(super) fn named() {}

    #[instrument(level = "info", target = "there")]
    pub(super) fn info() {}

    #[instrument(level = Level::Warn)]
    pub(super) fn warn() {}

    #[instrument(names, skip(secret))]
    pub(super) fn login(user: &str, secret: &str, (a, _b): (u8, u8)) -> usize {
        user.len() + secret.len() + usize::from(a)
    }

    /// What is skipped and used is no unused variable.
    #[deny(unused_variables)]
    #[instrument(names, skip(secret))]
    pub(super) async fn login_later(user: &str, secret: &str) -> usize {
        user.len() + ready(secret.len()).await
    }

    #[instrument(skip_all, fields(length = secret.len(), debug:? = Point { x: 1 }, user))]
    pub(super) fn with_fields(user: &str, secret: &str) {
        log::info!("inside");
    }

    #[instrument(fields(double = a * 2,))]
    pub(super) async fn with_both(a: u8) {}

    #[instrument(ret)]
    pub(super) fn returns(a: u8) -> u8 {
        if a > 1 {
            return 2;
        }
        a
    }

    #[instrument(ret(Debug, level = info), err(level = warn))]
    pub(super) fn both(text: &str) -> Result<u8, std::num::ParseIntError> {
        let number = text.parse()?;
        Ok(number)
    }

    #[instrument(err)]
    pub(super) async fn fails(text: &str) -> Result<u8, Box<dyn std::error::Error>> {
        ready(()).await;
        Ok(text.parse()?)
    }

    #[instrument(err(Debug))]
    pub(super) fn future(
        text: &'static str,
    ) -> Pin<Box<dyn Future<Output = Result<u8, std::num::ParseIntError>>>> {
        Box::pin(async move { text.parse() })
    }

    #[instrument(ret(Display))]
    pub(super) async fn shown<T: Display>(value: T) -> T {
        value
    }

    #[instrument(parent = parent)]
    pub(super) fn within(parent: &Context) {}

    #[instrument(crate = async_log)]
    pub(super) fn elsewhere() {}
}

#[test]
fn options_do_what_they_say() {
    use options::*;
    assert_eq!(
        logged(named).1,
        [
            "DEBUG elsewhere named, span_mark=start",
            "DEBUG elsewhere named, span_mark=end"
        ]
    );
    assert_eq!(logged(info).1[0], "INFO there #info, span_mark=start");
    assert_eq!(
        logged(warn).1[0],
        "WARN instrument::options #warn, span_mark=start"
    );
    assert_eq!(
        logged(|| login("u", "secret", (1, 2))),
        (8, call("#login", ", user=u, a=1, _b=2"))
    );
    assert_eq!(
        logged(|| block_on(login_later("u", "secret"))),
        (7, call("#login_later", ", user=u"))
    );
    assert_eq!(
        logged(|| with_fields("u", "secret")).1,
        [
            "#with_fields, span_mark=start, length=6, debug=Point { x: 1 }, user=u",
            "INFO instrument::options inside, length=6, debug=Point { x: 1 }, user=u",
            "#with_fields, span_mark=end, length=6, debug=Point { x: 1 }, user=u",
        ]
    );
    assert_eq!(
        logged(|| block_on(with_both(3))).1,
        [
            "#with_both, arg_0=3, span_mark=start, double=6",
            "#with_both, span_mark=end, double=6",
        ]
    );
    let (two, lines) = logged(|| returns(5));
    assert_eq!((two, &lines[1][..]), (2, "#returns, ret=2"));
    assert_eq!(
        logged(|| both("1").unwrap()).1[1],
        "INFO instrument::options #both, ret=1"
    );
    assert_eq!(
        logged(|| both("x").is_err()).1[1],
        "WARN instrument::options #both, err=invalid digit found in string"
    );
    assert_eq!(
        logged(|| block_on(fails("x")).is_err()).1[1],
        "ERROR instrument::options #fails, err=invalid digit found in string"
    );
    assert_eq!(
        logged(|| block_on(fails("1")).unwrap()),
        (1, call("#fails", ", arg_0=1"))
    );
    assert_eq!(
        logged(|| block_on(future("x")).is_err()).1[1],
        "ERROR instrument::options #future, err=ParseIntError { kind: InvalidDigit }"
    );
    assert_eq!(logged(|| block_on(shown(7))).1[1], "#shown, ret=7");
    let context = span!(user = 7; "around", { Context::current() });
    assert!(logged(|| within(&context)).1[0].ends_with("span_mark=start, user=7"));
    assert_eq!(logged(elsewhere).1, call("#elsewhere", ""));
}

/// What real code does that the attribute once got wrong.
mod regressions {
    #![deny(warnings)]

    use super::*;

    type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

    /// Its `Debug` calls a function that takes it.
    pub(super) struct Recursive;

    impl Debug for Recursive {
        #[instrument]
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write(self, f)
        }
    }

    #[instrument]
    fn write(_value: &Recursive, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recursive")
    }

    #[instrument]
    pub(super) fn takes(_value: &Recursive) {}

    #[instrument(skip_all, fields(value:? = value))]
    pub(super) fn with_field(value: &Recursive) {}

    #[derive(Debug)]
    pub(super) struct HalfMade {
        #[allow(dead_code)]
        size: u8,
        #[allow(dead_code)]
        state: Panics,
    }

    impl HalfMade {
        pub(super) const NEW: Self = HalfMade {
            size: 1,
            state: Panics,
        };
    }

    pub(super) struct Panics;

    impl Debug for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            std::panic::resume_unwind(Box::new("not made yet"))
        }
    }

    #[instrument]
    pub(super) fn finish(_made: &HalfMade) -> u8 {
        7
    }

    #[instrument(err)]
    pub(super) fn fails() -> Result<u8, Panics> {
        Err(Panics)
    }

    #[instrument]
    pub(super) fn moves_before(text: String) -> impl Future<Output = usize> {
        let moved = text;
        async move { moved.len() }
    }

    #[instrument]
    pub(super) fn unused(_text: &str, _: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
        Box::pin(async move { 3 })
    }

    #[instrument]
    pub(super) fn not_captured(text: String) -> impl Future<Output = u8> + Send + 'static {
        drop(text);
        async { 4 }
    }

    #[instrument]
    pub(super) fn not_sent(count: std::rc::Rc<u8>) -> impl Future<Output = u8> + Send {
        let _ = count;
        async move { 5 }
    }

    #[instrument]
    pub(super) fn taken_apart((a, b): (String, u8)) -> impl Future<Output = usize> {
        async move { a.len() + usize::from(b) }
    }

    #[instrument]
    pub(super) fn pins_what_it_moved(list: &mut Vec<u8>) -> BoxFuture<'_, usize> {
        list.push(1);
        Box::pin(async move {
            list.push(2);
            list.len()
        })
    }

    pub(super) struct Service(pub(super) u8);

    impl Service {
        #[instrument]
        pub(super) fn gives_its_borrow(
            &mut self,
            by: u8,
        ) -> Pin<Box<dyn Future<Output = u8> + '_>> {
            let me = &mut *self;
            me.0 += by;
            let future = async move { me.0 };
            Box::pin(future)
        }

        #[instrument(ret)]
        pub(super) fn lends(&mut self) -> &mut u8 {
            let me = &mut *self;
            &mut me.0
        }
    }

    #[instrument]
    pub(super) fn in_an_option(a: u8) -> Option<Pin<Box<dyn Future<Output = u8>>>> {
        Some(Box::pin(ready(a)))
    }

    #[instrument]
    pub(super) fn in_a_result(a: u8) -> Result<BoxFuture<'static, u8>, u8> {
        Ok(Box::pin(ready(a)))
    }

    #[instrument]
    pub(super) fn many(a: Vec<BoxFuture<'static, u8>>) -> Vec<BoxFuture<'static, u8>> {
        a
    }

    #[instrument]
    pub(super) fn maker() -> Box<dyn Fn(u8) -> BoxFuture<'static, u8>> {
        Box::new(|a| Box::pin(ready(a)))
    }

    type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

    /// Nothing says that `T` is `'static`.
    #[instrument]
    pub(super) fn handed_on<T>(
        make: Box<dyn Fn() -> Boxed<T>>,
    ) -> Pin<Box<dyn Future<Output = T> + Send>> {
        make()
    }

    pub(super) trait OwnFuture: Future<Output = u8> {}

    impl<T: Future<Output = u8>> OwnFuture for T {}

    #[instrument]
    pub(super) fn own_trait(a: u8) -> Pin<Box<dyn OwnFuture>> {
        Box::pin(ready(a))
    }

    #[instrument]
    pub(super) async fn mutable_under_cfg(
        #[cfg(test)] mut a: u8,
        #[cfg(not(test))] mut a: u16,
        mut b: u8,
    ) -> u8 {
        a += 1;
        b += a;
        b
    }

    #[instrument]
    pub(super) fn allowed(#[allow(unused_variables)] (a, b): (u8, u8)) {}

    #[instrument]
    #[deny(clippy::used_underscore_binding)]
    pub(super) fn underscore(_a: u8) {}

    #[instrument]
    pub(super) fn assert_send<T: Send>() {}

    #[instrument(fields(x = 1))]
    #[deny(clippy::used_underscore_binding)]
    pub(super) async fn underscore_async(_a: u8, mut _b: u8) {}
}

#[test]
fn formatting_an_argument_is_not_traced() {
    use regressions::*;
    let all = |name: &str| call(name, ", arg_0=Recursive");
    assert_eq!(logged(|| takes(&Recursive)).1, all("#takes"));
    assert_eq!(
        logged(|| with_field(&Recursive)).1[0],
        "#with_field, span_mark=start, value=Recursive"
    );
    // Outside of a span's record it is.
    let (text, lines) = logged(|| format!("{Recursive:?}"));
    assert_eq!((&text[..], lines.len()), ("Recursive", 4));
}

#[test]
fn an_argument_that_cannot_be_formatted_changes_nothing() {
    use regressions::*;
    let (seven, lines) = logged(|| finish(&HalfMade::NEW));
    assert_eq!(seven, 7);
    assert_eq!(
        lines,
        call(
            "#finish",
            ", arg_0=\"HalfMade { size: 1, state: <panicked>\""
        )
    );
    assert_eq!(
        logged(|| fails().is_err()).1[1],
        "ERROR instrument::regressions #fails, err=<panicked>"
    );
}

#[test]
fn futures_made_by_hand() {
    use regressions::*;
    let (length, lines) = logged(|| block_on(moves_before("text".to_owned())));
    assert_eq!((length, lines), (4, call("#moves_before", ", arg_0=text")));
    assert_eq!(block_on(unused("text", 1)), 3);
    assert_eq!(block_on(not_captured("text".to_owned())), 4);
    assert_eq!(block_on(not_sent(1.into())), 5);
    assert_eq!(block_on(taken_apart(("text".to_owned(), 1))), 5);
    assert_eq!(block_on(pins_what_it_moved(&mut Vec::new())), 2);
    assert_eq!(block_on(Service(1).gives_its_borrow(2)), 3);
    assert_eq!(*Service(1).lends(), 1);
    assert_eq!(block_on(mutable_under_cfg(1, 2)), 4);
}

#[test]
fn futures_in_other_types_are_given_as_they_are() {
    use regressions::*;
    let future = logged(|| in_an_option(1).unwrap());
    assert_eq!(future.1, call("#in_an_option", ", arg_0=1"));
    assert_eq!(block_on(future.0), 1);
    assert_eq!(block_on(in_a_result(2).unwrap()), 2);
    assert_eq!(many(Vec::new()).len(), 0);
    assert_eq!(block_on(maker()(3)), 3);
    assert_eq!(block_on(own_trait(4)), 4);
    let made = handed_on(Box::new(|| Box::pin(ready(5))));
    assert_eq!(block_on(made), 5);
}

#[test]
fn lints_of_annotated_functions_are_as_they_were() {
    use regressions::*;
    allowed((1, 2));
    underscore(1);
    assert_send::<u8>();
    block_on(underscore_async(1, 2));
}

/// Each writes its number when it is dropped.
mod drops {
    #![allow(unused_mut, unused_variables)]

    use super::*;

    pub(super) struct Number<'a, const N: u8>(pub(super) &'a RefCell<Vec<u8>>);

    impl<const N: u8> Drop for Number<'_, N> {
        fn drop(&mut self) {
            self.0.borrow_mut().push(N);
        }
    }

    macro_rules! functions {
        ($module:ident $(#$attribute:tt)?) => {
            pub(super) mod $module {
                use super::*;

                $(#$attribute)?
                pub(in super::super) fn plain(
                    a: Number<'_, 1>,
                    (b, _): (Number<'_, 2>, Number<'_, 3>),
                    mut c: Number<'_, 4>,
                    (d, _): (Number<'_, 5>, Number<'_, 6>),
                    _: Number<'_, 7>,
                ) {
                    let e = Number::<8>(a.0);
                    drop(b);
                }

                $(#$attribute)?
                pub(in super::super) async fn patterns(
                    a: Number<'_, 1>,
                    (b, _): (Number<'_, 2>, Number<'_, 3>),
                    mut c: Number<'_, 4>,
                    (d, _): (Number<'_, 5>, Number<'_, 6>),
                    _: Number<'_, 7>,
                ) {
                    let e = Number::<8>(c.0);
                    ready(()).await;
                }

                $(#$attribute)?
                pub(in super::super) async fn names(
                    a: Number<'_, 1>,
                    mut b: Number<'_, 2>,
                    c: Number<'_, 3>,
                ) {
                    let e = Number::<4>(b.0);
                    ready(()).await;
                }
            }
        };
    }

    functions!(without);
    functions!(with #[instrument]);
}

#[test]
fn arguments_are_dropped_in_their_order() {
    use drops::{with, without, Number};
    let order = RefCell::new(Vec::new());
    macro_rules! dropped {
        ($module:ident) => {{
            $module::plain(
                Number(&order),
                (Number(&order), Number(&order)),
                Number(&order),
                (Number(&order), Number(&order)),
                Number(&order),
            );
            block_on($module::patterns(
                Number(&order),
                (Number(&order), Number(&order)),
                Number(&order),
                (Number(&order), Number(&order)),
                Number(&order),
            ));
            block_on($module::names(
                Number(&order),
                Number(&order),
                Number(&order),
            ));
            order.take()
        }};
    }
    assert_eq!(dropped!(with), dropped!(without));
}

/// What `benches/attribute` measures beside other attributes.
#[test]
#[cfg(target_pointer_width = "64")]
fn a_future_is_56_bytes_larger_whatever_its_arguments_are() {
    macro_rules! size {
        ($attribute:meta, $value:expr, $ty:ty) => {{
            #[$attribute]
            async fn measured(argument: $ty) -> usize {
                ready(()).await;
                argument.len()
            }
            std::mem::size_of_val(&measured($value))
        }};
    }
    // The plain future of bytes alone is not rounded up to whole words.
    let added = |annotated: usize, plain: usize| annotated - plain.next_multiple_of(8);
    assert_eq!(
        added(
            size!(instrument, "a", &str),
            size!(allow(unused), "a", &str)
        ),
        56
    );
    assert_eq!(
        added(
            size!(instrument, [0; 1024], [u8; 1024]),
            size!(allow(unused), [0; 1024], [u8; 1024])
        ),
        56
    );
}

#[async_trait::async_trait]
trait Fetch {
    async fn fetch(&self, id: u8) -> Result<u8, String>;

    #[instrument]
    async fn twice(&self, id: u8) -> u8
    where
        Self: Sync,
    {
        2 * self.fetch(id).await.unwrap_or(0)
    }
}

struct Store(u8);

#[async_trait::async_trait]
impl Fetch for Store {
    #[instrument(names, err)]
    async fn fetch(&self, id: u8) -> Result<u8, String> {
        ready(()).await;
        log::info!("inside");
        if id != self.0 {
            return Err(format!("no {id}"));
        }
        Ok(id)
    }
}

#[test]
fn methods_of_async_trait_have_their_span_around_the_future() {
    let store = Store(7);
    let inside = "INFO instrument inside".to_owned();
    let mut lines = call("#fetch", ", id=7");
    lines.insert(1, inside.clone());
    // What `async_trait` makes of a method returns a future, so the span starts when it is called.
    let (future, made) = logged(|| store.fetch(7));
    assert_eq!(made, lines[..1]);
    assert_eq!(logged(|| block_on(future)), (Ok(7), lines[1..].to_vec()));
    let mut outer = call("#twice", ", arg_0=7");
    outer.splice(1..1, lines);
    assert_eq!(logged(|| block_on(store.twice(7))), (14, outer));
    let (result, lines) = logged(|| block_on(store.fetch(8)));
    assert_eq!(result, Err("no 8".to_owned()));
    assert_eq!(lines[2], "ERROR instrument #fetch, err=no 8");
}

/// Beside attributes that make a function something else.
mod beside {
    use super::*;

    #[instrument]
    #[test]
    fn a_test_below() {
        assert_eq!(logged(super::functions::none).0, 1);
    }

    #[test]
    #[instrument]
    fn a_test_above() {
        assert_eq!(logged(super::functions::none).0, 1);
    }

    #[instrument]
    #[tokio::test]
    async fn a_test_of_tokio_below() {
        tokio::task::yield_now().await;
    }

    #[tokio::test]
    #[instrument]
    async fn a_test_of_tokio_above() {
        tokio::task::yield_now().await;
    }

    #[instrument]
    #[tokio::main(flavor = "current_thread")]
    async fn main_below(a: u8) -> u8 {
        tokio::task::yield_now().await;
        a
    }

    #[tokio::main(flavor = "current_thread")]
    #[instrument]
    async fn main_above(a: u8) -> u8 {
        tokio::task::yield_now().await;
        a
    }

    #[test]
    fn mains() {
        assert_eq!(
            logged(|| main_below(1)),
            (1, call("#main_below", ", arg_0=1"))
        );
        assert_eq!(
            logged(|| main_above(1)),
            (1, call("#main_above", ", arg_0=1"))
        );
    }
}

/// Names that are constants, and braces that are no format.
mod names {
    use super::*;

    const NAME: &str = "constant";

    pub(super) struct Named;

    impl Named {
        const NAME: &'static str = "associated";

        #[instrument(name = Self::NAME, skip_all)]
        pub(super) fn associated(&self) {}
    }

    #[instrument(name = NAME)]
    pub(super) fn constant() {}

    #[instrument(name = concat!("a", "b"))]
    pub(super) fn joined() {}

    #[instrument(name = "GET /users/{{id}}")]
    pub(super) fn braces() {}

    #[instrument(name = NAME, fields(a = 1), ret)]
    pub(super) async fn with_fields() -> u8 {
        2
    }
}

#[test]
fn a_name_is_a_string_or_a_constant() {
    assert_eq!(
        logged(|| names::Named.associated()).1,
        call("associated", "")
    );
    assert_eq!(logged(names::constant).1, call("constant", ""));
    assert_eq!(logged(names::joined).1, call("ab", ""));
    assert_eq!(logged(names::braces).1, call("GET /users/{id}", ""));
    assert_eq!(
        logged(|| block_on(names::with_fields())).1,
        [
            "constant, span_mark=start, a=1",
            "constant, ret=2, a=1",
            "constant, span_mark=end, a=1"
        ]
    );
}

mod parents {
    use super::*;

    #[instrument(parent = None)]
    pub(super) fn root() {}

    #[instrument(parent = Option::None, fields(a = 1))]
    pub(super) fn root_with_fields() {}

    #[instrument(parent = parent)]
    pub(super) fn of_an_option(parent: Option<&Context>) {}

    #[instrument(skip_all, parent = none())]
    pub(super) async fn of_none_of_any_type() {}

    fn none() -> Option<async_log::Span> {
        None
    }

    #[instrument(skip_all, parent = &request.0)]
    pub(super) fn of_a_binding(request: &(Context, u8)) {}

    #[instrument(skip_all, parent = context)]
    pub(super) fn of_a_pattern((context, _): &(Context, u8)) {}
}

#[test]
fn a_parent_of_none_makes_a_root() {
    use parents::*;
    let context = span!(other = 8; "other", { Context::current() });
    span!(user = 7; "around", {
        assert_eq!(logged(root).1, call("#root", ""));
        assert_eq!(
            logged(root_with_fields).1[0],
            "#root_with_fields, span_mark=start, a=1"
        );
        assert_eq!(
            logged(|| of_an_option(None)).1,
            call("#of_an_option", ", arg_0=None")
        );
        assert!(logged(|| of_an_option(Some(&context))).1[0].ends_with("other=8"));
        assert_eq!(
            logged(|| block_on(of_none_of_any_type())).1,
            call("#of_none_of_any_type", "")
        );
        let request = (context.clone(), 1);
        assert!(logged(|| of_a_binding(&request)).1[0].ends_with("span_mark=start, other=8"));
        assert!(logged(|| of_a_pattern(&request)).1[0].ends_with("span_mark=start, other=8"));
        assert!(logged(|| span!("inner", {})).1[0].ends_with("user=7"));
    });
}

mod levels {
    use super::*;

    pub(super) fn chosen(level: Level) -> Level {
        log::info!("asked");
        level
    }

    #[instrument(level = chosen(level), ret, skip_all)]
    pub(super) fn by_expression(level: Level) {}

    #[instrument(level = chosen(level), fields(a = 1), skip_all)]
    pub(super) async fn by_expression_later(level: Level) {}

    #[instrument(level = "INFO")]
    pub(super) fn by_string() {}

    #[instrument(level = Debug)]
    pub(super) fn by_variant() {}

    #[instrument(level = log::Level::Warn)]
    pub(super) fn by_path() {}
}

#[test]
fn a_level_is_a_word_or_an_expression() {
    use levels::*;
    assert_eq!(
        logged(|| by_expression(Level::Warn)).1,
        [
            "INFO instrument::levels asked",
            "WARN instrument::levels #by_expression, span_mark=start",
            "WARN instrument::levels #by_expression, ret=null",
            "WARN instrument::levels #by_expression, span_mark=end"
        ]
    );
    let (_, lines) = logged(|| block_on(by_expression_later(Level::Warn)));
    assert_eq!(lines[0], "INFO instrument::levels asked");
    assert_eq!(
        lines[1],
        "WARN instrument::levels #by_expression_later, span_mark=start, a=1"
    );
    assert!(logged(by_string).1[0].starts_with("INFO"));
    assert!(logged(by_variant).1[0].starts_with("DEBUG"));
    assert!(logged(by_path).1[0].starts_with("WARN"));
    let level = Level::Error;
    assert!(logged(|| span!(level: info, "s", {})).1[0].starts_with("INFO"));
    assert!(logged(|| span!(level: Info, "s", {})).1[0].starts_with("INFO"));
    assert!(logged(|| span!(level: "info", "s", {})).1[0].starts_with("INFO"));
    assert!(logged(|| span!(level: Level::Warn, "s", {})).1[0].starts_with("WARN"));
    assert!(logged(|| span!(level: level, "s", {})).1[0].starts_with("ERROR"));
}

/// Fields as people write them who come from elsewhere.
mod fields {
    use super::*;

    pub(super) struct User {
        pub(super) id: u32,
    }

    #[instrument(skip_all, fields(user.id = 1, http.method = "GET"))]
    pub(super) fn dotted() {}

    #[instrument(skip_all, fields(user.id))]
    pub(super) fn place(user: &User) {}

    #[instrument(skip_all, fields(r#type = 1, r#match, self = 2, id:% = user.id, debug:? = user.id, "a b" = 3))]
    pub(super) fn keys(user: &User, r#match: u8) {}

    #[instrument(skip_all, fields(n = pair::<u8, u8>((1, 2)), closure = [1_u8, 2].iter().map(|a| a + 1).sum::<u8>()))]
    pub(super) fn commas() {}

    fn pair<A, B: Into<u32>>(of: (A, B)) -> u32 {
        of.1.into()
    }
}

#[test]
fn fields_have_keys_of_many_forms() {
    use fields::*;
    let start = |lines: Vec<String>| {
        lines[0]
            .split_once(", span_mark=start, ")
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(start(logged(dotted).1), "user.id=1, http.method=GET");
    assert_eq!(start(logged(|| place(&User { id: 7 })).1), "user.id=7");
    assert_eq!(
        start(logged(|| keys(&User { id: 7 }, 3)).1),
        "type=1, match=3, self=2, id=7, debug=7, a_b=3"
    );
    assert_eq!(start(logged(commas).1), "n=2, closure=5");
}

/// A function with `#[track_caller]` tells where it was called.
mod callers {
    use super::*;
    use std::panic::Location;

    #[instrument(ret)]
    #[track_caller]
    pub(super) fn returns() -> u32 {
        Location::caller().line()
    }

    #[track_caller]
    #[instrument(err)]
    pub(super) fn fails(ok: bool) -> Result<u32, u32> {
        if ok {
            Ok(Location::caller().line())
        } else {
            Err(Location::caller().line())
        }
    }

    #[cfg_attr(all(), track_caller)]
    #[instrument]
    pub(super) fn question() -> Result<&'static Location<'static>, std::fmt::Error> {
        Ok::<(), std::fmt::Error>(())?;
        Ok(Location::caller())
    }

    pub(super) type Boxed = Pin<Box<dyn Future<Output = u32>>>;

    #[instrument]
    #[track_caller]
    pub(super) fn boxed() -> Boxed {
        let line = Location::caller().line();
        let future = ready(line);
        Box::pin(future)
    }

    #[instrument(ret)]
    #[track_caller]
    pub(super) fn panics(of: Option<u8>) -> u8 {
        of.unwrap()
    }
}

#[test]
fn a_function_with_track_caller_tells_its_callers_line() {
    use callers::*;
    assert_eq!(returns(), line!());
    assert_eq!((fails(true), fails(false)), (Ok(line!()), Err(line!())));
    assert_eq!(question().unwrap().line(), line!());
    assert_eq!(block_on(boxed()), line!());
    let line = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let seen = line.clone();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let line = info.location().map_or(0, |location| location.line());
        seen.store(line, std::sync::atomic::Ordering::Relaxed);
    }));
    let expected = line!() + 1;
    let panicked = std::panic::catch_unwind(|| panics(None)).is_err();
    std::panic::set_hook(hook);
    assert!(panicked);
    assert_eq!(line.load(std::sync::atomic::Ordering::Relaxed), expected);
}
