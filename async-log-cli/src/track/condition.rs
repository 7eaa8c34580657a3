//! Conditions on what a record says: `status=500`, `status!=200`, `span_elapsed>0.5`, `path~^/api/`.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use regex::Regex;

use crate::read::{Kind, View};

/// What a key's value is to be.
#[derive(Clone, Debug)]
pub struct Condition {
    text: String,
    key: String,
    test: Test,
    is_found: bool,
}

#[derive(Clone, Debug)]
enum Test {
    Is(String),
    IsNot(String),
    Compares { number: Number, wanted: Wanted },
    Matches(Regex),
}

#[derive(Clone, Copy, Debug)]
enum Wanted {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Wanted {
    fn takes(self, ordering: Ordering) -> bool {
        match self {
            Wanted::Less => ordering.is_lt(),
            Wanted::LessOrEqual => ordering.is_le(),
            Wanted::Greater => ordering.is_gt(),
            Wanted::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// A number; integers keep all of their digits.
#[derive(Clone, Copy, Debug)]
enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    fn parse(text: &str) -> Option<Number> {
        if let Ok(integer) = text.parse() {
            return Some(Number::Integer(integer));
        }
        let float = text.parse().ok().filter(|float: &f64| !float.is_nan());
        float.map(Number::Float)
    }

    fn float(self) -> f64 {
        match self {
            Number::Integer(integer) => integer as f64,
            Number::Float(float) => float,
        }
    }

    fn compare(self, other: Number) -> Ordering {
        match (self, other) {
            (Number::Integer(one), Number::Integer(other)) => one.cmp(&other),
            _ => self.float().total_cmp(&other.float()),
        }
    }
}

const FORMS: &str = "a condition is KEY=VALUE, KEY!=VALUE, KEY>NUMBER, KEY>=NUMBER, KEY<NUMBER, \
     KEY<=NUMBER or KEY~PATTERN: user=7";

impl Condition {
    /// Reads `KEY=VALUE`, `KEY!=VALUE`, `KEY>NUMBER`, `KEY~PATTERN` and their like.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Condition, String> {
        let at = text.find(['=', '!', '>', '<', '~']).ok_or(FORMS)?;
        let (key, rest) = text.split_at(at);
        if key.is_empty() {
            return Err(FORMS.to_owned());
        }
        const SIGNS: [&str; 7] = ["!=", ">=", "<=", "=", ">", "<", "~"];
        let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
        let sign = sign.ok_or(FORMS)?;
        Ok(Condition {
            text: text.to_owned(),
            key: key.to_owned(),
            test: Test::new(sign, &rest[sign.len()..])?,
            is_found: false,
        })
    }

    /// As it was said.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn holds(&self, value: &str) -> bool {
        match &self.test {
            Test::Is(wanted) => wanted == value,
            Test::IsNot(other) => other != value,
            Test::Matches(pattern) => pattern.is_match(value),
            Test::Compares { number, wanted } => {
                Number::parse(value).is_some_and(|value| wanted.takes(value.compare(*number)))
            }
        }
    }
}

impl Test {
    fn new(sign: &str, value: &str) -> Result<Test, String> {
        let wanted = match sign {
            "=" => return Ok(Test::Is(value.to_owned())),
            "!=" => return Ok(Test::IsNot(value.to_owned())),
            "~" => return pattern(value).map(Test::Matches),
            ">=" => Wanted::GreaterOrEqual,
            ">" => Wanted::Greater,
            "<=" => Wanted::LessOrEqual,
            _ => Wanted::Less,
        };
        let number = Number::parse(value)
            .ok_or_else(|| format!("`{value}` is no number; {sign} compares numbers"))?;
        Ok(Test::Compares { number, wanted })
    }
}

/// A regular expression of a command line.
///
/// # Errors
///
/// What is wrong with it, in one line, and where.
pub fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| {
        let error = error.to_string();
        // The parser draws the pattern with a caret below; its last line says what is wrong.
        let why = error.lines().last().unwrap_or_default();
        let why = why.trim_start_matches("error: ");
        format!(
            "`{text}` is no regular expression: {why}; a `\\` takes a character as it is: `\\(`"
        )
    })
}

/// How many conditions there may be.
pub const MOST_CONDITIONS: usize = 32;

/// Which conditions are still to be met, a bit each.
pub(crate) type Unmet = u32;

/// Conditions that all have to be met, and the keys that records have.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    all: Vec<Condition>,
    seen: BTreeSet<String>,
}

/// How many keys are remembered, to say which ones are like one that no record has.
const MOST_KEYS: usize = 1000;

