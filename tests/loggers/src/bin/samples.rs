//! Writes a small log through each logger and each of its layouts, for the tests of the command:
//! `samples DIRECTORY`. A logger is set once in a process, so each log is written by a process of its
//! own: `samples --as NAME`.

use std::io::{stdout, Write};
use std::path::Path;
use std::process::Command;

use async_log::{instrument, span, TaskExt};
use log::{debug, error, info, trace, warn, LevelFilter, Log};

/// A name ends with what the wrapper was told: `.kv`, `.minimal`, or nothing.
const NAMES: &[&str] = &[
    "env_logger",
    "env_logger.millis",
    "env_logger.micros",
    "env_logger.nanos",
    "env_logger.no-time",
    "env_logger.no-level",
    "env_logger.no-target",
    "env_logger.message-alone",
    "env_logger.target-alone",
    "env_logger.source",
    "env_logger.no-indent",
    "env_logger.colors",
    "env_logger.kv",
    "env_logger.no-time.kv",
    "env_logger.minimal",
    "fern",
    "fern.readme",
    "fern.brackets",
    "fern.colors",
    "simplelog",
    "simplelog.all",
    "simplelog.padded",
    "simplelog.colors",
    "flexi_logger",
    "flexi_logger.opt",
    "flexi_logger.detailed",
    "flexi_logger.thread",
    "flexi_logger.colors",
    "flexi_logger.json",
    "flexi_logger.json.kv",
    "log4rs",
    "log4rs.json",
    "log4rs.json.kv",
    "stderrlog",
    "stderrlog.seconds",
    "stderrlog.modules",
    "stderrlog.colors",
    "simple_logger",
    "simple_logger.threads",
    "simple_logger.no-time",
    "simple_logger.colors",
    "pretty_env_logger",
    "pretty_env_logger.timed",
    "spdlog",
    "spdlog.json",
    "spdlog.json.kv",
    "ftlog",
    "logforth",
    "logforth.colors",
    "logforth.kv",
    "logforth.json",
    "logforth.json.kv",
    "structured-logger",
    "structured-logger.kv",
    "structured-logger.minimal.kv",
    "syslog",
    "async-log-2",
    "async-log-2.structured-logger",
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("--as"), Some(name)) => write(&name),
        (Some(directory), None) => NAMES.iter().for_each(|name| run(directory.as_ref(), name)),
        _ => panic!("samples DIRECTORY"),
    }
}

fn run(directory: &Path, name: &str) {
    let program = std::env::current_exe().expect("it runs");
    let output = Command::new(program)
        .args(["--as", name])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{name}: {output:?}");
    let log = [output.stdout, output.stderr].concat();
    let log = without_places(String::from_utf8(log).expect("it is UTF-8"));
    std::fs::write(directory.join(format!("{name}.log")), log).expect("it is written");
}

/// Version 2 writes where on this machine the library's files are.
fn without_places(mut log: String) -> String {
    let places = "/registry/src/";
    while let Some(end) = log.find(places) {
        let start = log[..end].rfind('=').expect("it is a value") + 1;
        let name = end + places.len();
        let name = name + log[name..].find('/').expect("it is a path");
        log.replace_range(start..name, "");
    }
    log
}

/// What has to live for as long as a logger is to write.
type Kept = Option<Box<dyn std::any::Any>>;

fn write(name: &str) {
    if let Some(name) = name.strip_prefix("async-log-2") {
        return version_2::write(name);
    }
    let (layout, mode) = match name.rsplit_once('.') {
        Some((layout, mode @ ("kv" | "minimal"))) => (layout, mode),
        _ => (name, ""),
    };
    let minimal = layout.ends_with(".minimal") || mode == "minimal";
    let mut kept = None;
    let logger = logger(layout.trim_end_matches(".minimal"), &mut kept);
    let mut logger = async_log::Logger::wrap(logger, async_log::task_id);
    if mode == "kv" {
        logger = logger.with_key_values();
    }
    if minimal {
        logger = logger.with_minimal_keys();
    }
    logger.start(LevelFilter::Trace).expect("it is the first");
    program();
    log::logger().flush();
    drop(kept);
}

