//! The verbs of a table: what they give, and what they refuse.

use armwise::data::{Bound, TableNotice, Unmatched};
use armwise::prelude::*;

fn people() -> Table {
    Table::from_csv_str(
        "id,city,age,works\n1,Utrecht,24,yes\n2,Tilburg,25,no\n3,Utrecht,,yes\n4,Deventer,45,\n",
    )
    .unwrap()
}

fn labels(table: &Table, column: &str) -> Vec<Option<String>> {
    let column = table.column(column).unwrap().to_categories().unwrap();
    column.categories().unwrap().map(|label| label.map(str::to_owned)).collect()
}

fn some(labels: &[&str]) -> Vec<Option<String>> {
    labels.iter().map(|label| (*label != "-").then(|| (*label).to_owned())).collect()
}

#[test]
fn verbs_give_what_a_user_would_write_by_hand() {
    let table = people();
    let bands = |bound| table.cut("age", "band", [25.0, 45.0], ["young", "middle", "old"], bound).unwrap();
    assert_eq!(labels(&bands(Bound::Above), "band"), some(&["young", "middle", "-", "old"]));
    assert_eq!(labels(&bands(Bound::Below), "band"), some(&["young", "young", "-", "middle"]));
    let merged =
        table.recode("city", [("Utrecht", "west"), ("Tilburg", "south"), ("Deventer", "west")]).unwrap();
    assert_eq!(labels(&merged, "city"), some(&["west", "south", "west", "west"]));
    assert_eq!(
        labels(&table.recode("works", [("yes", "1")]).unwrap(), "works"),
        some(&["1", "no", "1", "-"])
    );
    assert_eq!(labels(&table.missing_where("age", ["24"]).unwrap(), "age"), some(&["-", "25", "-", "45"]));
    assert_eq!(table.missing_where("works", ["no"]).unwrap().column("works").unwrap().missing(), 2);
    assert_eq!(table.drop_missing(["age", "works"]).unwrap().rows(), 2);
    assert_eq!(table.keep_categories("city", ["Utrecht", "Deventer"]).unwrap().rows(), 3);
    assert_eq!(table.rename("age", "leeftijd").unwrap().names().nth(2), Some("leeftijd"));
    // Rows keep their number in the file.
    let rows = table.keep_categories("id", ["3", "4"]).unwrap();
    let error = rows.join(
        &people().keep_categories("id", ["3"]).unwrap().rename("age", "a").unwrap(),
        "id",
        Unmatched::Refused,
    );
    assert!(error.unwrap_err().to_string().contains("row 4"));
}

#[test]
fn tables_are_appended_by_name() {
    let other = Table::from_csv_str("works,age,city,id\nno,30.5,Zwolle,5\n").unwrap();
    let both = people().append(&other).unwrap();
    assert_eq!(both.rows(), 5);
    assert_eq!(labels(&both, "age"), some(&["24", "25", "-", "45", "30.5"]));
    assert_eq!(labels(&both, "city")[4].as_deref(), Some("Zwolle"));
    // All missing cells fit every kind.
    let empty = Table::from_csv_str("works,age,city,id\n,,,6\n").unwrap();
    assert_eq!(people().append(&empty).unwrap().column("city").unwrap().missing(), 1);
    assert_eq!(empty.append(&people()).unwrap().column("works").unwrap().missing(), 2);
}

#[test]
fn tables_are_joined_by_a_key() {
    let inhabitants = Table::from_csv_str("city,inhabitants\nUtrecht,360000\nTilburg,224000\n").unwrap();
    let joined = people().join(&inhabitants, "city", Unmatched::Missing).unwrap();
    assert_eq!(labels(&joined, "inhabitants"), some(&["360000", "224000", "360000", "-"]));
    assert_eq!(joined.notices(), [TableNotice::Unmatched { key: "city".to_owned(), rows: 1 }]);
    let full = people().keep_categories("city", ["Utrecht", "Tilburg"]).unwrap();
    assert!(full.join(&inhabitants, "city", Unmatched::Refused).unwrap().notices().is_empty());
    // A key of numbers on one side and text on the other is the same key.
    let text = Table::new()
        .with_categories("id", ["1", "2", "3", "4"])
        .unwrap()
        .with_flags("here", [true; 4])
        .unwrap();
    assert_eq!(people().join(&text, "id", Unmatched::Refused).unwrap().column("here").unwrap().missing(), 0);
}

