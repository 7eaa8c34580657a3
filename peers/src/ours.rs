//! Ours.

use std::hint::black_box;

use async_log::{instrument, span};
use log::info;

use crate::work::{Stalled, Work};

pub struct Ours;

impl Work for Ours {
    type Inside = ();

    #[inline(always)]
    fn record(n: u64) {
        info!("hello {}", n);
    }

    #[inline(always)]
    fn span<R>(user: u64, path: &'static str, body: impl FnOnce(&()) -> R) -> R {
        span!(user, path; "load", { body(&()) })
    }

    #[inline(always)]
    fn record_inside((): &(), n: u64, _: u64, _: &'static str) {
        info!("hello {}", n);
    }

    #[inline(always)]
    fn function(user: u64, path: &'static str) -> u64 {
        function(user, path)
    }

    #[inline(always)]
    async fn async_function(user: u64, path: &'static str, stalls: u64) -> u64 {
        async_function(user, path, stalls).await
    }

    #[inline(always)]
    async fn kept(user: u64, path: &'static str, stalls: u64) -> u64 {
        span!(user, path; "load", { Stalled(stalls).await })
    }
}

#[inline(never)]
#[instrument]
fn function(user: u64, path: &'static str) -> u64 {
    black_box(path);
    user
}

#[instrument(skip(stalls))]
async fn async_function(user: u64, path: &'static str, stalls: u64) -> u64 {
    Stalled(stalls).await
}