fn program() {
    span!(user = 7, path = "/x, y"; "load {}", 1, {
        info!(rows = 3; "loaded");
        warn!("two lines\n  the second, x=1");
        debug!(target: "db::query", sql = "select \"a\""; "asked");
        check("boop");
        error!("[42] not: a prefix");
    });
    pollster::block_on(async { info!("in a task") }.in_named_task("worker"));
    trace!("");
}

#[instrument(name = "check")]
fn check(word: &str) -> usize {
    word.len()
}

fn logger(layout: &str, kept: &mut Kept) -> Box<dyn Log> {
    let (name, variant) = layout.split_once('.').unwrap_or((layout, ""));
    match name {
        "env_logger" => env_logger(variant),
        "fern" => fern(variant),
        "simplelog" => simplelog(variant),
        "flexi_logger" => flexi_logger(variant, kept),
        "log4rs" => log4rs(variant),
        "stderrlog" => stderrlog(variant),
        "simple_logger" => simple_logger(variant),
        "pretty_env_logger" => pretty_env_logger(variant),
        "spdlog" => spdlog(variant),
        "ftlog" => {
            let logger = ftlog::builder().max_log_level(LevelFilter::Trace);
            Box::new(logger.build().expect("it builds"))
        }
        "logforth" => logforth(variant),
        "structured-logger" => {
            let writer = structured_logger::json::new_writer(stdout());
            let logger = structured_logger::Builder::with_level("trace");
            Box::new(logger.with_default_writer(writer).build())
        }
        "syslog" => syslog(kept),
        other => panic!("no logger `{other}`"),
    }
}

fn env_logger(variant: &str) -> Box<dyn Log> {
    use env_logger::{Target, WriteStyle};

    let mut logger = env_logger::Builder::new();
    logger
        .filter_level(LevelFilter::Trace)
        .target(Target::Stdout)
        .write_style(WriteStyle::Never);
    match variant {
        "" => {}
        "millis" => drop(logger.format_timestamp_millis()),
        "micros" => drop(logger.format_timestamp_micros()),
        "nanos" => drop(logger.format_timestamp_nanos()),
        "no-time" => drop(logger.format_timestamp(None)),
        "no-level" => drop(logger.format_level(false)),
        "no-target" => drop(logger.format_target(false)),
        "target-alone" => drop(logger.format_timestamp(None).format_level(false)),
        "message-alone" => {
            logger.format_timestamp(None).format_level(false);
            logger.format_target(false);
        }
        "source" => drop(logger.format_source_path(true)),
        "no-indent" => drop(logger.format_indent(None)),
        "colors" => drop(logger.write_style(WriteStyle::Always)),
        other => panic!("no layout `{other}`"),
    }
    Box::new(logger.build())
}

fn fern(variant: &str) -> Box<dyn Log> {
    use fern::colors::ColoredLevelConfig;

    let dispatch = fern::Dispatch::new().chain(stdout());
    let dispatch = match variant {
        "" => dispatch,
        "readme" => dispatch.format(|out, message, record| {
            out.finish(format_args!(
                "[{} {} {}] {}",
                humantime::format_rfc3339_seconds(std::time::SystemTime::now()),
                record.level(),
                record.target(),
                message
            ))
        }),
        "brackets" => dispatch.format(|out, message, record| {
            out.finish(format_args!(
                "{}[{}][{}] {}",
                chrono::Utc::now().format("[%Y-%m-%d][%H:%M:%S]"),
                record.target(),
                record.level(),
                message
            ))
        }),
        "colors" => {
            let colors = ColoredLevelConfig::new();
            dispatch.format(move |out, message, record| {
                out.finish(format_args!(
                    "[{} {} {}] {}",
                    chrono::Utc::now().format("%Y-%m-%d %H:%M:%S"),
                    colors.color(record.level()),
                    record.target(),
                    message
                ))
            })
        }
        other => panic!("no layout `{other}`"),
    };
    dispatch.into_log().1
}

