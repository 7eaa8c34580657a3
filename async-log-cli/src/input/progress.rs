//! How far the reading is, for who waits for it.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// An input of so many bytes takes long enough to show how it goes.
const LARGE: u64 = 64 << 20;

/// So does any that takes longer than this.
const LONG: Duration = Duration::from_secs(1);

/// A bar on standard error; nothing if that is no terminal.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    begun: Instant,
    is_shown: bool,
}

impl Progress {
    /// A bar of `total` bytes, if that is known; none if the user wants it `quiet`.
    ///
    /// Whoever writes results to a terminal while the input is read should be quiet too.
    pub fn new(total: Option<u64>, quiet: bool) -> Progress {
        Progress::on(ProgressDrawTarget::stderr(), total, quiet)
    }

    fn on(target: ProgressDrawTarget, total: Option<u64>, quiet: bool) -> Progress {
        let is_wanted = !quiet && !target.is_hidden();
        Progress {
            bar: is_wanted.then(|| bar(target, total)),
            begun: Instant::now(),
            is_shown: total.is_some_and(|total| total >= LARGE),
        }
    }

    /// So many bytes were read.
    pub fn set(&mut self, bytes: u64) {
        let Some(bar) = &self.bar else { return };
        self.is_shown |= self.begun.elapsed() >= LONG;
        if self.is_shown {
            bar.set_position(bytes);
        }
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take().filter(|_| self.is_shown) {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

fn bar(target: ProgressDrawTarget, total: Option<u64>) -> ProgressBar {
    let template = match total {
        Some(_) => "{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta}",
        None => "{spinner} {bytes}, {bytes_per_sec}",
    };
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(total, target).with_style(style.progress_chars("█▌ "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::InMemoryTerm;

    fn shown(total: Option<u64>, quiet: bool) -> (InMemoryTerm, Progress) {
        let terminal = InMemoryTerm::new(10, 80);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let mut progress = Progress::on(target, total, quiet);
        progress.set(LARGE / 2);
        (terminal, progress)
    }

    #[test]
    fn a_large_input_is_shown_and_taken_away() {
        let (terminal, mut progress) = shown(Some(LARGE), false);
        assert!(terminal.contents().contains("32.00 MiB of 64.00 MiB"));
        progress.finish();
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn a_small_input_is_shown_when_it_takes_long() {
        let (terminal, mut progress) = shown(None, false);
        assert_eq!(terminal.contents(), "");
        progress.begun -= LONG;
        progress.set(LARGE);
        assert!(terminal.contents().contains("64.00 MiB"));
    }

    #[test]
    fn nothing_is_shown_to_who_wants_it_quiet() {
        let (terminal, _progress) = shown(Some(LARGE), true);
        assert_eq!(terminal.contents(), "");
    }
}
