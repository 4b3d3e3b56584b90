//! Pooling again with some of the studies: leave-one-out and cumulative pooling.

use super::options::{PoolingWeights, Tau2, Test};
use super::prepared::{PreparedPool, check_data, too_few};
use super::summary::PoolSummary;
use super::univariate::{CommonEffect, RandomEffects, Settings};
use crate::error::{Error, Result, counted};

/// A model that can be fitted to some of the studies: the options go with them.
pub(super) trait Refit: Clone {
    fn settings(&mut self) -> &mut Settings;
    fn moment_weights(&mut self) -> Option<&mut Vec<f64>>;
    fn prepared(&self, k: usize) -> Result<PreparedPool<'_>>;

    /// These options for the studies at these positions. One study alone has its own standard error and the
    /// normal test, as no other is possible.
    fn among(&self, studies: &[usize]) -> Self {
        let mut model = self.clone();
        let pick = |weights: &mut Vec<f64>| {
            // Weights of another length than the studies are refused where they are used.
            let picked = studies.iter().filter_map(|i| weights.get(*i).copied()).collect();
            *weights = picked;
        };
        if model.settings().weights == PoolingWeights::Given {
            model.settings().given_weights.as_mut().map(pick);
        }
        model.moment_weights().map(pick);
        if studies.len() == 1 {
            model.settings().test = Test::Normal;
        }
        model
    }

    fn has_weights(&self) -> bool {
        let mut model = self.clone();
        model.settings().weights == PoolingWeights::Given || model.moment_weights().is_some()
    }

    fn leave_one_out_pools(&self, yi: &[f64], vi: &[f64]) -> Result<Vec<PoolSummary>> {
        check_data(yi, vi, yi.len())?;
        let k = yi.len();
        if k < 2 {
            return Err(too_few("leaving one out"));
        }
        self.prepared(k)?;
        let mut kept: Vec<usize> = (1..k).collect();
        let mut y: Vec<f64> = yi[1..].to_vec();
        let mut v: Vec<f64> = vi[1..].to_vec();
        let common = self.among(&kept);
        let shared = if self.has_weights() { None } else { Some(common.prepared(k - 1)?) };
        let mut pools = Vec::with_capacity(k);
        for left_out in 0..k {
            pools.push(match &shared {
                Some(prepared) => prepared.summary(&y, &v)?,
                None => self.among(&kept).prepared(k - 1)?.summary(&y, &v)?,
            });
            if left_out + 1 < k {
                (kept[left_out], y[left_out], v[left_out]) = (left_out, yi[left_out], vi[left_out]);
            }
        }
        Ok(pools)
    }

    fn cumulative_pools(&self, yi: &[f64], vi: &[f64], order: &[usize]) -> Result<Vec<PoolSummary>> {
        check_data(yi, vi, yi.len())?;
        let k = yi.len();
        let mut seen = vec![false; k];
        for study in order {
            match seen.get_mut(*study) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(wrong_order(k)),
            }
        }
        if order.len() != k {
            return Err(wrong_order(k));
        }
        self.prepared(k)?;
        let (mut y, mut v) = (Vec::with_capacity(k), Vec::with_capacity(k));
        let mut pools = Vec::with_capacity(k);
        for (position, study) in order.iter().enumerate() {
            y.push(yi[*study]);
            v.push(vi[*study]);
            pools.push(self.among(&order[..=position]).prepared(position + 1)?.summary(&y, &v)?);
        }
        Ok(pools)
    }
}

fn wrong_order(k: usize) -> Error {
    Error::invalid(format!(
        "an order of {studies} must name each once, by its position from 0 to {}",
        k.saturating_sub(1),
        studies = counted(k, "study")
    ))
}

impl Refit for CommonEffect {
    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn moment_weights(&mut self) -> Option<&mut Vec<f64>> {
        None
    }

    fn prepared(&self, k: usize) -> Result<PreparedPool<'_>> {
        self.for_studies(k)
    }
}

impl Refit for RandomEffects {
    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    fn moment_weights(&mut self) -> Option<&mut Vec<f64>> {
        self.moment_weights.as_mut().filter(|_| self.tau2 == Tau2::GeneralizedQ)
    }

    fn prepared(&self, k: usize) -> Result<PreparedPool<'_>> {
        self.for_studies(k)
    }
}

macro_rules! refits {
    ($model:ty, $example:literal) => {
        impl $model {
            /// Pools all studies but one, for each in turn: element i lacks study i. Where two studies are
            /// given, each element is a study alone, with its own standard error and the normal test.
            ///
            /// ```
            #[doc = $example]
            /// let without = model.leave_one_out(&[0.1, 0.2, 0.6], &[0.01, 0.02, 0.01])?;
            /// assert_eq!(without[2], model.pool(&[0.1, 0.2], &[0.01, 0.02])?.summary);
            /// # Ok::<(), armwise::Error>(())
            /// ```
            ///
            /// # Errors
            /// As `pool`; [`ErrorKind::InsufficientStudies`](crate::ErrorKind::InsufficientStudies) for one study.
            pub fn leave_one_out(&self, yi: &[f64], vi: &[f64]) -> Result<Vec<PoolSummary>> {
                self.leave_one_out_pools(yi, vi)
            }

            /// Pools the first study of an order (positions from 0), then the first two, and so on to all.
            /// The first element is that study alone, with its own standard error and the normal test.
            ///
            /// # Errors
            /// As `pool`; [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) unless the order names
            /// each study once.
            pub fn cumulative(&self, yi: &[f64], vi: &[f64], order: &[usize]) -> Result<Vec<PoolSummary>> {
                self.cumulative_pools(yi, vi, order)
            }
        }
    };
}

refits!(CommonEffect, "let model = armwise::meta_analysis::CommonEffect::new();");
refits!(RandomEffects, "let model = armwise::meta_analysis::RandomEffects::new();");
