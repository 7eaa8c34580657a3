use async_log::instrument;

#[instrument]
fn sum(a: u8) -> u8 {
    let b: u8 = "b";
    format!("{}{}", a, b)
}

#[instrument]
async fn later() -> u8 {
    "text"
}

fn main() {
    sum(1);
    drop(later());
}
