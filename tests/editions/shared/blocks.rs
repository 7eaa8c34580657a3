//! Blocks without an await.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};

use futures::executor::block_on;

macro_rules! macro_statement {
    ($e:expr) => {
        assert!($e > 0);
    };
}

// Types that come from outside.

fn tail_is_boxed_as_trait() -> Box<dyn Debug> {
    span!("s", { Box::new(1_u8) })
}

fn tail_is_boxed_behind_if() -> Box<dyn Debug> {
    span!("s", {
        if std::env::args().count() > 1000 {
            Box::new(1_u8)
        } else {
            Box::new("one")
        }
    })
}

fn tail_is_trait_reference() -> String {
    let number = 7;
    let shown: &dyn Display = span!("s", { &number });
    shown.to_string()
}

fn tail_is_function_pointer() -> u8 {
    fn double(of: u8) -> u8 {
        of * 2
    }
    let function: fn(u8) -> u8 = span!("s", { double });
    let closure: fn(u8) -> u8 = span!("s", { |of| of + 1 });
    function(closure(3))
}

fn tail_is_one_of_two_functions() -> u8 {
    fn one() -> u8 {
        1
    }
    fn two() -> u8 {
        2
    }
    let which = span!("s", {
        match std::env::args().count() {
            0 => one as fn() -> u8,
            _ => two,
        }
    });
    which()
}

fn tail_is_slice() -> usize {
    let array = [1, 2, 3];
    let slice: &[i32] = span!("s", { &array });
    let boxed: Box<[i32]> = span!("s", { Box::new([1, 2]) });
    let shared: Rc<[i32]> = span!("s", { Rc::new([1]) });
    let slices: [&[u8]; 2] = span!("s", { [b"a", b"bc"] });
    slice.len() + boxed.len() + shared.len() + slices[1].len()
}

fn tail_is_deref() -> usize {
    let string = String::from("text");
    let text: &str = span!("s", { &string });
    let boxed = Box::new(String::from("boxed"));
    let inner: &str = span!("s", { &boxed });
    text.len() + inner.len()
}

fn tail_is_reborrow() -> Vec<u8> {
    fn push(to: &mut Vec<u8>) {
        let again: &mut Vec<u8> = span!("s", { to });
        again.push(1);
        to.push(2);
    }
    let mut vec = Vec::new();
    push(&mut vec);
    vec
}

fn tail_in_result() -> Result<Box<dyn Debug + Send>, Box<dyn std::error::Error>> {
    span!("s", { Ok(Box::new(1)) })
}

fn argument_is_coerced() -> String {
    fn show(what: &dyn Debug, how: Box<dyn Fn(&dyn Debug) -> String>) -> String {
        let how = &*how;
        how(what)
    }
    show(
        span!("s", { &7 }),
        span!("s", { Box::new(|what| format!("<{what:?}>", what = what)) }),
    )
}

fn closure_has_its_signature_from_outside() -> usize {
    fn apply(f: impl for<'a> Fn(&'a str) -> &'a str) -> usize {
        f("abc").len()
    }
    let callback: Box<dyn for<'a> Fn(&'a str) -> &'a str> = span!("s", { Box::new(|text| text) });
    let lengths: Vec<usize> = ["a", "bc"]
        .iter()
        .map(span!("s", { |text| text.len() }))
        .collect();
    callback("four").len() + apply(span!("s", { |text| &text[1..] })) + lengths.len()
}

fn integer_is_inferred() -> (u8, i64, u64, f32) {
    let byte: u8 = span!("s", { 255 });
    let collected: Vec<u64> = span!("s", { (1..4).collect() });
    let parsed: i64 = span!("s", { "-5".parse().unwrap() });
    let float: f32 = span!("s", { 1. / 4. });
    (byte, parsed, span!("s", { collected.iter().sum() }), float)
}

