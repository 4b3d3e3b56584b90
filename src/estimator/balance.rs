//! What a model knows about the balance of its arms.

use super::adjustment::Prepared;
use crate::compute::distribution::FisherF;
use crate::compute::regression::{Family, Glm};
use crate::design::{Notice, OutcomeKind, dominant_weights};
use crate::error::Result;
use ndarray::ArrayView1;

impl<K: OutcomeKind> Prepared<'_, K> {
    /// The notice about covariates that tell the arms apart, by the regression of each arm on them. It takes a
    /// share of the variance of more than a tenth, from where on a variance that presumes balance is a tenth
    /// too small (`1 - R2`), and a p-value that one honest trial in a thousand has.
    pub(super) fn unequal_covariates(&self) -> Result<Option<Notice>> {
        const LEAST_R2: f64 = 0.1;
        const MOST_P: f64 = 1e-3;
        let comparison = self.comparison();
        let (people, arms, matrix) = (comparison.people()?, comparison.arms(), self.covariates()?);
        if matrix.ncols() < 2 {
            return Ok(None);
        }
        let (n, p) = (people.rows.len() as f64, (matrix.ncols() - 1) as f64);
        // One of two arms says it of both.
        let tried: Vec<usize> = if arms.len() == 2 { vec![1] } else { (0..arms.len()).collect() };
        let mut found: Option<(usize, f64, f64)> = None;
        for &arm in &tried {
            let own: Vec<f64> =
                people.arm.iter().map(|other| f64::from(u8::from(*other as usize == arm))).collect();
            let share = own.iter().sum::<f64>() / n;
            let Ok(fit) = Glm::new(Family::Gaussian).fit(&matrix, ArrayView1::from(&own)) else {
                return Ok(None);
            };
            let r2 = (1.0 - fit.pearson_chi2() / (n * share * (1.0 - share))).clamp(0.0, 1.0);
            let df = n - p - 1.0;
            if df < 1.0 || r2 <= LEAST_R2 || found.is_some_and(|(_, most, _)| r2 <= most) {
                continue;
            }
            let p_value = if r2 == 1.0 { 0.0 } else { FisherF::new(p, df)?.sf(r2 / p / ((1.0 - r2) / df)) };
            if p_value * (tried.len() as f64) < MOST_P {
                found = Some((arm, r2, p_value * tried.len() as f64));
            }
        }
        Ok(found.map(|(arm, r2, p_value)| Notice::UnequalCovariates {
            arm: arms[arm].label.clone(),
            r2,
            p_value,
        }))
    }

    /// The notices about arms in which few people carry most of these weights; no weight is left out.
    pub(super) fn dominant_weights(&self, weights: ArrayView1<f64>) -> Result<Vec<Notice>> {
        let comparison = self.comparison();
        let people = comparison.people()?;
        let of_arm = |arm: usize| {
            let pairs = people.arm.iter().zip(weights);
            pairs.filter(move |(other, _)| **other as usize == arm).map(|(_, weight)| *weight)
        };
        let arms = comparison.arms().iter().enumerate();
        Ok(arms.filter_map(|(arm, compared)| dominant_weights(&compared.label, of_arm(arm))).collect())
    }
}
