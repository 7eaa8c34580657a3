//! Tables whose columns line up, and of which the less important leave where there is no room.

use std::io::{self, Write};

use anstyle::Style;

use super::terminal::{BOLD, Line, Look, cut_name, width};
use crate::printable::printable;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) head: &'static str,
    pub(crate) side: Side,
    /// Where there is no room the column with the highest number goes first; 0 stays.
    pub(crate) leaves: u8,
}

/// Where the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
    /// Left, and cut where there is no room.
    Cut,
}

impl Column {
    pub(crate) const fn left(head: &'static str, leaves: u8) -> Self {
        let side = Side::Left;
        Column { head, side, leaves }
    }

    pub(crate) const fn right(head: &'static str, leaves: u8) -> Self {
        let side = Side::Right;
        Column { head, side, leaves }
    }

    pub(crate) const fn cut(head: &'static str, leaves: u8) -> Self {
        let side = Side::Cut;
        Column { head, side, leaves }
    }
}

/// What stands in a row, in a column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(style: Style, text: &str) -> Self {
        let text = printable(text).into_owned();
        Cell { text, style }
    }
}

/// Columns with their widths, found out from some rows.
#[derive(Debug)]
pub(crate) struct Table {
    look: Look,
    columns: Vec<Column>,
    /// 0 for a column that has left.
    widths: Vec<usize>,
    line: Line,
}

const GAP: usize = 2;

impl Table {
    /// A table with room for these rows. A column without any text is left out.
    pub(crate) fn new(look: Look, columns: &[Column], rows: &[Vec<Cell>]) -> Self {
        let widths = columns.iter().enumerate().map(|(index, column)| {
            let cells = rows.iter().map(|row| width(&row[index].text));
            match cells.max().unwrap_or(0) {
                0 => 0,
                widest => widest.max(column.head.len()),
            }
        });
        let mut table = Table {
            look,
            columns: columns.to_vec(),
            widths: widths.collect(),
            line: Line::default(),
        };
        if let Some(columns) = look.width {
            table.fit(columns);
        }
        table
    }

    /// Makes it as wide as the terminal at most.
    fn fit(&mut self, columns: usize) {
        let least = (columns / 5).max(12);
        while self.taken(|width| width.min(least)) > columns {
            let present = (0..self.widths.len()).filter(|&index| self.widths[index] > 0);
            let next = present.max_by_key(|&index| self.columns[index].leaves);
            let Some(next) = next.filter(|&index| self.columns[index].leaves > 0) else {
                break;
            };
            self.widths[next] = 0;
        }
        // The widest of those that may be cut gives way first.
        let mut over = self.taken(|width| width).saturating_sub(columns);
        while over > 0 {
            let cut = (0..self.widths.len()).filter(|&index| self.columns[index].side == Side::Cut);
            let Some(widest) = cut.max_by_key(|&index| self.widths[index]) else {
                break;
            };
            if self.widths[widest] <= 1 {
                break;
            }
            self.widths[widest] -= 1;
            over -= 1;
        }
    }

    /// How wide it is, if what may be cut has the width that `cut` says.
    fn taken(&self, cut: impl Fn(usize) -> usize) -> usize {
        let columns = self.columns.iter().zip(&self.widths);
        let widths = columns.filter(|(_, width)| **width > 0);
        let taken: usize = widths
            .map(|(column, &width)| match column.side {
                Side::Cut => cut(width) + GAP,
                _ => width + GAP,
            })
            .sum();
        taken.saturating_sub(GAP)
    }

    pub(crate) fn write_head(&mut self, out: &mut impl Write) -> io::Result<()> {
        let head = |column: &Column| Cell::new(BOLD, column.head);
        let row: Vec<_> = self.columns.iter().map(head).collect();
        self.write_row(&row, out)
    }

    pub(crate) fn write_row(&mut self, row: &[Cell], out: &mut impl Write) -> io::Result<()> {
        let mut is_first = true;
        for ((cell, column), &columns) in row.iter().zip(&self.columns).zip(&self.widths) {
            if columns == 0 {
                continue;
            }
            if !is_first {
                self.line.push_space(GAP);
            }
            is_first = false;
            let text = match column.side {
                Side::Cut => cut_name(&cell.text, columns),
                _ => cell.text.as_str().into(),
            };
            let space = columns.saturating_sub(width(&text));
            if column.side == Side::Right {
                self.line.push_space(space);
            }
            self.line.push(cell.style, &text);
            if column.side != Side::Right {
                self.line.push_space(space);
            }
        }
        self.line.write(self.look, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::terminal::PLAIN;

    const COLUMNS: [Column; 4] = [
        Column::cut("name", 0),
        Column::right("count", 0),
        Column::right("p99", 9),
        Column::left("state", 3),
    ];

    fn table(width: Option<usize>) -> String {
        let look = Look {
            colour: false,
            width,
        };
        let row = |cells: [&str; 4]| cells.map(|cell| Cell::new(PLAIN, cell)).to_vec();
        let rows = [
            row(["examples/server.rs#load", "7", "3.00 s ", "finished"]),
            row(["accept", "12,345", "12.3 ms", "-"]),
        ];
        let mut table = Table::new(look, &COLUMNS, &rows);
        let mut out = Vec::new();
        table.write_head(&mut out).unwrap();
        for row in &rows {
            table.write_row(row, &mut out).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_line_up() {
        let expected = "\
name                      count      p99  state
examples/server.rs#load       7  3.00 s   finished
accept                   12,345  12.3 ms  -
";
        assert_eq!(table(None), expected);
        assert_eq!(table(Some(50)), expected);
    }

    #[test]
    fn names_are_cut_and_columns_leave() {
        let expected = "\
name                 count      p99  state
examp…rver.rs#load       7  3.00 s   finished
accept              12,345  12.3 ms  -
";
        assert_eq!(table(Some(45)), expected);
        let expected = "\
name            count
exam….rs#load       7
accept         12,345
";
        assert_eq!(table(Some(21)), expected);
    }

    #[test]
    fn a_head_has_room_and_a_column_without_text_has_none() {
        let columns = [Column::right("unfinished", 0), Column::left("errors", 0)];
        let rows = [vec![Cell::new(PLAIN, "7"), Cell::default()]];
        let mut table = Table::new(Look::default(), &columns, &rows);
        let mut out = Vec::new();
        table.write_head(&mut out).unwrap();
        table.write_row(&rows[0], &mut out).unwrap();
        assert_eq!(out, b"unfinished\n         7\n");
    }

    #[test]
    fn no_width_is_too_small() {
        for width in 0..40 {
            for line in table(Some(width)).lines() {
                assert!(super::width(line) <= width, "{width}: {line:?}");
            }
        }
    }
}
