fn main() {
    async_log::span!(target: "t", level: log::Level::Info);
}
