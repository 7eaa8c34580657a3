//! Blocks that hold `join!`, `try_join!`, `select!` and `select_biased!`.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::{mpsc, oneshot};
use futures::executor::block_on;
use futures::{FutureExt, StreamExt};

async fn later<T>(value: T) -> T {
    tokio::task::yield_now().await;
    value
}

async fn fails<T>(value: T) -> Result<T, String> {
    later(()).await;
    drop(value);
    Err(String::from("fails"))
}

async fn okay<T>(value: T) -> Result<T, String> {
    Ok(later(value).await)
}

async fn pair<A, B>(a: A, b: B) -> (A, B) {
    later((a, b)).await
}

async fn is_less<A, B>(a: A, b: B) -> bool
where
    A: Into<u64>,
    B: Into<u64>,
{
    later(a.into() < b.into()).await
}

trait Make<A, B> {
    fn make(number: u8) -> Pin<Box<dyn Future<Output = u8> + Send>>;
}

struct Maker;

impl Make<u8, u16> for Maker {
    fn make(number: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
        Box::pin(later(number))
    }
}

/// On tokio's runtime.
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}

fn sendable<F: Future + Send>(future: F) -> F {
    future
}

// `join!` and `try_join!`.

fn joins() -> (u8, String, Vec<u8>) {
    run(sendable(async {
        let mut vec = vec![1];
        span!("s", {
            let (one, two) = tokio::join!(later(1), later("two"));
            let (three,) = tokio::join!(later(3));
            let (four, five) = futures::join!(later(4), async { later(5).await },);
            tokio::join!(
                async { vec.push(one) },
                later(()),
                std::future::ready(()),
                later::<Result<u8, ()>>(Ok(1)).map(|_| ()),
            );
            let first = tokio::join!(later(1), later(2)).0;
            let text = format!("{:?}", tokio::join!(later(1), later(2)));
            let biased = tokio::join!(biased; later(1), later(2));
            vec.extend([one, three, four, five, first, biased.1].iter());
            (first, two.to_owned() + &text, vec)
        })
    }))
}

fn join_in_every_position() -> Vec<(u8, u8)> {
    fn swap(pair: (u8, u8)) -> (u8, u8) {
        (pair.1, pair.0)
    }
    async fn tail() -> (u8, u8) {
        span!("s", { tokio::join!(later(1), later(2)) })
    }
    run(sendable(async {
        span!("s", {
            let mut out = vec![
                swap(tokio::join!(later(1), later(2))),
                futures::join!(later(3), later(4)),
                tail().await,
            ];
            tokio::join!(later(1), later(2));
            tokio::join! { later(()), later(()) };
            match tokio::join!(later(1), later(2)) {
                (1, two) => out.push((two, two)),
                _ => return out,
            }
            if let (true, false) = tokio::join!(later(true), later(false)) {
                out.push(tokio::join!(later(5), later(6)));
            }
            let sum = tokio::join!(later(1), later(2)).0 + tokio::join!(later(3), later(4)).1;
            out.push((sum, 0));
            tokio::join!(later(vec![8]), later(9)).0.clear();
            let nested = tokio::join!(
                async { tokio::join!(later(1), later(2)).0 },
                span!("inner", { later(tokio::join!(later(3), later(4)).1) }),
            );
            out.push(nested);
            let inner = span!("t", { futures::join!(later(1), later(2)) });
            out.push(inner);
            out
        })
    }))
}

fn try_joins() -> Vec<Result<(u8, u8), String>> {
    async fn good() -> Result<(u8, u8), String> {
        span!("s", {
            let (one, two) = tokio::try_join!(okay(1), okay(2))?;
            let one = one + futures::try_join!(okay(1), okay(2))?.0;
            tokio::try_join!(okay(()), okay(()))?;
            let two = two + tokio::try_join!(okay(1), async { Ok(later(3_u8).await) })?.1;
            Ok((one, two))
        })
    }
    async fn bad() -> Result<(u8, u8), String> {
        span!("s", {
            let (one, _) = tokio::try_join!(okay(1), fails("2"))?;
            Ok((one, one))
        })
    }
    async fn tail() -> Result<(u8, u8), String> {
        span!("s", { tokio::try_join!(okay(1), okay(2)) })
    }
    async fn mapped() -> Result<(u8, u8), String> {
        span!("s", {
            futures::try_join!(okay(1), fails(2)).map_err(|error| error + " mapped")
        })
    }
    async fn arguments() -> Result<(u8, u8), String> {
        span!("s", {
            let sum = |(one, two): (u8, u8)| one + two;
            let sum = sum(tokio::try_join!(okay(1), okay(2))?);
            Ok((sum, okay(1).await?))
        })
    }
    run(sendable(async {
        vec![
            good().await,
            bad().await,
            tail().await,
            mapped().await,
            arguments().await,
        ]
    }))
}

