fn main() {
    let name = "sum";
    async_log::span!(name, { 1 + 1 });
}
