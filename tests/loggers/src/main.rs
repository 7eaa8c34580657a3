//! Writes the same few records through one logger or another: `loggers NAME [kv]`.

use std::io::stdout;

use async_log::{instrument, span};
use log::{info, LevelFilter, Log};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().expect("the name of a logger");
    let key_values = arguments.next().as_deref() == Some("kv");

    // flexi_logger writes for as long as its handle is kept.
    let mut handle = None;
    let logger: Box<dyn Log> = match name.as_str() {
        "fern" => fern::Dispatch::new().chain(stdout()).into_log().1,
        "simplelog" => {
            simplelog::WriteLogger::new(LevelFilter::Trace, simplelog::Config::default(), stdout())
        }
        "stderrlog" => {
            let mut logger = stderrlog::new();
            logger.verbosity(log::Level::Trace);
            Box::new(logger)
        }
        "flexi_logger" => {
            let logger = flexi_logger::Logger::with(LevelFilter::Trace).log_to_stdout();
            let (logger, kept) = logger.build().expect("it builds");
            handle = Some(kept);
            logger
        }
        "log4rs" => Box::new(log4rs::Logger::new(log4rs_config())),
        "structured-logger" => {
            let writer = structured_logger::json::new_writer(stdout());
            let logger = structured_logger::Builder::with_level("trace");
            Box::new(logger.with_default_writer(writer).build())
        }
        other => panic!("no logger `{other}`"),
    };

    let logger = async_log::Logger::wrap(logger, async_log::task_id);
    let logger = match key_values {
        true => logger.with_key_values(),
        false => logger,
    };
    logger.start(LevelFilter::Trace).expect("it is the first");

    span!(user = 7, path = "/x, y"; "load {}", 1, {
        info!(rows = 3; "loaded");
        check("boop");
    });
    log::logger().flush();
    drop(handle);
}

#[instrument(name = "check")]
fn check(word: &str) -> usize {
    word.len()
}

/// JSON lines on standard output.
fn log4rs_config() -> log4rs::Config {
    use log4rs::append::console::ConsoleAppender;
    use log4rs::config::{Appender, Root};
    use log4rs::encode::json::JsonEncoder;

    let console = ConsoleAppender::builder()
        .encoder(Box::new(JsonEncoder::new()))
        .build();
    log4rs::Config::builder()
        .appender(Appender::builder().build("console", Box::new(console)))
        .build(
            Root::builder()
                .appender("console")
                .build(LevelFilter::Trace),
        )
        .expect("one appender and one root")
}
