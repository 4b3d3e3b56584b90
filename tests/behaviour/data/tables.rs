//! Columns and tables.

use std::sync::Arc;

use armwise::data::{Column, ColumnKind, Table};
use armwise::error::{Error, Result};
use armwise::internal::{flags, origin, reals};
use armwise::ndarray::{Array1, Axis, Slice, array};
use proptest::prelude::*;

/// The position of each cell among the levels.
fn codes(column: &Column) -> Result<Vec<Option<usize>>> {
    let levels = labels(column);
    let position = |label: &str| levels.iter().position(|level| *level == label).expect("a level");
    Ok(column.categories()?.map(|label| label.map(position)).collect())
}

fn labels(column: &Column) -> Vec<&str> {
    column.levels().iter().map(AsRef::as_ref).collect()
}

fn people() -> Result<Table> {
    Table::new()
        .with_categories(
            "municipality",
            [Some("Utrecht"), Some("Tilburg"), None, Some("Utrecht"), Some("Wageningen")],
        )?
        .with_reals("age", [Some(34.5), None, Some(62.0), Some(58.0), Some(19.0)])?
        .with_flags("female", [Some(true), Some(false), None, Some(true), Some(false)])?
        .with_counts("stratum", [10, 2, 2, 1, 10])
}

fn error_of<T>(result: Result<T>) -> Error {
    result.err().expect("an error")
}

#[test]
fn columns_take_values_options_and_references() -> Result<()> {
    let reals = Column::of_reals([Some(1.5), None])?;
    let (options, numbers, texts) = (vec![Some(1.5), None], [1.0, 2.0], vec!["b".to_owned(), "a".to_owned()]);
    assert_eq!(Column::of_reals(&options)?, reals);
    assert_eq!(Column::of_reals(options)?, reals);
    assert_eq!(Column::of_reals([Some(&1.5), None])?, reals);
    assert_eq!(Column::of_reals([1, 2])?, Column::of_reals(numbers.iter())?);
    assert_eq!(Column::of_counts(vec![3_u32, 4])?, Column::of_counts([3, 4])?);
    assert_ne!(Column::of_counts([3, 4])?, Column::of_reals([3, 4])?);
    assert_eq!(Column::of_flags([Some(true), None])?.missing(), 1);
    let text = Column::of_categories(["b", "a"])?;
    assert_eq!(Column::of_categories(&texts)?, text);
    assert_eq!(Column::of_categories(texts)?, text);
    assert_eq!(Column::of_categories(["b", "a"].iter())?, text);
    assert_eq!(Column::of_categories([Arc::<str>::from("b"), "a".into()])?, text);
    Ok(())
}

#[test]
fn columns_mark_missing_cells_inside_and_give_options_outside() -> Result<()> {
    let table = people()?;
    assert!(reals(&table, "age")?[1].is_nan());
    assert_eq!(table.column("age")?.reals()?.collect::<Vec<_>>()[..2], [Some(34.5), None]);
    assert_eq!(flags(&table, "female")?, [1, 0, u8::MAX, 1, 0]);
    assert_eq!(reals(&table, "female")?[..2], [1.0, 0.0]);
    assert!(reals(&table, "female")?[2].is_nan());
    assert_eq!(codes(table.column("municipality")?)?, [Some(1), Some(0), None, Some(1), Some(2)]);
    assert_eq!(table.column("municipality")?.categories()?.nth(2), Some(None));
    let stratum = table.column("stratum")?.counts()?.collect::<Vec<_>>();
    assert_eq!(stratum, [10, 2, 2, 1, 10].map(Some));
    assert_eq!(reals(&table, "stratum")?, [10.0, 2.0, 2.0, 1.0, 10.0]);
    let missing: Vec<bool> =
        (0..6).map(|row| table.column("age").is_ok_and(|age| age.is_missing(row))).collect();
    assert_eq!(missing, [false, true, false, false, false, true]);
    Ok(())
}

