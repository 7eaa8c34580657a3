//! `join!`, `try_join!`, `select!` and `select_biased!` in a span's block.
//!
//! The await of such a macro is in its definition, where it cannot be rewritten. So the block leaves its context
//! before the macro and enters it again behind it, or first thing in a handler; each branch is made
//! with the context entered and is a future that brings its context along.

use std::cell::Cell;
use std::future::{Future, IntoFuture};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::expansion::branch_future::BranchFuture;
use crate::record::outcome::Outcome;
use crate::stack::{self, Block, SpanContext};

/// The context of a block while it is in one of the macros.
#[doc(hidden)]
#[derive(Debug)]
pub struct MacroGuard {
    block: Block,
    /// `None` where the block has no open span.
    own: Option<SpanContext>,
    // Never contended: it is atomic so that a future that holds it is as `Sync` as without.
    entered: AtomicBool,
}

impl MacroGuard {
    /// Leaves the context.
    #[inline]
    pub fn __async_log_leave(block: impl Into<Block>) -> Self {
        let left = stack::leave_block(block.into());
        MacroGuard {
            block: left.as_ref().map_or(stack::BOUNDARY, |left| left.1),
            own: left.map(|left| left.0),
            entered: AtomicBool::new(false),
        }
    }

    /// Enters the context again; nothing if it is entered.
    #[inline]
    pub fn enter(&self) {
        if let Some(own) = &self.own {
            if !self.entered.swap(true, Ordering::Relaxed) {
                stack::enter(own.clone(), self.block);
            }
        }
    }

    /// Enters the context and says it, for what is made there.
    #[inline]
    pub fn at(&self) -> BranchContext<'_> {
        self.enter();
        BranchContext(self)
    }

    fn leave_again(&self) {
        if self.entered.swap(false, Ordering::Relaxed) {
            stack::leave_block(self.block);
        }
    }

    /// The value of the whole macro, behind which the context is entered.
    #[inline]
    pub fn after<T>(&self, value: T) -> T {
        self.enter();
        value
    }
}

impl Drop for MacroGuard {
    /// Left by a macro that was dropped while it was suspended, or by its panic: the locals of the
    /// block that it is in are next.
    fn drop(&mut self) {
        if *self.entered.get_mut() {
            return;
        }
        if let Some(own) = self.own.take() {
            stack::reenter_block(own, self.block, Some(Outcome::Cancelled));
        }
    }
}

/// The context is entered to make a branch or to evaluate its condition.
#[doc(hidden)]
#[derive(Debug)]
pub struct BranchContext<'a>(&'a MacroGuard);

impl<'a> BranchContext<'a> {
    /// A branch of which the compiler decides whether it is a future; if it is not, the macro is
    /// somebody else's and has what it was given.
    #[inline]
    pub fn branch<T>(self, value: T) -> Branch<'a, T> {
        Branch {
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
pub struct Branch<'a, T> {
    around: &'a MacroGuard,
    value: Cell<Option<T>>,
}

impl<T> Branch<'_, T> {
    fn take(&self) -> T {
        self.around.leave_again();
        self.value.take().expect("made with a value, taken once")
    }
}

#[doc(hidden)]
pub trait FutureBranch {
    type BranchFuture: Future;

    fn __async_log_branch(self) -> Self::BranchFuture;
}

impl<T: IntoFuture> FutureBranch for Branch<'_, T> {
    type BranchFuture = BranchFuture<T::IntoFuture>;

    #[inline]
    fn __async_log_branch(self) -> Self::BranchFuture {
        let future = self.take().into_future();
        BranchFuture::new(self.around.own.clone(), future)
    }
}

#[doc(hidden)]
pub trait OtherBranch {
    type Value;

    fn __async_log_branch(self) -> Self::Value;
}

impl<T> OtherBranch for &Branch<'_, T> {
    type Value = T;

    #[inline]
    fn __async_log_branch(self) -> T {
        self.take()
    }
}