fn type_flows_outward() -> (u16, Vec<&'static str>) {
    let mut vec = span!("s", { Vec::new() });
    vec.push("x");
    let number = span!("s", { 3 });
    let sum: u16 = number;
    (sum, vec)
}

fn never_is_any_type() -> u8 {
    let value: u8 = span!("s", {
        if std::env::args().count() > 0 {
            7
        } else {
            return span!("inner", { 3 });
        }
    });
    value + 1
}

fn constant_is_promoted() -> &'static [u8; 3] {
    span!("s", { &[1, 2, 3] })
}

fn format_of_tail() -> String {
    format!("{} {:?}", span!("s", { 1 }), span!("s", { "two" }))
}

// Temporaries.

fn lock_in_statement() -> usize {
    let lock = Mutex::new(vec![1]);
    span!("s", {
        lock.lock().unwrap().push(2);
        lock.lock().unwrap().push(3);
    });
    let count = span!("s", { lock.lock().unwrap().len() });
    assert!(lock.try_lock().is_ok());
    count
}

fn cell_from_outside_in_tail() -> usize {
    let cell = RefCell::new(String::from("cell"));
    let count = span!("s", { cell.borrow().len() });
    let text = span!("s", { cell.borrow_mut() });
    count + text.len()
}

fn lock_of_argument_in_tail(lock: &RwLock<HashMap<u8, String>>) -> Option<String> {
    span!("s", { lock.read().unwrap().get(&1).cloned() })
}

fn lock_in_tail() -> Option<String> {
    let lock = RwLock::new(HashMap::new());
    lock.write().unwrap().insert(1, "one".to_owned());
    lock_of_argument_in_tail(&lock)
}

fn temporary_lives_as_long_as_the_statement() -> usize {
    fn len(text: &str) -> usize {
        text.len()
    }
    len(&span!("s", { String::from("owned") }))
}

fn temporary_lives_as_long_as_the_let() -> usize {
    let text: &str = &span!("s", { String::from("owned") });
    text.len()
}

fn match_on_lock() -> u8 {
    let lock = Mutex::new(Some(3));
    let value = span!("s", {
        match *lock.lock().unwrap() {
            Some(number) => number,
            None => 0,
        }
    });
    value
}

fn if_let_on_lock() -> u8 {
    let lock = Mutex::new(Some(3));
    let value = span!("s", {
        if let Some(number) = *lock.lock().unwrap() {
            number
        } else {
            0
        }
    });
    value
}

fn locals_are_dropped_in_order() -> Vec<&'static str> {
    struct Loud<'a>(&'static str, &'a RefCell<Vec<&'static str>>);
    impl Drop for Loud<'_> {
        fn drop(&mut self) {
            self.1.borrow_mut().push(self.0);
        }
    }
    let log = RefCell::new(Vec::new());
    span!("s", {
        let _first = Loud("first", &log);
        let _ = Loud("at once", &log);
        let _second = Loud("second", &log);
        log.borrow_mut().push("tail");
    });
    log.into_inner()
}

// Ways out.

fn returns() -> u8 {
    span!("s", {
        return 1;
    })
}

fn returns_without_value() {
    span!("s", { return });
}

fn returns_from_nested() -> u8 {
    span!("s", {
        span!("t", {
            if std::env::args().count() > 0 {
                return 2;
            }
        });
        1
    })
}

fn diverges() -> Result<(), String> {
    fn never(now: bool) -> ! {
        span!("s", {
            assert!(!now, "now");
            loop {
                std::thread::yield_now();
            }
        })
    }
    fn panics() -> ! {
        span!("s", { panic!("as said") })
    }
    fn exits(now: bool) -> u8 {
        span!("s", {
            if now {
                std::process::exit(1)
            }
            2
        })
    }
    let quiet = |f: fn()| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let result = std::panic::catch_unwind(f);
        std::panic::set_hook(hook);
        result.map_err(|payload| {
            payload
                .downcast_ref::<&str>()
                .map_or("?".into(), |text| (*text).into())
        })
    };
    assert_eq!(exits(false), 2);
    assert_eq!(quiet(|| never(true)), Err(String::from("now")));
    quiet(|| panics())
}

