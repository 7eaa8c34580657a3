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

mod blocks;
mod lookup;
mod machine;
mod position;
mod slots;
mod suspended;
mod task;

pub use blocks::fail;
pub(crate) use blocks::{
    enter, enter_nested, exit, exit_nested, leave_machine, reenter_machine, run, running,
};
pub(crate) use lookup::{at, current, is_here, with};
pub use machine::{Machine, Run};
pub(crate) use machine::{BLOCK, BOUNDARY};
pub(crate) use position::Position;
pub(crate) use slots::depth;
pub(crate) use suspended::{enter_frame, enter_frame_open, leave_frame, Held, LeftOpen};
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
    use crate::record::fields::Fields;
    use crate::span_state::{Known, SpanRef};
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
