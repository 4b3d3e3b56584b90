//! tau² of models with covariates by every estimator, and its Q-profile interval.

use super::dense::{Cholesky, Square};
use super::options::Tau2;
use super::regression::Rows;
use super::tau2::{ChiSquaredQuantiles, Tau2Estimate};
use crate::compute::interval::Interval;
use crate::error::{Error, ErrorKind, Result};

impl Rows {
    /// An estimate of tau² with its standard error; `chi2` belongs to the residual degrees of freedom, of
    /// which there is one.
    pub(super) fn estimate_tau2(
        &self,
        method: Tau2,
        chi2: ChiSquaredQuantiles,
        moment_weights: Option<&[f64]>,
    ) -> Result<Tau2Estimate> {
        let free = self.df() as f64;
        let k = self.y.len() as f64;
        let inverse_variances = || self.v.iter().map(|v| 1.0 / v).collect::<Vec<_>>();
        let some = |tau2: f64, se: f64| Tau2Estimate { tau2, se: Some(se) };
        Ok(match method {
            Tau2::Reml | Tau2::Ml | Tau2::PauleMandel | Tau2::EmpiricalBayes | Tau2::DerSimonianLaird => {
                self.tau2(method)?
            }
            Tau2::PauleMandelMedian => {
                let tau2 = self.q_root(chi2.median)?;
                some(tau2, (2.0 / free).sqrt() * k / self.at(tau2)?.s1)
            }
            Tau2::HunterSchmidt | Tau2::HunterSchmidtCorrected => {
                let zero = self.at(0.0)?;
                let correction = if method == Tau2::HunterSchmidt { 1.0 } else { k / free };
                let tau2 = ((zero.q * correction - k) / zero.s1).max(0.0);
                some(tau2, correction * self.form(inverse_variances())?.sd(tau2) / zero.s1)
            }
            Tau2::Hedges => self.moment(vec![1.0; self.y.len()])?,
            Tau2::SidikJonkman => {
                let mean = self.y.iter().sum::<f64>() / k;
                let start = self.y.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>() / k;
                if start == 0.0 || self.sum_of_squares()? == 0.0 {
                    return Ok(Tau2Estimate { tau2: 0.0, se: None });
                }
                let tau2 = start * self.at(start)?.q / free;
                let form = self.form(self.v.iter().map(|v| start / (v + start)).collect())?;
                some(tau2, form.sd(tau2) / free)
            }
            Tau2::DerSimonianLairdTwoStep => {
                let first = self.tau2(Tau2::DerSimonianLaird)?.tau2;
                self.moment(self.v.iter().map(|v| 1.0 / (v + first)).collect())?
            }
            Tau2::GeneralizedQ => match moment_weights {
                Some(weights) => self.moment(weights.to_vec())?,
                None => self.moment(inverse_variances())?,
            },
            Tau2::HartungMakambi => {
                let zero = self.at(0.0)?;
                let tau2 = zero.q * zero.q / ((2.0 * free + zero.q) * zero.trace_p);
                Tau2Estimate { tau2, se: None }
            }
        })
    }

    /// (`Q_a` - E `Q_a` at tau² = 0)/tr(A).
    fn moment(&self, a: Vec<f64>) -> Result<Tau2Estimate> {
        let form = self.form(a)?;
        let tau2 = if form.q == 0.0 { 0.0 } else { ((form.q - form.expected()) / form.trace()).max(0.0) };
        Ok(Tau2Estimate { tau2, se: Some(form.sd(tau2) / form.trace()) })
    }

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

    fn form(&self, a: Vec<f64>) -> Result<Form<'_>> {
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
