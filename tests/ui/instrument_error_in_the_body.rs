use async_log::instrument;

struct Named(u8);

type Alias = Named;

trait Load {
    type Future;

    fn load(&self) -> Self::Future;
}

#[instrument]
fn not_found(n: u8) -> Named {
    n.missing()
}

#[instrument]
fn other_type(n: u8) -> Alias {
    n
}

#[instrument(ret(Debug))]
fn watched(n: u8) -> std::rc::Rc<u8> {
    n
}

#[instrument]
fn generic<T>(n: u8) -> T {
    n.missing()
}

#[instrument]
fn boxed(n: u8) -> std::pin::Pin<Box<dyn std::future::Future<Output = u8>>> {
    n.missing()
}

impl Load for u8 {
    type Future = Named;

    #[instrument]
    fn load(&self) -> Self::Future {
        self.missing()
    }
}

fn main() {
    let _ = (not_found(1), other_type(1), watched(1), generic::<u8>(1), boxed(1), 1_u8.load());
}
