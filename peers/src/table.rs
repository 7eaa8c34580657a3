//! The tables: rows are peers, columns are operations.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use crate::child::form_name;
use crate::entry::{self, Emits, Form};
use crate::work::Operation;

/// Rounds of measuring time. In each of them every row has its turn.
const ROUNDS: usize = 9;

/// A row, and the program that has it.
#[derive(Clone)]
pub struct Row {
    pub form: Form,
    pub name: String,
    pub emits: Emits,
    repeats: u64,
    program: PathBuf,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, form_name(self.form))
    }
}

impl Row {
    fn child(&self, what: &str, operation: Operation) -> Command {
        let mut command = Command::new(&self.program);
        command.args([
            "child",
            what,
            form_name(self.form),
            &self.name,
            operation.name(),
        ]);
        command
    }

    /// What is emitted when an operation is done once.
    pub fn lines(&self, operation: Operation) -> Result<Vec<String>, Box<dyn Error>> {
        Ok(output(&mut self.child("lines", operation))?
            .lines()
            .map(str::to_owned)
            .collect())
    }

    fn number(&self, what: &str, operation: Operation) -> Result<f64, Box<dyn Error>> {
        Ok(output(&mut self.child(what, operation))?.trim().parse()?)
    }

    /// Runs an operation under a tool of valgrind, and finds the number behind `label` in what that says.
    fn count(
        &self,
        tool: &[&str],
        label: &str,
        operation: Operation,
        n: u64,
    ) -> Result<f64, Box<dyn Error>> {
        let child = self.child("repeat", operation);
        let run = Command::new("valgrind")
            .args(tool)
            .arg(child.get_program())
            .args(child.get_args())
            .arg(n.to_string())
            .output()
            .map_err(|error| format!("valgrind: {error}"))?;
        let said = String::from_utf8(run.stderr)?;
        let number = said.lines().find_map(|line| {
            let number = line.split_once(label)?.1.split_whitespace().next()?;
            number.replace(',', "").parse().ok()
        });
        number.ok_or_else(|| format!("{self}: no `{label}` in: {said}").into())
    }

    /// What one operation adds to the count: the difference of two counts.
    fn counted(
        &self,
        tool: &[&str],
        label: &str,
        operation: Operation,
    ) -> Result<f64, Box<dyn Error>> {
        let n = self.repeats;
        let less = self.count(tool, label, operation, n)?;
        let more = self.count(tool, label, operation, 2 * n)?;
        Ok((more - less) / n as f64)
    }
}

fn output(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The rows of this program, and those that only the others have.
pub fn rows(others: &[&str]) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows: Vec<Row> = Vec::new();
    let mut programs = vec![std::env::current_exe()?];
    programs.extend(others.iter().map(PathBuf::from));
    for program in programs {
        for line in output(Command::new(&program).args(["child", "list"]))?.lines() {
            let row = row(&program, line).ok_or("a list that is none")?;
            if !rows
                .iter()
                .any(|known| known.form == row.form && known.name == row.name)
            {
                rows.push(row);
            }
        }
    }
    rows.sort_by_key(|row| (row.name != entry::PLAIN, row.form == Form::Silent));
    Ok(rows)
}

fn row(program: &std::path::Path, line: &str) -> Option<Row> {
    let mut words = line.split('\t');
    let form = match words.next()? {
        "text" => Form::Text,
        _ => Form::Silent,
    };
    let name = words.next()?.to_owned();
    let repeats = words.next()?.parse().ok()?;
    let mut number = || words.next()?.parse().ok();
    let emits = Emits {
        record: number()?,
        span: number()?,
        both: number()?,
        context: number()? != 0,
        both_arguments: number()? != 0,
    };
    Some(Row {
        form,
        name,
        emits,
        repeats,
        program: program.to_owned(),
    })
}

/// A number for each row and operation.
type Numbers = HashMap<(usize, Operation), f64>;

/// Prints a table for each form that has rows. `cell` is asked for a row and an operation.
fn print(rows: &[Row], columns: &[Operation], cell: impl Fn(usize, Operation) -> String) {
    for (form, title) in [(Form::Text, "text"), (Form::Silent, "nothing formatted")] {
        let heads: String = columns.iter().map(|c| format!(" {} |", c.name())).collect();
        println!("| {title} |{heads}");
        println!("|---|{}", "---:|".repeat(columns.len()));
        let of_form = rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.form == form && row.name != entry::PLAIN);
        for (i, row) in of_form {
            let cells: String = columns
                .iter()
                .map(|c| format!(" {} |", cell(i, *c)))
                .collect();
            println!("| {} |{cells}", row.name);
        }
        println!();
    }
}

/// What valgrind counts, over the same code without any logging.
fn count(
    rows: &[Row],
    columns: &[Operation],
    tool: &[&str],
    label: &str,
) -> Result<Numbers, Box<dyn Error>> {
    let mut numbers = Numbers::new();
    for (i, row) in rows.iter().enumerate() {
        for two in columns.chunks(2) {
            for (&column, counted) in two.iter().zip(at_once(row, two, tool, label)) {
                let plain = numbers.get(&(0, column)).copied().unwrap_or(0.0);
                numbers.insert((i, column), counted? - plain);
            }
        }
        progress(&format!("{} of {}: {row}", i + 1, rows.len()));
    }
    progress("");
    Ok(numbers)
}

