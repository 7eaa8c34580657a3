//! What nobody calls is unused, annotated or not.

#![deny(dead_code)]

use async_log::instrument;

#[instrument]
fn unused(a: u8) -> u8 {
    a
}

#[instrument(names, err)]
async fn unused_async(a: u8) -> Result<u8, String> {
    Ok(a)
}

struct Session;

#[instrument]
impl Session {
    fn unused_method(&self) {}
}

fn main() {
    let _ = Session;
}
