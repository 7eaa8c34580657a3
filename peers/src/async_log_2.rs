//! async-log 2.0.

use ::async_log_2::Argument;

use crate::work::{Stalled, Work};

pub struct AsyncLog2;

impl Work for AsyncLog2 {
    type Inside = ();

    #[inline(always)]
    fn record(n: u64) {
        ::async_log_2::record(n);
    }

    #[inline(always)]
    fn span<R>(user: u64, path: &'static str, body: impl FnOnce(&()) -> R) -> R {
        ::async_log_2::in_span(user, path, || body(&()))
    }

    #[inline(always)]
    fn record_inside((): &(), n: u64, _: u64, _: &'static str) {
        ::async_log_2::record(n);
    }

    #[inline(always)]
    fn function(user: u64, _: &'static str) -> u64 {
        ::async_log_2::function(user)
    }

    #[inline(always)]
    async fn async_function(user: u64, _: &'static str, stalls: u64) -> u64 {
        ::async_log_2::async_function(Argument(Stalled(stalls), user)).await
    }

    #[inline(always)]
    async fn kept(user: u64, path: &'static str, stalls: u64) -> u64 {
        ::async_log_2::kept(user, path, Stalled(stalls)).await
    }
}
