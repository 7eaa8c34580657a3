fn main() {
    let user = 7;
    async_log::span!(user, "sum", { 1 + 1 });
}
