//! The same code without any logging. What it costs is taken off every other row.

use std::hint::black_box;

use crate::work::{Stalled, Work};

pub struct Plain;

impl Work for Plain {
    type Inside = ();

    #[inline(always)]
    fn record(n: u64) {
        black_box(n);
    }

    #[inline(always)]
    fn span<R>(_: u64, _: &'static str, body: impl FnOnce(&()) -> R) -> R {
        body(&())
    }

    #[inline(always)]
    fn record_inside((): &(), n: u64, _: u64, _: &'static str) {
        black_box(n);
    }

    #[inline(always)]
    fn function(user: u64, path: &'static str) -> u64 {
        function(user, path)
    }

    #[inline(always)]
    async fn async_function(_: u64, _: &'static str, stalls: u64) -> u64 {
        async_function(stalls).await
    }

    #[inline(always)]
    async fn kept(_: u64, _: &'static str, stalls: u64) -> u64 {
        Stalled(stalls).await
    }
}

#[inline(never)]
fn function(user: u64, path: &'static str) -> u64 {
    black_box(path);
    user
}

async fn async_function(stalls: u64) -> u64 {
    Stalled(stalls).await
}
