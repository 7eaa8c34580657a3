//! Blocks that await.

use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::executor::block_on;
use futures::{FutureExt, SinkExt, StreamExt, TryFutureExt};

/// Pending once, then ready.
struct Later<T>(Option<T>, bool);

impl<T: Unpin> Future for Later<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if self.1 {
            return Poll::Ready(self.0.take().expect("not polled after it was ready"));
        }
        self.1 = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn later<T>(value: T) -> Later<T> {
    Later(Some(value), false)
}

struct Request(u8);

impl IntoFuture for Request {
    type Output = u8;
    type IntoFuture = Later<u8>;

    fn into_future(self) -> Later<u8> {
        later(self.0)
    }
}

struct Client;

impl Client {
    async fn get(&self, number: u8) -> Result<Answer, String> {
        later(()).await;
        match number {
            0 => Err("zero".to_owned()),
            number => Ok(Answer(number)),
        }
    }
}

struct Answer(u8);

impl Answer {
    async fn text(self) -> Result<String, String> {
        Ok(later(self.0.to_string()).await)
    }
}

/// Holds that a future can be sent.
fn sendable<F: Future + Send>(future: F) -> F {
    future
}

fn statement_and_tail() -> u8 {
    block_on(sendable(async {
        span!("s", {
            later(1).await;
            later(2).await
        })
    }))
}

fn arguments() -> (u8, Vec<u8>) {
    fn add(a: u8, b: u8) -> u8 {
        a + b
    }
    block_on(sendable(async {
        span!("s", {
            let sum = add(later(1).await, add(later(2).await, 3));
            let mut vec = Vec::with_capacity(later(1).await);
            vec.push(later(sum).await);
            vec.extend(Some(later(1).await));
            vec[later(0).await] += later(1).await;
            (sum, vec)
        })
    }))
}

fn operators() -> (i32, bool, bool, u64) {
    block_on(async {
        span!("s", {
            let sum = later(1).await + -later(2).await * later(3).await;
            let both = !later(false).await && later(true).await;
            let less = later(1).await < later(2).await;
            (sum, both, less, later(1_u8).await as u64)
        })
    })
}

fn control_flow() -> Vec<u8> {
    block_on(sendable(async {
        span!("s", {
            let mut out = Vec::new();
            match later(Some(1)).await {
                Some(number) if later(true).await => out.push(number),
                Some(_) | None => out.push(later(9).await),
            }
            if later(true).await {
                out.push(2);
            }
            if let Some(number) = later(Some(3)).await {
                out.push(later(number).await);
            } else if let Some(number) = later(None).await {
                out.push(number);
            }
            let mut left = 3;
            while let Some(number) = later(if left > 0 { Some(left) } else { None }).await {
                left -= 1;
                out.push(number);
            }
            while later(out.len() < 8).await {
                out.push(later(0).await);
            }
            for number in later(vec![7, 8]).await {
                if number == 8 {
                    continue;
                }
                out.push(number);
            }
            let last = loop {
                break later(10).await;
            };
            out.push(last);
            out
        })
    }))
}

fn chains() -> Vec<Result<String, String>> {
    async fn ask(number: u8) -> Result<String, String> {
        let client = Client;
        span!("s", {
            let text = client.get(number).await?.text().await?.trim().to_owned();
            Ok(text + &client.get(number).await?.text().await?)
        })
    }
    async fn tail(number: u8) -> Result<String, String> {
        span!("s", { Client.get(number).await?.text().await })
    }
    async fn over_lines(number: u8) -> Result<usize, String> {
        let length = span!("s", {
            Client
                .get(number)
                .await
                .map_err(|error| error + "!")?
                .text()
                .await?
                .len()
        });
        Ok(length)
    }
    let length = |number| block_on(over_lines(number)).map(|length| length.to_string());
    vec![
        block_on(sendable(ask(1))),
        block_on(ask(0)),
        block_on(tail(2)),
        block_on(tail(0)),
        length(3),
        length(0),
    ]
}

