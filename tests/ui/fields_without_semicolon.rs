fn main() {
    async_log::span!(user = 7, "sum", { 1 + 1 });
}
