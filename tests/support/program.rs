//! Random programs. Each state machine of a program has its own random numbers, and decides its steps by them while it
//! runs. So a seed determines a program, except for the scheduling of its threads.

use std::panic::{self, AssertUnwindSafe};
use std::pin::{pin, Pin};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::thread;
use std::time::Duration;

use async_log::{instrument, span, Context};
use futures::channel::{mpsc, oneshot};
use futures::future::{self, BoxFuture};
use futures::stream::{self, FuturesUnordered};
use futures::{Future, FutureExt, Stream, StreamExt};
use log::Level;

use crate::random::Random;
use crate::runtime::{forgive, panic_on_purpose, run_tokio, Executor, Runtime, Task};
use crate::truth::{Child, Ledger, Machine, Noisy, Open, Place};

/// An early return.
#[derive(Debug)]
pub struct Stop;

pub type Step = Result<(), Stop>;

/// Runs the program of one seed.
pub fn run(runtime: Runtime, seed: u64, ledger: &Arc<Ledger>) {
    let mut random = Random::new(seed);
    let is_task = random.one_in(2);
    let depth = 2 + random.below(4) as u32;
    runtime.run(ledger, |executor| {
        let machine = executor.machine.clone();
        let me = Me {
            machine: Machine::new(ledger),
            random,
            depth,
            executor,
            alone: false,
        };
        let main = me.into_child(&machine, body);
        match is_task {
            true => main.in_task(&machine).map(drop).boxed(),
            false => main.map(drop).boxed(),
        }
    });
}

/// What a state machine brings along.
pub struct Me {
    pub machine: Arc<Machine>,
    random: Random,
    /// How much deeper it may go.
    depth: u32,
    executor: Executor,
    /// It must not wait for what its executor runs, as that waits for it.
    alone: bool,
}

type BoxChild = Child<BoxFuture<'static, Step>>;

impl Me {
    fn event(&self, what: &'static str) {
        self.machine.event(what);
    }

    /// A span that may be filtered out.
    fn open(&mut self, what: &'static str) -> Open {
        match self.random.one_in(5) {
            true => self.machine.open_quiet(what),
            false => self.machine.open(what),
        }
    }

    fn with(&mut self, machine: Arc<Machine>) -> Me {
        Me {
            machine,
            random: self.random.fork(),
            depth: self.depth.saturating_sub(1),
            executor: self.executor.clone(),
            alone: self.alone,
        }
    }

    fn fork(&mut self) -> Me {
        let machine = Machine::new(&self.machine.ledger);
        self.with(machine)
    }

    fn into_child<F>(self, holder: &Arc<Machine>, body: impl FnOnce(Me) -> F) -> BoxChild
    where
        F: Future<Output = Step> + Send + 'static,
    {
        let machine = self.machine.clone();
        Child::new(machine, holder, Box::pin(body(self)))
    }

    /// Another state machine, which this one will poll.
    fn child(&mut self) -> BoxChild {
        let me = self.fork();
        me.into_child(&self.machine, body)
    }

    /// One that may be polled where nothing else runs.
    fn child_alone(&mut self) -> BoxChild {
        let me = Me {
            alone: true,
            ..self.fork()
        };
        me.into_child(&self.machine, body)
    }

    fn children(&mut self) -> Vec<BoxChild> {
        let count = 1 + self.random.below(3);
        (0..count).map(|_| self.child()).collect()
    }

    fn noisy(&mut self) -> Option<Noisy> {
        let one = self.random.one_in(4);
        one.then(|| Noisy(self.machine.clone()))
    }

    /// Of an early return, most are of no consequence to those who wait.
    fn result(&mut self, step: Step) -> Step {
        match self.random.one_in(4) {
            true => step,
            false => Ok(()),
        }
    }

    fn spawn(&mut self) -> Task {
        let child = self.fork().into_child(&self.executor.machine, body);
        let future = match self.random.below(6) {
            0 | 1 => child.in_task(&self.machine).map(drop).boxed(),
            5 => {
                let filtered = span!(target: "quiet", uid = 0; "filtered");
                child
                    .in_quiet_span(&self.machine, filtered)
                    .map(drop)
                    .boxed()
            }
            2 => child.in_quiet_task(self.machine.place()).map(drop).boxed(),
            _ => child.map(drop).boxed(),
        };
        self.executor.spawn(future)
    }
}

/// What a state machine does.
async fn body(mut me: Me) -> Step {
    me.event("begin");
    let _noisy = me.noisy();
    for _ in 0..1 + me.random.below(3) {
        step(&mut me).await?;
    }
    me.event("finish");
    Ok(())
}

/// One step further inside.
async fn inner(me: &mut Me) -> Step {
    if me.depth == 0 {
        return leaf(me).await;
    }
    me.depth -= 1;
    let done = step(me).await;
    me.depth += 1;
    done
}

