//! Tables from CSV text.

use std::fmt::Write as _;
use std::io::Read;

use proptest::prelude::*;

use armwise::data::{ColumnKind, CsvReader, Encoding, Table, TableNotice};
use armwise::error::{BadCell, Error, ErrorKind, Result};

const TEXT: &str = "arm,age,hours,female\ncontrol,34,31.5,yes\nguidance,,0.5,No\n";

fn expected() -> Result<Table> {
    Table::new()
        .with_categories("arm", ["control", "guidance"])?
        .with_counts("age", [Some(34), None])?
        .with_reals("hours", [31.5, 0.5])?
        .with_flags("female", [true, false])
}

fn error_of(result: Result<Table>) -> Error {
    result.expect_err("an error")
}

fn format_error(text: &str) -> String {
    let error = error_of(Table::from_csv_str(text));
    assert_eq!(error.kind().name(), "format", "{error}");
    error.to_string()
}

fn bad(result: Result<Table>) -> (Vec<BadCell>, usize) {
    let error = error_of(result);
    match error.kind() {
        ErrorKind::BadCells { cells, total, .. } => (cells.clone(), *total),
        _ => panic!("{error}"),
    }
}

fn kind(cells: &[&str]) -> Result<ColumnKind> {
    let text = cells.iter().fold("row,x\n".to_owned(), |text, cell| text + "1," + cell + "\n");
    Ok(Table::from_csv_str(&text)?.column("x")?.kind())
}

/// One byte at a time.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = buffer.len().min(1);
        self.0.read(&mut buffer[..n])
    }
}

#[test]
fn the_same_table_in_many_notations() -> Result<()> {
    let expected = expected()?;
    for text in [
        TEXT.to_owned(),
        format!("\u{feff}{TEXT}"),
        TEXT.replace('\n', "\r\n"),
        format!("{TEXT}\n\n  \n"),
        TEXT.replace("\ncontrol", "\n\ncontrol"),
        TEXT.trim_end().to_owned(),
        TEXT.replace("arm,age", " arm ,\" age \"").replace("control,34", " control , 34"),
        TEXT.replace("control", "\"control\"").replace("34", "\"34\""),
        TEXT.replace("31.5", "3.15e1").replace("yes", "JA").replace("No", "nee"),
    ] {
        assert_eq!(Table::from_csv_str(&text)?, expected, "{text}");
        assert_eq!(Table::from_csv_reader(Drip(text.as_bytes()))?, expected, "{text}");
        let dutch = text.replace(',', ";").replace('.', ",");
        assert_eq!(CsvReader::new().delimiter(b';').decimal_comma().text(&dutch)?, expected, "{dutch}");
        let tabs = text.replace(',', "\t");
        assert_eq!(CsvReader::new().delimiter(b'\t').text(&tabs)?, expected, "{tabs}");
    }
    Ok(())
}

#[test]
fn kinds_are_found() -> Result<()> {
    assert_eq!(kind(&["1", "0", ""])?, ColumnKind::Count);
    assert_eq!(kind(&["1", "-1"])?, ColumnKind::Real);
    assert_eq!(kind(&["1.0", "1e3", "+2", ".5"])?, ColumnKind::Real);
    assert_eq!(kind(&["true", "NO", "ja", ""])?, ColumnKind::Flag);
    assert_eq!(kind(&["yes", "no", "unknown"])?, ColumnKind::Category);
    assert_eq!(kind(&["2024-01-31", "12:30", "1234 AB"])?, ColumnKind::Category);
    assert_eq!(kind(&["0344", "363"])?, ColumnKind::Category);
    assert_eq!(kind(&["00.5", "0344", "0"])?, ColumnKind::Real);
    assert_eq!(kind(&["9007199254740991", "1"])?, ColumnKind::Count);
    assert_eq!(kind(&["9007199254740993", "1"])?, ColumnKind::Category);
    assert_eq!(kind(&["9007199254740993", "1.5"])?, ColumnKind::Real);
    assert_eq!(kind(&["", ""])?, ColumnKind::Real);
    Ok(())
}

