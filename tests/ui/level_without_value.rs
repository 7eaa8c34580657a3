fn main() {
    async_log::span!(level:, "sum", { 1 + 1 });
}