fn step(me: &mut Me) -> BoxFuture<'_, Step> {
    if me.depth == 0 {
        return leaf(me).boxed();
    }
    match me.random.below(45) {
        0..=2 => one_span(me).boxed(),
        3 => named_span(me).boxed(),
        4..=6 => nested_spans(me).boxed(),
        7 => async { synchronous(me) }.boxed(),
        8 => loops(me).boxed(),
        9 => join(me).boxed(),
        10 => try_join(me).boxed(),
        11 => select(me).boxed(),
        12 => select_patterns(me).boxed(),
        13 => select_loop(me).boxed(),
        14 => select_futures(me).boxed(),
        15 => select_default(me).boxed(),
        16 | 17 | 36 | 37 => spawn(me).boxed(),
        18 => catch(me).boxed(),
        19 => unordered(me).boxed(),
        20 => concurrent(me).boxed(),
        21 => streams(me).boxed(),
        22 => started(me).boxed(),
        23 => annotated(me).boxed(),
        24 => moved(me).boxed(),
        25 => other_thread(me).boxed(),
        26 => by_hand(me).boxed(),
        27 => now_or_never(me).boxed(),
        28 => blocked(me).boxed(),
        29 => nested_executor(me).boxed(),
        30 => contexts(me).boxed(),
        31 => channels(me).boxed(),
        32 => blocks(me).boxed(),
        33 => made_with_awaits(me).boxed(),
        34 => in_macros(me).boxed(),
        35 => tasks(me).boxed(),
        38 => hidden(me).boxed(),
        39 => filtered(me).boxed(),
        _ => leaf(me).boxed(),
    }
}

async fn leaf(me: &mut Me) -> Step {
    match me.random.one_in(4) {
        true => me.machine.telling_event("leaf"),
        false => me.event("leaf"),
    }
    match me.random.below(40) {
        0 => return Err(Stop),
        1 if me.random.one_in(2) => panic_on_purpose(),
        2..=6 => {
            smol::Timer::after(Duration::from_micros(20)).await;
        }
        7..=10 if me.executor.is_tokio() && !me.alone => {
            tokio::time::sleep(Duration::from_micros(20)).await;
        }
        11..=14 if me.executor.is_tokio() && !me.alone => tokio::task::yield_now().await,
        15..=30 => yield_now().await,
        _ => {}
    }
    me.event("behind leaf");
    Ok(())
}

/// Suspends once, on any executor.
pub async fn yield_now() {
    let mut yielded = false;
    future::poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    let waker = futures::task::noop_waker();
    Pin::new(future).poll(&mut TaskContext::from_waker(&waker))
}

async fn one_span(me: &mut Me) -> Step {
    let open = me.open("one");
    span!(target: open.target(), uid = open.uid; "one", {
        me.event("in one");
        let _noisy = me.noisy();
        inner(me).await?;
        me.event("still in one");
        inner(me).await
    })
}

async fn named_span(me: &mut Me) -> Step {
    let n = me.random.below(9);
    let open = me.machine.open_tagged("named");
    span!(level: Level::Debug, uid = open.uid, tag = open.uid; "named {n} of {}", me.depth, {
        me.event("in named");
        inner(me).await?;
    });
    drop(open);
    me.event("behind named");
    let open = me.machine.open("plainly named");
    span!(uid = open.uid; "plainly named", { inner(me).await })
}

/// Three spans in one state machine, with all ways out.
async fn nested_spans(me: &mut Me) -> Step {
    let a = me.open("a");
    span!(target: a.target(), uid = a.uid; "a", {
        let _noisy = me.noisy();
        inner(me).await?;
        let b = me.open("b");
        let value = span!(target: b.target(), uid = b.uid; "b {}", b.uid, {
            me.event("in b");
            let c = me.open("c");
            span!(target: c.target(), uid = c.uid; "c", {
                let _noisy = me.noisy();
                inner(me).await?;
                if me.random.one_in(8) {
                    return Ok(());
                }
            });
            drop(c);
            me.event("behind c");
            inner(me).await?;
            if me.random.one_in(30) {
                panic_on_purpose();
            }
            7
        });
        drop(b);
        assert_eq!(value, 7);
        me.event("behind b");
        yield_now().await;
        let d = me.open("d");
        span!(target: d.target(), uid = d.uid; "d", { me.event("in d") });
        drop(d);
        me.event("behind d");
    });
    drop(a);
    me.event("behind a");
    Ok(())
}