fn bare_names() -> (u8, u8, u8) {
    run(sendable(async {
        let tokios = {
            use tokio::{join, select, try_join};
            span!("s", {
                let (one, _) = join!(later(1), later(2));
                let two = try_join!(okay(1), okay(2)).unwrap().1;
                select! {
                    three = later(3) => one + two + three,
                    never = std::future::pending() => never,
                }
            })
        };
        let futures = {
            use futures::{join, pin_mut, select, try_join};
            span!("s", {
                let (one, _) = join!(later(1), later(2));
                let two = try_join!(okay(1), okay(2)).unwrap().1;
                let (first, second) = (later(3).fuse(), std::future::pending::<u8>().fuse());
                pin_mut!(first, second);
                select! {
                    three = first => one + two + three,
                    never = second => never,
                }
            })
        };
        let biased = {
            use futures::select_biased;
            span!("s", {
                select_biased! {
                    one = later(1).boxed().fuse() => one,
                    never = futures::future::pending::<u8>().fuse() => never,
                }
            })
        };
        (tokios, futures, biased)
    }))
}

// `select!` of tokio.

fn handlers() -> Vec<u8> {
    async fn one(how: u8) -> u8 {
        span!("s", {
            tokio::select! {
                number = later(how), if how == 0 => number + 10,
                number = later(how), if how == 1 => { number + 20 }
                _ = later(how), if how == 2 => {
                    let number = later(30).await;
                    number + 2
                },
                () = later(()), if how == 3 => return 33,
                else => 44
            }
        })
    }
    run(sendable(async {
        let mut out = Vec::new();
        for how in 0..5 {
            out.push(one(how).await);
        }
        out
    }))
}

fn handlers_that_leave() -> Vec<Option<u8>> {
    async fn one(how: u8) -> Option<u8> {
        let mut rounds = 0;
        'outer: loop {
            span!("s", {
                rounds += 1;
                loop {
                    tokio::select! {
                        biased;
                        _ = later(()), if how == 0 => break 'outer,
                        _ = later(()), if how == 1 => {
                            break 'outer;
                        }
                        _ = later(()), if how == 2 => return Some(rounds),
                        option = later(None), if how == 3 => option?,
                        option = later(None::<u8>), if how == 4 => { option?; }
                        _ = later(()), if how == 5 && rounds < 3 => continue 'outer,
                        _ = later(()), if how == 5 => break,
                        else => return None,
                    };
                }
                if rounds > 2 {
                    return Some(50);
                }
            });
        }
        Some(60)
    }
    run(sendable(async {
        let mut out = Vec::new();
        for how in 0..7 {
            out.push(one(how).await);
        }
        out
    }))
}

fn patterns_of_arms() -> Vec<u8> {
    struct Point {
        x: u8,
        y: u8,
    }
    run(sendable(async {
        span!("s", {
            let mut out = Vec::new();
            for number in [1_u8, 9].iter().copied() {
                tokio::select! {
                    biased;
                    1..=5 = later(number) => out.push(1),
                    Some(1 | 2) = later(Some(number)) => out.push(2),
                    all @ 6..=9 = later(number) => out.push(all),
                }
                tokio::select! {
                    Some(1 | 2) = later(Some(number)) => out.push(2),
                    else => out.push(0),
                }
            }
            tokio::select! {
                Point { x, y: 2 } = later(Point { x: 1, y: 2 }) => out.push(x),
                (mut a, ref b) = later((1_u8, 2_u8)) => {
                    a += b;
                    out.push(a);
                }
                Ok::<_, ()>([first, ..]) = later(Ok([1, 2, 3])) => out.push(first),
                &one = later(&1) => out.push(one),
                else => {}
            };
            out.sort_unstable();
            out.truncate(2);
            out
        })
    }))
}

