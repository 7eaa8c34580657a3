use async_log::instrument;

#[instrument(fields(a = 1, "a" = 2))]
fn sum(b: u32) -> u32 {
    b + 1
}

fn main() {
    sum(1);
}
