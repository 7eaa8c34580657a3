fn main() {
    async_log::span!("sum", 1, { 1 + 1 });
}