fn error_type_from_outside() -> Result<u8, String> {
    async fn ask() -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
        span!("s", {
            let number: u8 = later("7").await.parse()?;
            if later(number).await == 7 {
                Err("seven")?;
            }
            Ok(later(number).await)
        })
    }
    block_on(sendable(ask())).map_err(|error| error.to_string())
}

fn kinds_of_futures() -> Vec<u8> {
    block_on(async {
        span!("s", {
            let mut out = vec![Request(1).await];
            let mut future = later(2);
            out.push((&mut future).await);
            let mut unpin: Box<dyn Future<Output = u8> + Unpin> = Box::new(later(3));
            out.push((&mut unpin).await);
            let unpin: Box<dyn Future<Output = u8> + Unpin> = Box::new(later(4));
            out.push(unpin.await);
            let mut pinned: Pin<Box<dyn Future<Output = u8> + Send>> = Box::pin(async { 5 });
            out.push(pinned.as_mut().await);
            let mut sixth = Box::pin(async { later(6).await });
            let sixth: Pin<&mut dyn Future<Output = u8>> = sixth.as_mut();
            out.push(sixth.await);
            let seventh = async { 7 };
            tokio::pin!(seventh);
            out.push(seventh.as_mut().await);
            out.push(std::future::ready(8).await);
            out.push(async { later(9).await }.await);
            out.push(async move { 10 }.map(|ten| ten + 1).await);
            out.push(Box::pin(later(12)).await);
            out.push(tokio::task::unconstrained(later(13)).await);
            out
        })
    })
}

fn in_other_macros() -> (String, Vec<u8>) {
    block_on(async {
        span!("s", {
            assert!(later(true).await);
            assert_eq!(later(1).await, later(1).await, "{}", later("why").await);
            assert!(matches!(later(Some(1)).await, Some(1 | 2)));
            println!("{} {x}", later(1).await, x = later(2).await);
            log::info!(key = later(1).await; "{}", later("record").await);
            let vec = vec![later(1).await, later(2).await];
            let repeated = vec![later(3).await; 2];
            let text = format!("{}-{:?}", later(1).await, later(Some(2)).await);
            debug_assert!(later(vec.len()).await == 2);
            (text, [vec, repeated].concat())
        })
    })
}

fn nested_spans() -> u8 {
    block_on(sendable(async {
        span!("a", {
            let one = later(1).await;
            let two = span!("b", {
                let three = span!("c", { later(3).await });
                three + later(2).await
            });
            span!("sync", { assert_eq!(one + two, 6) });
            span!("d", { span!("e", { later(one + two).await }) })
        })
    }))
}

fn ways_out() -> Vec<Option<u8>> {
    async fn leave(how: u8) -> Option<u8> {
        let mut round = 0;
        let value = 'outer: loop {
            span!("s", {
                round += 1;
                match later(how).await {
                    0 => return later(Some(0)).await,
                    1 => break 'outer later(1).await,
                    2 if round < 3 => continue,
                    3 => later(None).await?,
                    _ => {}
                }
                for _ in 0..3 {
                    if later(round).await > 3 {
                        break 'outer round;
                    }
                    continue 'outer;
                }
            });
        };
        Some(value + 10)
    }
    (0..5).map(|how| block_on(sendable(leave(how)))).collect()
}

fn diverges() -> &'static str {
    async fn forever() -> ! {
        span!("s", {
            loop {
                later(()).await;
            }
        })
    }
    async fn pending() -> ! {
        span!("s", { std::future::pending().await })
    }
    async fn either() -> u8 {
        span!("s", {
            if later(true).await {
                return 1;
            }
            panic!("not here");
        })
    }
    assert_eq!(block_on(either()), 1);
    assert!(sendable(pending()).now_or_never().is_none());
    match forever().now_or_never() {
        None => "pending",
        Some(never) => never,
    }
}