#[test]
fn columns_that_mix_numbers_and_text_are_errors() {
    let (cells, total) = bad(Table::from_csv_str("id,age\n1,34\n2,12a\n3,NA\n4,yes\n5,\n"));
    let found: Vec<_> =
        cells.iter().map(|cell| (cell.column.as_str(), cell.row, cell.found.as_str())).collect();
    assert_eq!((found, total), (vec![("age", 2, "12a"), ("age", 3, "NA"), ("age", 4, "yes")], 3));
    for odd in ["nan", "NaN", "inf", "-Infinity", "1e999", "\"1.234,5\"", "\"1,5\"", "1.2.3"] {
        for other in ["1", "text", ""] {
            let (cells, total) = bad(Table::from_csv_str(&format!("id,x\n1,{other}\n2,{odd}\n")));
            assert_eq!((cells[0].row + total).clamp(2, 4), cells[0].row + total, "{odd} {other} {cells:?}");
        }
        let category = CsvReader::new().category("x").text(&format!("id,x\n1,text\n2,{odd}\n"));
        assert!(category.is_ok(), "{category:?}");
    }
    let dutch = CsvReader::new().delimiter(b';').decimal_comma();
    for odd in ["1.5", "1.234,5", "1.234"] {
        assert_eq!(bad(dutch.text(&format!("id;x\n1;2,5\n2;{odd}\n"))).1, 1);
    }
}

#[test]
fn all_bad_cells_are_in_one_error() {
    let mut text = "id,a,b\n0,1,1.5\n".to_owned();
    for row in 1..50 {
        let _ = writeln!(text, "{row},NA,n/a");
    }
    let (cells, total) = bad(Table::from_csv_str(&text));
    assert_eq!((cells.len(), total), (20, 98));
    assert_eq!((cells[0].column.as_str(), cells[0].row), ("a", 2));
    assert_eq!((cells[1].column.as_str(), cells[1].row), ("b", 2));
    assert_eq!(cells[19].row, 11);
    let message = error_of(Table::from_csv_str(&text)).to_string();
    assert!(
        message.starts_with("98 cells could not be read:") && message.contains("and 78 more"),
        "{message}"
    );
    let long = "é".repeat(500);
    assert_eq!(bad(Table::from_csv_str(&format!("a,b\n1,1\n1,{long}\n"))).0[0].found.chars().count(), 61);
}

#[test]
fn missing_codes_are_declared() -> Result<()> {
    let text = "age,arm\n-99,NA\n34.5,x\n-99.0,n/a\nNA,-99\n999,999\n";
    let reader = CsvReader::new().missing(["NA", "-99"]).missing_in("age", ["999"]).category("arm");
    let table = reader.text(text)?;
    assert_eq!(table.column("age")?.reals()?.flatten().collect::<Vec<_>>(), [34.5]);
    assert_eq!(bad(reader.text(&text.replace("-99.0", "unknown"))).1, 1);
    let arm = CsvReader::new().missing(["NA", "-99"]).category("arm").only(["arm"]).text(text)?;
    let arm = arm.column("arm")?;
    assert_eq!(arm.categories()?.collect::<Vec<_>>(), [None, Some("x"), Some("n/a"), None, Some("999")]);
    Ok(())
}

