//! Under another name: nothing in an expansion may rely on the crate's own.

#![deny(warnings)]
#![warn(clippy::pedantic)]

use futures::executor::block_on;

#[tracer::instrument(crate = tracer)]
fn double(of: u8) -> u8 {
    tracer::span!("inner", { of * 2 })
}

#[tracer::instrument(crate = ::tracer, name = "other")]
async fn later((a, b): (u8, &str)) -> Result<u8, std::num::ParseIntError> {
    tracer::span!(a, b; "inner {a}", {
        let (one, two) = tokio::join!(async { a }, async { b.parse::<u8>() });
        tokio::task::yield_now().await;
        tokio::select! {
            sum = async { two.map(|two| one + two) } => sum,
            never = std::future::pending() => never,
        }
    })
}

mod deeper {
    use tracer as log_of_tasks;

    pub(super) struct Holder(pub(super) u8);

    impl Holder {
        #[log_of_tasks::instrument(crate = log_of_tasks)]
        pub(super) fn get(&self) -> u8 {
            let span = log_of_tasks::span!("held");
            span.run(|| self.0)
        }
    }
}

/// Nothing of ours, of `log`, or of the standard library is found by its bare name.
mod without_names {
    #![no_implicit_prelude]

    #[allow(dead_code)]
    mod core {}
    #[allow(dead_code)]
    mod std {}
    #[allow(dead_code)]
    mod log {}
    #[allow(dead_code)]
    mod async_log {}
    #[allow(dead_code)]
    mod async_log_attributes {}

    #[::tracer::instrument(crate = ::tracer)]
    pub(super) fn double(of: u8) -> u8 {
        ::tracer::span!(of; "inner", { of * 2 })
    }

    #[::tracer::instrument(crate = ::tracer)]
    pub(super) async fn later(of: u8) -> u8 {
        ::tracer::span!("inner {of}", {
            let (one, two) = ::futures::join!(async { of }, async { 2 });
            async { one }.await + two
        })
    }
}

#[test]
fn renamed() {
    assert_eq!(double(2), 4);
    assert_eq!(block_on(later((1, "2"))), Ok(3));
    assert_eq!(deeper::Holder(3).get(), 3);
    assert_eq!(without_names::double(2), 4);
    assert_eq!(block_on(without_names::later(2)), 4);
}
