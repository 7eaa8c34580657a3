//! What a signal does. Most of the time nothing is done about it: it ends the process, and whoever
//! waits for that sees which one it was.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What is set when the user wants no more of a growing log. The second time the signal does what it
/// always does.
#[cfg(unix)]
pub(crate) fn stop_when_interrupted() -> Arc<AtomicBool> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;

    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Without a handler it ends the process, and that is all. The order matters: what is set by the
        // second is seen by the first when it comes again.
        let _ = flag::register_conditional_default(signal, Arc::clone(&stop));
        let _ = flag::register(signal, Arc::clone(&stop));
    }
    stop
}

/// Leaves no half of a file behind, and ends as the signal ends any process.
#[cfg(unix)]
pub(crate) fn remove_when_ended(temporary: PathBuf) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::{iterator::Signals, low_level};

    // Without a handler the file stays, and that is all.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
        return;
    };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let _ = std::fs::remove_file(&temporary);
            let _ = low_level::emulate_default_handler(signal);
        }
    });
}

#[cfg(not(unix))]
pub(crate) fn stop_when_interrupted() -> Arc<AtomicBool> {
    use std::sync::atomic::Ordering;

    let stop = Arc::new(AtomicBool::new(false));
    let handle = Arc::clone(&stop);
    let _ = ctrlc::set_handler(move || handle.store(true, Ordering::Relaxed));
    stop
}

#[cfg(not(unix))]
pub(crate) fn remove_when_ended(temporary: PathBuf) {
    let _ = ctrlc::set_handler(move || {
        let _ = std::fs::remove_file(&temporary);
        std::process::exit(130);
    });
}
