//! `join!`, `try_join!`, `select!` and `select_biased!` in a span's block.
//!
//! The await of such a macro is in its definition, where it cannot be kept. So the machine leaves its place
//! before the macro and enters it again behind it, or first thing in a handler; each arm is made
//! with the place entered and is a frame, a future that brings its place along.

use std::cell::Cell;
use std::future::{Future, IntoFuture};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::expansion::branch_future::Frame;
use crate::record::outcome::Outcome;
use crate::stack::{self, Machine, Position};

/// The place of a machine while it is in one of the macros.
#[doc(hidden)]
#[derive(Debug)]
pub struct Around {
    machine: Machine,
    /// `None` where the machine has no open span.
    own: Option<Position>,
    // Never contended: it is atomic so that a future that holds it is as `Sync` as without.
    entered: AtomicBool,
}

impl Around {
    /// Leaves the place.
    #[inline]
    pub fn __async_log_leave(machine: impl Into<Machine>) -> Self {
        let left = stack::leave_machine(machine.into());
        Around {
            machine: left.as_ref().map_or(stack::BOUNDARY, |left| left.1),
            own: left.map(|left| left.0),
            entered: AtomicBool::new(false),
        }
    }

    /// Enters the place again; nothing if it is entered.
    #[inline]
    pub fn enter(&self) {
        if let Some(own) = &self.own {
            if !self.entered.swap(true, Ordering::Relaxed) {
                stack::enter(own.clone(), self.machine);
            }
        }
    }

    /// Enters the place and says it, for what is made there.
    #[inline]
    pub fn at(&self) -> Made<'_> {
        self.enter();
        Made(self)
    }

    fn leave_again(&self) {
        if self.entered.swap(false, Ordering::Relaxed) {
            stack::leave_machine(self.machine);
        }
    }

    /// The value of the whole macro, behind which the place is entered.
    #[inline]
    pub fn after<T>(&self, value: T) -> T {
        self.enter();
        value
    }
}

impl Drop for Around {
    /// Left by a macro that was dropped while it was suspended, or by its panic: the locals of the
    /// block that it is in are next.
    fn drop(&mut self) {
        if *self.entered.get_mut() {
            return;
        }
        if let Some(own) = self.own.take() {
            stack::reenter_machine(own, self.machine, Some(Outcome::Cancelled));
        }
    }
}

/// The place is entered to make an arm or to evaluate its condition.
#[doc(hidden)]
#[derive(Debug)]
pub struct Made<'a>(&'a Around);

impl<'a> Made<'a> {
    /// An arm of which the compiler decides whether it is a future; if it is not, the macro is
    /// somebody else's and has what it was given.
    #[inline]
    pub fn arm<T>(self, value: T) -> Arm<'a, T> {
        Arm {
            around: self.0,
            value: Cell::new(Some(value)),
        }
    }

    /// A condition.
    #[inline]
    pub fn condition<T>(self, value: T) -> T {
        self.0.leave_again();
        value
    }
}

#[doc(hidden)]
#[allow(missing_debug_implementations)] // the value's type is anybody's
pub struct Arm<'a, T> {
    around: &'a Around,
    value: Cell<Option<T>>,
}

impl<T> Arm<'_, T> {
    fn take(&self) -> T {
        self.around.leave_again();
        self.value.take().expect("made with a value, taken once")
    }
}

#[doc(hidden)]
pub trait FutureArm {
    type Frame: Future;

    fn __async_log_arm(self) -> Self::Frame;
}

impl<T: IntoFuture> FutureArm for Arm<'_, T> {
    type Frame = Frame<T::IntoFuture>;

    #[inline]
    fn __async_log_arm(self) -> Self::Frame {
        let future = self.take().into_future();
        Frame::new(self.around.own.clone(), future)
    }
}

#[doc(hidden)]
pub trait OtherArm {
    type Value;

    fn __async_log_arm(self) -> Self::Value;
}

impl<T> OtherArm for &Arm<'_, T> {
    type Value = T;

    #[inline]
    fn __async_log_arm(self) -> T {
        self.take()
    }
}
