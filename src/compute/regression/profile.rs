//! Profile-likelihood intervals.

use super::fit::Fit;
use crate::compute::fitted::Fitted;
use crate::compute::reference_distribution::ReferenceDistribution;
use crate::compute::roots::root;
use crate::error::{Error, Result};

/// A coefficient with a profile-likelihood interval.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct ProfileInterval {
    /// The name of the design column.
    pub name: String,
    /// The estimate.
    pub estimate: f64,
    /// The lower limit; minus infinity where the likelihood never falls far enough.
    pub lower: f64,
    /// The upper limit; infinity where the likelihood never falls far enough.
    pub upper: f64,
}

/// The two values at which `excess` (zero at the estimate, growing away from it) reaches `bar`.
///
/// `excess(v)` is twice the fall of the log-likelihood when the coefficient is held at `v`; infinite where
/// there is no fit.
pub(crate) fn limits(estimate: f64, se: f64, bar: f64, mut excess: impl FnMut(f64) -> f64) -> (f64, f64) {
    let mut limit = |sign: f64| {
        // The signed root is nearly linear in the coefficient, so that the root finder needs few fits.
        let mut height = |v: f64| (excess(v).clamp(0.0, 1e12)).sqrt() - bar.sqrt();
        let (mut inside, mut width) = (estimate, sign * se * bar.sqrt());
        for _ in 0..60 {
            let outside = estimate + width;
            if !outside.is_finite() {
                break;
            }
            if height(outside) >= 0.0 {
                return root(height, inside, outside);
            }
            inside = outside;
            width *= 1.5;
        }
        sign * f64::INFINITY
    };
    (limit(-1.0), limit(1.0))
}

impl Fit<'_> {
    /// The profile-likelihood interval of the coefficient at a position: the values at which holding it fixed
    /// raises the deviance by less than `phi q^2`, `q` the two-sided quantile of the distribution by
    /// [`Fitted::df`] (so `q^2` is the chi-square quantile where the dispersion is known).
    ///
    /// # Errors
    /// `invalid_input` where there is no such position or the level is not in (0, 1), and for probability
    /// weights, which have no likelihood; as [`Fit::dispersion`].
    ///
    /// # References
    /// Venzon & Moolgavkar (1988), Applied Statistics 37.
    pub fn profile_interval(&self, position: usize, level: f64) -> Result<ProfileInterval> {
        let Some(name) = self.names().get(position) else {
            return Err(Error::invalid(format!(
                "there is no coefficient {position}; positions count from 0"
            )));
        };
        self.observations.weights.check_likelihood("a profile of the likelihood")?;
        let quantile = ReferenceDistribution::of(self.df())?.critical(level)?;
        let dispersion = self.dispersion()?;
        let estimate = self.coefficients()[position];
        let bread = self.bread();
        let direction = &bread.column(position) / bread[[position, position]];
        let free: Vec<usize> = (0..self.rank()).filter(|&j| j != position).collect();
        let problem = self.problem();
        let excess = |value: f64| {
            // Along the ridge of the quadratic approximation.
            let mut start = self.coefficients().to_owned();
            start.scaled_add(value - estimate, &direction);
            start[position] = value;
            match problem.solve(start, &free, || Ok(())) {
                Ok(Ok(solution)) => (solution.pass.deviance - self.deviance()) / dispersion,
                _ => f64::INFINITY,
            }
        };
        let se = (dispersion * bread[[position, position]]).sqrt();
        let (lower, upper) = limits(estimate, se, quantile * quantile, excess);
        Ok(ProfileInterval { name: name.clone(), estimate, lower, upper })
    }
}
