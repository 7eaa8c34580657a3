//! From batches of lines to a tracker, on one thread or several.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::input::Cutter;
use crate::read::Batch;
use crate::track::{self, Sink, Tracker};

/// Where batches of lines come from.
pub trait Batches {
    /// Fills `batch` with the next lines; false if there are no more.
    fn next(&mut self, batch: &mut Batch) -> io::Result<bool>;
}

impl Batches for &mut Cutter {
    fn next(&mut self, batch: &mut Batch) -> io::Result<bool> {
        Ok(Cutter::next(self, batch))
    }
}

/// Reads all batches, finds their records on `jobs` threads, this one among them, and gives them to
/// `tracker` in the order of the log. `each` sees every batch after it.
///
/// Memory holds a few batches a thread.
///
/// # Errors
///
/// Those of reading, and of the tracker's sink.
pub fn run<S: Sink>(
    mut batches: impl Batches + Send,
    tracker: &mut Tracker<S>,
    jobs: usize,
    mut each: impl FnMut(&Batch),
) -> io::Result<()> {
    let mut held = Held::default();
    let mut take = |batch: Batch| {
        held.add(batch, |batch, more| {
            let taken = tracker.take_before(batch, more);
            each(batch);
            taken
        })
    };
    if jobs > 1 {
        run_shared(batches, jobs, &mut take)?;
    } else {
        let mut batch = Batch::default();
        while batches.next(&mut batch)? {
            batch.parse();
            batch = take(batch)?.unwrap_or_default();
        }
    }
    held.end(|batch, more| {
        let taken = tracker.take_before(batch, more);
        each(batch);
        taken
    })
}

/// Batches that wait until enough is known of what comes behind them.
#[derive(Default)]
struct Held {
    batches: VecDeque<Batch>,
}

impl Held {
    /// Adds the next batch, and takes those behind which enough is known. Gives back one that is free.
    fn add(
        &mut self,
        batch: Batch,
        mut take: impl FnMut(&Batch, &[Batch]) -> io::Result<()>,
    ) -> io::Result<Option<Batch>> {
        let pauses = batch.pauses;
        self.batches.push_back(batch);
        let mut free = None;
        while let Some(first) = self.batches.pop_front() {
            if !pauses && !track::is_enough(self.batches.make_contiguous()) {
                self.batches.push_front(first);
                break;
            }
            take(&first, self.batches.make_contiguous())?;
            free = Some(first);
        }
        Ok(free)
    }

    /// Takes all that are left.
    fn end(&mut self, mut take: impl FnMut(&Batch, &[Batch]) -> io::Result<()>) -> io::Result<()> {
        while let Some(first) = self.batches.pop_front() {
            take(&first, self.batches.make_contiguous())?;
        }
        Ok(())
    }
}

/// Batches that several threads fill and parse.
struct Shared<B> {
    feed: Mutex<Feed<B>>,
    state: Mutex<State>,
    changed: Condvar,
}

/// Whoever has the lock takes the next batch, so numbers are in the order of the log.
struct Feed<B> {
    batches: B,
    next: u64,
}

#[derive(Default)]
struct State {
    /// Buffers that nobody uses. There are only so many, which bounds how far ahead anyone reads.
    free: Vec<Batch>,
    /// Batches that are ready, by their number.
    ready: HashMap<u64, Batch>,
    /// The number behind the last batch, and what went wrong with it.
    over: Option<(u64, io::Result<()>)>,
    /// Nobody wants batches any longer.
    stopped: bool,
}

fn run_shared<B: Batches + Send>(
    batches: B,
    jobs: usize,
    take: &mut impl FnMut(Batch) -> io::Result<Option<Batch>>,
) -> io::Result<()> {
    let shared = Shared {
        feed: Mutex::new(Feed { batches, next: 0 }),
        state: Mutex::new(State {
            free: (0..2 * jobs + 1).map(|_| Batch::default()).collect(),
            ..State::default()
        }),
        changed: Condvar::new(),
    };
    thread::scope(|scope| {
        for _ in 1..jobs {
            scope.spawn(|| {
                let _stop = Stop(&shared);
                while let Some(buffer) = shared.wait_for_buffer() {
                    shared.work(buffer);
                }
            });
        }
        let _stop = Stop(&shared);
        shared.take_in_order(take)
    })
}

/// Lets all threads end, whatever this one ends of.
struct Stop<'a, B: Batches>(&'a Shared<B>);

impl<B: Batches> Drop for Stop<'_, B> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        // The end of the log is no reason: others may still have batches in hand.
        if state.over.is_none() || thread::panicking() {
            state.stopped = true;
        }
        drop(state);
        self.0.changed.notify_all();
    }
}

impl<B: Batches> Shared<B> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_buffer(&self) -> Option<Batch> {
        let mut state = self.state();
        loop {
            if state.stopped || state.over.is_some() {
                return None;
            }
            match state.free.pop() {
                Some(buffer) => return Some(buffer),
                None => state = self.wait(state),
            }
        }
    }

    fn wait<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills a buffer with the next batch and parses it.
    fn work(&self, mut batch: Batch) {
        let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        if self.state().over.is_some() {
            return;
        }
        let number = feed.next;
        let over = match feed.batches.next(&mut batch) {
            Ok(true) => None,
            Ok(false) => Some(Ok(())),
            Err(error) => Some(Err(error)),
        };
        feed.next += 1;
        if let Some(result) = over {
            self.state().over = Some((number, result));
        } else {
            drop(feed);
            batch.parse();
            self.state().ready.insert(number, batch);
        }
        self.changed.notify_all();
    }

    /// Hands on the batches, and works like all others while the next is not ready.
    fn take_in_order(
        &self,
        take: &mut impl FnMut(Batch) -> io::Result<Option<Batch>>,
    ) -> io::Result<()> {
        let mut wanted = 0;
        loop {
            let mut state = self.state();
            if state.stopped {
                return Err(io::Error::other("a thread that reads the log has panicked"));
            }
            if let Some(batch) = state.ready.remove(&wanted) {
                drop(state);
                wanted += 1;
                // One that waits is replaced, so that others can be read meanwhile.
                let free = take(batch)?.unwrap_or_default();
                self.state().free.push(free);
                self.changed.notify_all();
                continue;
            }
            match &mut state.over {
                Some((end, result)) if *end == wanted => return std::mem::replace(result, Ok(())),
                Some(_) => drop(self.wait(state)),
                None => match state.free.pop() {
                    Some(buffer) => {
                        drop(state);
                        self.work(buffer);
                    }
                    None => drop(self.wait(state)),
                },
            }
        }
    }
}
