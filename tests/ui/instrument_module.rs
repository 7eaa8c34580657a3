use async_log::instrument;

#[instrument]
mod inner {
    pub(crate) fn function() {}
}

fn main() {
    inner::function();
}
