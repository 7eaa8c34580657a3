fn main() {
    async_log::span!(targt: "t", "sum", { 1 + 1 });
}