fn breaks_out_of_a_loop() -> (u8, u8) {
    let mut rounds = 0;
    let value = loop {
        span!("s", {
            rounds += 1;
            if rounds == 2 {
                continue;
            }
            if rounds > 3 {
                break rounds * 2;
            }
        });
    };
    (rounds, value)
}

fn breaks_out_of_labels() -> Vec<(u8, u8)> {
    let mut seen = Vec::new();
    'rows: for row in 0..4 {
        for column in 0..4 {
            span!("s", {
                if column > row {
                    continue 'rows;
                }
                if row == 3 {
                    break 'rows;
                }
                seen.push((row, column));
            });
        }
    }
    seen
}

fn breaks_out_of_a_labelled_block() -> u8 {
    'found: {
        span!("s", {
            if std::env::args().count() > 0 {
                break 'found 1;
            }
        });
        2
    }
}

fn label_is_inside() -> u8 {
    span!("s", {
        let found = 'found: {
            for number in 1.. {
                if number % 7 == 0 {
                    break 'found number;
                }
            }
            0
        };
        found
            + 'outer: loop {
                loop {
                    break 'outer 1;
                }
            }
    })
}

fn loop_is_the_tail() -> i32 {
    let mut numbers = [1, 2, 3].iter();
    span!("s", {
        loop {
            match numbers.next() {
                Some(2) => break 2,
                Some(_) => {}
                None => return -1,
            }
        }
    })
}

fn while_is_the_tail() -> u8 {
    let mut count = 3;
    span!("s", {
        while count > 0 {
            count -= 1;
        }
    });
    count
}

// `?`.

fn question_marks(text: &str) -> Result<i32, Box<dyn std::error::Error>> {
    let one: i32 = span!("s", { text.parse()? });
    let two = span!("s", {
        let sum = one + "2".parse::<i32>()?;
        if sum > 100 {
            Err("too much")?;
        }
        sum
    });
    span!("s", { text.parse::<i32>() })?;
    let three = span!("s", { Ok::<_, std::fmt::Error>(two) })? + span!("s", { 1 });
    span!("s", {
        let vec = vec![text.parse::<i32>()?, "1".parse()?];
        Ok(three + vec.iter().sum::<i32>())
    })
}

fn question_marks_both_ways() -> (String, String) {
    let show = |text| {
        format!(
            "{:?}",
            question_marks(text).map_err(|error| error.to_string())
        )
    };
    (show("1"), show("x"))
}

fn question_mark_of_option() -> Option<u8> {
    span!("s", {
        let first = [1_u8, 2].iter().max()?;
        [*first].iter().find(|number| **number > 7)?;
        None
    })
}

fn question_mark_of_control_flow() -> ControlFlow<u8, ()> {
    for number in 0..9 {
        span!("s", {
            if number == 4 {
                ControlFlow::Break(number)?;
            }
        });
    }
    ControlFlow::Continue(())
}

fn question_mark_in_closure() -> Option<i32> {
    let half = |number: i32| span!("s", { (number % 2 == 0).then(|| number / 2) });
    let quarter = |number| span!("s", { half(half(number)?) });
    quarter(8)
}

// Moves and borrows.

fn moves_out() -> (String, usize) {
    let (owned, kept) = (String::from("owned"), String::from("kept"));
    let moved = span!("s", {
        let length = kept.len();
        drop(vec![length]);
        owned
    });
    (moved, kept.len())
}

fn moves_a_box_apart() -> (String, Vec<u8>) {
    struct Two {
        text: String,
        bytes: Vec<u8>,
    }
    let boxed = Box::new(Two {
        text: "t".into(),
        bytes: vec![1],
    });
    let text = span!("s", { boxed.text });
    (text, boxed.bytes)
}

