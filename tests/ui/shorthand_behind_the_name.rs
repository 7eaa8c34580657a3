fn main() {
    let user = 7;
    async_log::span!("sum", user, { 1 + 1 });
}
