//! Where the running code is: the heart of attribution.
//!
//! Each thread has a stack of [`Level`]s; the topmost one names the span that the running code is
//! in. A level is pushed by whatever starts to run code somewhere else (a span, the poll of a
//! future that owns its place) and is popped when that code stops running, whether it has finished
//! or is suspended. So below a level there is always, exactly, what was there before.
//!
//! What makes it hold across `.await` is who owns a level:
//!
//! * **A machine** is the state machine of one `async` block or function. The outermost `span!`
//!   in it pushes a level that carries the machine's key, a number known only to the tokens of that
//!   block; the spans nested in it replace the position in that same level. So however deep
//!   its spans nest, a machine that runs has one level, and a machine that is suspended has none.
//! * **A boundary** (key 0) belongs to whoever polls: a kept await, a frame, a synchronous block.
//!
//! An await that finds its machine's level on top knows that it suspends exactly that level; one
//! that finds anything else has no open span of its own and leaves the stack alone.

use std::cell::{Cell, RefCell};

use crate::fields::Fields;

/// A span as the records inside it see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Position {
    /// The span's id; 0 where there is no span.
    pub(crate) id: u64,
    pub(crate) fields: Fields,
}

/// One entry of a thread's stack.
#[derive(Debug)]
pub(crate) struct Level {
    position: Position,
    /// The key of the machine whose spans this level holds, or [`BOUNDARY`].
    machine: u64,
    /// The code that this level belongs to is being dropped unfinished.
    cancelled: bool,
}

/// The machine key of a level that no kept await may suspend.
pub(crate) const BOUNDARY: u64 = 0;

thread_local! {
    static LEVELS: RefCell<Vec<Level>> = const { RefCell::new(Vec::new()) };
    // Apart from the levels because it needs no destructor: it can still be read while the
    // thread's other locals are being destroyed.
    static TASK: Cell<u64> = const { Cell::new(0) };
}

/// Gives `None` where the stack cannot be had: after the thread's locals are destroyed, or from an
/// allocator that logs while the stack grows. Nothing is known of the place there, and all goes on.
fn levels<R>(f: impl FnOnce(&mut Vec<Level>) -> R) -> Option<R> {
    LEVELS
        .try_with(|levels| {
            levels
                .try_borrow_mut()
                .ok()
                .map(|mut levels| f(&mut levels))
        })
        .ok()
        .flatten()
}

/// The span that the running code is in.
pub(crate) fn current() -> Position {
    levels(|levels| levels.last().map(|top| top.position.clone()))
        .flatten()
        .unwrap_or_default()
}

/// As [`current`], without a copy; `f` must not call back into this module.
pub(crate) fn with_current<R>(f: impl FnOnce(&Position) -> R) -> R {
    let mut f = Some(f);
    levels(|levels| {
        let top = levels.last()?;
        f.take().map(|f| f(&top.position))
    })
    .flatten()
    .unwrap_or_else(|| (f.take().expect("not called above"))(&Position::default()))
}

/// The number of the task that runs now, 0 outside any.
pub(crate) fn task() -> u64 {
    TASK.with(Cell::get)
}

/// Makes `task` the one that runs, until the guard is dropped.
pub(crate) fn enter_task(task: u64) -> TaskGuard {
    TaskGuard {
        before: TASK.with(|cell| cell.replace(task)),
    }
}

#[derive(Debug)]
pub(crate) struct TaskGuard {
    before: u64,
}

impl Drop for TaskGuard {
    fn drop(&mut self) {
        TASK.with(|cell| cell.set(self.before));
    }
}

/// Enters a span whose code runs from here to [`exit`]: a synchronous block, or the outermost span
/// of the machine with this key.
pub(crate) fn enter(position: Position, machine: u64) {
    levels(|levels| {
        levels.push(Level {
            position,
            machine,
            cancelled: false,
        })
    });
}

/// Leaves the span `id` and whatever was left open inside it; says whether that happened because
/// its future was dropped unfinished.
///
/// The level is the topmost one unless an await that could not be seen has left something above
/// it, or has carried it away (then there is nothing to do: it was taken off on the way out).
pub(crate) fn exit(id: u64) -> bool {
    levels(|levels| {
        let at = levels.iter().rposition(|level| level.position.id == id)?;
        let cancelled = levels[at].cancelled;
        levels.truncate(at);
        Some(cancelled)
    })
    .flatten()
    .unwrap_or(false)
}

