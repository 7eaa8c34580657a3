use std::rc::Rc;

fn is_send<T: Send>(_: T) {}

fn main() {
    is_send(async {
        async_log::span!("s", {
            let shared = Rc::new(1);
            std::future::ready(1).await;
            drop(shared);
        });
    });
}