fn borrows_mutably() -> Vec<u8> {
    let mut vec = vec![1];
    let last = span!("s", {
        vec.push(2);
        let last = vec.last_mut().unwrap();
        *last += 1;
        last
    });
    *last += 1;
    vec.push(9);
    vec
}

fn initialises() -> (u8, String) {
    let number;
    let text;
    span!("s", {
        number = 4;
        text = String::from("late");
    });
    (number, text)
}

fn assigns() -> (u8, [u8; 2], String) {
    let (mut number, mut array, mut text) = (1, [0; 2], String::from("a"));
    span!("s", {
        number += 1;
        array[1] = number;
        text += "b";
    });
    span!("s", { text.push('c') });
    (number, array, text)
}

fn lends_for_longer() -> usize {
    fn longest<'a>(one: &'a str, two: &'a str) -> &'a str {
        span!("s", {
            if one.len() > two.len() {
                one
            } else {
                two
            }
        })
    }
    let text = String::from("longer");
    let longest = span!("s", { longest(&text, "short") });
    longest.len()
}

fn patterns() -> (u8, String, usize) {
    let (one, two) = span!("s", { (1, String::from("two")) });
    let [first, .., last] = span!("s", { [1, 2, 3, 4] });
    (one, two, first + last)
}

fn pattern_of_parameter() -> u8 {
    struct Point {
        x: u8,
        y: u8,
    }
    fn sum(Point { x, y }: Point, (a, b): (u8, u8)) -> u8 {
        span!("s", {
            let Point { x, .. } = Point { x, y };
            x + y + a + b
        })
    }
    sum(Point { x: 1, y: 2 }, (3, 4))
}

fn shadows() -> (u8, u8) {
    let x = 1;
    let y = span!("s", {
        let x = x + 1;
        let x = x * 2;
        x
    });
    (x, y)
}

// What a block may hold.

fn nests() -> u8 {
    span!("a", {
        let one = span!("b", { span!("c", { 1 }) });
        one + span!("d", {
            span!("e", {});
            2
        })
    })
}

fn holds_items() -> u8 {
    span!("s", {
        use std::collections::BTreeMap as Map;
        const TWO: u8 = 2;
        static FOUR: u8 = 4;
        struct Holder(u8);
        impl Holder {
            fn get(&self) -> u8 {
                self.0
            }
        }
        enum Which {
            This,
        }
        trait Doubled {
            fn doubled(&self) -> u8;
        }
        impl Doubled for Holder {
            fn doubled(&self) -> u8 {
                self.get() * 2
            }
        }
        macro_rules! three {
            () => {
                3
            };
        }
        fn map() -> Map<u8, u8> {
            let mut map = Map::new();
            map.insert(1, three!());
            map
        }
        match Which::This {
            Which::This => map()[&1] + TWO + FOUR + Holder(1).doubled(),
        }
    })
}

fn holds_attributes() -> u8 {
    span!("s", {
        #[allow(unused_variables)]
        let unused = 1;
        #[cfg(any())]
        compile_error!("not here");
        #[rustfmt::skip]
        let matrix = [1, 0,
                      0, 1];
        #[allow(clippy::let_and_return)]
        let sum = matrix.iter().sum();
        sum
    })
}

fn holds_unsafe() -> u8 {
    let number = 7_u8;
    let pointer: *const u8 = &number;
    span!("s", {
        // SAFETY: it points to a local that lives.
        unsafe { *pointer }
    })
}

fn is_unsafe_around() -> u8 {
    let number = 7_u8;
    let pointer: *const u8 = &number;
    // SAFETY: it points to a local that lives.
    unsafe { span!("s", { *pointer }) }
}

