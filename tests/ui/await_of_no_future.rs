async fn sum() -> u8 {
    async_log::span!("sum", { 7_u8.await })
}

fn main() {
    drop(sum());
}
