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
use std::mem::{self, ManuallyDrop};

use crate::ids;
use crate::record::fields::Fields;
use crate::record::outcome::Outcome;
use crate::span_state::{SpanRef, State};

/// A span as the records inside it see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Position {
    pub(crate) span: SpanRef,
    pub(crate) fields: Fields,
}

impl Position {
    /// Whether the running code is here anyway.
    pub(crate) fn is_here(&self) -> bool {
        with(depth(), |here| {
            here.span.id == self.span.id && here.fields.is_same(&self.fields)
        })
    }
}

/// One entry of a thread's stack.
#[derive(Debug)]
pub(crate) struct Level {
    position: Position,
    /// The machine whose spans this level holds, or [`BLOCK`], or [`BOUNDARY`].
    machine: Machine,
    /// What became of the code that this level belongs to, if it did not just end.
    outcome: Option<Outcome>,
}

/// A state machine.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Whose code it is: a number that only the tokens of one block have.
    code: u64,
    /// Which run of that code, as code may poll itself by hand, `now_or_never()`, in a span that is
    /// open in the one and filtered out in the other. 0 for any.
    run: usize,
}

/// The machine of a level that belongs to whoever polls or calls: no kept await may suspend it, and it is taken off
/// by code that runs on this thread in any case.
pub(crate) const BOUNDARY: Machine = Machine { code: 0, run: 0 };

/// The machine of a block's level in which no await can be seen. So none may suspend it; if there is one all the same,
/// in the definition of a macro, the span may end on another thread.
pub(crate) const BLOCK: Machine = Machine { code: 0, run: 1 };

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

/// Room for one level. Room that is not in use has no fields, is a boundary, and has nothing special.
struct Slot {
    state: Cell<Option<&'static State>>,
    fields: Cell<Fields>,
    machine: Cell<Machine>,
    /// Whether there is more to it than to the place of a future in a span that is open for as long. The rest is
    /// for what is special.
    special: Cell<bool>,
    /// The span's number; 0 if its state has that.
    id: Cell<u64>,
    outcome: Cell<Option<Outcome>>,
    /// Nine words are a size by which a processor multiplies in one step.
    _size: [usize; 3],
}

impl Slot {
    const fn new() -> Self {
        Slot {
            state: Cell::new(None),
            fields: Cell::new(Fields::none()),
            machine: Cell::new(BOUNDARY),
            special: Cell::new(false),
            id: Cell::new(0),
            outcome: Cell::new(None),
            _size: [0; 3],
        }
    }

    /// Makes it the place of a future in an open span.
    #[inline]
    fn put_open(&self, state: Option<&'static State>, fields: Fields) {
        self.state.set(state);
        // There are none that would have to be dropped.
        mem::forget(self.fields.replace(fields));
    }

    #[inline]
    fn put(&self, level: Level) {
        let Position { span, fields } = level.position;
        self.put_open(span.state, fields);
        self.machine.set(level.machine);
        self.special.set(true);
        self.id.set(span.id);
        self.outcome.set(level.outcome);
    }

    /// As [`take`](Slot::take), where nobody wants the position.
    #[inline]
    fn clear(&self) -> Option<Outcome> {
        drop(self.fields.take());
        self.machine.set(BOUNDARY);
        self.special.set(false);
        self.id.set(0);
        self.outcome.take()
    }

    fn take(&self) -> Level {
        let level = Level {
            position: self.take_position(),
            machine: self.machine.replace(BOUNDARY),
            outcome: self.outcome.take(),
        };
        self.special.set(false);
        self.id.set(0);
        level
    }

    fn span(&self) -> SpanRef {
        let state = self.state.get();
        match self.id.get() {
            0 => SpanRef::now(state),
            id => SpanRef { id, state },
        }
    }

    fn take_position(&self) -> Position {
        Position {
            span: self.span(),
            fields: self.fields.take(),
        }
    }

    fn replace_position(&self, position: Position) -> Position {
        let before = self.take_position();
        self.state.set(position.span.state);
        self.special.set(true);
        self.id.set(position.span.id);
        self.fields.set(position.fields);
        before
    }

    fn set_outcome(&self, outcome: Option<Outcome>) {
        self.special.set(true);
        self.outcome.set(outcome);
    }

    /// Whether this is a level that nobody has taken off where its span ended: an await that could not be seen has left
    /// it here, and the code has gone on elsewhere. Or its span is one of the process from which this was forked.
    #[inline]
    fn is_stale(&self) -> bool {
        let span = self.span();
        self.machine.get() != BOUNDARY && span.is_over() || ids::is_inherited(span.id)
    }
}

/// How many levels a thread has room for from the beginning.
const ROOM: usize = 16;

struct Stack {
    depth: Cell<usize>,
    slots: ManuallyDrop<[Slot; ROOM]>,
}

