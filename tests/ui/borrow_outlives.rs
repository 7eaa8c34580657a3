fn main() {
    let text: &str = async_log::span!("s", {
        let owned = String::from("text");
        &*owned
    });
    println!("{}", text);
}
