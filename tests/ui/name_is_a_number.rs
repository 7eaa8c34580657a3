fn main() {
    async_log::span!(7, { 1 + 1 });
}
