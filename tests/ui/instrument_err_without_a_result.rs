use async_log::instrument;

#[instrument(err)]
fn sum(a: u32) -> u32 {
    a + 1
}

#[instrument(err)]
async fn later(a: u32) -> Option<u32> {
    Some(a)
}

fn main() {
    sum(1);
    drop(later(1));
}