#[test]
fn declared_kinds_are_read_or_refused() -> Result<()> {
    let text = "a,b,c,d\n1,3,2,7\n0,,5.0,\n1.0,2,,7\n";
    let table = CsvReader::new().flag("a").real("b").count("c").category("d").text(text)?;
    let expected = Table::new()
        .with_flags("a", [true, false, true])?
        .with_reals("b", [Some(3), None, Some(2)])?
        .with_counts("c", [Some(2), Some(5), None])?
        .with_categories("d", [Some("7"), None, Some("7")])?;
    assert_eq!(table, expected);

    let odd = "a,b,c\n2,x,1.5\nmaybe,yes,-1\n";
    let (cells, total) = bad(CsvReader::new().flag("a").real("b").count("c").text(odd));
    assert_eq!(total, 6);
    assert!(
        cells[0].expected.contains("ja or nee") && cells[2].expected.contains("whole number"),
        "{cells:?}"
    );

    let reader = CsvReader::new().real("aa");
    let error = error_of(reader.text(text));
    assert_eq!(error.kind().name(), "unknown_column");
    assert!(error.to_string().contains("did you mean \"a\""), "{error}");
    assert_eq!(error_of(CsvReader::new().missing_in("aa", ["9"]).text(text)).kind().name(), "unknown_column");
    assert_eq!(error_of(CsvReader::new().only(["aa"]).text(text)).kind().name(), "unknown_column");
    for reader in [
        CsvReader::new().real("a").flag("a"),
        CsvReader::new().decimal_comma(),
        CsvReader::new().delimiter(b'"'),
        CsvReader::new().delimiter(b'.'),
    ] {
        assert_eq!(error_of(reader.text(text)).kind().name(), "invalid_input");
    }
    Ok(())
}

#[test]
fn files_that_are_no_tables_are_format_errors() {
    for empty in ["", "\n\n", "\u{feff}"] {
        assert!(format_error(empty).contains("empty"));
    }
    assert!(format_error("a,b\n").contains("no rows"));
    assert!(format_error("a,b\n\n  \n").contains("no rows"));
    assert!(format_error("a,\n1,2\n").contains("column 2 has no name"));
    assert!(format_error("a, a\n1,2\n").starts_with("column \"a\": "));
    assert!(format_error("a;b\n1;2\n").contains(".delimiter(b';')"));
    assert!(format_error("a\tb\n1\t2\n").contains(".delimiter(b'\\t')"));
    let ragged = format_error("a,b\n1,2\n\n1,2,3\n");
    assert!(
        ragged
            .starts_with("row 2 (line 4): the row that begins with \"1\" has 3 cells, but the header has 2"),
        "{ragged}"
    );
    assert!(format_error("a,b\n1\n").contains("has 1 cell,"));
    assert!(format_error("a,b\n1,\"x\n2,y\n3,z\n").starts_with("row 1 (line 2): a quote"));
}

#[test]
fn text_must_be_utf8() -> Result<()> {
    assert_eq!(bad(Table::from_csv_reader(&b"a,b\n1,Frysl\xe2n\n"[..])).0[0].expected, "text in UTF-8");
    assert_eq!(error_of(Table::from_csv_reader(&b"Frysl\xe2n\n1\n"[..])).kind().name(), "format");
    let quoted = Table::from_csv_str("id,note\n1,\"says \"\"no, thanks\"\"\nand leaves\"\n")?;
    assert_eq!(quoted.column("note")?.categories()?.next(), Some(Some("says \"no, thanks\"\nand leaves")));
    Ok(())
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let error = error_of(Table::from_csv_path("/no/such/file.csv"));
    assert_eq!(error.kind().name(), "io");
    assert!(error.to_string().contains("/no/such/file.csv"), "{error}");
}

/// `cargo test --release --test behaviour million -- --ignored --nocapture`
#[test]
#[ignore = "a measurement, not a check"]
fn a_million_rows() -> Result<()> {
    let mut text = "id,arm,municipality,age,female,hours,wage,score,contract,month\n".to_owned();
    for row in 0..1_000_000_u64 {
        let x = row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let _ = writeln!(
            text,
            "{row},{},municipality {},{},{},{}.{},{}.{},{},{},{}",
            ["control", "guidance", "exemption"][(x % 3) as usize],
            x % 6,
            18 + x % 48,
            ["ja", "nee"][(x % 2) as usize],
            x % 40,
            x % 10,
            x % 4000,
            x % 100,
            x % 101,
            ["permanent", "temporary", ""][(x % 3) as usize],
            x % 24
        );
    }
    let start = std::time::Instant::now();
    let table = Table::from_csv_str(&text)?;
    println!("{} MB in {:?}\n{table}", text.len() / 1_000_000, start.elapsed());
    let start = std::time::Instant::now();
    let older = table.keep_where("age", |age| age > 50.0)?;
    println!("{} rows kept in {:?}", older.rows(), start.elapsed());
    Ok(())
}