/// Counts are the same whatever else runs.
fn at_once(
    row: &Row,
    columns: &[Operation],
    tool: &[&str],
    label: &str,
) -> Vec<Result<f64, String>> {
    let counted = |column| {
        row.counted(tool, label, column)
            .map_err(|error| error.to_string())
    };
    thread::scope(|scope| {
        let running: Vec<_> = columns
            .iter()
            .map(|&column| scope.spawn(move || counted(column)))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("counting does not panic"))
            .collect()
    })
}

const CACHEGRIND: [&str; 3] = [
    "--tool=cachegrind",
    "--cache-sim=no",
    "--cachegrind-out-file=/dev/null",
];
const MEMCHECK: [&str; 3] = [
    "--tool=memcheck",
    "--leak-check=no",
    "--undef-value-errors=no",
];

pub fn instructions(rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let numbers = count(rows, &Operation::ALL, &CACHEGRIND, "refs:")?;
    print(rows, &Operation::ALL, |row, column| {
        whole(numbers[&(row, column)])
    });
    Ok(())
}

pub fn allocations(rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let numbers = count(rows, &Operation::ALL, &MEMCHECK, "total heap usage:")?;
    print(rows, &Operation::ALL, |row, column| {
        let number = format!("{:.2}", numbers[&(row, column)]);
        number
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    });
    Ok(())
}

/// The short table: a selection of rows and columns.
pub fn readme(rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let rows: Vec<Row> = rows
        .iter()
        .filter(|row| is_in_readme(row))
        .cloned()
        .collect();
    let columns = [
        Operation::FilteredSpan,
        Operation::Record,
        Operation::RecordInside,
        Operation::Span,
        Operation::Function,
        Operation::Poll,
    ];
    let numbers = count(&rows, &columns, &CACHEGRIND, "refs:")?;
    print(&rows, &columns, |row, column| {
        whole(numbers[&(row, column)])
    });
    Ok(())
}

fn is_in_readme(row: &Row) -> bool {
    let names: &[&str] = match row.form {
        Form::Text => &[
            entry::PLAIN,
            entry::BY_HAND,
            "`log` by hand, key-values",
            "the same in the thinnest wrapper",
            entry::SAME_TEXT,
            entry::OURS,
            "tracing + fmt",
            "tracing + fmt, spans printed",
            "emit",
            "slog by hand",
            "logforth by hand, key-values",
            "context-logger, spans by hand",
            "async-log 2.0",
        ],
        Form::Silent => &[
            entry::PLAIN,
            "**async-log 3**, key-values",
            "tracing, a layer that does nothing",
            "fastrace, child spans, reported later",
        ],
    };
    names.contains(&row.name.as_str())
}

/// Says on a terminal how far it is.
fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
    }
}

/// A number with a comma at the thousands.
fn whole(number: f64) -> String {
    // Counts of the same thing differ by less than one.
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if number <= -0.5 {
        text.insert(0, '-');
    }
    text
}

/// Rounds in which every row is measured once, so that whatever slows the machine down meets all of them.
fn rounds(rows: &[Row], columns: &[Operation], what: &str) -> Result<Vec<Numbers>, Box<dyn Error>> {
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let mut numbers = Numbers::new();
        for &column in columns {
            for (i, row) in rows.iter().enumerate() {
                numbers.insert((i, column), row.number(what, column)?);
            }
        }
        rounds.push(numbers);
        progress(&format!("round {} of {ROUNDS}", round + 1));
    }
    progress("");
    Ok(rounds)
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

pub fn nanoseconds(rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let rounds = rounds(rows, &Operation::ALL, "nanoseconds")?;
    print(rows, &Operation::ALL, |row, column| {
        let by_hand = rows
            .iter()
            .position(|r| r.form == rows[row].form && r.name == entry::BY_HAND);
        let nanoseconds = median(rounds.iter().map(|round| round[&(row, column)]));
        let ratio = by_hand.map(|by_hand| {
            median(
                rounds
                    .iter()
                    .map(|r| r[&(row, column)] / r[&(by_hand, column)]),
            )
        });
        match (column, ratio) {
            (Operation::Poll | Operation::KeptPoll, _) | (_, None) => format!("{nanoseconds:.1}"),
            (_, Some(ratio)) => format!("{nanoseconds:.1} ({ratio:.2})"),
        }
    });
    Ok(())
}

pub fn threads(rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let columns = [Operation::Record, Operation::Span];
    let rounds = rounds(rows, &columns, "threads")?;
    print(rows, &columns, |row, column| {
        format!(
            "{:.2}",
            median(rounds.iter().map(|round| round[&(row, column)]))
        )
    });
    Ok(())
}
