fn main() {
    async_log::span!(target:, "sum", { 1 + 1 });
}
