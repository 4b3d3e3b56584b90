//! The numerical core of models with covariates: independent rows with variances vᵢ + tau².
//!
//! Correlated rows arrive here after a rotation that makes them independent (`multivariate.rs`).

use super::dense::{Cholesky, Square};
use super::options::Tau2;
use super::tau2::{self, Likelihood, LogLikelihoods, Tau2Estimate};
use crate::compute::interval::Interval;
use crate::error::{Collinearity, Error, ErrorKind, Result};

/// A design matrix as Q R with orthonormal columns of Q, so that ill-scaled covariates cost no digits.
#[derive(Debug, Clone)]
pub(crate) struct Orthogonal {
    /// Row by row, p to a row.
    pub(crate) q: Vec<f64>,
    r: Square,
}

impl Orthogonal {
    /// Gram-Schmidt, twice. Columns of which less than 1e-7 is left are combinations of those before them.
    pub(crate) fn new(x: &[f64], names: &[String]) -> Result<Self> {
        let p = names.len();
        let m = x.len() / p.max(1);
        let mut q = x.to_vec();
        let mut r = Square::zeros(p);
        let mut aliased = vec![false; p];
        for j in 0..p {
            let norm = |q: &[f64]| (0..m).map(|i| q[i * p + j] * q[i * p + j]).sum::<f64>().sqrt();
            let before = norm(&q);
            for _ in 0..2 {
                for c in 0..j {
                    let dot: f64 = (0..m).map(|i| q[i * p + c] * q[i * p + j]).sum();
                    r[(c, j)] += dot;
                    for i in 0..m {
                        q[i * p + j] -= dot * q[i * p + c];
                    }
                }
            }
            let after = norm(&q);
            if after.is_nan() || after <= 1e-7 * before {
                // Name the columns before it of which it is a combination, too.
                let mut weights: Vec<f64> = (0..j).map(|c| r[(c, j)]).collect();
                for c in (0..j).rev() {
                    let later: f64 = (c + 1..j).map(|d| r[(c, d)] * weights[d]).sum();
                    weights[c] = if r[(c, c)] > 0.0 { (weights[c] - later) / r[(c, c)] } else { 0.0 };
                }
                aliased[j] = true;
                for c in 0..j {
                    let column = (0..=c).map(|d| r[(d, c)] * r[(d, c)]).sum::<f64>().sqrt();
                    aliased[c] |= weights[c].abs() * column > 1e-7 * before;
                }
                for i in 0..m {
                    q[i * p + j] = 0.0;
                }
                continue;
            }
            r[(j, j)] = after;
            for i in 0..m {
                q[i * p + j] /= after;
            }
        }
        if aliased.contains(&true) {
            let components =
                names.iter().zip(aliased).filter(|(_, aliased)| *aliased).map(|(name, _)| name.clone());
            return Err(ErrorKind::Collinear {
                what: Collinearity::Components,
                components: components.collect(),
            }
            .into());
        }
        Ok(Self { q, r })
    }

    /// R^-1 b: coefficients of the columns that were given.
    pub(crate) fn coefficients(&self, gamma: &[f64]) -> Vec<f64> {
        let p = self.r.n;
        let mut b = gamma.to_vec();
        for i in (0..p).rev() {
            let sum: f64 = (i + 1..p).map(|j| self.r[(i, j)] * b[j]).sum();
            b[i] = (b[i] - sum) / self.r[(i, i)];
        }
        b
    }

    /// R^-T c: the combination of orthonormal coefficients that equals c'beta.
    pub(crate) fn transposed_coefficients(&self, c: &[f64]) -> Vec<f64> {
        let mut b = c.to_vec();
        for i in 0..self.r.n {
            let sum: f64 = (0..i).map(|j| self.r[(j, i)] * b[j]).sum();
            b[i] = (b[i] - sum) / self.r[(i, i)];
        }
        b
    }

    /// R^-1 C R^-T.
    pub(crate) fn covariance(&self, c: &Square) -> Square {
        let p = self.r.n;
        let half: Vec<Vec<f64>> =
            (0..p).map(|j| self.coefficients(&(0..p).map(|i| c[(i, j)]).collect::<Vec<_>>())).collect();
        let full: Vec<Vec<f64>> =
            (0..p).map(|i| self.coefficients(&(0..p).map(|j| half[j][i]).collect::<Vec<_>>())).collect();
        Square::from_fn(p, |i, j| 0.5 * (full[i][j] + full[j][i]))
    }
}

