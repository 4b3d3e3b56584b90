//! Dates that do not exist, numbers of accounts and of Swiss and typographic notation, headers that lack a name.

use armwise::data::{ColumnKind, CsvReader, DateOrder, Table};
use armwise::{Error, ErrorKind};

fn refused(result: armwise::Result<Table>) -> (Error, String) {
    let error = result.unwrap_err();
    let text = error.to_string();
    (error, text)
}

fn numbers(table: &Table, column: &str) -> Vec<f64> {
    table.column(column).unwrap().reals().unwrap().map(|value| value.unwrap_or(f64::NAN)).collect()
}

#[test]
fn a_day_that_does_not_exist_is_named_with_its_row() {
    let text = "arm,start\nc,2020-01-31\nc,2020-02-30\nt,2020-03-01\n";
    for reader in [
        CsvReader::new().dates(DateOrder::YearMonthDay),
        CsvReader::new().date("start", DateOrder::YearMonthDay),
    ] {
        let (error, words) = refused(reader.text(text));
        let ErrorKind::BadCells { cells, total, .. } = error.kind() else { panic!("{error}") };
        assert_eq!((cells[0].row, cells[0].line, cells[0].found.as_str(), *total), (2, 3, "2020-02-30", 1));
        assert!(words.contains("a day of the calendar"), "{words}");
        assert!(words.contains(r#".missing_in("start", ["2020-02-30"])"#), "{words}");
    }
    // The order is advised all the same.
    let (_, words) = refused(Table::from_csv_str(text));
    assert!(
        words.contains(".date(\"start\", DateOrder::YearMonthDay)") && words.contains("2020-02-30"),
        "{words}"
    );
    // With what is advised it is read.
    let table = CsvReader::new()
        .date("start", DateOrder::YearMonthDay)
        .missing_in("start", ["2020-02-30"])
        .text(text);
    assert!(numbers(&table.unwrap(), "start")[1].is_nan());
    let labels = CsvReader::new().category("start").text(text).unwrap();
    assert_eq!(labels.column("start").unwrap().kind(), ColumnKind::Category);
}

#[test]
fn words_among_dates_are_errors_and_dates_among_words_are_labels() {
    let dates = CsvReader::new().dates(DateOrder::DayMonthYear);
    let (_, words) = refused(dates.clone().text("a,start\n1,31-01-2020\n2,unknown\n3,01-02-2020\n"));
    assert!(
        words.contains("a date, as in other cells") && words.contains(r#".missing_in("start", ["unknown"])"#),
        "{words}"
    );
    let notes = dates.text("a,note\n1,called\n2,01-02-2020\n3,ill\n4,moved\n").unwrap();
    assert_eq!(notes.column("note").unwrap().kind(), ColumnKind::Category);
}

#[test]
fn swiss_thousands_are_advised_and_read() {
    for mark in ["'", "\u{2019}"] {
        let text = format!("arm,income\nc,1{mark}234\nt,12{mark}345.50\nt,900\n");
        let (_, words) = refused(Table::from_csv_str(&text));
        assert!(words.contains(r".thousands(b'\'')") && !words.contains("missing"), "{words}");
        let table = CsvReader::new().thousands(b'\'').text(&text).unwrap();
        assert_eq!(numbers(&table, "income"), [1234.0, 12345.5, 900.0]);
        // All of them, too, are no labels.
        assert!(Table::from_csv_str(&format!("arm,income\nc,1{mark}234\nt,2{mark}345\n")).is_err());
    }
    let dutch = CsvReader::new().delimiter(b';').decimal_comma();
    let (_, words) = refused(dutch.clone().text("arm;income\nc;1'234,5\n"));
    assert!(words.contains(r".thousands(b'\'')"), "{words}");
    assert_eq!(numbers(&dutch.thousands(b'\'').text("arm;income\nc;1'234,5\n").unwrap(), "income"), [1234.5]);
    // Words with an apostrophe are words.
    let table = Table::from_csv_str("arm,town\nc,'s-Gravenhage\nt,1e's\n").unwrap();
    assert_eq!(table.column("town").unwrap().kind(), ColumnKind::Category);
}

#[test]
fn the_minus_of_typography_is_a_minus() {
    let table = Table::from_csv_str("arm,x\nc,\u{2212}5\nt,\u{2212}2.5\nt,3\n").unwrap();
    assert_eq!(numbers(&table, "x"), [-5.0, -2.5, 3.0]);
    let comma = CsvReader::new().delimiter(b';').decimal_comma().text("arm;x\nc;\u{2212}1,5\n").unwrap();
    assert_eq!(numbers(&comma, "x"), [-1.5]);
    let codes = CsvReader::new().missing(["-9"]).text("arm,x\nc,\u{2212}9\nt,2\n").unwrap();
    assert!(numbers(&codes, "x")[0].is_nan());
    // In labels it is a letter.
    let labels = Table::from_csv_str("arm,x\nc,a\u{2212}b\nt,b\n").unwrap();
    assert_eq!(labels.column("x").unwrap().kind(), ColumnKind::Category);
}

#[test]
fn negative_numbers_of_accounts_are_advised_and_read() {
    for cell in ["(5)", "5-", "(1.25)", "( 5 )"] {
        let text = format!("arm,balance\nc,{cell}\nt,7\n");
        let (error, words) = refused(Table::from_csv_str(&text));
        assert!(words.contains(".accounting_negatives() where") && !words.contains("missing"), "{words}");
        let ErrorKind::BadCells { cells, .. } = error.kind() else { panic!("{error}") };
        assert!(cells[0].expected.contains("minus sign before it"), "{error}");
        let read = numbers(&CsvReader::new().accounting_negatives().text(&text).unwrap(), "balance");
        assert_eq!(read, [if cell == "(1.25)" { -1.25 } else { -5.0 }, 7.0]);
    }
    // With thousands and decimal commas.
    let dutch = CsvReader::new().delimiter(b';').decimal_comma().thousands(b'.').accounting_negatives();
    assert_eq!(numbers(&dutch.text("a;x\n1;(1.234,5)\n2;1.000-\n").unwrap(), "x"), [-1234.5, -1000.0]);
    // Amounts of money that are whole keep their dash.
    let euros = CsvReader::new().delimiter(b';').decimal_comma().currency(["€"]).accounting_negatives();
    assert_eq!(numbers(&euros.text("a;x\n1;€ 12,-\n2;€ 3,50\n").unwrap(), "x"), [12.0, 3.5]);
    // Labels in brackets are labels.
    let table = Table::from_csv_str("arm,x\nc,(a)\nt,b-\n").unwrap();
    assert_eq!(table.column("x").unwrap().kind(), ColumnKind::Category);
}

#[test]
fn a_header_that_lacks_a_name_is_no_title() {
    for text in
        ["arm,,y\nc,1,0\nt,2,1\n", ",arm,y\n1,c,0\n2,t,1\n", "arm,\nc,1\nt,0\n", "arm,y,\nc,1,a\nt,0,b\n"]
    {
        let (_, words) = refused(Table::from_csv_str(text));
        assert!(words.contains("has no name") && !words.contains("skip_lines"), "{words}");
    }
    // A title still is one.
    for text in ["Report of 2020,,\narm,x,y\nc,1,0\nt,2,1\n", "Report\narm,x,y\nc,1,0\nt,2,1\nt,2,1\n"] {
        let (_, words) = refused(Table::from_csv_str(text));
        assert!(words.contains(".skip_lines(1)"), "{words}");
    }
}
