fn main() {
    let path = "/tmp";
    async_log::span!(path:? = path, "sum", { 1 + 1 });
}
