use log::Level;

fn main() {
    async_log::span!(Level::Debug, "sum", { 1 + 1 });
}
