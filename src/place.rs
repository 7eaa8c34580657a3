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
//!   in it pushes a level that says which machine it is, by [`Machine`]; the spans nested in it
//!   replace the position in that same level. So however deep its spans nest, a machine that runs
//!   has one level, and a machine that is suspended has none.
//! * **A boundary** belongs to whoever polls: a kept await, a frame, a synchronous block.
//!
//! An await that finds its machine's level on top knows that it suspends exactly that level; one
//! that finds anything else has no open span of its own and leaves the stack alone.

use std::cell::{Cell, RefCell};

use crate::fields::Fields;
use crate::outcome::Outcome;

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
    /// The machine whose spans this level holds, or [`BOUNDARY`].
    machine: Machine,
    /// What became of the code that this level belongs to, if it did not just end.
    outcome: Option<Outcome>,
}

/// A state machine.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Whose code it is: a number that only the tokens of one block have.
    code: u64,
    /// Which run of that code, as code may poll itself by hand, `now_or_never()`, in a span that is
    /// open in the one and filtered out in the other. 0 for any.
    run: usize,
}

/// The machine of a level that no kept await may suspend.
pub(crate) const BOUNDARY: Machine = Machine { code: 0, run: 0 };

impl Machine {
    /// Whether this, of a level, is the one that is meant.
    fn is(self, meant: Machine) -> bool {
        self.code == meant.code && (self.run == meant.run || meant.run == 0)
    }
}

/// For what cannot name the [`Run`]: an await in the tokens of a macro that may put it anywhere.
impl From<u64> for Machine {
    #[inline]
    fn from(code: u64) -> Self {
        Machine { code, run: 0 }
    }
}

/// A local of a machine: its address tells the machine's runs apart. It is borrowed, so it lies in
/// the state machine as long as the block lasts, and that does not move once it is polled.
#[doc(hidden)]
#[derive(Debug)]
pub struct Run(#[allow(dead_code)] u8); // of no size, it could share its address

impl Run {
    #[allow(clippy::new_without_default)]
    #[inline]
    pub const fn new() -> Self {
        Run(0)
    }

    #[inline]
    pub fn of(&self, code: u64) -> Machine {
        let run = self as *const Run as usize;
        Machine { code, run }
    }
}

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
    at(depth())
}

/// How deep the stack is. As long as the running code has not come back, it says where that code was.
#[inline]
pub(crate) fn depth() -> usize {
    let depth = |levels: &RefCell<Vec<Level>>| levels.try_borrow().map_or(0, |levels| levels.len());
    LEVELS.try_with(depth).unwrap_or(0)
}

/// The span in which code was that found the stack so deep.
pub(crate) fn at(depth: usize) -> Position {
    with(depth, Position::clone)
}