/// Reals, counts, flags and categories of a table.
type Cells = Vec<(Option<f64>, Option<u64>, Option<bool>, Option<String>)>;

fn cells() -> impl Strategy<Value = Cells> {
    let real = prop::option::of(prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL);
    let label = "[ -~é\n\r\",;]{1,8}".prop_map(|label| label.trim_ascii().to_owned());
    let label = prop::option::of(label.prop_filter("empty cells are missing", |label| !label.is_empty()));
    let row = (real, prop::option::of(0..(1_u64 << 53)), any::<Option<bool>>(), label);
    prop::collection::vec(row, 1..30)
}

#[test]
fn texts_in_other_encodings() -> Result<()> {
    let text = "land,n\nBelgië,3\n";
    let expected = Table::from_csv_str(text)?;
    let utf16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let (little, big) = (utf16(u16::to_le_bytes), utf16(u16::to_be_bytes));
    for (mark, bytes, name, encoding) in [
        ([0xff, 0xfe], little, "Utf16Le", Encoding::Utf16Le),
        ([0xfe, 0xff], big, "Utf16Be", Encoding::Utf16Be),
    ] {
        let marked: Vec<u8> = mark.into_iter().chain(bytes.iter().copied()).collect();
        assert_eq!(Table::from_csv_reader(&marked[..])?, expected);
        assert_eq!(CsvReader::new().encoding(encoding).reader(&bytes[..])?, expected);
        let error = error_of(Table::from_csv_reader(&bytes[..])).to_string();
        assert!(error.contains(&format!(".encoding(Encoding::{name})")), "{error}");
        let odd = &marked[..marked.len() - 1];
        assert_eq!(error_of(Table::from_csv_reader(odd)).kind().name(), "format");
    }
    let latin = b"land,n\nBelgi\xeb,3\n";
    assert_eq!(CsvReader::new().encoding(Encoding::Windows1252).reader(&latin[..])?, expected);
    Ok(())
}

#[test]
fn every_bad_column_is_listed_with_its_call() {
    let text =
        "id,a,b,c,d,e\n1,1,EUR 1,5%,2020-01-31,x\n2,NA,EUR 2,6%,2020-02-01,y\n3,NA,$3,7%,2020-02-02,z\n";
    let error = error_of(Table::from_csv_str(text));
    let ErrorKind::BadCells { cells, total, advice } = error.kind() else { panic!("{error}") };
    assert_eq!((cells.len(), *total), (11, 11));
    for call in [
        ".missing_in(\"a\", [\"NA\"])",
        ".currency([\"EUR\"])",
        ".currency([\"$\"])",
        ".percent(Percent::AsWritten)",
        ".date(\"d\", DateOrder::YearMonthDay) or .category(\"d\")",
    ] {
        assert!(advice.iter().any(|line| line.starts_with(call)), "{call} is not in {advice:?}");
    }
    // One code in several columns is one call.
    let error = error_of(Table::from_csv_str("a,b\n1,2\nNA,3\n4,NA\n5,6\n")).to_string();
    assert!(error.contains(".missing([\"NA\"])") && error.contains("row 3 (line 4)"), "{error}");
}

