fn main() {
    async_log::span!(level: "debug", "sum", { 1 + 1 });
}
