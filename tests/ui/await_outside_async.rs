fn main() {
    async_log::span!("sum", {
        std::future::ready(1).await;
    });
}
