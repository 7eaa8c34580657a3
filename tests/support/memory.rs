//! Loggers in memory, and a global logger that is another one on each thread, so that the tests
//! of one process do not see each other.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, Once};

use log::{LevelFilter, Log, Metadata, Record};

/// Keeps the messages, and nothing else.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// The messages since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // Formatted first: a message that logs comes back here.
        let line = record.args().to_string();
        self.0.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

/// A file in memory, for loggers that want one.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

thread_local! {
    static HERE: RefCell<Option<Arc<dyn Log>>> = const { RefCell::new(None) };
}

struct Switch;

impl Switch {
    fn here() -> Option<Arc<dyn Log>> {
        HERE.try_with(|here| here.borrow().clone()).ok().flatten()
    }
}

impl Log for Switch {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        Self::here().is_some_and(|logger| logger.enabled(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        if let Some(logger) = Self::here() {
            logger.log(record);
        }
    }

    fn flush(&self) {
        if let Some(logger) = Self::here() {
            logger.flush();
        }
    }
}

/// Runs `f` with `logger` as the global logger of this thread.
pub fn with_global<R>(logger: impl Log + 'static, f: impl FnOnce() -> R) -> R {
    static START: Once = Once::new();
    START.call_once(|| {
        log::set_logger(&Switch).expect("the first");
        log::set_max_level(LevelFilter::Trace);
    });

    struct Restore(Option<Arc<dyn Log>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            HERE.with(|here| here.replace(self.0.take()));
        }
    }
    let before = HERE.with(|here| here.replace(Some(Arc::new(logger))));
    let _restore = Restore(before);
    f()
}