fn futures_of_arms() -> Vec<bool> {
    run(sendable(async {
        span!("s", {
            let limit = 5_u8;
            let maker = |number: u8| later(number);
            vec![
                tokio::select! { pair = pair::<u8, Option<u16>>(1, None) => pair == (1, None) },
                tokio::select! { less = is_less::<u8, u64>(1, 2) => less, },
                tokio::select! { one = <Maker as Make<u8, u16>>::make(1) => one == 1 },
                tokio::select! { same = later(limit == 5) => same },
                tokio::select! { less = later(1 < limit && limit != 2) => less },
                tokio::select! { one = async { later(1).await } => one == 1 },
                tokio::select! { one = async move { later(limit).await } => one == 5 },
                tokio::select! { one = { let a = 1; later(a) } => one == 1 },
                tokio::select! { one = maker(1) => one == 1 },
                tokio::select! { one = if limit > 1 { later(1) } else { later(2) } => one == 1 },
                tokio::select! { one = later(async { 1 }.await) => one == 1 },
                tokio::select! { one = (|| later(1))() => one == 1 },
                tokio::select! { one = later::<Vec<Vec<u8>>>(vec![]) => one.is_empty() },
                tokio::select! {
                    slept = tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>())
                        => slept.is_err(),
                },
            ]
        })
    }))
}

fn lone_names() -> (u8, String) {
    run(async {
        span!("s", {
            // Moved, so it need not be `mut`.
            let future = later(1);
            let other = later(2);
            let one = tokio::select! {
                biased;
                one = future => one,
                two = other => two,
            };
            // Borrowed, to be used again.
            let sleep = tokio::time::sleep(Duration::from_millis(1));
            tokio::pin!(sleep);
            let mut pinned = Box::pin(later(5));
            let mut rounds = 0;
            let five = loop {
                tokio::select! {
                    () = &mut sleep, if !sleep.is_elapsed() => rounds += 1,
                    five = &mut pinned => break five,
                    _ = later(()), if rounds > 9 => {}
                }
            };
            let (sender, receiver) = tokio::sync::oneshot::channel();
            sender.send(one + five).unwrap();
            let sent = tokio::select! { sent = receiver => sent.unwrap() };
            let mut taken = Some(Box::pin(later(1)));
            let taken = tokio::select! {
                one = taken.as_mut().unwrap(), if taken.is_some() => one,
                else => 0,
            };
            drop(pinned);
            (sent + taken, format!("{}", rounds.min(1)))
        })
    })
}

fn parameters_as_lone_names() -> u8 {
    async fn race<A, B>(one: A, two: B) -> u8
    where
        A: Future<Output = u8>,
        B: Future<Output = u8>,
    {
        span!("s", {
            tokio::select! {
                biased;
                one = one => one,
                two = two => two,
            }
        })
    }
    async fn outer(first: impl Future<Output = u8>) -> u8 {
        use tokio::select;
        span!("s", {
            select! {
                one = first => one,
                never = std::future::pending::<u8>() => never,
            }
        })
    }
    run(async { race(later(1), later(2)).await + outer(later(3)).await })
}

fn loops_of_select() -> Vec<u8> {
    run(sendable(async {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
        let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
        let mut out = Vec::new();
        for number in 0..3 {
            sender.send(number).await.unwrap();
        }
        let mut stop = Some(stop);
        span!("s", {
            loop {
                tokio::select! {
                    biased;
                    Some(number) = receiver.recv() => {
                        out.push(number);
                        if number == 1 {
                            continue;
                        }
                        if number == 2 {
                            stop.take();
                        }
                    }
                    closed = &mut stopped => {
                        assert!(closed.is_err());
                        break;
                    }
                }
            }
        });
        drop(sender);
        out
    }))
}

fn selects_in_every_position() -> Vec<u8> {
    async fn tail() -> u8 {
        span!("s", {
            tokio::select! {
                one = later(1) => one,
            }
        })
    }
    async fn statement(out: &mut Vec<u8>) {
        span!("s", {
            tokio::select! {
                one = later(1) => out.push(one),
            }
            tokio::select! {
                _ = later(1) => {}
            }
            tokio::select!(one = later(1) => out.push(one));
        });
    }
    async fn question() -> Option<u8> {
        span!("s", {
            let one = tokio::select! { one = later(Some(1)) => one }?;
            let two = tokio::select! { two = later(Some(2)) => two }.map(|two| two + one)?;
            Some(two)
        })
    }
    run(sendable(async {
        let mut out = Vec::new();
        statement(&mut out).await;
        out.push(tail().await);
        out.push(question().await.unwrap());
        span!("s", {
            let nested = tokio::select! {
                number = async { tokio::select! { one = later(1) => one } } => {
                    tokio::select! {
                        two = later(2) => tokio::join!(later(number), later(two)).1,
                    }
                }
            };
            out.push(nested);
            out.push(later(tokio::select! { one = later(1) => one }).await);
            out.push(span!("t", {
                tokio::select! { one = later(1) => span!("u", { one }) }
            }));
            match tokio::select! { one = later(1) => one } {
                1 => out.push(1),
                _ => {}
            }
        });
        out
    }))
}

