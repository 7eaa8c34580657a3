//! Pairs written out twice, in edition 2018.

#![deny(warnings)]
#![warn(clippy::pedantic)]

#[macro_use(span)]
extern crate async_log;

#[path = "../../shared/by_hand.rs"]
mod by_hand;