#[test]
fn numbers_in_other_notations() -> Result<()> {
    let of = |reader: CsvReader, cells: &[&str]| -> Result<Vec<f64>> {
        let text = cells.iter().fold("x;y\n".to_owned(), |text, cell| format!("{text}{cell};0\n"));
        Ok(reader.delimiter(b';').text(&text)?.column("x")?.reals()?.flatten().collect())
    };
    let (plain, dutch) = (CsvReader::new, CsvReader::dutch_excel);
    let cells =
        ["1.234,5", "-12.345.678", "0,5", "€ 1.000", "-€ 2,50", "€ -3", "EUR\u{a0}4,-", "5 euro", "€6,--"];
    assert_eq!(of(dutch(), &cells)?, [1234.5, -12_345_678.0, 0.5, 1000.0, -2.5, -3.0, 4.0, 5.0, 6.0]);
    let spaces = ["1 234,5", "1\u{a0}234", "12\u{202f}345\u{202f}678"];
    assert_eq!(of(plain().decimal_comma().thousands(b' '), &spaces)?, [1234.5, 1234.0, 12_345_678.0]);
    assert_eq!(of(plain().thousands(b','), &["1,234.5", "12,345", "6.25"])?, [1234.5, 12345.0, 6.25]);
    // Decimals that are certain for one cell are certain for its column; a zero before the point is none of
    // thousands.
    assert_eq!(of(plain(), &["1.234", "1.25"])?, [1.234, 1.25]);
    assert_eq!(of(plain(), &["0.234", "0.567"])?, [0.234, 0.567]);
    for (reader, cells) in [
        (plain(), &["1.234", "5.678"][..]),
        (plain(), &["1.234", "5"]),
        (plain().real("x"), &["1.234"]),
        (plain().count("x"), &["1.234"]),
        (plain().currency(["€"]), &["€ 1.234"]),
        (plain().decimal_comma(), &["1.234"]),
        (dutch(), &["12.34"]),
        (dutch(), &["1.2345"]),
        (dutch(), &["1.234.5"]),
        (dutch(), &["0.123"]),
        (dutch(), &["5%", "5"]),
        (plain().decimal_comma().thousands(b' '), &["12 34"]),
    ] {
        assert_eq!(error_of(of(reader, cells).map(|_| Table::new())).kind().name(), "bad_cells", "{cells:?}");
    }
    for reader in [plain().thousands(b'.'), plain().decimal_comma().thousands(b','), plain().thousands(b'x')]
    {
        assert_eq!(error_of(of(reader, &["1"]).map(|_| Table::new())).kind().name(), "invalid_input");
    }
    Ok(())
}

#[test]
fn dates_are_days() -> Result<()> {
    let days = |cell: &str| -> Result<Option<f64>> {
        let text = format!("id,x\n1,{cell}\n");
        let reader = CsvReader::new().date("x", armwise::data::DateOrder::YearMonthDay);
        Ok(reader.text(&text)?.column("x")?.reals()?.flatten().next())
    };
    for (cell, expected) in [
        ("1970-01-01", 0.0),
        ("2000-02-29", 11016.0),
        ("2000/03/01", 11017.0),
        ("1969-12-31", -1.0),
        ("2018-03-01 12:30", 17591.0),
        ("0001-01-01", -719_162.0),
    ] {
        assert_eq!(days(cell)?, Some(expected), "{cell}");
    }
    for odd in ["2001-02-29", "1900-02-29", "2018-13-01", "2018-00-10", "2018-01-32", "18-01-2018", "x"] {
        assert!(days(odd).is_err(), "{odd}");
    }
    Ok(())
}

#[test]
fn edges_and_marks_are_left_out_with_a_notice() -> Result<()> {
    let text = "a,b,,\n1,2,,\n,,,\n3,4\n,,\n,,,,\n\u{1a}";
    let reader = CsvReader::new().drop_empty_edges();
    let table = reader.text(text)?;
    let notices =
        [TableNotice::EndMark, TableNotice::EmptyRows { rows: 2 }, TableNotice::EmptyColumns { columns: 3 }];
    assert_eq!((table.rows(), table.notices()), (3, &notices[..]));
    assert!(table.keep_where("a", |a| a > 1.0)?.to_string().contains("notice: 2 empty rows"), "{table}");
    assert_eq!(error_of(reader.text("a,b\n1,2,,x\n")).kind().name(), "format");
    Ok(())
}