fn not_send_across_awaits() -> (usize, u8) {
    block_on(async {
        let shared = Rc::new(Cell::new(1));
        let cell = RefCell::new(vec![1]);
        span!("s", {
            let other = Rc::clone(&shared);
            later(()).await;
            other.set(2);
            #[allow(clippy::await_holding_refcell_ref)]
            let length = {
                let mut borrowed = cell.borrow_mut();
                borrowed.push(later(2).await);
                later(()).await;
                borrowed.len()
            };
            (length, later(shared.get()).await)
        })
    })
}

fn borrowed_across_awaits() -> (String, Vec<u8>) {
    block_on(sendable(async {
        let mut outer = vec![1];
        let text = span!("s", {
            let local = String::from("local");
            let slice = &local[1..];
            let last = outer.last_mut().unwrap();
            *last += later(1).await;
            later(slice).await.to_owned()
        });
        span!("s", {
            let push = |vec: &mut Vec<u8>, number| vec.push(number);
            push(&mut outer, later(7).await);
        });
        let last = span!("s", {
            later(()).await;
            outer.last_mut()
        });
        *last.unwrap() += 1;
        (text, outer)
    }))
}

fn moved_across_awaits() -> (String, String) {
    block_on(sendable(async {
        let (first, second) = (String::from("first"), String::from("second"));
        let first = span!("s", {
            later(()).await;
            first
        });
        let second = span!("s", { later(second).await });
        (first, second)
    }))
}

fn initialised_across_awaits() -> u8 {
    block_on(async {
        let number;
        span!("s", {
            number = later(4).await;
        });
        number
    })
}

fn coerced_tails() -> String {
    async fn boxed() -> Box<dyn Debug + Send> {
        span!("s", {
            later(()).await;
            Box::new(1_u8)
        })
    }
    async fn result() -> Result<Box<dyn Debug + Send>, ()> {
        span!("s", {
            later(()).await;
            Ok(Box::new(2))
        })
    }
    async fn slice(array: &[u8; 2]) -> &[u8] {
        span!("s", {
            later(()).await;
            array
        })
    }
    let slice = block_on(slice(&[1, 2])).len();
    format!("{:?} {:?} {}", block_on(boxed()), block_on(result()), slice)
}

fn temporaries_in_the_tail() -> usize {
    let lock = tokio::sync::RwLock::new(vec![1]);
    let guarded = futures::lock::Mutex::new(3);
    block_on(async {
        let length = span!("s", { lock.read().await.len() });
        span!("s", { lock.write().await.push(1) });
        let matched = span!("s", {
            match *guarded.lock().await {
                3 => 1,
                _ => 2,
            }
        });
        if let Some(one) = span!("s", { lock.read().await.first().copied() }) {
            // Here the lock is still held, but in edition 2024.
            assert_eq!(one, 1);
        }
        let guard = span!("s", { lock.write().await });
        length + matched + guard.len()
    })
}

fn as_operand() -> (u8, Option<u8>) {
    async fn ask() -> Option<u8> {
        let some = span!("s", { later(Some(1)).await })?;
        Some(some + span!("s", { later(2).await }))
    }
    block_on(async {
        let number = later(span!("s", { later(1).await })).await + span!("s", { 1 });
        let future = span!("s", { later(3) });
        (
            number + future.await + span!("s", { ask() }).await.unwrap(),
            ask().await,
        )
    })
}

