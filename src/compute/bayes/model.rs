//! Priors and data together: the density of tau and the distribution of mu for each tau.

use super::prior::{MuPrior, NormalNormal, TauPrior};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// The smallest and the largest scale on which a density of tau bends.
#[derive(Clone, Copy)]
pub(super) struct Scales {
    pub(super) smallest: f64,
    pub(super) largest: f64,
}

/// The model at one tau.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Node {
    pub(super) tau: f64,
    pub(super) ln_density: f64,
    /// Of mu given tau.
    pub(super) mean: f64,
    /// Of mu given tau.
    pub(super) variance: f64,
}

/// Priors and data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Model {
    pub(super) priors: NormalNormal,
    pub(super) yi: Vec<f64>,
    pub(super) vi: Vec<f64>,
    /// Subtracted from the estimates, so that squares keep their digits.
    centre: f64,
    ln_constant: f64,
}

impl Model {
    pub(super) fn new(priors: NormalNormal, yi: &[f64], vi: &[f64]) -> Self {
        let weight: f64 = vi.iter().map(|v| 1.0 / v).sum();
        let centre = yi.iter().zip(vi).map(|(y, v)| y / v).sum::<f64>() / weight;
        let normal = 0.5 * (2.0 * PI).ln();
        let ln_constant = priors.tau_prior.ln_constant() - normal * yi.len() as f64
            + match priors.mu_prior {
                MuPrior::Flat => normal,
                MuPrior::Normal { sd, .. } => -sd.ln(),
            };
        Self { priors, yi: yi.to_vec(), vi: vi.to_vec(), centre, ln_constant }
    }

    /// `d` of a posterior density of tau that falls as `tau^-d`.
    pub(super) fn decay(&self) -> f64 {
        let used = if self.priors.mu_prior == MuPrior::Flat { 1.0 } else { 0.0 };
        self.priors.tau_prior.decay() + self.yi.len() as f64 - used
    }

    /// The end of the prior's support.
    pub(super) fn upper(&self) -> f64 {
        match self.priors.tau_prior {
            TauPrior::Uniform { upper } => upper,
            _ => f64::INFINITY,
        }
    }

    /// The smallest and the largest scale on which the density of tau bends.
    pub(super) fn scales(&self) -> Scales {
        let (mut smallest, mut largest) = (f64::INFINITY, 0.0_f64);
        let mut take = |scale: f64| {
            smallest = smallest.min(scale);
            largest = largest.max(scale);
        };
        self.vi.iter().for_each(|v| take(v.sqrt()));
        self.priors.tau_prior.scale().into_iter().for_each(&mut take);
        for y in &self.yi {
            largest = largest.max((y - self.centre).abs());
        }
        if let MuPrior::Normal { mean, sd } = self.priors.mu_prior {
            largest = largest.max(sd).max((mean - self.centre).abs());
        }
        Scales { smallest, largest }
    }

    /// By how much rounding may change the log density at this tau, as errors of long sums add up like random
    /// ones.
    pub(super) fn rounding(&self, tau: f64) -> f64 {
        let mean = self.at(tau).mean;
        let terms = self.yi.iter().zip(&self.vi).map(|(y, v)| {
            let variance = v + tau * tau;
            variance.ln().abs() + (y - mean).powi(2) / variance
        });
        2.0 * f64::EPSILON * (self.yi.len() as f64).sqrt() * (self.ln_constant.abs() + terms.sum::<f64>())
    }

    /// The log density of tau (with the evidence as its integral), and the conditional distribution of mu.
    pub(super) fn at(&self, tau: f64) -> Node {
        let tau2 = tau * tau;
        let mut product = 1.0_f64;
        let (mut ln_determinant, mut total, mut sum) = (0.0, 0.0, 0.0);
        for (y, v) in self.yi.iter().zip(&self.vi) {
            let variance = v + tau2;
            let w = 1.0 / variance;
            total += w;
            sum += w * (y - self.centre);
            product *= variance;
            if !(1e-100..1e100).contains(&product) {
                ln_determinant += product.ln();
                product = 1.0;
            }
        }
        ln_determinant += product.ln();
        let mut squares = 0.0;
        let mean = match self.priors.mu_prior {
            MuPrior::Flat => sum / total,
            MuPrior::Normal { mean, sd } => {
                let precision = 1.0 / (sd * sd);
                let prior_mean = mean - self.centre;
                total += precision;
                let mean = (sum + precision * prior_mean) / total;
                squares += precision * (prior_mean - mean).powi(2);
                mean
            }
        };
        for (y, v) in self.yi.iter().zip(&self.vi) {
            squares += (y - self.centre - mean).powi(2) / (v + tau2);
        }
        Node {
            tau,
            ln_density: self.ln_constant + self.priors.tau_prior.ln_kernel(tau)
                - 0.5 * (ln_determinant + squares + total.ln()),
            mean: self.centre + mean,
            variance: 1.0 / total,
        }
    }
}