fn synchronous(me: &mut Me) -> Step {
    let open = me.open("sync");
    span!(target: open.target(), uid = open.uid; "sync", {
        me.event("in sync");
        let _noisy = me.noisy();
        let inner = me.machine.open_tagged("sync inner");
        let value = span!(uid = inner.uid, tag = inner.uid; "sync {}", 2, {
            me.event("in sync inner");
            match me.random.below(12) {
                0 => return Err(Stop),
                1 => panic_on_purpose(),
                2 => None,
                _ => Some(1),
            }
        });
        drop(inner);
        me.event("behind sync inner");
        value.map(drop).ok_or(Stop)?;
    });
    drop(open);
    let open = me.machine.open_function("annotated sync");
    annotated_sync(open.uid, me);
    drop(open);
    me.event("behind sync");
    Ok(())
}

#[instrument]
fn annotated_sync(uid: u64, me: &mut Me) {
    me.event("in annotated sync");
    let _noisy = me.noisy();
}

async fn loops(me: &mut Me) -> Step {
    'outer: for _ in 0..3 {
        let open = me.open("round");
        span!(target: open.target(), uid = open.uid; "round", {
            inner(me).await?;
            let mut left = 2;
            while left > 0 {
                left -= 1;
                let open = me.open("turn");
                span!(target: open.target(), uid = open.uid; "turn", {
                    let _noisy = me.noisy();
                    yield_now().await;
                    match me.random.below(6) {
                        0 => break,
                        1 => continue,
                        2 => break 'outer,
                        3 => continue 'outer,
                        _ => inner(me).await?,
                    }
                });
                drop(open);
                me.event("behind turn");
            }
            me.event("behind turns");
        });
        drop(open);
        me.event("behind round");
    }
    me.event("behind loops");
    Ok(())
}

async fn join(me: &mut Me) -> Step {
    let open = me.open("join");
    let done = span!(target: open.target(), uid = open.uid; "join", {
        let made = me.child();
        let (a, b, c) = tokio::join!(made, { me.event("making"); me.child() }, me.child());
        me.event("behind join");
        let (d, e) = futures::join!(me.child(), async { yield_now().await });
        assert_eq!(e, ());
        me.event("behind second join");
        a.and(b).and(c).and(d)
    });
    drop(open);
    me.result(done)?;
    let (a, b) = futures::join!(me.child(), me.child());
    me.event("behind joins");
    me.result(a.and(b))
}

async fn try_join(me: &mut Me) -> Step {
    let open = me.open("try_join");
    let done = span!(target: open.target(), uid = open.uid; "try_join", {
        let _noisy = me.noisy();
        let done = tokio::try_join!(me.child(), me.child(), me.child());
        me.event("behind try_join");
        if done.is_err() {
            me.event("failed");
        }
        futures::try_join!(me.child(), me.child()).map(drop)
    });
    drop(open);
    me.event("out of try_join");
    me.result(done)
}

async fn select(me: &mut Me) -> Step {
    let open = me.open("select");
    let done = span!(target: open.target(), uid = open.uid; "select", {
        let (a, b) = (me.child(), me.child());
        tokio::select! {
            done = a => {
                me.event("a won");
                inner(me).await?;
                done
            }
            done = b => done,
            _ = me.child() => return me.result(Err(Stop)),
        }
    });
    drop(open);
    me.event("behind select");
    me.result(done)?;
    let open = me.open("biased");
    span!(target: open.target(), uid = open.uid; "biased", {
        tokio::select! {
            biased;
            _ = yield_now() => me.event("yielded first"),
            done = me.child() => { me.event("child first"); done? }
        }
        me.event("behind biased");
        yield_now().await;
    });
    drop(open);
    // Without a span of this machine.
    tokio::select! {
        _ = me.child() => me.event("first"),
        _ = me.child() => me.event("second"),
    }
    Ok(())
}

async fn select_patterns(me: &mut Me) -> Step {
    let on = me.random.one_in(2);
    let open = me.open("patterns");
    let done = span!(target: open.target(), uid = open.uid; "patterns", {
        let _noisy = me.noisy();
        let a = me.child();
        tokio::select! {
            Err(Stop) = a, if { me.event("condition"); on } => { me.event("a stopped"); Err(Stop) }
            Err(stop) = me.child() => { inner(me).await?; Err(stop) }
            Some(n) = async { yield_now().await; None::<u64> } => { let _: u64 = n; Ok(()) }
            else => { me.event("else"); inner(me).await }
        }
    });
    drop(open);
    me.event("behind patterns");
    me.result(done)
}

async fn select_loop(me: &mut Me) -> Step {
    let open = me.open("select loop");
    span!(target: open.target(), uid = open.uid; "select loop", {
        let (mut a, mut b) = (me.child(), me.child());
        let (mut a_done, mut b_done) = (false, false);
        loop {
            let open = me.open("select turn");
            span!(target: open.target(), uid = open.uid; "select turn", {
                tokio::select! {
                    done = &mut a, if !a_done => { a_done = true; me.result(done)?; }
                    _ = &mut b, if !b_done => {
                        b_done = true;
                        inner(me).await?;
                        if me.random.one_in(3) {
                            break;
                        }
                    }
                    else => break,
                }
                me.event("behind select turn");
            });
            drop(open);
            me.event("between turns");
        }
        me.event("behind turns");
    });
    drop(open);
    me.event("behind select loop");
    Ok(())
}

