fn main() {
    async_log::span!(target: "a", target: "b", "sum", { 1 + 1 });
}
