use armwise::internal::{Cholesky, UpperFactor, aliased_columns, null_space};
use armwise::ndarray::{Array2, ArrayView2, Axis, Slice, array};
use std::ops::Range;

fn columns(mut a: ArrayView2<f64>, range: Range<usize>) -> ArrayView2<f64> {
    a.slice_axis_inplace(Axis(1), Slice::from(range));
    a
}

#[test]
fn cholesky_solves_and_inverts_on_any_scale() {
    let a = array![[4e14, 2.0, 1e7], [2.0, 3e-14, 1e-7], [1e7, 1e-7, 2.0]];
    let factor = Cholesky::new(a.view()).unwrap();
    let unit = a.dot(&factor.inverse());
    for i in 0..3 {
        let scale = |j: usize| (a[[i, i]] / a[[j, j]]).sqrt();
        for j in 0..3 {
            let want = f64::from(u8::from(i == j));
            assert!((unit[[i, j]] / scale(j) - want).abs() < 1e-14, "{unit}");
        }
    }
    let b = array![1.0, 2e-14, 3.0];
    let x = factor.solve(b.view());
    assert!(x.iter().zip(&factor.inverse().dot(&b)).all(|(x, y)| (x - y).abs() < 1e-12 * x.abs()));
    assert!(Cholesky::new(array![[1.0, 1.0], [1.0, 1.0]].view()).is_none());
    assert!(Cholesky::new(array![[1.0, 0.0], [0.0, f64::NAN]].view()).is_none());
}

#[test]
fn merged_blocks_have_the_cross_products_of_the_whole() {
    let x = Array2::from_shape_fn((3, 17), |(j, i)| ((i * 7 + j * 3) % 11) as f64 - 4.0 + 0.1 * j as f64);
    let mut factor = UpperFactor::new(3);
    factor.push(columns(x.view(), 0..2));
    factor.push(columns(x.view(), 2..9));
    factor.push(columns(x.view(), 9..17));
    let r = factor.finish();
    let difference = r.t().dot(&r) - x.dot(&x.t());
    assert!(difference.iter().all(|d| d.abs() < 1e-11));
    let a = Cholesky::from_upper(r.view()).unwrap().inverse();
    let b = Cholesky::new(x.dot(&x.t()).view()).unwrap().inverse();
    assert!((a - b).iter().all(|d| d.abs() < 1e-12));
}

#[test]
fn later_columns_are_the_aliased_ones() {
    let x = array![[1.0, 1.0, 0.0, 2.0], [1.0, 1.0, 0.0, 3.0], [1.0, 0.0, 1.0, 5.0], [1.0, 0.0, 1.0, 7.0]];
    assert_eq!(aliased_columns(x.view()), [2]);
    assert_eq!(null_space(x.view()).ncols(), 1);
    assert_eq!(null_space(array![[1.0, 0.0, 0.0]].view()).ncols(), 2);
    assert_eq!(null_space(Array2::zeros((0, 2)).view()).ncols(), 2);
}
