//! Records whose texts look like the syntax of the log.

use async_log::{instrument, span};
use log::Level;

use crate::random::Random;

const PIECES: [&str; 24] = [
    ", ",
    ",",
    "=",
    " ",
    "\"",
    "\\",
    "\\u{41}",
    "\n",
    "\r",
    "\t",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{2028}",
    "é",
    "…",
    "{",
    "}",
    "]",
    "x",
    "key=value",
    ", span_mark=end",
    "span_id=7",
    ", task_id=1, thread_id=1",
    "[2026-01-02T03:04:05Z INFO  a] ",
];

struct Texts {
    random: Random,
    /// Of a log that quotes nothing.
    plain: bool,
}

impl Texts {
    fn value(&mut self) -> String {
        if self.plain {
            return ["a", "b/c", "d.e"][self.random.below(3) as usize].to_owned();
        }
        let count = self.random.below(6);
        let mut piece = || PIECES[self.random.below(PIECES.len() as u64) as usize];
        (0..count).map(|_| piece()).collect()
    }

    /// A message that does not end like a pair: one that does is read with that pair.
    fn message(&mut self) -> String {
        let mut message = self.value();
        if message.contains('=') {
            message += "\\.";
        }
        message
    }
}

/// An error.
#[derive(Debug)]
struct Failed(String);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes some records.
pub fn run(seed: u64, plain: bool) {
    let mut texts = Texts {
        random: Random::new(seed),
        plain,
    };
    for _ in 0..8 {
        let (name, field) = (texts.message(), texts.value());
        span!(level: Level::Info, field, number = -1.5; "{name}", {
            let (message, pair) = (texts.message(), texts.value());
            log::warn!(pair, task_id = "forged", yes = true; "{message}");
            let _ = fails(&texts.value(), texts.random.one_in(2));
        });
        log::error!("{}", texts.message());
    }
}

#[instrument(names, err)]
fn fails(word: &str, does: bool) -> Result<(), Failed> {
    match does {
        true => Err(Failed(word.to_owned())),
        false => Ok(()),
    }
}