#[test]
fn columns_are_read_as_other_kinds_where_nothing_is_lost() -> Result<()> {
    let table = Table::new().with_counts("x", [Some(0), Some(1), None])?.with_reals("y", [1.0, 0.0, 1.0])?;
    assert_eq!(flags(&table, "x")?, [0, 1, u8::MAX]);
    assert_eq!(flags(&table, "y")?, [1, 0, 1]);
    assert_eq!(table.column("x")?.flags()?.collect::<Vec<_>>(), [Some(false), Some(true), None]);
    assert_eq!(Column::of_reals([Some(7.0), None])?.counts()?.collect::<Vec<_>>(), [Some(7), None]);
    assert_eq!(Column::of_flags([true])?.counts()?.next(), Some(Some(1)));
    let error = error_of(flags(&people()?, "stratum").map(<[u8]>::len));
    assert_eq!(error.kind().name(), "column_type");
    assert_eq!(
        error.to_string(),
        "column \"stratum\": holds counts, among them 10, but a column of flags (yes or no, or the numbers 1 and 0) is needed; mend the data, \
         declare its codes of missing values, or take another column"
    );
    assert_eq!(error_of(Column::of_reals([1.5])?.counts().map(|_| ())).kind().name(), "column_type");
    assert_eq!(error_of(Column::of_counts([1])?.categories().map(|_| ())).kind().name(), "column_type");
    let error = error_of(reals(&people()?, "municipality").map(<[f64]>::len));
    assert!(error.to_string().contains("\"Tilburg\""), "{error}");
    Ok(())
}

#[test]
fn levels_are_sorted_as_numbers_or_letters() -> Result<()> {
    assert_eq!(labels(&Column::of_categories(["10", "9", "010"])?), ["9", "010", "10"]);
    assert_eq!(labels(&Column::of_categories(["10", "9", "x"])?), ["10", "9", "x"]);
    assert_eq!(
        labels(&Column::of_reals([Some(2.5), Some(10.0), None, Some(-0.0), Some(0.0)])?.to_categories()?),
        ["0", "2.5", "10"]
    );
    let flags = Column::of_flags([Some(true), None])?.to_categories()?;
    assert_eq!((labels(&flags), codes(&flags)?), (vec!["yes"], vec![Some(0), None]));
    Ok(())
}

#[test]
fn numbers_that_are_not_finite_are_refused_with_their_place() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = error_of(Table::new().with_reals("age", [Some(34.0), Some(value)]));
        assert_eq!(error.kind().name(), "invalid_input");
        assert_eq!((error.place().column.as_deref(), error.place().row), (Some("age"), Some(2)));
        assert!(error.to_string().contains("give None for a missing cell"), "{error}");
        assert!(Table::new().with_view("age", array![value].view()).is_err());
        assert!(Table::new().with_counts("age", [value]).is_err());
    }
    for value in [-1.0, 0.5, 2_f64.powi(53)] {
        let error = error_of(Table::new().with_counts("children", [value]));
        assert!(error.to_string().starts_with("column \"children\", row 1: "), "{error}");
    }
    let error = error_of(Table::new().with_categories("arm", ["control", ""]));
    assert!(error.to_string().starts_with("column \"arm\", row 2: "), "{error}");
}

#[test]
fn tables_need_columns_of_equal_length_and_distinct_names() -> Result<()> {
    let table = Table::new().with_reals("age", [1.0, 2.0])?;
    let error = error_of(table.clone().with_flags("female", [true]));
    assert!(error.to_string().contains("has 1 cell, but the table has 2 rows"), "{error}");
    assert!(error_of(table.clone().with_reals("age", [1.0, 2.0])).to_string().contains("already"));
    assert_eq!(error_of(table.clone().with_reals(" ", [1.0, 2.0])).kind().name(), "invalid_input");
    let error = error_of(table.column("Agee").cloned());
    assert_eq!(error.kind().name(), "unknown_column");
    assert!(error.to_string().contains("did you mean \"age\""), "{error}");
    assert_eq!(table.names().collect::<Vec<_>>(), ["age"]);
    let empty = Table::new().with_reals("age", [0.0; 0])?;
    assert_eq!((empty.rows(), empty.column("age")?.is_empty()), (0, true));
    assert!(empty.with_reals("hours", [1.0]).is_err());
    Ok(())
}

#[test]
fn views_may_have_any_stride() -> Result<()> {
    let numbers = Array1::from_iter((0..6).map(f64::from));
    let table = Table::new().with_view("back", numbers.slice_axis(Axis(0), Slice::new(0, None, -2)))?;
    assert_eq!(reals(&table, "back")?, [5.0, 3.0, 1.0]);
    Ok(())
}