/// y = X b + u + e, rows independent, Var(uᵢ) = tau², Var(eᵢ) = vᵢ; X with p columns, row by row.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) y: Vec<f64>,
    pub(crate) v: Vec<f64>,
    pub(crate) x: Vec<f64>,
    pub(crate) p: usize,
}

/// Everything at one tau².
#[derive(Debug, Clone)]
pub(crate) struct At {
    pub(crate) coefficients: Vec<f64>,
    pub(crate) factor: Cholesky,
    /// sum w e².
    pub(crate) q: f64,
    /// sum w² e², and the sum of w.
    pub(super) r2: f64,
    pub(crate) s1: f64,
    /// tr(P), P = W - WX(X'WX)^-1X'W, and tr(PP).
    pub(crate) trace_p: f64,
    pub(super) trace_pp: f64,
    pub(super) s2: f64,
    /// u'Pu with u = We.
    upu: f64,
}

impl At {
    pub(crate) fn covariance(&self) -> Square {
        self.factor.inverse()
    }

    /// Twice the score, and its derivative.
    fn score(&self, likelihood: Likelihood) -> (f64, f64) {
        match likelihood {
            Likelihood::Restricted => (self.r2 - self.trace_p, self.trace_pp - 2.0 * self.upu),
            Likelihood::Full => (self.r2 - self.s1, self.s2 - 2.0 * self.upu),
        }
    }
}

impl Rows {
    pub(crate) fn df(&self) -> usize {
        self.y.len().saturating_sub(self.p)
    }

    pub(crate) fn row(&self, i: usize) -> &[f64] {
        &self.x[i * self.p..(i + 1) * self.p]
    }

    pub(crate) fn at(&self, tau2: f64) -> Result<At> {
        let p = self.p;
        let (mut s1, mut s2) = (0.0, 0.0);
        let mut moments = [Square::zeros(p), Square::zeros(p), Square::zeros(p)];
        let mut right = vec![0.0; p];
        for (i, v) in self.v.iter().enumerate() {
            let w = 1.0 / (v + tau2);
            s1 += w;
            s2 += w * w;
            let x = self.row(i);
            for a in 0..p {
                right[a] += w * x[a] * self.y[i];
                for b in 0..=a {
                    let product = w * x[a] * x[b];
                    moments[0][(a, b)] += product;
                    moments[1][(a, b)] += w * product;
                    moments[2][(a, b)] += w * w * product;
                }
            }
        }
        for moment in &mut moments {
            for a in 0..p {
                for b in 0..a {
                    moment[(b, a)] = moment[(a, b)];
                }
            }
        }
        let factor = moments[0].cholesky().ok_or_else(|| {
            Error::from(ErrorKind::NotEstimable(
                "the weights of the studies differ by too many orders of magnitude for the model; leave a component out".into(),
            ))
        })?;
        factor.solve(&mut right);
        let (mut q, mut r2, mut r3) = (0.0, 0.0, 0.0);
        let mut c = vec![0.0; p];
        for (i, v) in self.v.iter().enumerate() {
            let w = 1.0 / (v + tau2);
            let x = self.row(i);
            let e = self.y[i] - x.iter().zip(&right).map(|(x, b)| x * b).sum::<f64>();
            let u = w * e;
            q += u * e;
            r2 += u * u;
            r3 += w * u * u;
            for a in 0..p {
                c[a] += w * x[a] * u;
            }
        }
        factor.forward(&mut c);
        let upu = r3 - c.iter().map(|c| c * c).sum::<f64>();
        let inverse = factor.inverse();
        let second = inverse.times(&moments[1]);
        // Where one study dominates, little more than rounding is left of both traces; P has rank k - p and
        // no eigenvalue below the smallest weight, which bounds them.
        let free = self.df() as f64;
        let least = free / (self.extremes().1 + tau2);
        let trace_p = (s1 - (0..p).map(|i| second[(i, i)]).sum::<f64>()).max(least);
        let trace_pp = s2 - 2.0 * inverse.trace_of_product(&moments[2]) + second.trace_of_product(&second);
        let trace_pp = if free > 0.0 { trace_pp.max(trace_p * trace_p / free) } else { trace_pp };
        Ok(At { coefficients: right, factor, q, r2, s1, trace_p, trace_pp, s2, upu })
    }

