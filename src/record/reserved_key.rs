//! Our own keys. A pair of the user with one of these keys gets another.

use log::kv;

/// One of our own keys, as a line has it.
#[derive(Clone, Copy)]
pub(crate) struct ReservedKey(pub(super) &'static str);

/// Each reserved key once: its constant, and the name that a pair of the user's gets instead of it.
macro_rules! reserved_keys {
    ($($constant:ident = $key:literal,)*) => {
        $(pub(crate) const $constant: ReservedKey = ReservedKey(concat!(", ", $key, "="));)*

        /// The name under which a pair with a reserved key is written.
        pub(crate) fn renamed(key: &str) -> Option<&'static str> {
            match key {
                $($key => Some(concat!($key, "_")),)*
                _ => None,
            }
        }
    };
}

reserved_keys! {
    SPAN_MARK = "span_mark",
    SPAN_ID = "span_id",
    SPAN_PARENT = "span_parent",
    SPAN_AT = "span_at",
    SPAN_ELAPSED = "span_elapsed",
    SPAN_OUTCOME = "span_outcome",
    TASK_PARENT_ID = "task_parent_id",
    SPAWN_LINE = "spawn_line",
    PROCESS_ID = "process_id",
    TASK_ID = "task_id",
    THREAD_ID = "thread_id",
}

impl ReservedKey {
    pub(crate) fn name(self) -> &'static str {
        &self.0[2..self.0.len() - 1]
    }

    pub(crate) fn to_key(self) -> kv::Key<'static> {
        kv::Key::from_str(self.name())
    }
}
