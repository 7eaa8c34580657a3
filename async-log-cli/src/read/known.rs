//! The layouts that are known: those of loggers, and what is put before every line by what ran the
//! program.

/// The layouts of loggers, those that say more before those that say less. Where a logger writes more
/// at some levels than at others it has a template for each; one behind `?` could as well be a part of a
/// message, so a few records do not prove it.
#[rustfmt::skip]
pub(super) const LOGGERS: &[(&str, &[&str])] = &[
    // What is in one bracket: env_logger, fern as its README has it.
    ("env_logger", &["[{time} {level} {file}:{line} {target}] "]),
    ("env_logger", &["[{time} {level} {target}] ", "[{time} {level} {skip}] "]),
    ("env_logger", &["[{level} {file}:{line} {target}] "]),
    ("env_logger", &["[{level} {target}] "]),
    ("spdlog", &["[{time}] [{target}] [{level}] [{skip}] "]),
    ("spdlog", &["[{time}] [{target}] [{level}] "]),
    ("flexi_logger", &["[{time}] {level} [{target}] {file}:{line}: "]),
    ("flexi_logger", &["[{time}] T[{thread}] {level} [{file}:{line}] "]),
    ("flexi_logger", &["[{time}] {level} [{file}:{line}] "]),
    ("flexi_logger", &["[{time}] {level} [{target}] "]),
    ("fern", &["[{time}][{target}][{level}] "]),
    ("fern", &["[{time}][{level}][{target}] "]),
    ("simplelog", &[
        "{time} [{level}] ({thread}) {target}: [{file}:{line}] ",
        "{time} [{level}] ({thread}) {target}: ",
        "{time} [{level}] {target}: [{file}:{line}] ",
        "?{time} [{level}] {target}: ",
        "?{time} [{level}] ({thread}) ",
        "{time} [{level}] [{file}:{line}] ",
        "{time} [{level}] ",
    ]),
    ("simplelog", &[
        "[{level}] ({thread}) {target}: [{file}:{line}] ",
        "[{level}] ({thread}) {target}: ",
        "[{level}] {target}: [{file}:{line}] ",
        "?[{level}] {target}: ",
        "?[{level}] ({thread}) ",
        "[{level}] [{file}:{line}] ",
        "[{level}] ",
    ]),
    ("ftlog", &["{time} {skip}ms {line} {level} {thread} [{file}:{line}] ", "{time} {skip}ms {level} {thread} [{file}:{line}] "]),
    ("logforth", &["{time} {level} {target}: {file}:{line} "]),
    ("simple_logger", &["{time} {level} [{target}@{thread}] "]),
    ("simple_logger", &["{time} {level} [{target}] "]),
    ("simple_logger", &["{level} [{target}@{thread}] "]),
    ("log4rs", &["{time} {level} {target} - "]),
    ("log4rs", &["{level} {target} - "]),
    ("pretty_env_logger", &[" {time} {level} {target} > "]),
    ("pretty_env_logger", &[" {level} {target} > "]),
    ("stderrlog", &["{target}: {time} - {level} "]),
    ("stderrlog", &["{target}: {time} - "]),
    ("stderrlog", &["{time} - {level} "]),
    ("flexi_logger", &["{level} [{file}:{line}] "]),
    ("flexi_logger", &["{level} [{target}] "]),
    ("stderrlog", &["{target}: {level} "]),
    ("env_logger", &["[{time} {level:5}] "]),
    ("env_logger", &["[{time} {level}] "]),
    ("env_logger", &["[{time} {file}:{line} {target}] "]),
    ("env_logger", &["[{time} {target}] "]),
    ("env_logger", &["[{time}] "]),
    ("env_logger", &["[{level:5}] "]),
    ("env_logger", &["[{level}] "]),
    ("text", &["{time} {level} {target}: "]),
    ("text", &["{level} {target}: "]),
    ("text", &["{time} {level:5} "]),
    ("text", &["{time} {level} "]),
    ("text", &["{level:5} "]),
    ("stderrlog", &["{level} "]),
    ("env_logger", &["[{target}] "]),
];

/// What is put before every line by what ran the program.
#[rustfmt::skip]
pub(super) const HOSTS: &[(&str, &[&str])] = &[
    ("compose", &["{host} | {nanos} ", "{host} | "]),
    ("kubectl", &["[pod/{host}] {nanos} ", "[pod/{host}] "]),
    ("cri", &["{time} stderr F ", "{time} stdout F "]),
    ("journal", &["{time} {host} {host}[{line}]: ", "{time} {host} {host}: "]),
    ("journal", &["{time} {host}[{line}]: "]),
    ("journal", &["[{skip}] {host} {host}[{line}]: "]),
    ("syslog", &["<{line}>1 {time} {host} {host} {host} {host} - "]),
    ("syslog", &["<{line}>{time} {host} {host}[{line}]: "]),
    ("syslog", &["<{line}>{time} {host}[{line}]: "]),
    ("docker", &["{nanos} "]),
];