fn own_async_blocks() -> Vec<u8> {
    block_on(async {
        let outer = [1, 2];
        span!("s", {
            let borrowed = async { later(outer[0]).await };
            let moved = async move { later(outer[1]).await };
            let nested = async {
                let inner = async { later(3).await };
                span!("t", { inner.await })
            };
            let result = async {
                let number: u8 = later("4").await.parse()?;
                Ok::<_, std::num::ParseIntError>(number)
            };
            async fn five() -> u8 {
                later(5).await
            }
            async fn generic<T: Unpin>(value: T) -> T {
                later(value).await
            }
            let closure = |number: u8| async move { later(number).await };
            let boxed =
                || Box::pin(async { later(8_u8).await }) as Pin<Box<dyn Future<Output = u8>>>;
            vec![
                borrowed.await,
                moved.await,
                nested.await,
                result.await.unwrap(),
                five().await,
                generic::<u8>(6).await,
                closure(7).await,
                boxed().await,
                async { 9 }.await,
                async { later(Ok::<_, ()>(10)).await }
                    .unwrap_or_else(|()| 0)
                    .await,
            ]
        })
    })
}

fn streams() -> Vec<u8> {
    block_on(sendable(async {
        let mut stream = futures::stream::iter(0..5).then(later);
        let (mut sender, mut receiver) = futures::channel::mpsc::channel(8);
        span!("s", {
            let mut out = Vec::new();
            while let Some(number) = stream.next().await {
                if number == 2 {
                    sender.send(number).await.unwrap();
                    continue;
                }
                out.push(number);
            }
            drop(sender);
            out.extend(receiver.next().await);
            let doubled = futures::stream::iter(vec![1, 2])
                .map(|number| async move { later(number * 2).await })
                .buffer_unordered(2)
                .collect::<Vec<_>>()
                .await;
            out.extend(doubled.iter().max());
            out
        })
    }))
}

fn in_closures_that_are_not_async() -> Vec<u8> {
    block_on(async {
        span!("s", {
            let numbers = later(vec![1_u8, 2, 3]).await;
            let futures = numbers.iter().map(|&number| later(number));
            let mut out = Vec::new();
            for future in futures {
                out.push(future.await);
            }
            out
        })
    })
}

fn generic_futures() -> String {
    async fn twice<F, T>(make: impl Fn() -> F) -> (T, T)
    where
        F: Future<Output = T>,
    {
        span!("s", { (make().await, make().await) })
    }
    fn not_async<'a>(text: &'a str) -> impl Future<Output = usize> + Send + 'a {
        async move { span!("s", { later(text).await.len() }) }
    }
    struct Holder<'a>(&'a str);
    impl<'a> Holder<'a> {
        async fn get(&self, other: &str) -> &'a str {
            span!("s", {
                later(if other.is_empty() { "" } else { self.0 }).await
            })
        }
    }
    let held = block_on(Holder("held").get("x"));
    format!(
        "{:?} {} {}",
        block_on(twice(|| later(1))),
        block_on(not_async("four")),
        held
    )
}

fn recursion() -> u32 {
    fn factorial(of: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
        Box::pin(async move {
            span!("s", {
                if of == 0 {
                    return 1;
                }
                of * factorial(of - 1).await
            })
        })
    }
    block_on(factorial(5))
}

fn dropped_unfinished() -> Vec<&'static str> {
    struct Loud<'a>(&'static str, &'a RefCell<Vec<&'static str>>);
    impl Drop for Loud<'_> {
        fn drop(&mut self) {
            self.1.borrow_mut().push(self.0);
        }
    }
    let log = RefCell::new(Vec::new());
    let mut future = Box::pin(async {
        let _outer = Loud("outer", &log);
        span!("s", {
            let _inner = Loud("inner", &log);
            std::future::pending::<()>().await;
        });
    });
    assert!((&mut future).now_or_never().is_none());
    log.borrow_mut().push("dropped");
    drop(future);
    log.into_inner()
}

results! {
    statement_and_tail arguments operators control_flow chains error_type_from_outside
    kinds_of_futures in_other_macros nested_spans ways_out diverges not_send_across_awaits
    borrowed_across_awaits moved_across_awaits initialised_across_awaits coerced_tails
    temporaries_in_the_tail as_operand own_async_blocks streams in_closures_that_are_not_async
    generic_futures recursion dropped_unfinished
}