fn types_through_select() -> Result<Box<dyn std::fmt::Debug + Send>, Box<dyn std::error::Error>> {
    async fn ask() -> Result<Box<dyn std::fmt::Debug + Send>, Box<dyn std::error::Error>> {
        span!("s", {
            let parsed: u8 = tokio::select! {
                text = later("7") => text.parse()?,
            };
            tokio::select! {
                one = later(parsed) => Ok(Box::new(one)),
            }
        })
    }
    run(ask())
}

fn not_send() -> u8 {
    run(async {
        span!("s", {
            let shared = Rc::new(3);
            let (one, two) = tokio::join!(later(Rc::clone(&shared)), later(1));
            tokio::select! { three = later(shared) => *three + *one + two }
        })
    })
}

// `select!` of futures.

fn selects_of_futures() -> Vec<u8> {
    block_on(sendable(async {
        let (sender, mut receiver) = mpsc::unbounded();
        let (done, finished) = oneshot::channel::<u8>();
        let mut finished = finished.fuse();
        sender.unbounded_send(1_u8).unwrap();
        sender.unbounded_send(2_u8).unwrap();
        drop(sender);
        let mut done = Some(done);
        let mut out = Vec::new();
        span!("s", {
            loop {
                futures::select! {
                    number = receiver.select_next_some() => {
                        out.push(number);
                        if number == 2 {
                            done.take().unwrap().send(7).unwrap();
                        }
                    }
                    seven = finished => out.push(seven.unwrap()),
                    complete => break,
                }
            }
            let quick = futures::select! {
                late = later(1).boxed().fuse() => late,
                default => 8,
            };
            out.push(quick);
            let mut first = Box::pin(later(9).fuse());
            let mut second = futures::future::ready(10).fuse();
            let mut both = 0;
            loop {
                futures::select_biased! {
                    nine = first => both += nine,
                    ten = second => both += ten,
                    complete => { break; }
                }
            }
            out.push(both);
            futures::select! {
                eleven = async { 11 }.boxed().fuse() => out.push(eleven),
            };
            futures::select! {
                number = receiver.next() => out.push(number.unwrap_or(12)),
                complete => {}
            }
            let future = later(13).fuse();
            futures::pin_mut!(future);
            let thirteen = futures::select! { thirteen = future => thirteen };
            out.push(thirteen);
            out.sort_unstable();
            out
        })
    }))
}

fn names_from_outside() -> u8 {
    use futures::select;
    async fn race(
        mut one: impl Future<Output = u8> + futures::future::FusedFuture + Unpin,
        two: impl Future<Output = u8>,
    ) -> u8 {
        let two = two.fuse();
        futures::pin_mut!(two);
        let mut sum = 0;
        span!("s", {
            loop {
                select! {
                    one = one => sum += one,
                    two = two => sum += two,
                    complete => break sum,
                }
            }
        })
    }
    block_on(race(futures::future::ready(1), later(2)))
}

// What only has their names.

fn other_macros_of_these_names() -> (u8, String, usize) {
    macro_rules! join {
        ($($part:expr),+) => {
            [$($part.to_string()),+].concat()
        };
    }
    macro_rules! try_join {
        ($a:ident and $b:ident) => {
            $a + $b
        };
    }
    macro_rules! select {
        ($($name:ident = $value:expr),+) => {
            [$($name == $value),+].iter().filter(|same| **same).count()
        };
        ($from:expr; $($index:tt),*) => {
            ($($from.$index),*)
        };
    }
    run(async {
        span!("s", {
            let (one, two) = (later(1).await, later(2).await);
            let text = join!("a", one, two) + &join!(one) + &join!(one + 1, "b");
            let count = select!(one = 1, two = 3);
            let (first, _) = select!((one, two); 0, 1);
            (first + try_join!(one and two), text, count)
        })
    })
}

results! {
    joins join_in_every_position try_joins bare_names
    handlers handlers_that_leave patterns_of_arms futures_of_arms lone_names
    parameters_as_lone_names loops_of_select selects_in_every_position types_through_select
    not_send selects_of_futures names_from_outside other_macros_of_these_names
}