impl Conditions {
    /// The first [`MOST_CONDITIONS`] of these.
    pub fn new(mut all: Vec<Condition>) -> Self {
        all.truncate(MOST_CONDITIONS);
        let seen = BTreeSet::new();
        Conditions { all, seen }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them, unmet.
    pub(crate) fn all(&self) -> Unmet {
        ((1_u64 << self.all.len()) - 1) as Unmet
    }

    /// Which of those that are `unmet` a record does not meet either.
    pub(crate) fn unmet(&mut self, view: View<'_>, mut unmet: Unmet) -> Unmet {
        if self.all.is_empty() {
            return 0;
        }
        view.pairs(|key, value| self.look(key, &value, &mut unmet));
        self.look_for_own(|key| own_value(view, key), &mut unmet);
        unmet
    }

    /// What our own keys say meets what it meets.
    pub(crate) fn look_for_own<T: AsRef<str>>(
        &mut self,
        own: impl Fn(&str) -> Option<T>,
        unmet: &mut Unmet,
    ) {
        for (index, condition) in self.all.iter_mut().enumerate() {
            if let Some(value) = own(&condition.key) {
                condition.is_found = true;
                if condition.holds(value.as_ref()) {
                    *unmet &= !(1 << index);
                }
            }
        }
    }

    /// A pair meets what it meets.
    pub(crate) fn look(&mut self, key: &str, value: &str, unmet: &mut Unmet) {
        let mut is_found = true;
        for (index, condition) in self.all.iter_mut().enumerate() {
            if condition.key == key {
                condition.is_found = true;
                if condition.holds(value) {
                    *unmet &= !(1 << index);
                }
            }
            is_found &= condition.is_found;
        }
        if !is_found && self.seen.len() < MOST_KEYS && !self.seen.contains(key) {
            self.seen.insert(key.to_owned());
        }
    }

    /// Of each key that no record had: that key, and what to say of those that there are.
    pub fn unknown_keys(&self) -> Vec<String> {
        let unknown = self.all.iter().filter(|condition| !condition.is_found);
        unknown
            .map(|condition| {
                format!(
                    "no record has the key `{}`{}",
                    condition.key,
                    self.like(&condition.key)
                )
            })
            .collect()
    }

    /// Which keys look like that one, or which ones there are.
    fn like(&self, key: &str) -> String {
        let own = OWN_KEYS.iter().copied();
        let seen = self.seen.iter().map(String::as_str);
        let alike = |of: &&str| {
            let (of, key) = (of.to_lowercase(), key.to_lowercase());
            of.contains(&key) || strsim::damerau_levenshtein(&of, &key) <= (key.len() / 3).max(1)
        };
        let mut similar: Vec<_> = seen.clone().chain(own).filter(alike).collect();
        similar.sort_by_key(|of| strsim::damerau_levenshtein(of, key));
        if !similar.is_empty() {
            similar.truncate(5);
            return format!("; similar keys: {}", similar.join(", "));
        }
        let mut seen: Vec<_> = seen.take(9).collect();
        if seen.is_empty() {
            return String::new();
        }
        if seen.len() == 9 {
            seen[8] = "…";
        }
        format!("; there are: {}", seen.join(", "))
    }
}

/// The writer's own keys that can be asked for.
const OWN_KEYS: [&str; 16] = [
    "span_mark",
    "span_id",
    "span_parent",
    "span_root",
    "span_at",
    "span_elapsed",
    "span_outcome",
    "span_busy",
    "span_polls",
    "span_poll_max",
    "task_parent_id",
    "spawn_line",
    "process_id",
    "task_id",
    "thread_id",
    "level",
];

/// What a record says with one of the writer's own keys. `level` is the logger's.
pub(crate) fn own_value<'a>(view: View<'a>, key: &str) -> Option<Cow<'a, str>> {
    let record = view.record;
    let number = |of: u64| (of != 0).then(|| of.to_string());
    let seconds = |of: u64| format!("{}.{:09}", of / 1_000_000_000, of % 1_000_000_000);
    let is_end = record.kind == Kind::End || record.is_whole;
    let text = match key {
        "span_mark" => match record.kind {
            Kind::Start if record.is_whole => Some("whole".to_owned()),
            Kind::Start => Some("start".to_owned()),
            Kind::End => Some("end".to_owned()),
            Kind::Event => None,
        },
        "span_id" => number(record.span_id),
        "span_parent" => number(record.span_parent),
        "span_root" => number(record.span_root),
        "span_at" => record.at.map(seconds),
        "span_elapsed" => record.elapsed.map(seconds),
        "span_outcome" if is_end => Some(record.outcome.word().unwrap_or("finished").to_owned()),
        "span_busy" if record.busy > 0 => Some(seconds(record.busy)),
        "span_polls" => number(record.polls),
        "span_poll_max" if record.poll_max > 0 => Some(seconds(record.poll_max)),
        "task_parent_id" => record.task_parent_id.map(|id| id.to_string()),
        "spawn_line" => return view.spawn_line(),
        "process_id" => record.process.map(|id| id.to_string()),
        "task_id" => Some(record.task_id.to_string()),
        "thread_id" => Some(record.thread_id.to_string()),
        "level" => return view.level().map(|level| level.word().into()),
        _ => None,
    };
    text.map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(condition: &str, value: &str) -> bool {
        Condition::parse(condition).unwrap().holds(value)
    }

    #[test]
    fn conditions_compare_as_they_say() {
        for (condition, yes, no) in [
            ("a=7", "7", "70"),
            ("a=", "", "x"),
            ("a=b=c", "b=c", "b"),
            ("a!=7", "8", "7"),
            ("a>7", "7.5", "7"),
            ("a>=7", "7", "6.9"),
            ("a<7", "-1", "7"),
            ("a<=7", "7", "8"),
            ("a>9007199254740992", "9007199254740993", "9007199254740992"),
            ("a~^/api/", "/api/x", "/v1/api/"),
            ("a~x=y", "ax=yb", "xy"),
        ] {
            assert!(holds(condition, yes), "{condition} takes {yes}");
            assert!(!holds(condition, no), "{condition} does not take {no}");
        }
        assert!(!holds("a>7", "eight"), "text is no number");
    }

    #[test]
    fn what_is_no_condition_says_why() {
        for (text, why) in [
            ("a", "KEY=VALUE"),
            ("=7", "KEY=VALUE"),
            ("a!7", "KEY=VALUE"),
            ("a>x", "`x` is no number"),
            ("a~(", "`(` is no regular expression: unclosed group"),
        ] {
            let error = Condition::parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
