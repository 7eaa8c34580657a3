//! The arguments of annotated functions: whatever their types are, something is logged.
//!
//! The compiler chooses between three traits with a method of one name. It tries a receiver as it
//! is before it looks behind its references, so of `&&&Capture` it takes the first that fits the bounds that it sees.

use std::fmt::Debug;

use log::kv::{ToValue, Value};

/// An argument.
#[doc(hidden)]
#[derive(Debug)]
pub struct Capture<'a, T>(pub &'a T);

/// With its own type, where `log` knows it.
#[doc(hidden)]
pub trait TypedValue<'a> {
    fn __async_log_value(&self) -> Value<'a>;
}

impl<'a, T: ToValue> TypedValue<'a> for &&Capture<'a, T> {
    #[inline]
    fn __async_log_value(&self) -> Value<'a> {
        self.0.to_value()
    }
}

/// As `Debug` has it.
#[doc(hidden)]
pub trait DebugValue<'a> {
    fn __async_log_value(&self) -> Value<'a>;
}

impl<'a, T: Debug> DebugValue<'a> for &Capture<'a, T> {
    #[inline]
    fn __async_log_value(&self) -> Value<'a> {
        Value::from_debug(self.0)
    }
}

/// As the name of its type.
#[doc(hidden)]
pub trait NameValue<'a> {
    fn __async_log_value(&self) -> Value<'a>;
}

impl<'a, T> NameValue<'a> for Capture<'a, T> {
    #[inline]
    fn __async_log_value(&self) -> Value<'a> {
        Value::from(std::any::type_name::<T>())
    }
}