async fn select_futures(me: &mut Me) -> Step {
    let open = me.open("futures");
    span!(target: open.target(), uid = open.uid; "futures", {
        let (mut a, mut b) = (me.child().fuse(), me.child().fuse());
        loop {
            futures::select! {
                done = a => { me.event("a"); me.result(done)?; }
                _ = b => { me.event("b"); inner(me).await? }
                complete => break,
            }
            me.event("behind turn");
        }
        let (mut a, mut b) = (me.child().fuse(), me.child().fuse());
        let mut turns = 0;
        loop {
            turns += 1;
            futures::select_biased! {
                _ = a => me.event("a"),
                _ = b => { if me.random.one_in(2) { break } },
                complete => { me.event("complete"); break },
            }
            if turns > 1 {
                break;
            }
        }
        me.event("behind turns");
    });
    drop(open);
    me.event("behind futures");
    Ok(())
}

async fn select_default(me: &mut Me) -> Step {
    let open = me.open("default");
    span!(target: open.target(), uid = open.uid; "default", {
        let mut a = me.child().fuse();
        for _ in 0..4 {
            futures::select! {
                _ = a => me.event("a"),
                complete => break,
                default => { me.event("default"); yield_now().await; me.event("behind default") },
            }
            me.event("behind turn");
        }
        let done = futures::select! {
            done = me.child().fuse() => done,
            done = { me.event("making"); me.child().fuse() } => { inner(me).await?; done }
        };
        me.result(done)?;
    });
    drop(open);
    me.event("behind default");
    Ok(())
}

async fn spawn(me: &mut Me) -> Step {
    if me.alone {
        return leaf(me).await;
    }
    let open = me.open("spawn");
    span!(target: open.target(), uid = open.uid; "spawn", {
        let task = me.spawn();
        match me.random.below(6) {
            0 | 1 => task.join().await,
            2 => task.abort().await,
            3 => {
                inner(me).await?;
                task.abort().await;
            }
            4 => drop(task),
            _ => {
                let tasks: Vec<_> = (0..2).map(|_| me.spawn()).collect();
                future::join_all(tasks.into_iter().map(Task::join)).await;
                task.detach();
            }
        }
        me.event("behind task");
        inner(me).await
    })
}

async fn catch(me: &mut Me) -> Step {
    let open = me.open("catch");
    span!(target: open.target(), uid = open.uid; "catch", {
        let machine = Machine::new(&me.machine.ledger);
        let of_child = me.with(machine);
        let child = of_child.into_child(&me.machine, |mut me| async move {
            let open = me.open("panics");
            span!(target: open.target(), uid = open.uid; "panics", {
                let _noisy = me.noisy();
                inner(&mut me).await?;
                panic_on_purpose()
            })
        });
        if let Err(panic) = AssertUnwindSafe(child).catch_unwind().await {
            forgive(panic);
        }
        me.event("caught");
        let started = me.machine.start("in_span");
        let span = span!(uid = started.uid; "in_span");
        let child = me.child().in_span(started, span);
        if let Err(panic) = AssertUnwindSafe(child).catch_unwind().await {
            forgive(panic);
        }
        me.event("caught again");
    });
    drop(open);
    me.event("behind catch");
    Ok(())
}

async fn unordered(me: &mut Me) -> Step {
    let open = me.open("unordered");
    span!(target: open.target(), uid = open.uid; "unordered", {
        let mut set: FuturesUnordered<_> = me.children().into_iter().collect();
        let _noisy = me.noisy();
        while let Some(done) = set.next().await {
            me.event("one of a set");
            me.result(done)?;
            if me.random.one_in(4) {
                break;
            }
            if me.random.one_in(8) {
                set.push(me.child());
            }
        }
    });
    drop(open);
    me.event("behind unordered");
    Ok(())
}

async fn concurrent(me: &mut Me) -> Step {
    let children = me.children();
    let open = me.open("concurrent");
    span!(target: open.target(), uid = open.uid; "concurrent", {
        let machine = me.machine.clone();
        stream::iter(children)
            .for_each_concurrent(2, |child| {
                let machine = &machine;
                async move {
                    let _ = child.await;
                    machine.event("one of a stream");
                }
            })
            .await;
        me.event("behind for_each");
        let children = me.children();
        let mut buffered = pin!(stream::iter(children).buffer_unordered(2));
        while let Some(done) = buffered.next().await {
            me.event("buffered");
            me.result(done)?;
        }
    });
    drop(open);
    me.event("behind concurrent");
    Ok(())
}

