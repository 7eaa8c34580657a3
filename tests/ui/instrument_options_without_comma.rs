use async_log::instrument;

#[instrument(name = "sum" crate = async_log)]
fn sum() -> u8 {
    1
}

fn main() {
    assert_eq!(sum(), 1);
}
