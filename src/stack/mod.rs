//! Where the running code is: the heart of attribution.
//!
//! Each thread has a stack of [`Entry`]s; the topmost one names the span that the running code is
//! in. An entry is pushed by whatever starts to run code somewhere else (a span, the poll of a
//! future that owns its context) and is popped when that code stops running, whether it has finished
//! or is suspended. So below an entry there is always, exactly, what was there before.
//!
//! What makes it hold across `.await` is who owns an entry:
//!
//! * **A block** is the state machine of one `async` block or function. The outermost `span!`
//!   in it pushes an entry that says which block it is, by [`Block`]; the spans nested in it
//!   replace the position in that same entry. So however deep its spans nest, a block that runs
//!   has one entry, and a block that is suspended has none.
//! * **A boundary** belongs to whoever polls: a suspending await, an instrumented future, a synchronous block.
//!
//! An await that finds its block's entry on top knows that it suspends exactly that entry; one
//! that finds anything else has no open span of its own and leaves the stack alone.

mod block;
mod blocks;
mod lookup;
mod position;
mod slots;
mod suspended;
mod task;

pub use block::{Block, BlockInstance};
pub(crate) use block::{BOUNDARY, SYNC_BLOCK};
pub use blocks::mark_failed;
pub(crate) use blocks::{
    enter, enter_nested, exit, exit_nested, leave_block, reenter_block, run, running,
};
pub(crate) use lookup::{at, current, is_here, with};
pub(crate) use position::SpanContext;
pub(crate) use slots::depth;
pub(crate) use suspended::{
    enter_future, enter_future_open, leave_future, LeftOpen, SuspendedContext,
};
pub(crate) use task::{enter_task, ours, task};

/// Leaves all spans and the task: those of the process from which this was forked.
pub(crate) fn leave_all() {
    slots::truncate(0);
    task::leave_task();
}

#[cfg(test)]
mod tests {
    use super::slots::ROOM;
    use super::*;
    use crate::ids::SpanId;
    use crate::record::fields::Fields;
    use crate::span_state::{SpanData, SpanRef};
    use crate::target::Target;

    #[test]
    fn the_stack_grows_beyond_its_first_room() {
        let ids = || {
            (1..=depth())
                .map(|depth| at(depth).span.id.map_or(0, SpanId::get))
                .collect::<Vec<_>>()
        };
        let many = 3 * ROOM as u64;
        let data = SpanData {
            start: 0,
            task_id: None,
            target: Target::UNKNOWN,
            anchored_at: 0,
        };
        let span = |id| SpanRef::open(SpanId::new(id).unwrap(), data);
        for _ in 0..2 {
            (1..=many).for_each(|id| {
                enter(
                    SpanContext {
                        span: span(id),
                        fields: Fields::none(),
                    },
                    SYNC_BLOCK,
                )
            });
            assert_eq!(ids(), (1..=many).collect::<Vec<_>>());
            let mut open = LeftOpen::default();
            let half = many / 2;
            leave_future(half as usize, &mut Fields::none(), &mut open);
            assert_eq!(ids(), (1..=half).collect::<Vec<_>>());
            let entered = enter_future(span(many + 1).state, &mut Fields::none(), &mut open);
            assert_eq!(entered, half as usize);
            assert_eq!(current().span.id, SpanId::new(many));
            assert_eq!(at(half as usize + 1).span.id, SpanId::new(many + 1));
            exit(SpanId::new(1));
            assert_eq!(depth(), 0);
            assert_eq!(current().span.id, None);
        }
    }
}
