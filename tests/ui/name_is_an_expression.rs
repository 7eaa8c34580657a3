fn main() {
    async_log::span!(String::from("sum"), { 1 + 1 });
}
