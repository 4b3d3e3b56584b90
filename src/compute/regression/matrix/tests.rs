use super::*;
use ndarray::array;

fn dense(matrix: &ModelMatrix, forced: Option<Override>) -> Array2<f64> {
    let mut block = Array2::zeros((matrix.ncols(), matrix.nrows()));
    matrix.fill_with(0..matrix.nrows(), forced, block.view_mut());
    block.reversed_axes()
}

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
    assert_eq!(dense(&matrix, None).row(2), array![1.0, 0.0, 1.0, 30.0, 1.0, 0.0, 30.0]);
    let (term, levels, _) = matrix.category_codes("arm").unwrap();
    assert_eq!(levels, 3);
    assert_eq!(
        dense(&matrix, Some(Override { term, level: 0 })).row(2),
        array![1.0, 1.0, 0.0, 30.0, 1.0, 30.0, 0.0]
    );
    assert_eq!(
        dense(&matrix, Some(Override { term, level: 1 })).row(2),
        array![1.0, 0.0, 0.0, 30.0, 1.0, 0.0, 0.0]
    );
    let few = matrix.select(&[0, 5]).unwrap();
    assert_eq!(dense(&few, None).column(1), array![10.0, 0.0, 0.0, 0.0]);
    assert_eq!(matrix.validate(|_, _| ()).unwrap(), [0]);
}

#[test]
fn bad_columns_are_named_with_their_row() {
    let x = array![1.0, f64::NAN];
    let error = ModelMatrix::new(2).numeric("x", x.view()).unwrap().validate(|_, _| ()).unwrap_err();
    assert_eq!((error.place().column.as_deref(), error.place().row), (Some("x"), Some(2)));
    let codes = [0, 7];
    let error = ModelMatrix::new(2)
        .category("c", Category::new(&codes, ["a"]))
        .unwrap()
        .validate(|_, _| ())
        .unwrap_err();
    assert_eq!(error.kind().name(), "invalid_input");
    let huge = array![1e308, 1.0];
    assert!(ModelMatrix::new(2).numeric("x", huge.view()).unwrap().validate(|_, _| ()).is_err());
    assert!(ModelMatrix::new(3).numeric("x", huge.view()).is_err());
    assert!(ModelMatrix::new(2).intercept().unwrap().intercept().is_err());
}
