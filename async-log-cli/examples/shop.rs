//! Writes the log of a shop whose truth is known: 7 of its requests are slow for 5 reasons, and 5 fail
//! in 3 ways.
//!
//! ```sh
//! cargo run --release -p async-log-cli --example shop -- [REQUESTS] [SEED] [planted] >shop.log
//! ```
//!
//! `planted` is the same shop after a change: renderings are slower in the tail, one name is new, and
//! one is gone. The same arguments give the same log.

use std::env;
use std::io::{self, Write};

use async_log_tests::shop;

fn main() -> io::Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let number = |at: usize, default| {
        let text = arguments.get(at);
        text.map_or(default, |text: &String| text.parse().expect("a number"))
    };
    let change = match arguments.get(2).map(String::as_str) {
        None => shop::Change::None,
        Some("planted") => shop::Change::Planted,
        Some(other) => panic!("{other}: say `planted` or nothing"),
    };
    let log = shop::log(number(0, 10_000), number(1, 1), change);
    io::stdout().write_all(log.as_bytes())
}
