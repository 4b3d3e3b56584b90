//! What the estimators of tau² ask of models with covariates, and its Q-profile interval.

use super::dense::{Cholesky, Square};
use super::regression::Rows;
use super::tau2::{ChiSquaredQuantiles, Likelihood, Tau2Estimate};
use super::tau2_methods::{Moments, Studies};
use crate::compute::interval::Interval;
use crate::error::{Error, ErrorKind, Result};

impl Studies for Rows {
    fn count(&self) -> (f64, f64) {
        (self.y.len() as f64, self.df() as f64)
    }

    fn variance(&self, i: usize) -> f64 {
        self.v[i]
    }

    fn at(&self, tau2: f64) -> Result<Moments> {
        let at = Self::at(self, tau2)?;
        Ok(Moments { q: at.q, s1: at.s1, trace_p: at.trace_p, restricted: at.trace_pp, full: at.s2 })
    }

    fn most_likely(&self, likelihood: Likelihood) -> Result<f64> {
        self.maximum_likelihood(likelihood)
    }

    fn q_root(&self, target: f64) -> Result<f64> {
        Self::q_root(self, target)
    }

    fn scatter(&self) -> Result<(f64, bool)> {
        let mean = self.y.iter().sum::<f64>() / self.y.len() as f64;
        let scatter = self.y.iter().map(|y| (y - mean) * (y - mean)).sum();
        Ok((scatter, self.sum_of_squares()? != 0.0))
    }

    fn moment(&self, a: impl Fn(usize) -> f64 + Copy) -> Result<Tau2Estimate> {
        let form = self.form(a)?;
        let tau2 = if form.q == 0.0 { 0.0 } else { ((form.q - form.expected()) / form.trace()).max(0.0) };
        Ok(Tau2Estimate { tau2, se: Some(form.sd(tau2) / form.trace()) })
    }

    fn sd(&self, a: impl Fn(usize) -> f64 + Copy, tau2: f64) -> Result<f64> {
        Ok(self.form(a)?.sd(tau2))
    }
}

impl Rows {
    /// The tau² at which Q(tau²) is the upper and the lower quantile; both limits are 0 where Q(0) is below
    /// the lower one.
    pub(super) fn q_profile(&self, chi2: ChiSquaredQuantiles) -> Result<Interval> {
        let upper = self.q_root(chi2.lower)?;
        let lower = if upper == 0.0 { 0.0 } else { self.q_root(chi2.upper)? };
        Ok(Interval::between(lower, upper))
    }

    /// sum of a x x' over the rows.
    fn gram(&self, a: impl Fn(usize) -> f64) -> Square {
        let mut gram = Square::zeros(self.p);
        for i in 0..self.y.len() {
            let (weight, x) = (a(i), self.row(i));
            for c in 0..self.p {
                for d in 0..self.p {
                    gram[(c, d)] += weight * x[c] * x[d];
                }
            }
        }
        gram
    }

    fn form(&self, a: impl Fn(usize) -> f64) -> Result<Form<'_>> {
        let a: Vec<f64> = (0..self.y.len()).map(a).collect();
        let factor = self.gram(|i| a[i]).cholesky().ok_or_else(|| {
            Error::from(ErrorKind::NotEstimable(
                "the weights differ by too many orders of magnitude for the model; leave a moderator out"
                    .into(),
            ))
        })?;
        let mut b = vec![0.0; self.p];
        for (i, (weight, y)) in a.iter().zip(&self.y).enumerate() {
            for (b, x) in b.iter_mut().zip(self.row(i)) {
                *b += weight * x * y;
            }
        }
        factor.solve(&mut b);
        let residual = |i: usize| self.y[i] - self.row(i).iter().zip(&b).map(|(x, b)| x * b).sum::<f64>();
        let q = (0..self.y.len()).map(|i| a[i] * residual(i) * residual(i)).sum();
        Ok(Form { rows: self, a, factor, q })
    }
}

/// y'Ay with A = D - DX(X'DX)^-1X'D, D = diag(a).
struct Form<'a> {
    rows: &'a Rows,
    a: Vec<f64>,
    factor: Cholesky,
    q: f64,
}

impl Form<'_> {
    /// (X'DX)^-1 X' diag(d) X.
    fn relative(&self, d: impl Fn(usize) -> f64) -> Square {
        self.factor.inverse().times(&self.rows.gram(d))
    }

    fn trace_of(&self, s: impl Fn(usize) -> f64) -> f64 {
        let sum: f64 = (0..self.a.len()).map(|i| self.a[i] * s(i)).sum();
        let fitted = self.relative(|i| self.a[i] * self.a[i] * s(i));
        sum - (0..self.rows.p).map(|c| fitted[(c, c)]).sum::<f64>()
    }

    /// At least that of as many of the smallest weights as there are residual degrees of freedom.
    fn trace(&self) -> f64 {
        let least = self.a.iter().copied().fold(f64::INFINITY, f64::min);
        self.trace_of(|_| 1.0).max(self.rows.df() as f64 * least)
    }

    /// tr(AV): the expectation without variance between studies.
    fn expected(&self) -> f64 {
        self.trace_of(|i| self.rows.v[i])
    }

    /// sqrt(2 tr(ASAS)) with S = diag(v + tau²): the standard deviation of the form where the y are normal.
    fn sd(&self, tau2: f64) -> f64 {
        let s = |i: usize| self.a[i] * (self.rows.v[i] + tau2);
        let sum: f64 = (0..self.a.len()).map(|i| s(i) * s(i)).sum();
        let twice = self.relative(|i| self.a[i] * s(i) * s(i));
        let once = self.relative(|i| self.a[i] * s(i));
        let trace: f64 = (0..self.rows.p).map(|c| twice[(c, c)]).sum();
        (2.0 * (sum - 2.0 * trace + once.trace_of_product(&once))).max(0.0).sqrt()
    }
}
