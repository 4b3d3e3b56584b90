//! The parts of one-stage models: forward derivatives, Newton's method, quadrature.

// Positions in small fixed arrays are clearer than chains of iterators.
#![allow(clippy::needless_range_loop)]

use armwise::internal::{CountFamily, Hypergeometric, Jet, cholesky, gauss_hermite, maximise, solve};
use armwise::one_stage::ArmTotal;

#[test]
fn climbs_a_curved_ridge() {
    // Rosenbrock's function, upside down.
    let peak = maximise([-1.2, 1.0], 1e6, |at: &[f64; 2]| {
        let (x, y) = (Jet::<2>::parameter(0, at[0]), Jet::parameter(1, at[1]));
        let (one, ridge) = (Jet::constant(1.0) - x, y - x * x);
        -(one * one) - (ridge * ridge).scale(100.0)
    })
    .unwrap();
    assert!(peak.converged && peak.point.iter().all(|x| (x - 1.0).abs() < 1e-12), "{peak:?}");
}

#[test]
fn leaves_a_saddle_and_finds_a_maximum_on_the_axis() {
    let double = |at: &[f64; 1]| {
        let x = Jet::<1>::parameter(0, at[0]);
        (x * x).scale(2.0) - x * x * x * x
    };
    assert!((maximise([0.01], 1e6, double).unwrap().point[0] - 1.0).abs() < 1e-12);
    let single = |at: &[f64; 1]| {
        let x = Jet::<1>::parameter(0, at[0]);
        -(x * x + Jet::constant(1.0)).ln()
    };
    assert!(maximise([3.0], 1e6, single).unwrap().point[0].abs() < 1e-9);
}

#[test]
fn solves() {
    let m = [[4.0, 2.0], [2.0, 3.0]];
    let x = solve(&cholesky(&m).unwrap(), &[8.0, 7.0]);
    assert!((x[0] - 1.25).abs() < 1e-15 && (x[1] - 1.5).abs() < 1e-15);
    assert!(cholesky(&[[1.0, 2.0], [2.0, 1.0]]).is_none());
}

#[test]
fn integrates_polynomials_exactly() {
    for points in [1, 2, 3, 7, 25, 60, 100] {
        let rule = gauss_hermite(points).unwrap();
        let moment = |power: i32| {
            rule.iter().map(|node| (node.ln_weight - node.z * node.z).exp() * node.z.powi(power)).sum::<f64>()
        };
        let root_pi = std::f64::consts::PI.sqrt();
        assert!((moment(0) / root_pi - 1.0).abs() < 1e-12, "{points}");
        assert!(moment(1).abs() < 1e-12);
        if points > 2 {
            assert!((moment(2) / root_pi - 0.5).abs() < 1e-12);
            assert!((moment(4) / root_pi - 0.75).abs() < 1e-12);
        }
    }
    assert!(gauss_hermite(0).is_err() && gauss_hermite(101).is_err());
}

#[test]
fn each_derivative_is_that_of_the_one_before() {
    let arms = |e1, n1, e0, n0| {
        CountFamily::Table(Hypergeometric::of_arms(
            ArmTotal { events: e1, n: n1 },
            ArmTotal { events: e0, n: n0 },
        ))
    };
    for family in
        [CountFamily::Binomial { n: 12.0 }, arms(3, 11, 8, 23), arms(40, 300, 7, 20), arms(0, 5, 3, 3)]
    {
        for eta in [-30.0, -4.0, -0.3, 0.0, 0.7, 5.0, 40.0] {
            let h = 1e-4;
            let (up, down) = (family.at(eta + h), family.at(eta - h));
            for order in 0..4 {
                let difference = (up.value(order) - down.value(order)) / (2.0 * h);
                let got = family.at(eta).value(order + 1);
                let tolerance = 1e-6 * (1.0 + got.abs());
                assert!((got - difference).abs() < tolerance, "{family:?} {eta} {order}: {got} {difference}");
            }
        }
    }
}

/// `ln(exp(x y) + sqrt(y)) / x` against differences.
#[test]
fn derivatives_agree_with_differences() {
    let f = |x: f64, y: f64| {
        let (x, y) = (Jet::<2>::parameter(0, x), Jet::<2>::parameter(1, y));
        ((x * y).exp() + y.sqrt() - Jet::constant(0.25)).ln() * x.reciprocal()
    };
    let (x, y, h) = (0.7, 1.3, 1e-5);
    let jet = f(x, y);
    let (dx, dy) = ((f(x + h, y), f(x - h, y)), (f(x, y + h), f(x, y - h)));
    assert!((jet.gradient[0] - (dx.0.value - dx.1.value) / (2.0 * h)).abs() < 1e-9);
    assert!((jet.gradient[1] - (dy.0.value - dy.1.value) / (2.0 * h)).abs() < 1e-9);
    for i in 0..2 {
        assert!((jet.hessian[0][i] - (dx.0.gradient[i] - dx.1.gradient[i]) / (2.0 * h)).abs() < 1e-8);
        assert!((jet.hessian[1][i] - (dy.0.gradient[i] - dy.1.gradient[i]) / (2.0 * h)).abs() < 1e-8);
    }
}
