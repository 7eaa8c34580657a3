//! Code that several test suites share: readers, loggers in memory, random programs, golden files. Not published.
//!
//! The suites of the library are the test targets of this package. Those of the command are in its own package, as
//! they need its binary, and use this one too.

// A name says enough here, and nobody prints these values.
#![allow(missing_docs, missing_debug_implementations)]

pub mod golden;
pub mod lines;
pub mod memory;
pub mod modes;
pub mod program;
pub mod quiet;
pub mod random;
pub mod reader;
pub mod runtime;
pub mod shop;
pub mod texts;
pub mod told;
pub mod truth;
