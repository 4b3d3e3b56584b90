//! One set of studies, so many that it fills the vectors by itself.

use super::lanes::ManyStudies;
use super::solver::{Lanes, Question, Solved, Spread, solve};
use super::tau2::{self, Extent, Likelihood, Sums, extent, sums};
use super::vector::Vector;
use pulp::Scalar;

pub(super) fn solve_set(yi: &[f64], vi: &[f64], question: Question) -> Solved {
    let mut set =
        SingleSet { yi, vi, extent: extent(yi, vi), center: yi.iter().sum::<f64>() / yi.len() as f64 };
    let solved = solve(Scalar, &mut set, question);
    macro_rules! numbers {
        ($($field:ident),*) => {
            Solved { $($field: solved.$field.lanes),* }
        };
    }
    numbers!(ss, zero_q, zero_trace_p, tau2, mean, s1, q, information, lower, upper)
}

struct SingleSet<'d> {
    yi: &'d [f64],
    vi: &'d [f64],
    extent: Extent,
    /// The mean of the last sums.
    center: f64,
}

impl SingleSet<'_> {
    fn sums_at(&self, tau2: f64) -> Sums {
        /// From so many studies on, their weights are not kept, and a second pass costs as much as the first.
        const MANY: usize = 200;
        let but = self.extent.most_precise;
        let many = ManyStudies { yi: self.yi, vi: self.vi, tau2, but, center: self.center };
        match Some(many).filter(|_| self.yi.len() >= MANY).and_then(ManyStudies::sums) {
            Some(others) => Sums::of(1.0, self.yi[but], 1.0 / (self.vi[but] + tau2), &others),
            None => sums(self.yi, self.vi, &self.extent, tau2),
        }
    }
}

impl Lanes<Scalar> for SingleSet<'_> {
    fn spread(&self, simd: Scalar) -> Spread<Vector<Scalar>> {
        let of = |lanes| Vector { simd, lanes };
        let Spread { ss, v_min, v_max, v_mean, v_typical } = self.extent.spread;
        Spread {
            ss: of(ss),
            v_min: of(v_min),
            v_max: of(v_max),
            v_mean: of(v_mean),
            v_typical: of(v_typical),
        }
    }

    fn sums(&mut self, tau2: Vector<Scalar>) -> Sums<Vector<Scalar>> {
        let of = |lanes| Vector { simd: tau2.simd, lanes };
        let Sums { s1, s2, trace_p, trace_pp, mean, q, r2, curve } = self.sums_at(tau2.lanes);
        self.center = mean;
        Sums {
            s1: of(s1),
            s2: of(s2),
            trace_p: of(trace_p),
            trace_pp: of(trace_pp),
            mean: of(mean),
            q: of(q),
            r2: of(r2),
            curve: of(curve),
        }
    }

    fn patient_maximum(&self, _lane: usize, likelihood: Likelihood) -> f64 {
        tau2::maximum_likelihood(self.yi, self.vi, &self.extent, likelihood)
    }

    fn patient_root(&self, _lane: usize, target: f64) -> f64 {
        tau2::q_root(self.yi, self.vi, &self.extent, target)
    }
}
