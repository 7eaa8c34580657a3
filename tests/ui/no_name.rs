fn main() {
    async_log::span!();
}
