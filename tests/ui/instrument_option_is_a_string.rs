use async_log::instrument;

#[instrument("sum")]
fn sum() -> u8 {
    1
}

fn main() {
    assert_eq!(sum(), 1);
}