/// Runs synchronous code at another position.
pub(crate) fn run<R>(position: Position, f: impl FnOnce() -> R) -> R {
    struct Leave {
        held: Held,
        depth: usize,
    }

    impl Drop for Leave {
        fn drop(&mut self) {
            self.held.leave(self.depth);
        }
    }

    let mut held = Held::new(position);
    let depth = held.enter();
    let _leave = Leave { held, depth };
    f()
}

/// Enters a span nested in a machine that already has a level: gives what that level held, for
/// [`exit_nested`]. Gives the position back where this machine has no level of its own on top, as
/// when the spans around were filtered out: then it is for [`enter`].
pub(crate) fn enter_nested(position: Position, machine: u64) -> Result<Position, Position> {
    let mut position = Some(position);
    levels(|levels| {
        let top = levels.last_mut().filter(|top| top.machine == machine)?;
        let inner = position.take()?;
        Some(std::mem::replace(&mut top.position, inner))
    })
    .flatten()
    .ok_or_else(|| position.unwrap_or_default())
}

/// Leaves the span `id`, nested in one at `parent`; says as [`exit`] does whether it was cancelled.
pub(crate) fn exit_nested(id: u64, parent: Position) -> bool {
    levels(|levels| {
        let at = levels.iter().rposition(|level| level.position.id == id)?;
        levels.truncate(at + 1);
        levels[at].position = parent;
        Some(levels[at].cancelled)
    })
    .flatten()
    .unwrap_or(false)
}

/// Takes the level of the running machine off, and gives what it held; `None` where this machine
/// has no open span.
pub(crate) fn leave_machine(machine: u64) -> Option<Position> {
    levels(|levels| {
        let top = levels.last()?;
        (top.machine == machine).then(|| levels.pop())?
    })
    .flatten()
    .map(|level| level.position)
}

/// Puts the level of a machine back; `cancelled` where that is only for its locals to be dropped.
pub(crate) fn reenter_machine(position: Position, machine: u64, cancelled: bool) {
    levels(|levels| {
        levels.push(Level {
            position,
            machine,
            cancelled,
        })
    });
}

/// Whether the running machine has an open span.
pub(crate) fn is_machine(machine: u64) -> bool {
    levels(|levels| levels.last().is_some_and(|top| top.machine == machine)).unwrap_or(false)
}

/// The place of a future that owns it, kept while the future is suspended: the position that it
/// runs in, and what it had left open above that when it was last suspended. (Kept awaits leave
/// nothing open; what is found there is a span around an await that no macro of ours could see.)
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) own: Position,
    open: Vec<Level>,
}

impl Held {
    pub(crate) fn new(own: Position) -> Self {
        Held {
            own,
            open: Vec::new(),
        }
    }

    /// Puts the place on the stack and gives the depth to come back to.
    pub(crate) fn enter(&mut self) -> usize {
        levels(|levels| {
            let depth = levels.len();
            levels.push(Level {
                position: std::mem::take(&mut self.own),
                machine: BOUNDARY,
                cancelled: false,
            });
            levels.append(&mut self.open);
            depth
        })
        .unwrap_or(0)
    }

    /// As [`Held::enter`], for a future that will be dropped there.
    pub(crate) fn enter_cancelled(&mut self) -> usize {
        for level in &mut self.open {
            level.cancelled = true;
        }
        self.enter()
    }

    /// Takes the place off the stack again. What was there before is put back exactly; what is
    /// still open above is kept for the next time.
    pub(crate) fn leave(&mut self, depth: usize) {
        levels(|levels| {
            if depth < levels.len() {
                self.open.extend(levels.drain(depth + 1..));
                self.own = levels.pop().map(|level| level.position).unwrap_or_default();
            }
        });
    }

    /// Turns the level of the running machine into this place, whose code it was until now.
    pub(crate) fn take_over(&mut self, machine: u64) -> usize {
        levels(|levels| {
            let top = levels.last_mut().filter(|top| top.machine == machine)?;
            top.machine = BOUNDARY;
            Some(levels.len() - 1)
        })
        .flatten()
        .unwrap_or_else(|| self.enter())
    }

    /// Turns this place into the level of the machine that owns it, which goes on.
    pub(crate) fn hand_over(depth: usize, machine: u64, cancelled: bool) {
        levels(|levels| {
            levels.truncate(depth + 1);
            if let Some(level) = levels.get_mut(depth) {
                level.machine = machine;
                level.cancelled = cancelled;
            }
        });
    }
}
