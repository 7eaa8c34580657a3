use async_log::instrument;

#[instrument]
const fn double(of: u8) -> u8 {
    of * 2
}

fn main() {
    const FOUR: u8 = double(2);
    assert_eq!(FOUR, 4);
}
