fn main() {
    let sum: u8 = async_log::span!("sum", { "text" });
    async_log::span!("sum", {
        let sum: u8 = "text";
    });
}
