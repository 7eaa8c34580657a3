fn main() {
    let two = async_log::span!("sum" { 1 + 1 });
    assert_eq!(two, 2);
}
