fn main() {
    async_log::span!(log::Level::Debug, "sum", { 1 + 1 });
}
