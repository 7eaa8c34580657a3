fn main() {
    async_log::span!("{} {}", 1, { 1 + 1 });
}
