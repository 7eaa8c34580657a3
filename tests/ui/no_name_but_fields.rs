fn main() {
    async_log::span!(user = 7; { 1 + 1 });
}
