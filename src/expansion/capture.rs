//! The arguments of annotated functions: whatever their types are, something is logged.
//!
//! The compiler chooses. A method call looks first for a method of the type itself whose bounds hold as far as
//! the bounds in sight tell, and then behind its `Deref`. So each of these types has the same method
//! under another bound, and leads to one that asks for less.
//!
//! No one has asked for these values to be formatted, perhaps one that is half made or half dropped. So where that
//! panics it is said in its place, and the function is called all the same.

use std::fmt::{self, Debug, Display, Formatter};
use std::ops::Deref;
use std::panic::{self, AssertUnwindSafe};

use log::kv::{ToValue, Value};

/// A value with its own type where `log` knows it, else as `Debug` has it, else as `Display` has it, else as its
/// type's name.
#[doc(hidden)]
#[derive(Debug)]
pub struct Capture<'a, T>(AsDebug<'a, T>);

/// An error as `Display` has it, which is better shown to a person, else as `Debug` has it, else as its type's name.
#[doc(hidden)]
#[derive(Debug)]
pub struct CaptureError<'a, T>(AsDebug<'a, T>);

#[doc(hidden)]
pub struct AsDebug<'a, T>(AsDisplay<'a, T>);

#[doc(hidden)]
#[derive(Debug)]
pub struct AsDisplay<'a, T>(AsName<'a, T>);

#[doc(hidden)]
#[derive(Debug)]
pub struct AsName<'a, T>(&'a T);

impl<'a, T> Capture<'a, T> {
    #[inline]
    pub fn new(value: &'a T) -> Self {
        Capture(AsDebug(AsDisplay(AsName(value))))
    }
}

impl<'a, T> CaptureError<'a, T> {
    #[inline]
    pub fn new(value: &'a T) -> Self {
        CaptureError(AsDebug(AsDisplay(AsName(value))))
    }
}

impl<'a, T: ToValue> Capture<'a, T> {
    #[inline]
    pub fn async_log_value(&self) -> Value<'a> {
        self.0 .0 .0 .0.to_value()
    }
}

impl<'a, T: Display> CaptureError<'a, T> {
    #[inline]
    pub fn async_log_value(&self) -> Value<'_> {
        Value::from_display(self)
    }
}

impl<'a, T: Debug> AsDebug<'a, T> {
    #[inline]
    pub fn async_log_value(&self) -> Value<'_> {
        Value::from_debug(self)
    }
}

impl<'a, T: Display> AsDisplay<'a, T> {
    #[inline]
    pub fn async_log_value(&self) -> Value<'_> {
        Value::from_display(self)
    }
}

impl<'a, T> AsName<'a, T> {
    #[inline]
    pub fn async_log_value(&self) -> Value<'a> {
        Value::from(std::any::type_name::<T>())
    }
}

impl<T: Display> Display for CaptureError<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        carefully(f, |f| self.0 .0 .0 .0.fmt(f))
    }
}

impl<T: Debug> Debug for AsDebug<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        carefully(f, |f| self.0 .0 .0.fmt(f))
    }
}

impl<T: Display> Display for AsDisplay<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        carefully(f, |f| self.0 .0.fmt(f))
    }
}

fn carefully(
    f: &mut Formatter<'_>,
    format: impl FnOnce(&mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    panic::catch_unwind(AssertUnwindSafe(|| format(f)))
        .unwrap_or_else(|_| f.write_str("<panicked>"))
}

impl<'a, T> Deref for Capture<'a, T> {
    type Target = AsDebug<'a, T>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a, T> Deref for CaptureError<'a, T> {
    type Target = AsDebug<'a, T>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a, T> Deref for AsDebug<'a, T> {
    type Target = AsDisplay<'a, T>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a, T> Deref for AsDisplay<'a, T> {
    type Target = AsName<'a, T>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// An argument as it was before a pattern took it apart.
#[doc(hidden)]
#[derive(Debug)]
pub enum OwnedValue {
    /// Nobody was known to want it.
    None,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
}

impl OwnedValue {
    pub fn none() -> Self {
        OwnedValue::None
    }

    pub fn new(value: &Value<'_>) -> Self {
        let number = || value.to_u64().map(OwnedValue::Unsigned);
        let number = || number().or_else(|| value.to_i64().map(OwnedValue::Signed));
        let number = || number().or_else(|| value.to_f64().map(OwnedValue::Float));
        (value.to_bool().map(OwnedValue::Bool))
            .or_else(number)
            .unwrap_or_else(|| OwnedValue::Text(value.to_string()))
    }

    pub fn value(&self) -> Value<'_> {
        match self {
            OwnedValue::None => Value::from("<not formatted>"),
            OwnedValue::Bool(value) => Value::from(*value),
            OwnedValue::Unsigned(value) => Value::from(*value),
            OwnedValue::Signed(value) => Value::from(*value),
            OwnedValue::Float(value) => Value::from(*value),
            OwnedValue::Text(value) => Value::from(&**value),
        }
    }
}