fn numbers(mut me: Me) -> impl Stream<Item = u64> + Send {
    async_stream::stream! {
        me.event("first");
        let _noisy = me.noisy();
        for n in 0..2 {
            let open = me.open("stream");
            span!(target: open.target(), uid = open.uid; "stream", {
                me.event("before yield");
                yield n;
                me.event("behind yield");
                let _noisy = me.noisy();
                if inner(&mut me).await.is_err() {
                    break;
                }
                yield n + 10;
                yield_now().await;
            });
            drop(open);
            me.event("between");
            yield n + 20;
        }
    }
}

fn results(mut me: Me) -> impl Stream<Item = Result<u64, Stop>> + Send {
    async_stream::try_stream! {
        let open = me.open("try_stream");
        span!(target: open.target(), uid = open.uid; "try_stream", {
            yield 1;
            // A `?` in a macro's tokens is not seen by `try_stream!`.
            let _ = inner(&mut me).await;
            yield 2;
            me.event("behind yield");
        });
        drop(open);
        inner(&mut me).await?;
    }
}

async fn streams(me: &mut Me) -> Step {
    let open = me.open("made");
    let mut stream = span!(target: open.target(), uid = open.uid; "made", {
        let of_stream = me.fork();
        let machine = of_stream.machine.clone();
        let mut stream = Child::new(machine, &me.machine, Box::pin(numbers(of_stream)));
        if me.random.one_in(2) {
            let _ = stream.next().await;
            me.event("had one");
        }
        stream
    });
    drop(open);
    let open = me.open("polled");
    span!(target: open.target(), uid = open.uid; "polled", {
        while stream.next().await.is_some() {
            me.event("item");
            inner(me).await?;
            if me.random.one_in(6) {
                break;
            }
        }
        let of_stream = me.fork();
        let machine = of_stream.machine.clone();
        let mut results = Child::new(machine, &me.machine, Box::pin(results(of_stream)));
        while let Some(item) = results.next().await {
            me.event("result");
            let step = me.result(item.map(drop));
            step?;
        }
    });
    drop(open);
    me.event("behind streams");
    drop(stream);
    Ok(())
}

async fn started(me: &mut Me) -> Step {
    let started = me.machine.start("started");
    let span = span!(uid = started.uid; "started");
    me.event("not in started");
    let inside = started.inside(&me.machine);
    span.run(|| {
        inside.event("run");
        let open = inside.open("run inner");
        span!(uid = open.uid; "run inner", { inside.event("in run inner") });
        drop(open);
        inside.event("behind run inner");
    });
    inner(me).await?;
    let inside = started.inside(&me.machine);
    let (mut kept, ready) = span.run(|| {
        let mut me = me.with(inside.clone());
        me.alone = true;
        let mut child = me.child();
        let ready = poll_once(&mut child).is_ready();
        inside.event("polled");
        (child, ready)
    });
    // One half was in `run`, the rest and the drop are here.
    kept.give_to(&me.machine);
    if !ready && me.random.one_in(2) {
        let _ = kept.await;
    } else {
        drop(kept);
    }
    drop(span);
    drop(started);
    let started = me.machine.start("in_span");
    let span = span!(uid = started.uid; "in_span");
    if me.random.one_in(4) {
        drop(span);
        drop(started);
        return Ok(());
    }
    let mut child = me.child().in_span(started, span);
    me.event("not in in_span");
    if me.random.one_in(3) {
        let ready = poll_once(&mut child).is_ready();
        me.event("polled in_span");
        if ready || me.random.one_in(2) {
            drop(child);
            return Ok(());
        }
    }
    let open = me.open("around in_span");
    span!(target: open.target(), uid = open.uid; "around in_span", {
        let done = child.await;
        me.event("behind in_span");
        me.result(done)
    })
}

#[instrument]
async fn annotated_async(uid: u64, me: &mut Me) -> Step {
    me.event("in annotated");
    inner(me).await?;
    let open = me.open("in annotated");
    span!(target: open.target(), uid = open.uid; "in annotated", {
        let _noisy = me.noisy();
        inner(me).await?;
    });
    drop(open);
    me.event("still in annotated");
    Ok(())
}

async fn annotated(me: &mut Me) -> Step {
    let open = me.machine.open_function("annotated");
    let done = annotated_async(open.uid, me).await;
    drop(open);
    me.event("behind annotated");
    let open = me.open("around");
    span!(target: open.target(), uid = open.uid; "around", {
        let open = me.machine.open_function("annotated");
        let again = annotated_async(open.uid, me).await;
        drop(open);
        me.event("in around");
        done.and(again)
    })
}

