use async_log::instrument;

#[instrument(name = 7)]
fn sum() -> u8 {
    1
}

fn main() {
    assert_eq!(sum(), 1);
}