#[test]
fn a_summary_counts_what_there_is() {
    let summary = people().summary();
    let [_, city, age, works] = &summary.columns[..] else { panic!("{summary}") };
    assert_eq!((summary.rows, age.n, age.missing, age.min, age.max), (4, 3, 1, Some(24.0), Some(45.0)));
    assert!((age.mean.unwrap() - 94.0 / 3.0).abs() < 1e-12);
    let counts =
        |levels: &[(std::sync::Arc<str>, usize)]| levels.iter().map(|level| level.1).collect::<Vec<_>>();
    assert_eq!((counts(&city.levels), counts(&works.levels)), (vec![1, 1, 2], vec![1, 2]));
    assert_eq!((city.min, works.mean), (None, Some(2.0 / 3.0)));
    let text = summary.to_string();
    assert!(text.contains("city: categories, n 4, 0 missing: Deventer 1, Tilburg 1, Utrecht 2"), "{text}");
    assert!(text.contains("age: counts, n 3, 1 missing, 24 to 45, mean 31.3333"), "{text}");
    let empty = Table::new().with_reals("x", [None::<f64>]).unwrap().summary();
    assert_eq!((empty.columns[0].min, empty.columns[0].mean), (None, None));
}

type Verb = fn(&Table) -> armwise::Result<Table>;

#[test]
fn verbs_refuse_what_has_no_answer() {
    let cases: [(Verb, &str, &str); 22] = [
        (|t| t.rename("agee", "a"), "unknown_column", "did you mean \"age\""),
        (|t| t.rename("age", "city"), "invalid_input", "already"),
        (|t| t.rename("age", " "), "invalid_input", "empty"),
        (|t| t.recode("city", [("Utrect", "U")]), "unknown_category", "did you mean \"Utrecht\""),
        (|t| t.recode("city", [("Utrecht", "U"), ("Utrecht", "V")]), "invalid_input", "twice"),
        (|t| t.recode("city", [("Utrecht", " ")]), "invalid_input", "missing_where"),
        (|t| t.missing_where("age", ["999"]), "unknown_category", "column \"age\""),
        (|t| t.cut("city", "b", [1.0], ["a", "b"], Bound::Above), "column_type", "column \"city\""),
        (|t| t.cut("age", "b", [2.0, 1.0], ["a", "b", "c"], Bound::Above), "invalid_input", "rise"),
        (|t| t.cut("age", "b", [f64::NAN], ["a", "b"], Bound::Above), "invalid_input", "rise"),
        (|t| t.cut("age", "b", [1.0], ["a"], Bound::Above), "invalid_input", "2 bands"),
        (|t| t.cut("age", "b", [1.0], ["a", "a"], Bound::Above), "invalid_input", "two bands"),
        (|t| t.cut("age", "city", [1.0], ["a", "b"], Bound::Above), "invalid_input", "already"),
        (|t| t.drop_missing(["agee"]), "unknown_column", "did you mean"),
        (|t| t.keep_categories("city", ["Utrecht", "Zwolle"]), "unknown_category", "Zwolle"),
        (|t| t.append(&t.rename("age", "leeftijd")?), "unknown_column", "leeftijd"),
        (|t| t.rename("age", "leeftijd")?.append(t), "unknown_column", "age"),
        (
            |t| t.append(&t.rename("age", "x")?.rename("city", "age")?.rename("x", "city")?),
            "column_type",
            "column \"city\"",
        ),
        (|t| t.append(&t.recode("city", [("Utrecht", "utrecht")])?), "twin_labels", "column \"city\""),
        (|t| t.join(t, "id", Unmatched::Missing), "invalid_input", "already"),
        (|t| t.join(&t.rename("id", "key")?, "id", Unmatched::Missing), "unknown_column", "id"),
        (
            |t| {
                t.join(
                    &t.rename("id", "i")?.rename("age", "a")?.rename("works", "w")?,
                    "city",
                    Unmatched::Missing,
                )
            },
            "invalid_input",
            "twice",
        ),
    ];
    for (i, (verb, kind, words)) in cases.into_iter().enumerate() {
        let error = verb(&people()).map(|table| panic!("case {i}: {table}")).unwrap_err();
        assert_eq!(error.kind().name(), kind, "case {i}: {error}");
        assert!(error.to_string().contains(words), "case {i}: {error}");
    }
}
