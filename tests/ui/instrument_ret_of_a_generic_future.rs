use std::future::Future;

use async_log::instrument;

#[instrument(ret)]
fn same<F: Future>(future: F) -> F {
    future
}

fn main() {
    drop(same(std::future::ready(1)));
}