#[test]
fn subgroups_drop_missing_cells_and_levels_without_rows() -> Result<()> {
    let table = people()?;
    let older = table.keep_where("age", |age| age > 50.0)?;
    assert_eq!(reals(&older, "age")?, [62.0, 58.0]);
    assert_eq!(labels(older.column("municipality")?), ["Utrecht"]);
    assert_eq!((origin(&older, 0), origin(&older, 1)), (2, 3));
    assert_eq!(table.keep_where("age", |_| true)?.rows(), 4);

    let utrecht = older.keep_category("municipality", "Utrecht")?;
    assert_eq!((utrecht.rows(), origin(&utrecht, 0)), (1, 3));
    assert_eq!(table.keep_category("stratum", "10")?.rows(), 2);
    assert_eq!(table.keep_category("female", "yes")?.rows(), 2);
    let error = error_of(table.keep_category("municipality", "Utrech"));
    assert_eq!(error.kind().name(), "unknown_category");
    assert!(error.to_string().contains("did you mean \"Utrecht\""), "{error}");
    assert_eq!(error_of(table.keep_where("municipality", |_| true)).kind().name(), "column_type");

    assert_eq!(table.keep(&[true; 5])?, table);
    assert_eq!(table.keep(&[false; 5])?.rows(), 0);
    assert_eq!(table.keep(&[false; 5])?.names().len(), 4);
    assert_eq!(error_of(table.keep(&[true])).kind().name(), "invalid_input");

    let parts = table.split_by("municipality")?;
    let parts: Vec<_> = parts.iter().map(|part| (part.label.as_ref(), part.table.rows())).collect();
    assert_eq!(parts, [("Tilburg", 1), ("Utrecht", 2), ("Wageningen", 1)]);
    assert_eq!(origin(&table.split_by("stratum")?[2].table, 1), 4);
    Ok(())
}

#[test]
fn a_few_rows_of_many_identifiers() -> Result<()> {
    let names: Vec<String> = (0..1000).map(|id| format!("participant {id}")).collect();
    let table =
        Table::new().with_categories("id", &names)?.with_counts("cluster", (0..1000).map(|id| id / 4))?;
    let part = &table.split_by("cluster")?[2].table;
    assert_eq!(
        labels(part.column("id")?),
        ["participant 10", "participant 11", "participant 8", "participant 9"]
    );
    assert_eq!(codes(part.column("id")?)?, [2, 3, 0, 1].map(Some));
    Ok(())
}

#[test]
fn tables_print_their_columns() -> Result<()> {
    let text = "5 rows, 4 columns\n  municipality: categories (3 levels), 1 missing\n  age: real numbers, 1 missing\n  \
                female: flags, 1 missing\n  stratum: counts";
    assert_eq!(people()?.to_string(), text);
    assert_eq!(
        format!("{:?}", people()?.column("municipality")?),
        "categories: 5 cells, 1 missing, 3 levels"
    );
    assert_eq!(people()?.column("stratum")?.kind(), ColumnKind::Count);
    Ok(())
}

proptest! {
    /// A table of which rows were taken out equals the table that is made of those rows.
    #[test]
    fn keeping_rows_is_making_the_table_of_them(
        rows in prop::collection::vec(
            (any::<bool>(), prop::option::of("[a-c0-9]{1,2}"), prop::option::of(-3.0..3.0)),
            0..40,
        )
    ) {
        let make = |rows: Vec<&(bool, Option<String>, Option<f64>)>| {
            Table::new()
                .with_categories("label", rows.iter().map(|row| &row.1))?
                .with_reals("number", rows.iter().map(|row| row.2))
        };
        let mask: Vec<bool> = rows.iter().map(|row| row.0).collect();
        let kept = make(rows.iter().collect())?.keep(&mask)?;
        let made = make(rows.iter().filter(|row| row.0).collect())?;
        prop_assert_eq!(&kept, &made);
        let at = (0..kept.rows()).map(|row| origin(&kept, row)).collect::<Vec<_>>();
        prop_assert_eq!(at, (0..rows.len()).filter(|row| mask[*row]).collect::<Vec<_>>());
    }
}
