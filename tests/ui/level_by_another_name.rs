fn main() {
    async_log::span!(lvl: log::Level::Info, "sum", { 1 + 1 });
}