proptest! {
    /// A number in Dutch notation is that number.
    #[test]
    fn dutch_numbers(cents in -99_999_999_999_i64..99_999_999_999, euro: bool) {
        let whole = (cents.abs() / 100).to_string();
        let groups: Vec<&str> = whole.as_bytes().rchunks(3).rev().map(|part| std::str::from_utf8(part).unwrap_or("")).collect();
        let sign = if cents < 0 { "-" } else { "" };
        let mark = if euro { "€ " } else { "" };
        let cell = format!("{mark}{sign}{},{:02}", groups.join("."), cents.abs() % 100);
        let table = CsvReader::dutch_excel().text(&format!("id;x\n1;{cell}\n"))?;
        let read: Vec<f64> = table.column("x")?.reals()?.flatten().collect();
        prop_assert_eq!(read, [format!("{sign}{}.{:02}", whole, cents.abs() % 100).parse::<f64>().unwrap_or(f64::NAN)]);
    }

    /// What is written is read.
    #[test]
    fn tables_survive_csv(rows in cells(), dutch: bool, crlf: bool, bom: bool, exponent: bool) {
        let (delimiter, end) = (if dutch { ';' } else { ',' }, if crlf { "\r\n" } else { "\n" });
        let mut text = if bom { "\u{feff}".to_owned() } else { String::new() };
        text += &["real", "count", "flag", "category"].join(&delimiter.to_string());
        text += end;
        for (real, count, flag, label) in &rows {
            let notation = |x: f64| if exponent { format!("{x:e}") } else { x.to_string() };
            let real = real.map_or_else(String::new, notation);
            let real = if dutch { real.replace('.', ",") } else { real };
            let count = count.map_or_else(String::new, |x| x.to_string());
            let words = if dutch { ["nee", "ja"] } else { ["FALSE", "TRUE"] };
            let flag = flag.map_or("", |x| words[usize::from(x)]);
            let label = label.as_ref().map(|x| format!("\"{}\"", x.replace('"', "\"\""))).unwrap_or_default();
            text += &[&real, &count, flag, &label].join(&delimiter.to_string());
            text += end;
        }
        let written = Table::new()
            .with_reals("real", rows.iter().map(|row| row.0))?
            .with_counts("count", rows.iter().map(|row| row.1))?
            .with_flags("flag", rows.iter().map(|row| row.2))?
            .with_categories("category", rows.iter().map(|row| &row.3))?;
        let reader = CsvReader::new().delimiter(delimiter as u8).real("real").count("count").flag("flag");
        let reader = if dutch { reader.decimal_comma() } else { reader };
        prop_assert_eq!(reader.category("category").text(&text)?, written);
    }

    /// Any bytes give a table or an error, and every number is finite.
    #[test]
    fn any_bytes_can_be_read(
        bytes in "[a0-9.,;+\"\n\r\t einfNA€%\\\\\u{a0}\u{1a}-]{0,60}",
        noise in prop::collection::vec(any::<u8>(), 0..6),
    ) {
        let mut bytes = bytes.into_bytes();
        bytes.extend(noise);
        let semicolons = CsvReader::new().delimiter(b';');
        for reader in [
            CsvReader::new(),
            CsvReader::dutch_excel(),
            CsvReader::new().backslash_quotes().thousands(b',').currency(["e"]).skip_lines(1),
            CsvReader::new().quoted_decimal_comma().thousands(b' ').encoding(Encoding::Windows1252),
            semicolons.clone(),
            semicolons.decimal_comma(),
        ] {
            let Ok(table) = reader.reader(&bytes[..]) else { continue };
            for name in table.names() {
                if let Ok(reals) = table.column(name)?.reals() {
                    prop_assert!(reals.flatten().all(f64::is_finite));
                }
            }
        }
    }
}