thread_local! {
    // Nothing here needs a destructor, since a thread that ends is in no span. So it is there also for what the
    // destructors of other locals log, and no access has to ask whether it is.
    static STACK: Stack = const {
        // Each has a cell of its own.
        #[allow(clippy::declare_interior_mutable_const)]
        const EMPTY: Slot = Slot::new();
        Stack {
            depth: Cell::new(0),
            slots: ManuallyDrop::new([EMPTY; ROOM]),
        }
    };
    static TASK: Cell<u64> = const { Cell::new(0) };
    /// Room for more levels, as many as there ever were.
    static MORE: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

/// Gives `None` where there is no such slot: after the thread's locals are destroyed, or for an allocator that logs
/// while the stack grows. Nothing is known of the place there, and all goes on.
#[inline]
fn with_slot<R>(at: usize, f: impl FnOnce(&Slot) -> R) -> Option<R> {
    STACK.with(|stack| match stack.slots.get(at) {
        Some(slot) => Some(f(slot)),
        None => with_more(at.checked_sub(ROOM)?, f),
    })
}

#[cold]
#[inline(never)]
fn with_more<R>(at: usize, f: impl FnOnce(&Slot) -> R) -> Option<R> {
    let f = |more: &RefCell<Vec<Slot>>| {
        if more.try_borrow().ok()?.len() == at {
            more.try_borrow_mut().ok()?.push(Slot::new());
        }
        more.try_borrow().ok()?.get(at).map(f)
    };
    MORE.try_with(f).ok().flatten()
}

/// The topmost level.
#[inline]
fn with_top<R>(f: impl FnOnce(&Slot) -> R) -> Option<R> {
    with_slot(depth().checked_sub(1)?, f)
}

#[inline]
fn push(level: Level) {
    STACK.with(|stack| {
        let depth = stack.depth.get();
        match stack.slots.get(depth) {
            Some(slot) => {
                slot.put(level);
                stack.depth.set(depth + 1);
            }
            None => push_more(depth, level),
        }
    })
}

#[cold]
#[inline(never)]
fn push_more(depth: usize, level: Level) {
    if with_slot(depth, |slot| slot.put(level)).is_some() {
        STACK.with(|stack| stack.depth.set(depth + 1));
    }
}

#[inline]
fn pop() -> Option<Level> {
    let top = depth().checked_sub(1)?;
    STACK.with(|stack| stack.depth.set(top));
    with_slot(top, Slot::take)
}

fn truncate(depth_before: usize) {
    while depth() > depth_before {
        pop();
    }
}

/// Which level the span `id` has.
fn find(id: u64) -> Option<usize> {
    (0..depth())
        .rev()
        .find(|&at| with_slot(at, |slot| slot.span().id) == Some(id))
}

/// The span that the running code is in.
#[inline]
pub(crate) fn current() -> Position {
    if depth() == 0 {
        return Position::default();
    }
    take_stale_off();
    at(depth())
}

/// Takes off the topmost levels if their spans have ended.
fn take_stale_off() {
    while with_top(Slot::is_stale) == Some(true) {
        pop();
    }
}

/// How deep the stack is. As long as the running code has not come back, it says where that code was.
#[inline]
pub(crate) fn depth() -> usize {
    STACK.with(|stack| stack.depth.get())
}

/// The span in which code was that found the stack so deep.
pub(crate) fn at(depth: usize) -> Position {
    with(depth, Position::clone)
}

/// As [`at`], without a copy; `f` must not call back into this module.
pub(crate) fn with<R>(mut depth: usize, f: impl FnOnce(&Position) -> R) -> R {
    let at = loop {
        match depth.checked_sub(1) {
            None => return f(&Position::default()),
            Some(at) if with_slot(at, Slot::is_stale) == Some(true) => depth = at,
            Some(at) => break at,
        }
    };
    let position = with_slot(at, Slot::take_position).unwrap_or_default();
    let result = f(&position);
    with_slot(at, |slot| slot.fields.set(position.fields));
    result
}

/// The number of the task that runs now, 0 outside any.
#[inline]
pub(crate) fn task() -> u64 {
    TASK.with(Cell::get)
}

/// Makes `task` the one that runs, until the guard is dropped.
#[inline]
pub(crate) fn enter_task(task: u64) -> TaskGuard {
    TaskGuard {
        before: TASK.with(|cell| cell.replace(ours(task))),
    }
}

/// A task of the process from which this was forked is none here.
#[inline]
pub(crate) fn ours(task: u64) -> u64 {
    match ids::is_inherited(task) {
        true => 0,
        false => task,
    }
}

/// Leaves all spans and the task: those of the process from which this was forked.
pub(crate) fn leave_all() {
    truncate(0);
    TASK.with(|cell| cell.set(0));
}

#[derive(Debug)]
pub(crate) struct TaskGuard {
    before: u64,
}

impl Drop for TaskGuard {
    #[inline]
    fn drop(&mut self) {
        TASK.with(|cell| cell.set(ours(self.before)));
    }
}

/// Enters a span whose code runs from here to [`exit`]: a synchronous block, or the outermost span
/// of this machine.
#[inline]
pub(crate) fn enter(position: Position, machine: Machine) {
    reenter_machine(position, machine, None);
}

/// Leaves the span `id` and whatever was left open inside it; says how it ended.
///
/// The level is the topmost one unless an await that could not be seen has left something above
/// it, or has carried it away (then there is nothing to do: it was taken off on the way out).
pub(crate) fn exit(id: u64) -> Option<Outcome> {
    let exited = STACK.with(|stack| {
        let top = stack.depth.get().checked_sub(1)?;
        // A level that [`enter`] has pushed has the number itself.
        let slot = (stack.slots.get(top)).filter(|slot| slot.id.get() == id)?;
        stack.depth.set(top);
        Some(slot.clear())
    });
    match exited {
        Some(outcome) => outcome,
        None => exit_deep(id),
    }
}

/// The same where the level is not the topmost one, or the stack is deep.
#[cold]
#[inline(never)]
fn exit_deep(id: u64) -> Option<Outcome> {
    truncate(find(id)? + 1);
    pop()?.outcome
}

/// The innermost span has failed.
#[doc(hidden)]
pub fn fail() {
    take_stale_off();
    with_top(|top| top.set_outcome(Some(Outcome::Error)));
}

/// Runs synchronous code at another position.
pub(crate) fn run<R>(position: Position, f: impl FnOnce() -> R) -> R {
    struct Leave(usize);

    impl Drop for Leave {
        fn drop(&mut self) {
            truncate(self.0);
        }
    }

    let _leave = Leave(depth());
    enter(position, BOUNDARY);
    f()
}

/// Enters a span nested in a machine that already has a level: gives what that level held, for
/// [`exit_nested`]. Gives the position back where this machine has no level of its own on top, as
/// when the spans around were filtered out: then it is for [`enter`].
pub(crate) fn enter_nested(position: Position, machine: Machine) -> Result<Position, Position> {
    match running(machine) {
        Some(_) => Ok(with_top(|top| top.replace_position(position)).unwrap_or_default()),
        None => Err(position),
    }
}

/// Leaves the span `id`, nested in one at `parent`; says as [`exit`] does how it ended.
pub(crate) fn exit_nested(id: u64, parent: Position) -> Option<Outcome> {
    truncate(find(id)? + 1);
    with_top(|level| {
        level.replace_position(parent);
        level.outcome.get()
    })?
}

/// Takes the level of the running machine off, and gives what it held; `None` where this machine
/// has no open span.
pub(crate) fn leave_machine(machine: Machine) -> Option<(Position, Machine)> {
    running(machine)?;
    pop().map(|level| (level.position, level.machine))
}

/// Puts the level of a machine back, with an outcome where that is only for its locals to be dropped.
#[inline]
pub(crate) fn reenter_machine(position: Position, machine: Machine, outcome: Option<Outcome>) {
    push(Level {
        position,
        machine,
        outcome,
    });
}

/// The running machine if it has an open span.
#[inline]
pub(crate) fn running(machine: Machine) -> Option<Machine> {
    match with_top(|top| top.machine.get())? {
        BOUNDARY => None,
        top if top.is(machine) => Some(top),
        _ => uncover(machine),
    }
}

/// Takes off what lies above the level of a machine that is running: what its code has called, or polled by hand, has
/// come back, and has left that open in awaits that could not be seen.
#[cold]
#[inline(never)]
fn uncover(machine: Machine) -> Option<Machine> {
    let is_own = |at: &usize| with_slot(*at, |slot| slot.machine.get()) == Some(machine);
    // The number of its code alone may be that of another run, further out.
    let own = (0..depth()).rev().find(is_own).filter(|_| machine.run != 0);
    match own {
        Some(own) => truncate(own + 1),
        None => take_stale_off(),
    }
    with_top(|top| top.machine.get()).filter(|top| top.is(machine))
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

    /// Takes off what is above this level.
    fn take_off(&mut self, depth: usize) {
        let mut open: Vec<_> = (depth..self::depth())
            .filter_map(|_| pop())
            .filter(|level| level.machine == BOUNDARY || !level.position.span.is_over())
            .collect();
        open.reverse();
        self.0 = Some(Box::new(open)).filter(|open| !open.is_empty());
    }
}

/// Enters the place of a future in an open span: its state, its fields, which are taken for as long, and what the future
/// had left open. Gives the depth to come back to.
#[inline]
pub(crate) fn enter_frame(
    state: Option<&'static State>,
    fields: &mut Fields,
    open: &mut LeftOpen,
) -> usize {
    let depth = depth();
    if open.0.is_some() || depth >= ROOM {
        enter_frame_open(SpanRef::now(state), fields, open);
        return depth;
    }
    STACK.with(|stack| {
        stack.slots[depth].put_open(state, fields.take());
        stack.depth.set(depth + 1);
    });
    depth
}

/// The same where something was left open, or the stack is deep, or the span may have ended.
#[cold]
#[inline(never)]
pub(crate) fn enter_frame_open(span: SpanRef, fields: &mut Fields, open: &mut LeftOpen) -> usize {
    let depth = depth();
    let fields = fields.take();
    enter(Position { span, fields }, BOUNDARY);
    let open = open.0.take().into_iter();
    open.for_each(|open| open.into_iter().for_each(push));
    depth
}

/// Leaves the place of a future, with what it leaves open. What was there before is put back exactly.
/// Gives its fields back, and says how the code there has ended.
#[inline]
pub(crate) fn leave_frame(
    depth: usize,
    fields: &mut Fields,
    open: &mut LeftOpen,
) -> Option<Outcome> {
    let is_left = STACK.with(|stack| match stack.slots.get(depth) {
        Some(slot) if stack.depth.get() == depth + 1 && !slot.special.get() => {
            stack.depth.set(depth);
            fields.put_back(slot.fields.take());
            true
        }
        _ => false,
    });
    match is_left {
        true => None,
        false => leave_frame_open(depth, fields, open),
    }
}

/// The same where something is left open, or the code has failed, or the stack is deep.
#[cold]
#[inline(never)]
fn leave_frame_open(depth: usize, fields: &mut Fields, open: &mut LeftOpen) -> Option<Outcome> {
    if self::depth() > depth + 1 {
        open.take_off(depth + 1);
    }
    if self::depth() <= depth {
        return None;
    }
    let level = pop()?;
    fields.put_back(level.position.fields);
    level.outcome
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

    #[inline]
    pub(crate) fn enter(&mut self) -> usize {
        enter_frame(self.own.span.state, &mut self.own.fields, &mut self.open)
    }

    /// See [`LeftOpen::cancel`].
    pub(crate) fn cancel(&mut self) {
        self.open.cancel();
    }

    /// Whether the span has ended that this place is in.
    pub(crate) fn is_over(&self) -> bool {
        self.own.span.is_over()
    }

    #[inline]
    pub(crate) fn leave(&mut self, depth: usize) {
        leave_frame(depth, &mut self.own.fields, &mut self.open);
    }

    /// Turns the level of the running machine into this place, whose code it was until now.
    #[inline(never)]
    pub(crate) fn take_over(&mut self, machine: Machine) -> usize {
        if running(machine).is_none() {
            return self.enter();
        }
        with_top(|top| {
            top.machine.set(BOUNDARY);
            self.own.span = top.span();
        });
        depth() - 1
    }

    /// Turns this place into the level of the machine that owns it, which goes on, or is dropped.
    #[inline(never)]
    pub(crate) fn hand_over(depth: usize, machine: Machine, outcome: Option<Outcome>) {
        truncate(depth + 1);
        if self::depth() > depth {
            with_top(|top| {
                top.machine.set(machine);
                top.id.set(top.span().id);
                top.set_outcome(outcome);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span_state::Known;
    use crate::target::Target;

    #[test]
    fn the_stack_grows_beyond_its_first_room() {
        let ids = || {
            (1..=depth())
                .map(|depth| at(depth).span.id)
                .collect::<Vec<_>>()
        };
        let many = 3 * ROOM as u64;
        let known = Known {
            start: 0,
            task_id: 0,
            target: Target::UNKNOWN,
            anchored_at: 0,
        };
        let span = |id| SpanRef::open(id, known);
        for _ in 0..2 {
            (1..=many).for_each(|id| {
                enter(
                    Position {
                        span: span(id),
                        fields: Fields::none(),
                    },
                    BLOCK,
                )
            });
            assert_eq!(ids(), (1..=many).collect::<Vec<_>>());
            let mut open = LeftOpen::default();
            let half = many / 2;
            leave_frame(half as usize, &mut Fields::none(), &mut open);
            assert_eq!(ids(), (1..=half).collect::<Vec<_>>());
            let entered = enter_frame(span(many + 1).state, &mut Fields::none(), &mut open);
            assert_eq!(entered, half as usize);
            assert_eq!(current().span.id, many);
            assert_eq!(at(half as usize + 1).span.id, many + 1);
            exit(1);
            assert_eq!(depth(), 0);
            assert_eq!(current().span.id, 0);
        }
    }
}
