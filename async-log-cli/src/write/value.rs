//! What a value may have been before it became text.

/// A value of a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Bool(bool),
    /// It is written as Rust writes the number.
    Integer(i64),
    /// It has a point, and no more digits than a double keeps.
    Float(&'a str),
    Text(&'a str),
}

/// Digits that every double of that many decimal digits keeps.
const DIGITS: usize = 15;

impl<'a> Value<'a> {
    /// Takes text for a number or a boolean only where that says all that the text does.
    pub(crate) fn of(text: &'a str) -> Self {
        match text {
            "true" => return Value::Bool(true),
            "false" => return Value::Bool(false),
            _ => {}
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        let first = digits.bytes().next();
        if !first.is_some_and(|byte| byte.is_ascii_digit()) || digits.len() > DIGITS + 4 {
            return Value::Text(text);
        }
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || whole.len() > 1 && whole.starts_with('0') {
            return Value::Text(text);
        }
        match fraction {
            None if text != "-0" => text.parse().map_or(Value::Text(text), Value::Integer),
            Some(fraction) if is_number(fraction) && whole.len() + fraction.len() <= DIGITS => {
                let is_shortest = fraction == "0" || !fraction.ends_with('0');
                match is_shortest && !fraction.is_empty() {
                    true => Value::Float(text),
                    false => Value::Text(text),
                }
            }
            _ => Value::Text(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Value::{self, *};

    #[test]
    fn only_what_stays_the_same_is_a_number() {
        assert_eq!(Value::of("7"), Integer(7));
        assert_eq!(Value::of("-7"), Integer(-7));
        assert_eq!(Value::of("0"), Integer(0));
        assert_eq!(Value::of("1.5"), Float("1.5"));
        assert_eq!(Value::of("-0.25"), Float("-0.25"));
        assert_eq!(Value::of("1.0"), Float("1.0"));
        assert_eq!(Value::of("true"), Bool(true));
        for text in [
            "",
            "-",
            "-0",
            "007",
            "+7",
            "1.",
            ".5",
            "1.50",
            "1e5",
            "7 ",
            "1.2.3",
            "NaN",
            "0x7",
            "٣",
            "99999999999999999999",
            "1234567890.1234567",
            "True",
        ] {
            assert_eq!(Value::of(text), Text(text));
        }
    }
}
