use std::future::{ready, Ready};

use async_log::instrument;

#[instrument(err)]
fn load() -> Ready<Result<u8, String>> {
    ready(Ok(1))
}

fn main() {
    load();
}
