//! Whether each peer emits what it should, so that none is fast because it does nothing.

use std::error::Error;

use crate::entry::{self, Emits, Form};
use crate::table::Row;
use crate::work::{Operation, PATH, USER};

pub fn check(rows: &[Row]) -> Result<(), Box<dyn Error>> {
    for row in rows {
        for operation in Operation::ALL {
            let lines = row.lines(operation)?;
            if let Err(wrong) = operation_of(row.emits, row.form, operation, &lines) {
                return Err(format!("{row}: {}: {wrong}: {lines:#?}", operation.name()).into());
            }
        }
        println!("{row}: emits what it should");
    }
    same_text(rows)
}

fn operation_of(
    emits: Emits,
    form: Form,
    operation: Operation,
    lines: &[String],
) -> Result<(), String> {
    let expected = match operation {
        Operation::FilteredSpan | Operation::FilteredFunction => 0,
        Operation::Record => emits.record,
        Operation::RecordInside => emits.both,
        Operation::Span | Operation::Function | Operation::Poll | Operation::KeptPoll => emits.span,
    };
    if lines.len() != expected {
        return Err(format!("{} lines instead of {expected}", lines.len()));
    }
    if form == Form::Silent || expected == 0 {
        return Ok(());
    }
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    let fields = |line: &String| line.contains(&USER.to_string()) && line.contains(PATH);
    let right = match operation {
        Operation::Record => has("hello 0"),
        Operation::RecordInside => lines
            .iter()
            .any(|line| line.contains("hello 0") && fields(line) == emits.context),
        Operation::Span => has("load") && lines.iter().any(fields),
        Operation::Function => has(&USER.to_string()) && has(PATH) == emits.both_arguments,
        _ => true,
    };
    right
        .then_some(())
        .ok_or_else(|| "not what it should say".into())
}

/// Our text and the same by hand differ in digits alone, and in the file that they are in.
fn same_text(rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let find = |name| {
        rows.iter()
            .find(|row| row.form == Form::Text && row.name == name)
    };
    let (Some(ours), Some(by_hand)) = (find(entry::OURS), find(entry::SAME_TEXT)) else {
        return Ok(());
    };
    for operation in [
        Operation::Record,
        Operation::RecordInside,
        Operation::Span,
        Operation::Function,
    ] {
        let ours = without_digits(&ours.lines(operation)?, "ours");
        let by_hand = without_digits(&by_hand.lines(operation)?, "by_hand");
        // By hand the span around is another operation.
        let last = |lines: &[String]| match operation {
            Operation::RecordInside => vec![lines[1].clone()],
            _ => lines.to_vec(),
        };
        if last(&ours) != last(&by_hand) {
            return Err(format!("not the same text: {ours:#?} {by_hand:#?}").into());
        }
    }
    println!("our text and the same by hand: the same");
    Ok(())
}

fn without_digits(lines: &[String], file: &str) -> Vec<String> {
    let without = |line: &String| {
        let mut short = line
            .replace(file, "FILE")
            .replace("same_text_function", "function");
        short.retain(|c| !c.is_ascii_digit());
        short
    };
    lines.iter().map(without).collect()
}