    /// (Full, restricted) with all constants; the restricted one for orthonormal columns, that is with +
    /// log|X'X|/2.
    pub(crate) fn log_likelihoods(&self, tau2: f64, at: &At) -> LogLikelihoods {
        let m = self.y.len() as f64;
        let log_det: f64 = self.v.iter().map(|v| (v + tau2).ln()).sum();
        let ln_2pi = (2.0 * std::f64::consts::PI).ln();
        let free = m - self.p as f64;
        LogLikelihoods {
            full: -0.5 * (m * ln_2pi + log_det + at.q),
            restricted: -0.5 * (free * ln_2pi + log_det + at.factor.log_determinant() + at.q),
        }
    }

    fn log_likelihood(&self, tau2: f64, likelihood: Likelihood) -> Result<f64> {
        let both = self.log_likelihoods(tau2, &self.at(tau2)?);
        Ok(if likelihood == Likelihood::Restricted { both.restricted } else { both.full })
    }

    fn extremes(&self) -> (f64, f64) {
        self.v.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(*v), high.max(*v)))
    }

    /// Residual sum of squares with equal weights; 0 where only rounding is left.
    pub(crate) fn sum_of_squares(&self) -> Result<f64> {
        let equal = Self { v: vec![1.0; self.y.len()], ..self.clone() };
        let total: f64 = self.y.iter().map(|y| y * y).sum();
        let rest = equal.at(0.0)?.q;
        Ok(if rest <= 1e-28 * total { 0.0 } else { rest })
    }

    /// An estimate of tau² with its standard error.
    pub(crate) fn tau2(&self, method: Tau2) -> Result<Tau2Estimate> {
        let free = self.df() as f64;
        if free < 1.0 {
            return Err(ErrorKind::InsufficientStudies(
                "there are as many effects as coefficients, so their variance between studies cannot be estimated; \
                 use a common effect, or fewer components"
                    .into(),
            )
            .into());
        }
        let tau2 = match method {
            Tau2::Reml => self.maximum_likelihood(Likelihood::Restricted)?,
            Tau2::Ml => self.maximum_likelihood(Likelihood::Full)?,
            Tau2::PauleMandel | Tau2::EmpiricalBayes => self.q_root(free)?,
            Tau2::DerSimonianLaird => {
                let zero = self.at(0.0)?;
                ((zero.q - free) / zero.trace_p).max(0.0)
            }
            other => {
                return Err(Error::invalid(format!(
                    "tau² by {other:?} is not available for joint models; take REML, ML, Paule-Mandel or DerSimonian-Laird"
                )));
            }
        };
        let at = self.at(tau2)?;
        let se = match method {
            Tau2::Reml => (2.0 / at.trace_pp).sqrt(),
            Tau2::Ml => (2.0 / at.s2).sqrt(),
            Tau2::DerSimonianLaird => {
                let zero = self.at(0.0)?;
                (2.0 * (free + 2.0 * tau2 * zero.trace_p + tau2 * tau2 * zero.trace_pp)).sqrt() / zero.trace_p
            }
            _ => (2.0 / free).sqrt() * self.y.len() as f64 / at.s1,
        };
        Ok(Tau2Estimate { tau2, se: Some(se) })
    }

    /// As `tau2::maximum_likelihood`: the bounds there hold with residual sum of squares and residual degrees
    /// of freedom.
    pub(super) fn maximum_likelihood(&self, likelihood: Likelihood) -> Result<f64> {
        let ss = self.sum_of_squares()?;
        if ss == 0.0 {
            return Ok(0.0);
        }
        let count = if likelihood == Likelihood::Restricted { self.df() } else { self.y.len() };
        let (v_min, v_max) = self.extremes();
        let s = ss / count as f64;
        let top = 0.5 * (s + (s * s + 4.0 * s * v_max).sqrt());
        // The weights differ most at tau² = 0: what can be fitted there can be fitted everywhere.
        self.at(0.0)?;
        let score = |tau2: f64| self.at(tau2).map_or((0.0, -1.0), |at| at.score(likelihood));
        let height = |tau2: f64| self.log_likelihood(tau2, likelihood).unwrap_or(f64::NEG_INFINITY);
        Ok(tau2::highest_maximum(score, height, top, v_min))
    }

    /// The tau² >= 0 at which Q(tau²) is `target`, as `tau2::q_root`.
    pub(crate) fn q_root(&self, target: f64) -> Result<f64> {
        let ss = self.sum_of_squares()?;
        if ss == 0.0 {
            return Ok(0.0);
        }
        self.at(0.0)?;
        let (v_min, v_max) = self.extremes();
        let bracket = Interval::between(ss / target - v_max, ss / target - v_min);
        Ok(tau2::rising_to(
            |tau2| self.at(tau2).map_or((0.0, 1.0), |at| (at.q, at.r2)),
            target,
            bracket,
            v_min,
        ))
    }
}