fn holds_closures() -> u32 {
    let mut count = 0;
    span!("s", {
        let mut add = |more: u32| count += more;
        add(1);
        add(2);
    });
    let add = span!("s", { move |more: u32| count + more });
    let boxed: Box<dyn Fn(u32) -> u32> = span!("s", { Box::new(move |more| add(more) + 1) });
    boxed(1)
}

fn holds_async_blocks() -> (usize, usize, u8) {
    let text = String::from("text");
    let borrowed = span!("s", { async { text.len() } });
    let first = block_on(borrowed);
    let moved = span!("s", { async move { text.len() } });
    let second = block_on(moved);
    let boxed: std::pin::Pin<Box<dyn Future<Output = u8> + Send>> = span!("s", {
        Box::pin(async {
            let number = async { 3 }.await;
            number + 1
        })
    });
    (first, second, block_on(boxed))
}

fn is_empty() {
    span!("s", {});
    let unit = span!("s", {});
    span!("s", { () });
    unit
}

fn is_a_statement() -> u8 {
    let mut number = 0;
    span!("s", { number += 1 });
    span! { "s", { number += 1; } }
    span!["s", { number += 1 }];
    span!("s", { number += 1 },);
    number
}

fn is_an_operand() -> (u8, bool, [u8; 2], String) {
    let sum = 1 + span!("s", { 1 }) * span!("s", { 3 });
    let flag = !span!("s", { false }) && span!("s", { true });
    let text = span!("s", { "method" }).to_owned() + &*span!("s", { String::from("!") });
    (sum, flag, [span!("s", { 1 }), 2], text)
}

fn is_a_condition() -> u8 {
    let mut count = 0;
    while span!("s", { count < 3 }) {
        count += 1;
    }
    if span!("s", { count == 3 }) {
        count += 1;
    }
    match span!("s", { count }) {
        4 if span!("s", { true }) => 5,
        other => other,
    }
}

fn is_the_body_of_a_closure() -> Vec<usize> {
    ["a", "bc"]
        .iter()
        .map(|text| span!("s", { text.len() }))
        .collect()
}

fn is_in_a_macro() -> (Vec<u8>, String, bool) {
    let vec = vec![span!("s", { 1 }), 2];
    assert_eq!(span!("s", { 1 }), 1);
    assert!(span!("s", { true }), "{}", span!("s", { "why" }));
    let text = format!("{}{}", span!("s", { 1 }), span!("s", { format!("{}", 2) }));
    (vec, text, matches!(span!("s", { Some(1) }), Some(1 | 2)))
}

fn macros_in_it() -> (String, usize) {
    // One of the names that stand for something asynchronous elsewhere.
    macro_rules! join {
        ($a:expr, $b:expr) => {
            format!("{}{}", $a, $b)
        };
        ($a:expr; $b:expr) => {
            [$a, $b]
        };
    }
    macro_rules! select {
        ($a:ident from $b:ident) => {
            $b.$a
        };
        ($($key:ident => $value:expr),*) => {
            [$((stringify!($key), $value)),*].len()
        };
    }
    struct Table {
        column: usize,
    }
    let table = Table { column: 1 };
    span!("s", {
        let joined = join!("a", 1);
        let array = join!(1; 2);
        let text = ["x", "y"].join("-");
        let count = select!(column from table) + select!(a => 1, b => 2) + array.len();
        println!("{}", text);
        macro_statement! { count }
        (joined + &text, count)
    })
}

fn threads_in_it() -> u8 {
    let shared = Arc::new(Mutex::new(1));
    span!("s", {
        let other = Arc::clone(&shared);
        std::thread::spawn(move || *other.lock().unwrap() += 1)
            .join()
            .unwrap();
        let value = *shared.lock().unwrap();
        value
    })
}

