//! All that stands in a record, read where it is asked for.

use std::borrow::Cow;

use super::batch::Batch;
use super::dialect::Form;
use super::pairs;
use super::prefix::Prefix;
use super::record::{Level, Part, Record};
use super::text::is_reserved;
use super::time::Time;

/// A record with the bytes that it stands in.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Where it stands.
    pub batch: &'a Batch,
    /// What is known of it.
    pub record: &'a Record,
}

impl<'a> View<'a> {
    /// A part of its batch.
    pub fn part(&self, part: Part) -> &'a [u8] {
        &self.batch.bytes[part.range()]
    }

    /// Its lines as they are in the log.
    pub fn text(&self) -> &'a [u8] {
        self.part(self.record.text)
    }

    /// Its message as it is written, not read back: equal messages are equal so too.
    pub fn raw_message(&self) -> &'a [u8] {
        let message = self.record.message;
        self.part(message.unwrap_or_else(|| match self.batch.dialect.form {
            Form::Text | Form::KeyValue | Form::Json => {
                self.batch.dialect.message(&self.batch.bytes, self.record)
            }
        }))
    }

    /// Its message as the program wrote it; of a start or an end the name of the span.
    pub fn message(&self) -> Cow<'a, str> {
        let raw = self.raw_message();
        match self.batch.dialect.form {
            Form::Text => unescape(raw),
            Form::KeyValue | Form::Json => String::from_utf8_lossy(raw),
        }
    }

    /// Calls `each` with the program's own pairs, in their order: its key-values, the fields of the
    /// spans around it, and of a start the arguments of its function.
    pub fn pairs(&self, mut each: impl FnMut(&str, Cow<'a, str>)) {
        let line = &self.batch.bytes[self.record.last_line as usize..self.record.text.end as usize];
        let mut rest = &line[pairs::begin(line)..];
        while let Some(pair) = pairs::pair(rest) {
            rest = &rest[pair.len..];
            if !is_reserved(pair.key) {
                each(
                    &String::from_utf8_lossy(pair.key),
                    pairs::unquote(pair.value),
                );
            }
        }
    }

    /// What the logger wrote before the message.
    pub fn prefix(&self) -> Prefix {
        let first = self.text();
        let host = self.batch.dialect.host.cut(first);
        self.batch.dialect.layout.cut(host.rest(first))
    }

    /// When it was written, by the logger's own clock.
    pub fn time(&self) -> Option<Time> {
        None
    }

    /// Its level, if the logger writes it.
    pub fn level(&self) -> Option<Level> {
        self.prefix().level
    }

    /// Where it is from, if the logger writes that.
    pub fn target(&self) -> Option<Cow<'a, str>> {
        None
    }

    /// Of the start of a task: where it was made.
    pub fn spawn_line(&self) -> Option<Cow<'a, str>> {
        let part = self.record.spawn_line;
        (!part.is_empty()).then(|| pairs::unquote(self.part(part)))
    }
}

/// Reads a message of the text form back.
fn unescape(raw: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(raw)
}
