//! Targets that are known by a number, so that a span's shared state can have one, and the target of tasks of which
//! nothing better is known.

use std::sync::{Mutex, OnceLock, PoisonError};

/// A target with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target(usize);

/// More targets than this no program has; those that come later are not known.
const ROOM: usize = 4096;

static TARGETS: [OnceLock<&'static str>; ROOM] = {
    // Each is a cell of its own.
    #[allow(clippy::declare_interior_mutable_const)]
    const EMPTY: OnceLock<&'static str> = OnceLock::new();
    [EMPTY; ROOM]
};

impl Target {
    pub(crate) const UNKNOWN: Target = Target(ROOM);

    #[inline]
    pub(crate) fn of(target: &'static str) -> Self {
        let first = target.as_ptr() as usize / 8 % ROOM;
        match TARGETS[first].get() {
            Some(known) if std::ptr::eq(*known, target) => Target(first),
            _ => Target::insert(first, target),
        }
    }

    #[cold]
    #[inline(never)]
    fn insert(first: usize, target: &'static str) -> Self {
        let places = (0..ROOM).map(|step| (first + step) % ROOM);
        let is_its = |at: &usize| *TARGETS[*at].get_or_init(|| target) == target;
        places.take(64).find(is_its).map_or(Target::UNKNOWN, Target)
    }

    pub(crate) fn number(self) -> usize {
        self.0
    }

    pub(crate) fn from_number(number: usize) -> Self {
        Target(number)
    }

    pub(crate) fn text(self) -> Option<&'static str> {
        TARGETS.get(self.0)?.get().copied()
    }
}

/// The target of a task of which nothing better is known.
static OF_TASKS: Mutex<&str> = Mutex::new(TASK);

const TASK: &str = "task";

/// Sets that, unless it is empty.
pub(crate) fn set_of_tasks(target: String) {
    if !target.is_empty() {
        // A process sets it once or so.
        let target = Box::leak(target.into_boxed_str());
        *OF_TASKS.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }
}

/// Nothing is waited for: a fork may have left it locked.
pub(crate) fn of_tasks() -> &'static str {
    OF_TASKS.try_lock().map_or(TASK, |target| *target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_comes_back_and_has_one_number() {
        let many: Vec<&'static str> = (0..500)
            .map(|n| &*Box::leak(format!("target {n}").into_boxed_str()))
            .collect();
        for text in &many {
            let target = Target::of(text);
            assert_eq!(target.text(), Some(*text));
            assert_eq!(Target::of(text), target);
        }
        assert_eq!(Target::UNKNOWN.text(), None);
    }
}