/// Made in one span, half polled in another, finished or dropped in a third.
async fn moved(me: &mut Me) -> Step {
    let open = me.open("made in");
    let mut child = span!(target: open.target(), uid = open.uid; "made in", { me.child() });
    drop(open);
    let open = me.open("polled in");
    let ready = span!(target: open.target(), uid = open.uid; "polled in", {
        yield_now().await;
        me.event("before poll");
        let ready = poll_once(&mut child).is_ready();
        me.event("behind poll");
        yield_now().await;
        ready
    });
    drop(open);
    me.event("between");
    let open = me.open("finished in");
    span!(target: open.target(), uid = open.uid; "finished in", {
        if !ready && me.random.one_in(2) {
            me.event("goes on");
            let done = child.await;
            me.event("went on");
            me.result(done)?;
        } else {
            drop(child);
            me.event("dropped");
        }
        inner(me).await?;
    });
    drop(open);
    me.event("behind moved");
    Ok(())
}

macro_rules! pause {
    ($future:expr) => {
        $future.await
    };
}

/// Suspended in an await that cannot be seen, and finished on another thread.
async fn hidden(me: &mut Me) -> Step {
    let open = me.open("around hidden");
    span!(target: open.target(), uid = open.uid; "around hidden", {
        let started: Vec<_> = (0..1 + me.random.below(2))
            .map(|_| me.machine.start("hidden"))
            .collect();
        for started in started {
            let uid = started.uid;
            let mut job = async move { span!(uid; "hidden", { pause!(yield_now()) }) }.boxed();
            assert!(poll_once(&mut job).is_pending());
            thread::spawn(|| smol::block_on(job)).join().expect("no panic");
            drop(started);
            me.event("behind hidden");
        }
        inner(me).await?;
        me.event("still behind hidden");
    });
    drop(open);
    me.event("out of hidden");
    Ok(())
}

/// Spans without a block that are filtered out, in code that is elsewhere by then.
async fn filtered(me: &mut Me) -> Step {
    let open = me.open("begun in");
    let (child, span, there) = span!(target: open.target(), uid = open.uid; "begun in", {
        let child = me.child();
        let child = child.in_quiet_span(&me.machine, span!(target: "quiet", uid = 0; "filtered"));
        let span = span!(target: "quiet", uid = 0; "filtered");
        (child, span, me.machine.place())
    });
    drop(open);
    let open = me.open("polled in");
    span!(target: open.target(), uid = open.uid; "polled in", {
        let task = me.machine.place().task;
        let there = Machine::at(&me.machine.ledger, Place { task, ..there });
        span.run(|| {
            there.event("run in filtered");
            let open = there.open("in filtered");
            span!(uid = open.uid; "in filtered", { there.event("in filtered") });
        });
        me.event("before filtered");
        let done = child.await;
        me.event("behind filtered");
        me.result(done)
    })
}

async fn other_thread(me: &mut Me) -> Step {
    let mut child = me.child_alone();
    let open = me.open("here");
    let ready = span!(target: open.target(), uid = open.uid; "here", {
        let ready = poll_once(&mut child).is_ready();
        yield_now().await;
        me.event("half polled");
        ready
    });
    drop(open);
    let there = Machine::at(&me.machine.ledger, Place::default());
    child.give_to(&there);
    let drops = ready || me.random.one_in(2);
    let thread = thread::spawn(move || {
        there.event("thread");
        if drops {
            drop(child);
        } else {
            let run = || {
                let open = there.open("there");
                span!(uid = open.uid; "there", { drop(smol::block_on(child)) });
            };
            if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(run)) {
                forgive(panic);
            }
        }
        there.event("behind child");
    });
    thread.join().expect("panics are caught");
    me.event("behind thread");
    Ok(())
}

async fn by_hand(me: &mut Me) -> Step {
    let open = me.open("by hand");
    span!(target: open.target(), uid = open.uid; "by hand", {
        let mut child = me.child_alone();
        let mut turns = 0;
        while poll_once(&mut child).is_pending() {
            me.event("pending");
            turns += 1;
            if turns > 6 {
                break;
            }
            if me.random.one_in(2) {
                yield_now().await;
                me.event("yielded");
            }
        }
        me.event("behind polls");
        drop(child);
        me.event("behind drop");
        inner(me).await?;
    });
    drop(open);
    me.event("behind by hand");
    Ok(())
}

fn now_or_never_boxed(me: &mut Me) -> BoxFuture<'_, Step> {
    now_or_never(me).boxed()
}

async fn now_or_never(me: &mut Me) -> Step {
    let open = me.open("now");
    span!(target: open.target(), uid = open.uid; "now", {
        let done = me.child().now_or_never();
        me.event("behind now");
        inner(me).await?;
        // The same state machine's code, inside itself.
        let of_child = me.fork();
        let child = of_child.into_child(&me.machine, |mut me| async move {
            match me.depth {
                0 => leaf(&mut me).await,
                _ => now_or_never_boxed(&mut me).await,
            }
        });
        let again = child.now_or_never();
        me.event("or never");
        yield_now().await;
        me.result(done.or(again).unwrap_or(Ok(())))?;
    });
    drop(open);
    me.event("behind now or never");
    Ok(())
}

