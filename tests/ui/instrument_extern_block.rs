use async_log::instrument;

extern "C" {
    #[instrument]
    fn abs(of: i32) -> i32;
}

fn main() {
    let _ = unsafe { abs(-1) };
}
