//! Design matrices.

use armwise::internal::{category, constant_columns, rows};
use armwise::ndarray::array;
use armwise::regression::{Category, ModelMatrix};

#[test]
fn a_forced_level_changes_the_products_too() {
    let (codes, age, flags) = ([0, 1, 2, 1], array![10.0, 20.0, 30.0, 40.0], [true, false, true, true]);
    let matrix = ModelMatrix::new(4)
        .intercept()
        .and_then(|m| m.category("arm", Category::new(&codes, ["a", "b", "c"]).reference(1)))
        .and_then(|m| m.numeric("age", age.view()))
        .and_then(|m| m.indicator("female", flags.as_slice()))
        .and_then(|m| m.product("arm", "age"))
        .unwrap();
    assert_eq!(matrix.names()[1..3], ["arm[a]", "arm[c]"]);
    assert_eq!(rows(&matrix, None).row(2), array![1.0, 0.0, 1.0, 30.0, 1.0, 0.0, 30.0]);
    let (term, levels) = category(&matrix, "arm").unwrap();
    assert_eq!(levels, 3);
    assert_eq!(rows(&matrix, Some((term, 0))).row(2), array![1.0, 1.0, 0.0, 30.0, 1.0, 30.0, 0.0]);
    assert_eq!(rows(&matrix, Some((term, 1))).row(2), array![1.0, 0.0, 0.0, 30.0, 1.0, 0.0, 0.0]);
    let few = matrix.select(&[0, 5]).unwrap();
    assert_eq!(rows(&few, None).column(1), array![10.0, 0.0, 0.0, 0.0]);
    assert_eq!(constant_columns(&matrix).unwrap(), [0]);
}

#[test]
fn bad_columns_are_named_with_their_row() {
    let x = array![1.0, f64::NAN];
    let error = constant_columns(&ModelMatrix::new(2).numeric("x", x.view()).unwrap()).unwrap_err();
    assert_eq!((error.place().column.as_deref(), error.place().row), (Some("x"), Some(2)));
    let codes = [0, 7];
    let beyond = ModelMatrix::new(2).category("c", Category::new(&codes, ["a"])).unwrap();
    let error = constant_columns(&beyond).unwrap_err();
    assert_eq!(error.kind().name(), "invalid_input");
    let huge = array![1e308, 1.0];
    assert!(constant_columns(&ModelMatrix::new(2).numeric("x", huge.view()).unwrap()).is_err());
    assert!(ModelMatrix::new(3).numeric("x", huge.view()).is_err());
    assert!(ModelMatrix::new(2).intercept().unwrap().intercept().is_err());
}
