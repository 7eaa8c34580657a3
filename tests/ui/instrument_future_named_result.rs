use std::future::Future;
use std::pin::Pin;

use async_log::instrument;

type Result<T> = Pin<Box<dyn Future<Output = T>>>;

#[instrument]
fn load() -> Result<u8> {
    let future = std::future::ready(1);
    Box::pin(future)
}

fn main() {
    drop(load());
}
