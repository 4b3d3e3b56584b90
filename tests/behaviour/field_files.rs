//! Files as people have them (`tests/data/field`): each with the right value or the right error, for the
//! default reader, for the reader that the errors advise, and for the profile of a Dutch Excel.

use armwise::data::{ColumnKind, CsvReader, DateOrder, Encoding, Percent, TableNotice};
use armwise::prelude::*;

fn path(file: &str) -> String {
    format!("{}/tests/data/field/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn plain() -> CsvReader {
    CsvReader::new()
}

/// What somebody declares who follows the first error of a file with semicolons.
fn semicolons() -> CsvReader {
    CsvReader::new().delimiter(b';')
}

fn commas() -> CsvReader {
    semicolons().decimal_comma()
}

fn dutch() -> CsvReader {
    CsvReader::dutch_excel()
}

#[track_caller]
fn read(reader: &CsvReader, file: &str) -> Table {
    reader.path(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

const ITEM: Measure<Continuous> = Questionnaire::new(&["w1"], 0.0, 5.0).measure("w");

/// The error of a reader, which has to hold these words.
#[track_caller]
fn refused(reader: &CsvReader, file: &str, words: &[&str]) {
    let Err(error) = reader.path(path(file)) else { panic!("{file} was read") };
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{file}: {word:?} is not in: {text}");
    }
}

#[track_caller]
fn numbers(table: &Table, column: &str, expected: &[f64]) {
    let found: Vec<f64> = table.column(column).unwrap().reals().unwrap().flatten().collect();
    assert_eq!(found, expected, "{column}");
}

#[track_caller]
fn flags(table: &Table, column: &str, expected: &[bool]) {
    let found: Vec<bool> = table.column(column).unwrap().flags().unwrap().flatten().collect();
    assert_eq!(found, expected, "{column}");
}

fn labels(table: &Table, column: &str) -> Vec<String> {
    table.column(column).unwrap().levels().iter().map(ToString::to_string).collect()
}

fn trial(table: Table) -> armwise::Result<Trial> {
    Trial::builder("Utrecht", table).arm_labels("arm").control("controle").build()
}

/// Files that the default reader sends to semicolons, by the call to paste.
#[test]
fn semicolons_are_suggested() {
    for entry in std::fs::read_dir(path("")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let comma = ["nl-backslash-quote.csv", "nl-comma-file-decimal-comma.csv"].contains(&file.as_str());
        let other = ["nl-sep-line.csv", "nl-utf16-tab.txt", "nl-ctrl-z.csv", "nl-title-row.csv"]
            .contains(&file.as_str());
        if !comma && !other {
            refused(&plain(), &file, &[".delimiter(b';')", "CsvReader::dutch_excel()"]);
        }
        if comma {
            refused(&dutch(), &file, &[".delimiter(b',')"]);
        }
    }
    refused(&plain(), "nl-ctrl-z.csv", &[".delimiter(b';')"]);
}

#[test]
fn thousands() {
    let income = [1234.56, 987.1, 12400.0, 1020.5];
    refused(
        &semicolons(),
        "nl-thousands.csv",
        &["row 1 (line 2)", "1.234,56", ".decimal_comma().thousands(b'.')"],
    );
    refused(&commas(), "nl-thousands.csv", &["3 cells", "row 3 (line 4)", ".thousands(b'.')"]);
    numbers(&read(&commas().thousands(b'.'), "nl-thousands.csv"), "inkomen", &income);
    numbers(&read(&dutch(), "nl-thousands.csv"), "inkomen", &income);

    // 1.234 is 1234, or an error that says so.
    let whole = [1234.0, 1987.0, 12400.0, 1020.0];
    let file = "nl-thousands-whole.csv";
    refused(
        &semicolons(),
        file,
        &["4 cells", "\"1.234\"", ".decimal_comma().thousands(b'.')", "1234", ".decimal_point()"],
    );
    refused(&commas(), file, &["4 cells", ".thousands(b'.')"]);
    numbers(&read(&commas().thousands(b'.'), file), "inkomen", &whole);
    numbers(&read(&dutch(), file), "inkomen", &whole);
    assert_eq!(read(&dutch(), file).column("inkomen").unwrap().kind(), ColumnKind::Count);
    numbers(&read(&semicolons().decimal_point(), file), "inkomen", &[1.234, 1.987, 12.4, 1.02]);
}

#[test]
fn amounts_percents_and_dates() {
    let file = "nl-euro-covariate.csv";
    refused(&commas(), file, &["64 cells", "\"EUR 1.000\"", "and 44 more", ".currency([\"EUR\"])"]);
    refused(&commas().currency(["EUR"]), file, &["64 cells", ".thousands(b'.')"]);
    refused(&semicolons().currency(["EUR"]), file, &["64 cells", ".decimal_comma().thousands(b'.')"]);
    let table = read(&dutch(), file);
    assert_eq!(table, read(&commas().currency(["eur"]).thousands(b'.'), file));
    let income: Vec<f64> = table.column("inkomen").unwrap().reals().unwrap().flatten().collect();
    assert_eq!((income[0], income[1], income.len()), (1000.0, 1320.0, 64));
    let summary = table.summary();
    assert_eq!((summary.columns[2].min, summary.columns[2].max), (Some(1000.0), Some(1800.0)));
    let work = trial(table).unwrap().on(&Measure::binary("werk")).unwrap();
    let model = LogisticRegression::new().adjust_for(["inkomen"]);
    assert!(work.estimate(&model).unwrap().treatment("begeleiding").unwrap().value().is_finite());

    refused(&commas(), "nl-percent.csv", &["4 cells", "\"12,5%\"", ".percent(Percent::AsWritten)"]);
    numbers(&read(&dutch(), "nl-percent.csv"), "deeltijd", &[12.5, 20.0, 80.0, 100.0]);
    let share = read(&dutch().percent(Percent::Share), "nl-percent.csv");
    numbers(&share, "deeltijd", &[0.125, 0.2, 0.8, 1.0]);

    refused(
        &commas(),
        "nl-dates.csv",
        &["4 cells", "\"01-03-2018\"", ".date(\"start\", DateOrder::DayMonthYear)"],
    );
    // Days since 1970-01-01: 14 days, and 17 and 2 more.
    let days = [17591.0, 17605.0, 17622.0, 17624.0];
    numbers(&read(&dutch(), "nl-dates.csv"), "start", &days);
    numbers(&read(&commas().date("start", DateOrder::DayMonthYear), "nl-dates.csv"), "start", &days);
    assert_eq!(labels(&read(&commas().category("start"), "nl-dates.csv"), "start").len(), 4);
    refused(
        &dutch().date("start", DateOrder::MonthDayYear),
        "nl-dates.csv",
        &["1 cell", "15-03-2018", "row 2 (line 3)"],
    );
}

#[test]
fn encodings() {
    let (land, hours) = (["België", "Curaçao", "Nederland"], [31.5, 20.0, 8.0, 12.0]);
    for reader in [commas(), dutch()] {
        let file = "nl-windows1252.csv";
        refused(
            &reader,
            file,
            &["3 cells", "text in UTF-8", ".encoding(Encoding::Windows1252)", "\"België\""],
        );
        let table = read(&reader.encoding(Encoding::Windows1252), file);
        assert_eq!(labels(&table, "land"), land);
        numbers(&table, "uren", &hours);
    }
    for reader in [plain(), dutch()] {
        refused(&reader, "nl-utf16-tab.txt", &[".delimiter(b'\\t')"]);
    }
    refused(&plain().delimiter(b'\t'), "nl-utf16-tab.txt", &["\"31,5\"", ".decimal_comma()"]);
    let table = read(&dutch().delimiter(b'\t'), "nl-utf16-tab.txt");
    assert_eq!(labels(&table, "land"), ["België", "Nederland"]);
    numbers(&table, "uren", &[31.5, 20.0]);
    refused(&dutch().encoding(Encoding::Utf8), "nl-utf16-tab.txt", &["Encoding::Utf16Le"]);
}

#[test]
fn lines_that_are_no_rows() {
    refused(&plain(), "nl-sep-line.csv", &["row 1 (line 3)", "\"31,5\"", ".decimal_comma()"]);
    refused(&plain().delimiter(b','), "nl-sep-line.csv", &["delimiter(b';')"]);
    for reader in [plain().decimal_comma(), dutch()] {
        numbers(&read(&reader, "nl-sep-line.csv"), "uren", &[31.5, 20.25]);
    }
    refused(&plain(), "nl-title-row.csv", &[".delimiter(b';').skip_lines(2)"]);
    for reader in [commas(), dutch()] {
        refused(&reader, "nl-title-row.csv", &[".skip_lines(2)"]);
        let table = read(&reader.skip_lines(2), "nl-title-row.csv");
        numbers(&table, "uren", &[31.5, 20.0]);
        flags(&table, "werk", &[true, false]);
    }
    for reader in [commas(), dutch()] {
        let table = read(&reader, "nl-ctrl-z.csv");
        numbers(&table, "uren", &[31.5, 20.0]);
        assert_eq!(table.notices(), [TableNotice::EndMark]);
    }
    refused(&plain(), "nl-backslash-quote.csv", &["row 1 (line 2)", ".backslash_quotes()"]);
    let table = read(&plain().backslash_quotes(), "nl-backslash-quote.csv");
    assert_eq!(labels(&table, "opm"), ["goed", "zei \"ja\", toch"]);
    numbers(&table, "uren", &[31.0, 20.0]);

    let survey = "id,w1,w2\nparticipant,How often?,How long?\n1,2,3\n2,3,3\n3,1,2\n";
    let error = plain().text(survey).unwrap_err().to_string();
    assert!(error.contains(".skip_after_header(1)"), "{error}");
    numbers(&plain().skip_after_header(1).text(survey).unwrap(), "w1", &[2.0, 3.0, 1.0]);
}

#[test]
fn empty_edges() {
    let table = read(&commas(), "nl-blank-last-rows.csv");
    assert_eq!((table.rows(), table.column("arm").unwrap().missing()), (4, 2));
    assert!(trial(table).unwrap_err().to_string().contains("row 3"));
    let table = read(&dutch(), "nl-blank-last-rows.csv");
    numbers(&table, "uren", &[31.5, 20.0]);
    assert_eq!((table.rows(), table.notices()), (2, &[TableNotice::EmptyRows { rows: 2 }][..]));

    for (file, columns) in [("nl-trailing-empty-columns.csv", 2), ("nl-trailing-delimiters-in-rows.csv", 1)] {
        refused(&commas(), file, &[".drop_empty_edges()"]);
        for reader in [commas().drop_empty_edges(), dutch()] {
            let table = read(&reader, file);
            numbers(&table, "uren", &[31.5, 20.0]);
            assert_eq!(table.names().len(), 2);
            assert_eq!(table.notices(), [TableNotice::EmptyColumns { columns }]);
        }
    }
}

#[test]
fn decimal_commas_between_quotes() {
    let file = "nl-comma-file-decimal-comma.csv";
    refused(&plain(), file, &["3 cells", "\"31,5\"", ".quoted_decimal_comma()"]);
    refused(&dutch().delimiter(b','), file, &[".quoted_decimal_comma()"]);
    for reader in [plain().quoted_decimal_comma(), dutch().delimiter(b',').quoted_decimal_comma()] {
        numbers(&read(&reader, file), "uren", &[31.5, 20.25, 8.0]);
    }
}

#[test]
fn codes_and_words() {
    for reader in [commas(), dutch()] {
        let file = "nl-nvt.csv";
        refused(&reader, file, &["row 2 (line 3)", "\"n.v.t.\"", ".missing_in(\"uren\", [\"n.v.t.\"])"]);
        numbers(&read(&reader.clone().missing_in("uren", ["n.v.t."]), file), "uren", &[31.5, 20.0, 12.0]);

        let file = "nl-ja-nee-1-0.csv";
        refused(&reader, file, &["2 cells", "\"ja\"", ".flag(\"werk\")"]);
        flags(&read(&reader.clone().flag("werk"), file), "werk", &[true, false, true, false]);

        // Codes that are numbers cannot be told from numbers; a summary shows them, and a range refuses them.
        let file = "nl-numeric-missing-codes.csv";
        let table = read(&reader, file);
        numbers(&table, "leeftijd", &[51.0, 999.0, 60.0, 33.0]);
        assert_eq!(table.summary().columns[1].max, Some(999.0));
        let error = trial(table).unwrap().on(&ITEM).unwrap_err().to_string();
        assert!(error.contains("column \"w1\", row 2") && error.contains("0 to 5"), "{error}");
        let declared = reader.missing_in("leeftijd", ["999"]).missing_in("w1", ["9", "99"]);
        let table = read(&declared, file);
        numbers(&table, "leeftijd", &[51.0, 60.0, 33.0]);
        numbers(&table, "w1", &[3.0, 2.0]);
    }
}

#[test]
fn space_that_does_not_break() {
    let hours = [31.5, 20.0, 36.0, 12.0];
    let table = read(&commas(), "nl-nbsp.csv");
    numbers(&table, "uren", &hours);
    let error = trial(table).unwrap_err();
    assert_eq!(error.kind().name(), "twin_labels");
    let text = error.to_string();
    assert!(text.contains("column \"arm\"") && text.contains("\\u{a0}") && text.contains("space"), "{text}");
    let table = read(&dutch(), "nl-nbsp.csv");
    numbers(&table, "uren", &hours);
    assert_eq!(labels(&table, "arm"), ["begeleiding", "controle"]);
    assert_eq!(table, read(&commas().no_break_space(), "nl-nbsp.csv"));
}

#[test]
fn labels_that_differ_by_case() {
    for reader in [semicolons(), dutch()] {
        let table = read(&reader, "nl-arms-in-capitals.csv");
        let error = trial(table.clone()).unwrap_err();
        assert_eq!(error.kind().name(), "twin_labels");
        let text = error.to_string();
        for word in ["Utrecht", "column \"arm\"", "\"Begeleiding\"", "\"begeleiding\"", "recode("] {
            assert!(text.contains(word), "{text}");
        }
        let pairs = [("Controle", "controle"), ("Begeleiding", "begeleiding")];
        let work = trial(table.recode("arm", pairs).unwrap()).unwrap().on(&Measure::binary("werk")).unwrap();
        assert_eq!(work.arms().iter().map(|arm| arm.counts.randomised).sum::<u64>(), 60);
        assert_eq!(work.arms().len(), 2);
    }
}

#[test]
fn contracts() {
    const PERMANENT: Measure<Binary> =
        Measure::level("contract", "vast").no(&["geen", "tijdelijk"]).named("permanent contract");
    for reader in [semicolons(), dutch()] {
        let difference = |comparison: Comparison<Binary>| {
            let effects = comparison.estimate(&DifferenceInProportions::new()).unwrap();
            effects.treatment("begeleiding").unwrap().value()
        };
        // "vast" beside "Vast": 20 of 30 in both arms.
        let table = read(&reader, "nl-contract-dutch.csv");
        let error = trial(table.clone()).unwrap().on(&PERMANENT).unwrap_err();
        assert_eq!(error.kind().name(), "twin_labels", "{error}");
        let table = table.recode("contract", [("Vast", "vast")]).unwrap();
        let comparison = trial(table.clone()).unwrap().on(&PERMANENT).unwrap();
        assert_eq!(comparison.arms()[1].counts.events, Some(20));
        assert_eq!(difference(comparison), 0.0);
        // The levels of `Contract` are others.
        let error = trial(table).unwrap().on(&Contract::permanent("contract")).unwrap_err();
        assert_eq!(error.kind().name(), "undeclared_labels", "{error}");

        // Two labels that say nothing about a contract: 9 of 17 known in both arms.
        let unknown = trial(read(&reader, "nl-contract-unknown.csv")).unwrap();
        let error = unknown.on(&Contract::permanent("contract")).unwrap_err().to_string();
        for word in [
            "Utrecht",
            "column \"contract\"",
            "\"onbekend\" in 17 rows (4, 5, ",
            "\"n.v.t.\" in 9 rows (3, ",
            "no(",
            "missing(",
            "not_applicable(",
        ] {
            assert!(error.contains(word), "{word:?} is not in: {error}");
        }
        let declared = Contract::permanent("contract").missing(&["onbekend"]).not_applicable(&["n.v.t."]);
        let comparison = unknown.on(&declared).unwrap();
        let notices: Vec<String> = comparison.notices().iter().map(ToString::to_string).collect();
        assert!(notices[0].contains("9 of 60") && notices[1].contains("17 of 60"), "{notices:?}");
        assert_eq!(comparison.arms()[0].counts.analysed, 17);
        assert_eq!(difference(comparison), 0.0);
        let no = Contract::permanent("contract").no(&["none", "temporary", "n.v.t."]).missing(&["onbekend"]);
        let comparison = unknown.on(&no).unwrap();
        let counts: Vec<u64> = comparison.arms().iter().map(|arm| arm.counts.analysed).collect();
        assert_eq!(counts, [22, 21]);
    }
}

/// Every file is named by a test above.
#[test]
fn every_file_is_a_test() {
    let tests = include_str!("field_files.rs");
    let mut files = 0;
    for entry in std::fs::read_dir(path("")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        assert!(tests.matches(&format!("\"{file}\"")).count() > 0, "{file}");
        files += 1;
    }
    assert_eq!(files, 22);
}
