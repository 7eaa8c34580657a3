//! The loggers that the child process writes its log through, each as its own documentation sets it
//! up, to a file.

use std::any::Any;
use std::fs::File;
use std::path::Path;

use async_log_cli::read::Form;
use env_logger::WriteStyle;
use log::{Level, LevelFilter, Log, Record};

/// A logger in one of its forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setup {
    EnvLogger,
    EnvLoggerColours,
    EnvLoggerKv,
    Fern,
    /// Nothing but the message.
    FernPlain,
    Simplelog,
    FlexiLogger,
    FlexiLoggerJson,
    Log4rs,
    Log4rsJson,
    StructuredLogger,
}

use Setup::*;

impl Setup {
    pub(crate) const ALL: [Setup; 11] = [
        EnvLogger,
        EnvLoggerColours,
        EnvLoggerKv,
        Fern,
        FernPlain,
        Simplelog,
        FlexiLogger,
        FlexiLoggerJson,
        Log4rs,
        Log4rsJson,
        StructuredLogger,
    ];

    pub(crate) fn by_name(name: &str) -> Self {
        let mut all = Setup::ALL.into_iter();
        all.find(|setup| format!("{setup:?}") == name)
            .expect("a logger")
    }

    pub(crate) fn form(self) -> Form {
        match self {
            EnvLoggerKv => Form::KeyValue,
            FlexiLoggerJson | Log4rsJson | StructuredLogger => Form::Json,
            _ => Form::Text,
        }
    }

    /// Whether it is handed key-values, and not one text.
    pub(crate) fn is_key_values(self) -> bool {
        self.form() != Form::Text
    }

    /// Where it says a record is from: its target, its module, or nothing.
    pub(crate) fn origin<'a>(self, record: &Record<'a>) -> Option<&'a str> {
        match self {
            FernPlain => None,
            FlexiLogger | FlexiLoggerJson => record.module_path(),
            Simplelog if record.level() <= Level::Info => None,
            _ => Some(record.target()),
        }
    }

    /// The level, where it says that.
    pub(crate) fn level(self, record: &Record<'_>) -> Option<String> {
        (self != FernPlain).then(|| record.level().as_str().to_lowercase())
    }

    /// Whether any text can be told from the pairs.
    pub(crate) fn quotes(self) -> bool {
        self != EnvLoggerKv
    }

    /// The logger, and what must be kept for it to write.
    pub(crate) fn logger(self, path: &Path) -> (Box<dyn Log>, Box<dyn Any>) {
        let file = || {
            let mut options = File::options();
            options
                .create(true)
                .append(true)
                .open(path)
                .expect("a log file")
        };
        let logger: Box<dyn Log> = match self {
            EnvLogger | EnvLoggerKv => env_logger(file(), WriteStyle::Never),
            EnvLoggerColours => env_logger(file(), WriteStyle::Always),
            Fern => fern(file()),
            FernPlain => fern::Dispatch::new().chain(file()).into_log().1,
            Simplelog => {
                let config = simplelog::Config::default();
                simplelog::WriteLogger::new(LevelFilter::Trace, config, file())
            }
            FlexiLogger => return flexi_logger(path, flexi_logger::detailed_format),
            FlexiLoggerJson => return flexi_logger(path, flexi_logger::json_format),
            Log4rs => log4rs(
                path,
                Box::<log4rs::encode::pattern::PatternEncoder>::default(),
            ),
            Log4rsJson => log4rs(path, Box::<log4rs::encode::json::JsonEncoder>::default()),
            StructuredLogger => Box::new(
                structured_logger::Builder::with_level("trace")
                    .with_default_writer(structured_logger::json::new_writer(file()))
                    .build(),
            ),
        };
        (logger, Box::new(()))
    }
}

fn env_logger(file: File, style: WriteStyle) -> Box<dyn Log> {
    let mut builder = env_logger::Builder::new();
    builder
        .write_style(style)
        .filter_level(LevelFilter::Trace)
        .format_timestamp_nanos()
        .target(env_logger::Target::Pipe(Box::new(file)));
    Box::new(builder.build())
}

fn fern(file: File) -> Box<dyn Log> {
    let (_, logger) = fern::Dispatch::new()
        .format(|out, message, record| {
            let now = jiff::Timestamp::now();
            let (level, target) = (record.level(), record.target());
            out.finish(format_args!("[{now:.0} {level} {target}] {message}"));
        })
        .chain(file)
        .into_log();
    logger
}

fn flexi_logger(path: &Path, format: flexi_logger::FormatFunction) -> (Box<dyn Log>, Box<dyn Any>) {
    let file = flexi_logger::FileSpec::try_from(path).expect("a path of a file");
    let logger = flexi_logger::Logger::with(flexi_logger::LogSpecification::trace())
        .log_to_file(file)
        .append()
        .format(format);
    let (logger, handle) = logger.build().expect("it builds");
    (logger, Box::new(handle))
}

fn log4rs(path: &Path, encoder: Box<dyn log4rs::encode::Encode>) -> Box<dyn Log> {
    use log4rs::append::file::FileAppender;
    use log4rs::config::{Appender, Root};

    let file = FileAppender::builder().encoder(encoder).build(path);
    let config = log4rs::Config::builder()
        .appender(Appender::builder().build("file", Box::new(file.expect("a log file"))))
        .build(Root::builder().appender("file").build(LevelFilter::Trace));
    Box::new(log4rs::Logger::new(config.expect("one appender, one root")))
}
