//! Pairs written out twice, in edition 2021.

#![deny(warnings)]
#![warn(clippy::pedantic)]

#[macro_use(span)]
extern crate tracer;

#[path = "../../shared/by_hand.rs"]
mod by_hand;
