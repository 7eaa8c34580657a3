//! A span's block is a plain block.

macro_rules! span {
    ($name:literal, { $($body:tt)* } $(,)?) => {{ $($body)* }};
}

#[path = "arms.rs"]
pub(crate) mod arms;
#[path = "awaits.rs"]
pub(crate) mod awaits;
#[path = "blocks.rs"]
pub(crate) mod blocks;
