fn main() {
    use log::Level::*;
    async_log::span!(level: Info, target: "b", level: Debug, "sum", { 1 + 1 });
}