async fn blocked(me: &mut Me) -> Step {
    let open = me.open("blocked");
    let done = span!(target: open.target(), uid = open.uid; "blocked", {
        smol::block_on(me.child_alone())
    });
    drop(open);
    me.result(done)?;
    let open = me.open("blocked and awaited");
    span!(target: open.target(), uid = open.uid; "blocked and awaited", {
        let done = smol::block_on(me.child_alone());
        me.event("behind block_on");
        inner(me).await?;
        me.result(done)?;
    });
    drop(open);
    me.event("behind blocked");
    Ok(())
}

async fn nested_executor(me: &mut Me) -> Step {
    let open = me.open("nested executor");
    span!(target: open.target(), uid = open.uid; "nested executor", {
        let there = Machine::at(&me.machine.ledger, me.machine.place());
        let executor = smol::LocalExecutor::new();
        for _ in 0..2 {
            let mut child = me.child_alone();
            child.give_to(&there);
            let caught = AssertUnwindSafe(child).catch_unwind();
            executor.spawn(caught.map(|caught| drop(caught.map_err(forgive)))).detach();
        }
        let done = smol::block_on(executor.run(me.child_alone()));
        me.event("behind main");
        drop(executor);
        me.event("behind executor");
        me.result(done)?;
    });
    drop(open);
    let open = me.open("nested runtime");
    span!(target: open.target(), uid = open.uid; "nested runtime", {
        let threads = me.random.one_in(3);
        let context = Context::current();
        let place = me.machine.place();
        let (there, of_main) = (Machine::at(&me.machine.ledger, place), me.fork());
        // Its threads are in no span, what runs on this one is.
        let workers = Machine::at(&me.machine.ledger, Place::default());
        let main = move |executor: Executor| {
            let here = executor.machine.clone();
            let machine = if threads { workers } else { here.clone() };
            let executor = executor.polling_at(machine);
            let of_main = Me {
                executor,
                alone: false,
                ..of_main
            };
            of_main.into_child(&here, body).map(drop).boxed()
        };
        let run = move || {
            let mut builder = match threads {
                true => tokio::runtime::Builder::new_multi_thread(),
                false => tokio::runtime::Builder::new_current_thread(),
            };
            let run = || context.run(|| run_tokio(builder.worker_threads(2), there, main));
            let _ = panic::catch_unwind(AssertUnwindSafe(run)).map_err(forgive);
        };
        thread::spawn(run).join().expect("panics are caught");
        me.event("behind runtime");
        inner(me).await
    })
}

/// A thread that is waited for, also by a machine that is dropped.
struct Joined(Option<thread::JoinHandle<()>>);

impl Joined {
    fn spawn(run: impl FnOnce() + Send + 'static) -> Self {
        Joined(Some(thread::spawn(run)))
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        let joined = self.0.take().map(thread::JoinHandle::join);
        assert!(matches!(joined, Some(Ok(()))), "panics are caught");
    }
}

async fn contexts(me: &mut Me) -> Step {
    let open = me.machine.open_tagged("context");
    span!(uid = open.uid, tag = open.uid; "context", {
        let context = Context::current();
        let there = Machine::at(&me.machine.ledger, me.machine.place());
        let mut child = me.child_alone();
        child.give_to(&there);
        let outside = Machine::at(&me.machine.ledger, Place::default());
        let thread = Joined::spawn(move || {
            outside.event("not in context");
            let run = || {
                context.run(|| {
                    there.event("in context");
                    let open = there.open("in context");
                    span!(uid = open.uid; "in context", { drop(smol::block_on(child)) });
                    drop(open);
                    there.event("still in context");
                });
            };
            let _ = panic::catch_unwind(AssertUnwindSafe(run)).map_err(forgive);
            outside.event("behind context");
        });
        yield_now().await;
        me.event("beside context");
        inner(me).await?;
        drop(thread);
        let context = Context::current();
        let there = Machine::at(&me.machine.ledger, me.machine.place());
        inner(me).await?;
        rayon::scope(|scope| scope.spawn(|_| context.run(|| there.event("in rayon"))));
    });
    drop(open);
    me.event("behind context");
    Ok(())
}

async fn channels(me: &mut Me) -> Step {
    let open = me.open("channels");
    span!(target: open.target(), uid = open.uid; "channels", {
        let (send, received) = oneshot::channel();
        let (mut sender, mut receiver) = mpsc::channel(0);
        let a = me.fork().into_child(&me.machine, |mut me| async move {
            let open = me.open("sender");
            span!(target: open.target(), uid = open.uid; "sender", {
                inner(&mut me).await?;
                let _ = send.send(());
                me.event("sent");
                for _ in 0..3 {
                    let _ = futures::SinkExt::send(&mut sender, ()).await;
                    me.event("sent one");
                }
            });
            Ok(())
        });
        let b = me.fork().into_child(&me.machine, |mut me| async move {
            let open = me.open("receiver");
            span!(target: open.target(), uid = open.uid; "receiver", {
                me.event("waits");
                let _ = received.await;
                me.event("received");
                while receiver.next().await.is_some() {
                    me.event("received one");
                    inner(&mut me).await?;
                }
            });
            Ok(())
        });
        let (a, b) = tokio::join!(a, b);
        me.event("behind both");
        me.result(a.and(b))
    })
}

