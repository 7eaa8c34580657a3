//! What only edition 2024 has: async closures, `if let` chains, temporaries that end with the block;
//! and lints that a span's block must still be given.

#![deny(warnings)]
#![warn(clippy::pedantic)]

use std::cell::RefCell;
use std::sync::Mutex;

use async_log::span;
use futures::executor::block_on;

async fn later<T>(value: T) -> T {
    tokio::task::yield_now().await;
    value
}

#[test]
fn temporaries_end_with_the_block() {
    fn len() -> usize {
        let cell = RefCell::new(vec![1]);
        span!("s", { cell.borrow().len() })
    }
    fn locked() -> u8 {
        let lock = Mutex::new(Some(3));
        span!("s", {
            match *lock.lock().unwrap() {
                Some(number) => number + 1,
                None => 1,
            }
        })
    }
    let lock = Mutex::new(1_u8);
    if let 1 = span!("s", { *lock.lock().unwrap() }) {
        *lock.lock().unwrap() += 1;
    }
    if let Some(number) = span!("s", { lock.lock().unwrap().checked_sub(9) }) {
        unreachable!("{number}");
    } else {
        *lock.lock().unwrap() += 1;
    }
    assert_eq!((len(), locked(), lock.into_inner().unwrap()), (1, 4, 3));
}

#[test]
fn async_locks_end_with_the_block() {
    block_on(async {
        let lock = tokio::sync::RwLock::new(vec![1]);
        if let Some(first) = span!("s", { lock.read().await.first().copied() }) {
            lock.write().await.push(first);
        }
        let length = span!("s", { lock.read().await.len() });
        lock.write().await.push(length);
        assert_eq!(*lock.read().await, [1, 1, 2]);
    });
}

#[test]
fn chains_of_let() {
    let numbers = ["1", "x"];
    let parsed = span!("s", {
        if let Some(first) = numbers.first()
            && let Ok(number) = first.parse::<u8>()
            && number < 9
        {
            number
        } else {
            0
        }
    });
    let awaited = block_on(async {
        span!("s", {
            if let Some(number) = later(Some(1)).await
                && later(number == 1).await
                && let Some(2) = later(Some(number + 1)).await
            {
                later(number).await
            } else {
                0
            }
        })
    });
    assert_eq!((parsed, awaited), (1, 1));
}

#[test]
fn async_closures() {
    let sum = block_on(async {
        let mut total = 1;
        let offset = 2;
        span!("s", {
            let double = async |number: u8| later(number).await * 2;
            let add = async move |number: u8| {
                let number = later(number).await;
                number + offset
            };
            let typed = async |number: u8| -> Result<u8, std::num::ParseIntError> {
                let parsed: u8 = later("3").await.parse()?;
                Ok(parsed + number)
            };
            let mut grow = async |by: u8| total += later(by).await;
            grow(1).await;
            grow(2).await;
            let nested = async |number: u8| span!("t", { later(number).await });
            double(1).await + add(1).await + typed(1).await.unwrap() + nested(1).await
        }) + total
    });
    assert_eq!(sum, 14);
}

#[test]
fn const_and_gen_of_names() {
    let r#gen = span!("s", { const { 1 + 1 } });
    let Some(number) = span!("s", { Some(r#gen) }) else {
        return;
    };
    assert_eq!(number, 2);
}

/// Each of these expects a lint: without it, the expectation itself would be a warning.
#[test]
#[expect(clippy::await_holding_lock)] // said of the whole future
fn lints_stay() {
    span!("s", {
        #[expect(unused_variables)]
        let unused = 1;
        #[expect(unused_mut)]
        let mut never_changed = 2;
        #[expect(unused_must_use)]
        never_changed.max(3);
        #[expect(unused_parens)]
        let parens = (1);
        let text = String::from("x");
        #[expect(clippy::let_and_return)]
        let inner = {
            let it = parens + text.len();
            it
        };
        #[expect(dead_code, clippy::items_after_statements)]
        fn nobody_calls() {}
        assert_eq!(inner, 2);
    });
    block_on(async {
        span!("s", {
            #[expect(unused_variables)]
            let unused = later(1).await;
            #[expect(unused_must_use)]
            later(Ok::<u8, u8>(2)).await;
            #[expect(unused_must_use)]
            later(3);
            #[expect(unused_must_use)]
            tokio::join!(later(1), later(2)).0.max(1);
            let lock = Mutex::new(1);
            let guard = lock.lock().unwrap();
            later(()).await;
            drop(guard);
        });
    });
}

#[expect(unreachable_code)]
fn unreachable() -> u8 {
    span!("s", {
        return 1;
    });
    2
}

#[test]
fn code_behind_a_return_is_unreachable() {
    assert_eq!(unreachable(), 1);
}
