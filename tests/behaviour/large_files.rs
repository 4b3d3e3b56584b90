//! Files that are read in several parts: the same values, and rows and lines that count on from part to part.

use armwise::ErrorKind;
use armwise::data::{CsvReader, TableNotice};
use armwise::prelude::*;
use std::fmt::Write as _;

const ROWS: usize = 150_000;

/// Some four megabytes, with a blank line in the middle.
fn text() -> String {
    let mut text = "id,arm,age,works,amount\n".to_owned();
    for row in 0..ROWS {
        let arm = ["control", "guidance", "exemption"][row % 3];
        let works = ["ja", "nee", ""][row % 3];
        let _ = writeln!(text, "{row},{arm},{},{works},{}.{:02}", 18 + row % 48, row % 4000, row % 100);
        if row == ROWS / 2 {
            text.push('\n');
        }
    }
    text
}

#[test]
fn parts_give_the_table_of_the_whole() {
    let table = Table::from_csv_str(&text()).unwrap();
    let expected = Table::new()
        .with_counts("id", 0..ROWS)
        .unwrap()
        .with_categories("arm", (0..ROWS).map(|row| ["control", "guidance", "exemption"][row % 3]))
        .unwrap()
        .with_counts("age", (0..ROWS).map(|row| 18 + row % 48))
        .unwrap()
        .with_flags("works", (0..ROWS).map(|row| [Some(true), Some(false), None][row % 3]))
        .unwrap()
        .with_reals("amount", (0..ROWS).map(|row| (100 * (row % 4000) + row % 100) as f64 / 100.0))
        .unwrap();
    assert!(table == expected, "{table}\n{expected}");
    // A quote makes one part of the whole text.
    let quoted = text().replacen("control", "\"control\"", 1);
    assert!(Table::from_csv_str(&quoted).unwrap() == expected);
}

#[test]
fn rows_and_lines_count_on() {
    let last = format!("\n{},", ROWS - 1);
    let ragged = text().replace(&last, &format!("\n{},x,", ROWS - 1));
    let error = Table::from_csv_str(&ragged).unwrap_err();
    assert_eq!((error.place().row, error.place().line), (Some(ROWS), Some(ROWS + 2)), "{error}");
    let bad = text().replace(&last, &format!("\nabc{},", ROWS - 1)).replacen("\n1,", "\nx,", 1);
    let error = Table::from_csv_str(&bad).unwrap_err();
    let ErrorKind::BadCells { cells, total: 2, .. } = error.kind() else { panic!("{error}") };
    let places: Vec<(usize, usize)> = cells.iter().map(|cell| (cell.row, cell.line)).collect();
    assert_eq!(places, [(2, 3), (ROWS, ROWS + 2)]);

    let empty = text() + &",,,,\n".repeat(ROWS);
    let table = CsvReader::new().drop_empty_edges().text(&empty).unwrap();
    assert_eq!((table.rows(), table.notices()), (ROWS, &[TableNotice::EmptyRows { rows: ROWS }][..]));
    assert_eq!(Table::from_csv_str(&empty).unwrap().rows(), 2 * ROWS);
}
