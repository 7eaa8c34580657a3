fn main() {
    async_log::span!(level: 7, "sum", { 1 + 1 });
}
