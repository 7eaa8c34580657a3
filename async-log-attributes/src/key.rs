//! Keys as the log has them.

/// A key as it is written into the log: most characters become `_`, and a reserved key gets one at its end.
pub(crate) fn written(key: &str) -> String {
    const RESERVED: [&str; 7] = [
        "span_", "spans_", "task_", "thread_", "process_", "spawn_", "trace_",
    ];
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-');
    let key = key.replace(|c| !is_key(c), "_");
    if RESERVED.iter().any(|prefix| key.starts_with(prefix)) {
        key.trim_end_matches('_').to_owned()
    } else {
        key
    }
}
