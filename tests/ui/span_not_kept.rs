#![deny(unused_must_use)]

fn main() {
    async_log::span!("upload");
}