fn channels_in_it() -> (u8, u8) {
    let (sender, receiver) = crossbeam_channel::unbounded();
    let (other, silent) = crossbeam_channel::bounded::<u8>(0);
    span!("s", {
        sender.send(1_u8).unwrap();
        let first = crossbeam_channel::select! {
            recv(receiver) -> message => message.unwrap(),
            recv(silent) -> _ => 0,
        };
        use crossbeam_channel::select;
        let second = select! {
            recv(receiver) -> message => message.unwrap(),
            send(other, 1) -> _ => 7,
            default => 9,
        };
        select! {
            recv(receiver) -> _ => {}
            default(std::time::Duration::from_millis(1)) => {}
        }
        (first, second)
    })
}

trait Shape {
    const SIDES: u8;
    fn area(&self) -> f32;
    fn doubled(&self) -> f32 {
        span!("s", { self.area() * 2. })
    }
    fn boxed(self) -> Box<dyn Debug>
    where
        Self: Sized + Debug + 'static,
    {
        span!("s", { Box::new(self) })
    }
}

#[derive(Debug)]
struct Square<const N: usize, T = f32>([T; N]);

impl<const N: usize> Shape for Square<N> {
    const SIDES: u8 = 4;
    fn area(&self) -> f32 {
        span!("s", {
            self.0.iter().product::<f32>() + f32::from(Self::SIDES)
        })
    }
}

impl<const N: usize, T: Default> Square<N, T> {
    fn first_mut(&mut self) -> &mut T {
        span!("s", { &mut self.0[0] })
    }
    fn take(&mut self) -> T {
        span!("s", { std::mem::take(self.first_mut()) })
    }
}

fn methods() -> (f32, f32, String) {
    let mut square = Square([2., 3.]);
    let doubled = square.doubled();
    let taken = square.take();
    (doubled, taken, format!("{:?}", square.boxed()))
}

fn generics() -> (usize, String) {
    fn size<T, const N: usize>(of: [T; N]) -> usize
    where
        T: Into<usize> + Copy,
    {
        span!("s", { of.iter().map(|&one| one.into()).sum::<usize>() + N })
    }
    fn shown<'a>(parts: impl IntoIterator<Item = &'a str>) -> impl Display {
        span!("s", { parts.into_iter().collect::<Vec<_>>().concat() })
    }
    (size([1_u8, 2]), shown(vec!["a", "b"]).to_string())
}

fn iterators() -> Vec<i32> {
    fn even<'a>(numbers: &'a [i32]) -> impl Iterator<Item = i32> + 'a {
        span!("s", {
            numbers.iter().copied().filter(|number| number % 2 == 0)
        })
    }
    even(&[1, 2, 3, 4]).collect()
}

results! {
    tail_is_boxed_as_trait tail_is_boxed_behind_if tail_is_trait_reference
    tail_is_function_pointer tail_is_one_of_two_functions tail_is_slice tail_is_deref
    tail_is_reborrow tail_in_result argument_is_coerced closure_has_its_signature_from_outside
    integer_is_inferred type_flows_outward never_is_any_type constant_is_promoted format_of_tail
    lock_in_statement cell_from_outside_in_tail lock_in_tail
    temporary_lives_as_long_as_the_statement temporary_lives_as_long_as_the_let match_on_lock
    if_let_on_lock locals_are_dropped_in_order
    returns returns_without_value returns_from_nested diverges breaks_out_of_a_loop
    breaks_out_of_labels breaks_out_of_a_labelled_block label_is_inside loop_is_the_tail
    while_is_the_tail
    question_marks_both_ways question_mark_of_option question_mark_of_control_flow
    question_mark_in_closure
    moves_out moves_a_box_apart borrows_mutably initialises assigns lends_for_longer patterns
    pattern_of_parameter shadows
    nests holds_items holds_attributes holds_unsafe is_unsafe_around holds_closures
    holds_async_blocks is_empty is_a_statement is_an_operand is_a_condition
    is_the_body_of_a_closure is_in_a_macro macros_in_it threads_in_it channels_in_it
    methods generics iterators
}
