use async_log::instrument;

#[instrument(nam = "sum")]
fn sum() -> u8 {
    1
}

fn main() {
    assert_eq!(sum(), 1);
}
