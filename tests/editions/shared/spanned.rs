//! A span's block is a span's.

#[path = "arms.rs"]
pub(crate) mod arms;
#[path = "awaits.rs"]
pub(crate) mod awaits;
#[path = "blocks.rs"]
pub(crate) mod blocks;
