//! What a site contributes to the likelihood: counts whose distribution is an exponential family in a linear
//! predictor.

use super::jet::{Curve, Jet};
use crate::compute::proportion::Hypergeometric;

/// One count with its linear predictor `eta = offset + fixed'b + random'(sd u)`, with log-likelihood
/// `x eta - A(eta) + constant`.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) successes: f64,
    pub(super) offset: f64,
    /// The design of the fixed effects.
    pub(super) fixed: [f64; 2],
    /// The design of the random effects.
    pub(super) random: [f64; 2],
    pub(super) constant: f64,
    pub(super) family: Family,
}

/// The exponential family of a count.
#[derive(Debug, Clone)]
pub enum Family {
    /// `A = n ln(1 + exp(eta))`.
    Binomial {
        /// The participants.
        n: f64,
    },
    /// The treated events of a table given its margins, in the log odds ratio.
    Table(Hypergeometric),
}

/// `A` and its first four derivatives.
#[derive(Debug, Clone, Copy)]
pub struct Derivatives([f64; 5]);

impl Family {
    /// The derivatives at a linear predictor.
    pub fn at(&self, eta: f64) -> Derivatives {
        match self {
            Self::Binomial { n } => {
                let e = (-eta.abs()).exp();
                let (small, large) = (e / (1.0 + e), 1.0 / (1.0 + e));
                let (p, q) = if eta > 0.0 { (large, small) } else { (small, large) };
                let v = p * q;
                Derivatives([
                    n * (eta.max(0.0) + e.ln_1p()),
                    n * p,
                    n * v,
                    n * v * (q - p),
                    n * v * (1.0 - 6.0 * v),
                ])
            }
            Self::Table(table) => Derivatives(table.cumulants(eta)),
        }
    }
}

impl Derivatives {
    /// The derivative of this order as a function of the linear predictor, for orders 0 to 2.
    pub(super) fn curve(&self, order: usize) -> Curve {
        let [value, first, second] = [0, 1, 2].map(|more| self.0[order + more]);
        Curve { value, first, second }
    }

    /// The derivative of this order, from 0 to 4.
    pub fn value(&self, order: usize) -> f64 {
        self.0[order]
    }
}

/// A term at given parameters: `eta = base + loading'u`.
#[derive(Debug, Clone)]
pub(super) struct Row<'t, const N: usize, const R: usize> {
    pub(super) term: &'t Term,
    pub(super) base: Jet<N>,
    pub(super) loading: [Jet<N>; R],
}

impl<'t, const N: usize, const R: usize> Row<'t, N, R> {
    pub(super) fn new(term: &'t Term, fixed: &[Jet<N>; 2], sd: &[Jet<N>; R]) -> Self {
        let mut base = Jet::constant(term.offset);
        for (x, parameter) in term.fixed.iter().zip(fixed) {
            if *x != 0.0 {
                base += parameter.scale(*x);
            }
        }
        let mut loading = *sd;
        for (l, z) in loading.iter_mut().zip(term.random) {
            *l = l.scale(z);
        }
        Self { term, base, loading }
    }

    pub(super) fn predictor(&self, u: &[Jet<N>; R]) -> Jet<N> {
        let mut eta = self.base;
        for (l, u) in self.loading.iter().zip(u) {
            eta += *l * *u;
        }
        eta
    }

    pub(super) fn plain_predictor(&self, u: &[f64; R]) -> f64 {
        self.base.value + self.loading.iter().zip(u).map(|(l, u)| l.value * u).sum::<f64>()
    }
}
