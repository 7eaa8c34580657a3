use async_log::instrument;

#[instrument]
static DOUBLE: fn(u8) -> u8 = |of| of * 2;

fn main() {
    assert_eq!(DOUBLE(2), 4);
}