fn simplelog(variant: &str) -> Box<dyn Log> {
    use simplelog::*;

    let mut config = ConfigBuilder::new();
    match variant {
        "" => {}
        "colors" => {
            let config = Config::default();
            let level = LevelFilter::Trace;
            return TermLogger::new(level, config, TerminalMode::Stdout, ColorChoice::Always);
        }
        "all" | "padded" => {
            config
                .set_time_format_rfc3339()
                .set_thread_level(LevelFilter::Error)
                .set_target_level(LevelFilter::Error)
                .set_location_level(LevelFilter::Error)
                .set_thread_mode(ThreadLogMode::Names);
        }
        other => panic!("no layout `{other}`"),
    }
    if variant == "padded" {
        config
            .set_level_padding(LevelPadding::Left)
            .set_target_padding(TargetPadding::Right(12))
            .set_thread_padding(ThreadPadding::Right(8));
    }
    WriteLogger::new(LevelFilter::Trace, config.build(), stdout())
}

fn flexi_logger(variant: &str, kept: &mut Kept) -> Box<dyn Log> {
    let logger = flexi_logger::Logger::with(LevelFilter::Trace).log_to_stdout();
    let logger = match variant {
        "" => logger,
        "opt" => logger.format(flexi_logger::opt_format),
        "detailed" => logger.format(flexi_logger::detailed_format),
        "thread" => logger.format(flexi_logger::with_thread),
        "colors" => logger.format(flexi_logger::colored_detailed_format),
        "json" => logger.format(flexi_logger::json_format),
        other => panic!("no layout `{other}`"),
    };
    let (logger, handle) = logger.build().expect("it builds");
    *kept = Some(Box::new(handle));
    logger
}

fn log4rs(variant: &str) -> Box<dyn Log> {
    use log4rs::append::console::ConsoleAppender;
    use log4rs::config::{Appender, Root};
    use log4rs::encode::json::JsonEncoder;

    let console = match variant {
        "" => ConsoleAppender::builder(),
        "json" => ConsoleAppender::builder().encoder(Box::new(JsonEncoder::new())),
        other => panic!("no layout `{other}`"),
    };
    let appender = Appender::builder().build("console", Box::new(console.build()));
    let root = Root::builder().appender("console");
    let config = log4rs::Config::builder().appender(appender);
    let config = config.build(root.build(LevelFilter::Trace));
    Box::new(log4rs::Logger::new(
        config.expect("one appender and one root"),
    ))
}

fn stderrlog(variant: &str) -> Box<dyn Log> {
    use stderrlog::{ColorChoice, Timestamp};

    let mut logger = stderrlog::new();
    logger
        .verbosity(log::Level::Trace)
        .color(ColorChoice::Never);
    match variant {
        "" => {}
        "seconds" => drop(logger.timestamp(Timestamp::Second)),
        "modules" => {
            logger.timestamp(Timestamp::Microsecond);
            logger.show_module_names(true);
        }
        "colors" => {
            logger.timestamp(Timestamp::Millisecond);
            logger.color(ColorChoice::Always);
        }
        other => panic!("no layout `{other}`"),
    }
    Box::new(logger)
}

fn simple_logger(variant: &str) -> Box<dyn Log> {
    let logger = simple_logger::SimpleLogger::new().with_colors(variant == "colors");
    Box::new(match variant {
        "" | "colors" => logger,
        "threads" => logger.with_threads(true),
        "no-time" => logger.without_timestamps(),
        other => panic!("no layout `{other}`"),
    })
}

