use async_log::instrument;

#[instrument]
#[derive(Clone)]
struct Holder(u8);

fn main() {
    let _ = Holder(1).clone();
}