/// As [`at`], without a copy; `f` must not call back into this module.
pub(crate) fn with<R>(depth: usize, f: impl FnOnce(&Position) -> R) -> R {
    let mut f = Some(f);
    levels(|levels| {
        let level = levels.get(depth.checked_sub(1)?)?;
        f.take().map(|f| f(&level.position))
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
/// of this machine.
pub(crate) fn enter(position: Position, machine: Machine) {
    reenter_machine(position, machine, None);
}

/// Leaves the span `id` and whatever was left open inside it; says how it ended.
///
/// The level is the topmost one unless an await that could not be seen has left something above
/// it, or has carried it away (then there is nothing to do: it was taken off on the way out).
pub(crate) fn exit(id: u64) -> Option<Outcome> {
    levels(|levels| {
        let at = levels.iter().rposition(|level| level.position.id == id)?;
        let outcome = levels[at].outcome;
        levels.truncate(at);
        outcome
    })
    .flatten()
}

/// The innermost span has failed.
#[doc(hidden)]
pub fn fail() {
    levels(|levels| {
        if let Some(top) = levels.last_mut() {
            top.outcome = Some(Outcome::Error);
        }
    });
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
pub(crate) fn enter_nested(position: Position, machine: Machine) -> Result<Position, Position> {
    let mut position = Some(position);
    levels(|levels| {
        let top = levels.last_mut().filter(|top| top.machine.is(machine))?;
        let inner = position.take()?;
        Some(std::mem::replace(&mut top.position, inner))
    })
    .flatten()
    .ok_or_else(|| position.unwrap_or_default())
}

/// Leaves the span `id`, nested in one at `parent`; says as [`exit`] does how it ended.
pub(crate) fn exit_nested(id: u64, parent: Position) -> Option<Outcome> {
    levels(|levels| {
        let at = levels.iter().rposition(|level| level.position.id == id)?;
        levels.truncate(at + 1);
        levels[at].position = parent;
        levels[at].outcome
    })
    .flatten()
}

/// Takes the level of the running machine off, and gives what it held; `None` where this machine
/// has no open span.
pub(crate) fn leave_machine(machine: Machine) -> Option<(Position, Machine)> {
    levels(|levels| {
        let top = levels.last()?;
        (top.machine.is(machine)).then(|| levels.pop())?
    })
    .flatten()
    .map(|level| (level.position, level.machine))
}

/// Puts the level of a machine back, with an outcome where that is only for its locals to be dropped.
pub(crate) fn reenter_machine(position: Position, machine: Machine, outcome: Option<Outcome>) {
    levels(|levels| {
        levels.push(Level {
            position,
            machine,
            outcome,
        })
    });
}

/// The running machine if it has an open span.
pub(crate) fn running(machine: Machine) -> Option<Machine> {
    levels(|levels| {
        let top = levels.last()?.machine;
        top.is(machine).then_some(top)
    })
    .flatten()
}

/// What a future that owns its place had left open above it when it was suspended. Kept awaits leave
/// nothing open: what is found there is a span around an await that no macro of ours could see.
#[derive(Debug, Default)]
#[allow(clippy::box_collection)] // a single word in each suspended future, and almost never anything in it
pub(crate) struct LeftOpen(Option<Box<Vec<Level>>>);

impl LeftOpen {
    /// The future is going to be dropped unfinished.
    pub(crate) fn cancel(&mut self) {
        for level in self.0.iter_mut().flat_map(|open| open.iter_mut()) {
            level.outcome = Some(Outcome::Cancelled);
        }
    }
}

/// Enters the place of a future: its position, and what it had left open. Gives the depth to come back to.
pub(crate) fn enter_frame(position: Position, open: &mut LeftOpen) -> usize {
    levels(|levels| {
        let depth = levels.len();
        levels.push(Level {
            position,
            machine: BOUNDARY,
            outcome: None,
        });
        if let Some(mut open) = open.0.take() {
            levels.append(&mut open);
        }
        depth
    })
    .unwrap_or(0)
}

/// Leaves the place of a future, with what it leaves open. What was there before is put back exactly.
/// Gives the position again, and how the code there says it ended.
pub(crate) fn leave_frame(depth: usize, open: &mut LeftOpen) -> (Position, Option<Outcome>) {
    levels(|levels| {
        if depth + 1 < levels.len() {
            open.0 = Some(Box::new(levels.drain(depth + 1..).collect()));
        }
        let own = (depth < levels.len()).then(|| levels.pop())??;
        Some((own.position, own.outcome))
    })
    .flatten()
    .unwrap_or_default()
}

/// A place that a future owns, kept while the future is suspended.
#[derive(Debug, Default)]
pub(crate) struct Held {
    own: Position,
    open: LeftOpen,
}

impl Held {
    pub(crate) fn new(own: Position) -> Self {
        Held {
            own,
            open: LeftOpen::default(),
        }
    }

    pub(crate) fn enter(&mut self) -> usize {
        enter_frame(std::mem::take(&mut self.own), &mut self.open)
    }

    /// See [`LeftOpen::cancel`].
    pub(crate) fn cancel(&mut self) {
        self.open.cancel();
    }

    pub(crate) fn leave(&mut self, depth: usize) {
        (self.own, _) = leave_frame(depth, &mut self.open);
    }

    /// Turns the level of the running machine into this place, whose code it was until now.
    pub(crate) fn take_over(&mut self, machine: Machine) -> usize {
        levels(|levels| {
            let top = levels.last_mut().filter(|top| top.machine.is(machine))?;
            top.machine = BOUNDARY;
            Some(levels.len() - 1)
        })
        .flatten()
        .unwrap_or_else(|| self.enter())
    }

    /// Turns this place into the level of the machine that owns it, which goes on, or is dropped.
    pub(crate) fn hand_over(depth: usize, machine: Machine, outcome: Option<Outcome>) {
        levels(|levels| {
            levels.truncate(depth + 1);
            if let Some(level) = levels.get_mut(depth) {
                level.machine = machine;
                level.outcome = outcome;
            }
        });
    }
}