fn pretty_env_logger(variant: &str) -> Box<dyn Log> {
    use pretty_env_logger::env_logger::{Target, WriteStyle};

    let mut logger = match variant {
        "" => pretty_env_logger::formatted_builder(),
        "timed" => pretty_env_logger::formatted_timed_builder(),
        other => panic!("no layout `{other}`"),
    };
    logger
        .filter_level(LevelFilter::Trace)
        .target(Target::Stdout)
        .write_style(WriteStyle::Always);
    Box::new(logger.build())
}

fn spdlog(variant: &str) -> Box<dyn Log> {
    use spdlog::formatter::{FullFormatter, JsonFormatter};
    use spdlog::sink::{Sink, StdStreamSink};

    let sink = StdStreamSink::builder().stdout();
    let sink: std::sync::Arc<dyn Sink> = match variant {
        "" => sink
            .formatter(FullFormatter::new())
            .build_arc()
            .expect("it builds"),
        "json" => sink
            .formatter(JsonFormatter::new())
            .build_arc()
            .expect("it builds"),
        other => panic!("no layout `{other}`"),
    };
    let logger = spdlog::Logger::builder()
        .sink(sink)
        .level_filter(spdlog::LevelFilter::All)
        .build_arc();
    let proxy = spdlog::log_crate_proxy();
    proxy.set_logger(Some(logger.expect("it builds")));
    Box::new(proxy)
}

fn logforth(variant: &str) -> Box<dyn Log> {
    use logforth::append::Stdout;
    use logforth::bridge::log::LogBridge;
    use logforth::layout::{JsonLayout, TextLayout};

    let append = match variant {
        "" => Stdout::default().with_layout(TextLayout::default().no_color()),
        "colors" => Stdout::default().with_layout(TextLayout::default()),
        "json" => Stdout::default().with_layout(JsonLayout::default()),
        other => panic!("no layout `{other}`"),
    };
    let logger = logforth::core::builder().dispatch(|dispatch| dispatch.append(append));
    Box::new(LogBridge::new(logger.build()))
}

/// Records as a syslog daemon gets them, a line each.
fn syslog(kept: &mut Kept) -> Box<dyn Log> {
    use std::net::UdpSocket;

    /// Prints what has come when it is dropped.
    struct Daemon(UdpSocket);

    impl Drop for Daemon {
        fn drop(&mut self) {
            self.0.set_nonblocking(true).expect("it is a socket");
            let mut packet = [0; 4096];
            while let Ok(len) = self.0.recv(&mut packet) {
                stdout().write_all(&packet[..len]).expect("it is open");
                println!();
            }
        }
    }

    let daemon = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let address = daemon.local_addr().expect("it is bound");
    *kept = Some(Box::new(Daemon(daemon)));
    let formatter = syslog::Formatter3164 {
        facility: syslog::Facility::LOG_USER,
        hostname: Some("box".to_owned()),
        process: "samples".to_owned(),
        pid: 4242,
    };
    let logger = syslog::udp(formatter, "127.0.0.1:0", address).expect("it is up");
    Box::new(syslog::BasicLogger::new(logger))
}

/// What the version before wrote.
mod version_2 {
    use super::{info, logger, warn, LevelFilter};
    // The macros of that version look for it under this name.
    use async_log_2 as async_log;
    use async_log_2::{instrument, span};

    pub(crate) fn write(variant: &str) {
        let name = match variant {
            "" => "env_logger",
            variant => &variant[1..],
        };
        let logger = logger(name, &mut None);
        async_log_2::Logger::wrap(logger, || 12)
            .start(LevelFilter::Trace)
            .expect("it is the first");
        span!("load {}", 1, {
            info!("loaded, rows={}", 3);
            inner(7);
            span!("unquoted, path={}", "a=b \"c", { warn!("odd") });
        });
    }

    #[instrument]
    fn inner(_user: u32) {
        info!("inside");
    }
}
