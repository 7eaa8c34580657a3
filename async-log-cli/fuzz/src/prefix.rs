//! Layouts: those that are known, those that are found out, and those that a user writes.

use async_log_cli::read::{Layout, Time};

/// The first line is a template, the others are what it is for.
pub fn prefix(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let template = String::from_utf8_lossy(lines.next().unwrap_or_default());
    let rest: Vec<&[u8]> = lines.collect();
    match Layout::from_template(&template) {
        Ok(layout) => {
            assert!(!layout.is_empty());
            rest.iter().for_each(|line| cut(&layout, line));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let lines = || rest.iter().copied();
    let host = Layout::host(lines());
    let logger = Layout::logger(lines().map(|line| host.cut(line).rest(line)));
    for layout in [&host, &logger] {
        // Also lines that nothing was learnt from.
        lines()
            .chain([template.as_bytes()])
            .for_each(|line| cut(layout, line));
    }
}

fn cut(layout: &Layout, line: &[u8]) {
    let prefix = layout.cut(line);
    assert!(prefix.len <= line.len());
    assert_eq!(prefix.rest(line), &line[prefix.len..]);
    for range in [&prefix.time, &prefix.target].into_iter().flatten() {
        assert!(range.start <= range.end && range.end <= prefix.len);
    }
    if let Some(time) = prefix.time {
        let _ = Time::parse(&line[time]);
    }
    // What is behind the prefix does not change it, but that it may be one more line end.
    let again = layout.cut(&[line, b" and more"].concat());
    if prefix.len > 0 && prefix.len < line.len() {
        assert!(again.len > 0, "a longer line has a prefix too");
    }
}