/// Arms and conditions that are awaited for themselves, handlers with spans.
async fn made_with_awaits(me: &mut Me) -> Step {
    let open = me.open("makes");
    span!(target: open.target(), uid = open.uid; "makes", {
        let (a, b) = tokio::join!(
            { inner(me).await?; me.event("made a"); me.child() },
            { me.event("made b"); me.child() },
        );
        me.event("behind join");
        tokio::select! {
            done = { yield_now().await; me.event("made"); me.child() }, if { yield_now().await; true } => {
                let open = me.open("handler");
                span!(target: open.target(), uid = open.uid; "handler", {
                    inner(me).await?;
                    me.event("in handler");
                });
                drop(open);
                me.result(done)?;
            }
            _ = me.child() => {
                me.event("second");
                match inner(me).await { Ok(()) => {} Err(Stop) => return Err(Stop) }
            }
        }
        me.event("behind select");
        yield_now().await;
        me.result(a.and(b))
    })
}

macro_rules! inside {
    ($me:expr, $name:literal, $body:block) => {{
        let open = $me.open($name);
        span!(target: open.target(), uid = open.uid; $name, $body)
    }};
}

/// A macro of the user's that makes the spans.
async fn in_macros(me: &mut Me) -> Step {
    inside!(me, "macro", {
        inner(me).await?;
        let done = inside!(me, "macro in macro", {
            me.event("in macro");
            yield_now().await;
            tokio::join!(me.child(), me.child()).0
        });
        me.event("behind inner macro");
        let all = vec![inner(me).await, inner(me).await];
        me.event("behind vec");
        assert!(matches!(yield_now().await, ()));
        all.into_iter().fold(done, Result::and)?;
    });
    me.event("behind macro");
    Ok(())
}

/// Tasks that nobody spawns, some of which never run.
async fn tasks(me: &mut Me) -> Step {
    let open = me.open("tasks");
    let kept = span!(target: open.target(), uid = open.uid; "tasks", {
        let task = me.child().in_task(&me.machine);
        me.event("made");
        let never = Noisy(me.machine.clone());
        let of_never = me.fork();
        let never_polled = of_never
            .into_child(&me.machine, |me| async move {
                me.event("never");
                drop(never);
                Ok(())
            })
            .in_task(&me.machine);
        let (a, b) = tokio::join!(task, me.child().in_quiet_task(me.machine.place()));
        me.event("behind tasks");
        me.result(a.and(b))?;
        let mut half = me.child().in_task(&me.machine);
        let ready = poll_once(&mut half).is_ready();
        me.event("half polled");
        yield_now().await;
        drop(never_polled);
        (!ready).then_some(half)
    });
    drop(open);
    me.event("behind span");
    if let Some(half) = kept {
        let open = me.open("other half");
        span!(target: open.target(), uid = open.uid; "other half", {
            let done = half.await;
            me.event("behind half");
            me.result(done)?;
        });
    }
    Ok(())
}

/// State machines whose tokens are inside a span's block.
async fn blocks(me: &mut Me) -> Step {
    let open = me.open("blocks");
    span!(target: open.target(), uid = open.uid; "blocks", {
        let machine = Machine::new(&me.machine.ledger);
        let of_block = machine.clone();
        let block = Child::new(machine, &me.machine, async move {
            of_block.event("in block");
            let open = of_block.open("in block");
            span!(uid = open.uid; "in block", {
                of_block.event("in its span");
                yield_now().await;
                let _noisy = Noisy(of_block.clone());
                let machine = Machine::new(&of_block.ledger);
                let inmost = machine.clone();
                tokio::select! {
                    _ = Child::new(machine, &of_block, async { inmost.event("in arm"); yield_now().await; inmost.event("still in arm") }) => {}
                    _ = future::pending::<()>() => {}
                }
                of_block.event("behind arm");
            });
            drop(open);
            of_block.event("behind its span");
            yield_now().await;
        });
        me.event("made block");
        block.await;
        me.event("behind block");
        let machine = &me.machine;
        let make = |n: u64| async move { machine.event("in closure"); yield_now().await; n };
        let n = make(1).await + async { yield_now().await; machine.event("in async"); 1 }.await;
        assert_eq!(n, 2);
        let text = format!("{} {}", make(1).await, async { 2 }.await);
        assert_eq!(text, "1 2");
        me.event("behind closures");
        inner(me).await
    })
}
