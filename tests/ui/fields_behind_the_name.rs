fn main() {
    async_log::span!("sum", user = 7, { 1 + 1 });
}
