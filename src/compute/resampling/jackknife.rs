use super::resamples::Resamples;
use crate::error::{Error, Result, counted};
use serde::{Deserialize, Serialize};

/// How the acceleration of BCa follows from estimates without one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Acceleration {
    /// Each unit counts as one of its stratum: `sum l^3/n_k^3 / (6 (sum l^2/n_k^2)^1.5)` with
    /// `l = (n_k - 1)(mean of the stratum - estimate without the unit)` (Davison & Hinkley 1997, 5.23).
    Stratified,
    /// Without the sizes of strata, and around the estimate of the sample: that of R's `boot`. It is the
    /// other one but for rounding where all strata are of one size.
    Unstratified,
}

/// Estimates of a sample without each of its units in turn.
///
/// # Formula
/// `t` is the estimate, `t_(ki)` that without unit `i` of stratum `k`, which has `n_k`, and `m_k` their mean
/// in the stratum:
///
/// ```text
/// bias = sum_k (n_k - 1)(m_k - t)
/// se^2 = sum_k (n_k - 1)/n_k sum_i (t_(ki) - m_k)^2
/// ```
///
/// # Errors
/// `invalid_input` for values that are not finite, or not one for each unit.
///
/// # Examples
/// ```
/// use armwise::resampling::{LeftOut, Resamples};
///
/// let y = [4.0, 6.0, 9.0, 13.0];
/// let mean = |counts: &[u32]| {
///     let n: f64 = counts.iter().map(|count| f64::from(*count)).sum();
///     y.iter().zip(counts).map(|(y, count)| y * f64::from(*count)).sum::<f64>() / n
/// };
/// let units = Resamples::of(4)?;
/// let jackknife = LeftOut::new(&units, 8.0, units.left_out(mean)?)?;
/// // s / sqrt(n)
/// assert!((jackknife.se() - (46.0_f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Quenouille (1956), Biometrika 43:353. Tukey (1958), Annals of Mathematical Statistics 29:614. Davison &
/// Hinkley (1997), Bootstrap Methods and their Application. MacKinnon, Nielsen & Webb (2023), Journal of
/// Econometrics 232:272 (clusters).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct LeftOut {
    /// The estimate of the sample.
    pub estimate: f64,
    /// The estimate without each unit.
    pub values: Vec<f64>,
    /// The stratum of each unit, counted from 0.
    pub strata: Vec<usize>,
}

checked!(LeftOut);

impl LeftOut {
    /// The estimate of the sample, and those without each of the units in their order.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn new(units: &Resamples, estimate: f64, values: Vec<f64>) -> Result<Self> {
        let made = Self { estimate, values, strata: units.stratum_of_units() };
        made.check()?;
        Ok(made)
    }

    fn check(&self) -> Result<()> {
        if self.values.len() != self.strata.len() {
            return Err(Error::invalid(format!(
                "{} for {}; give the estimate without each unit once",
                counted(self.values.len(), "estimate"),
                counted(self.strata.len(), "unit")
            )));
        }
        let sizes = self.sizes();
        if sizes.len() > self.strata.len() || sizes.iter().any(|n| *n < 2.0) {
            return Err(Error::invalid("a stratum has fewer than two units; join it with another"));
        }
        if !self.estimate.is_finite() || !self.values.iter().all(|value| value.is_finite()) {
            return Err(Error::invalid(
                "an estimate without a unit is not finite; leave out larger units, or take the bootstrap",
            ));
        }
        Ok(())
    }

    fn sizes(&self) -> Vec<f64> {
        let strata =
            self.strata.iter().max().map_or(0, |last| last.saturating_add(1)).min(self.strata.len() + 1);
        let mut sizes = vec![0.0; strata];
        for &stratum in &self.strata {
            if let Some(size) = sizes.get_mut(stratum) {
                *size += 1.0;
            }
        }
        sizes
    }

    /// The mean of each stratum's values less the estimate.
    fn shifts(&self, sizes: &[f64]) -> Vec<f64> {
        let mut shifts = vec![0.0; sizes.len()];
        for (value, &stratum) in self.values.iter().zip(&self.strata) {
            shifts[stratum] += (value - self.estimate) / sizes[stratum];
        }
        shifts
    }

    /// The bias of the estimate.
    pub fn bias(&self) -> f64 {
        let sizes = self.sizes();
        self.shifts(&sizes).iter().zip(&sizes).map(|(shift, n)| (n - 1.0) * shift).sum()
    }

    /// The estimate less its bias.
    pub fn bias_corrected(&self) -> f64 {
        self.estimate - self.bias()
    }

    /// The standard error, around the mean of each stratum.
    pub fn se(&self) -> f64 {
        let sizes = self.sizes();
        let shifts = self.shifts(&sizes);
        self.se_around(&sizes, &shifts)
    }

    /// The standard error around the estimate of the sample: that of clusters by CV3.
    pub fn se_around_estimate(&self) -> f64 {
        let sizes = self.sizes();
        let zeros = vec![0.0; sizes.len()];
        self.se_around(&sizes, &zeros)
    }

    fn se_around(&self, sizes: &[f64], shifts: &[f64]) -> f64 {
        let of = |(value, &stratum): (&f64, &usize)| {
            let (n, deviation) = (sizes[stratum], value - self.estimate - shifts[stratum]);
            (n - 1.0) / n * deviation * deviation
        };
        self.values.iter().zip(&self.strata).map(of).sum::<f64>().sqrt()
    }

    /// `n t - (n - 1) t_(i)`, whose mean is the estimate less its bias where there is one stratum.
    pub fn pseudo_values(&self) -> Vec<f64> {
        let sizes = self.sizes();
        let of = |(value, &stratum): (&f64, &usize)| {
            sizes[stratum] * self.estimate - (sizes[stratum] - 1.0) * value
        };
        self.values.iter().zip(&self.strata).map(of).collect()
    }

    /// The acceleration of BCa; 0 where the values do not vary.
    pub fn acceleration(&self, by: Acceleration) -> f64 {
        let sizes = self.sizes();
        let shifts = self.shifts(&sizes);
        let (mut squares, mut cubes) = (0.0, 0.0);
        for (value, &stratum) in self.values.iter().zip(&self.strata) {
            let n = sizes[stratum];
            let l = match by {
                Acceleration::Stratified => (n - 1.0) / n * (self.estimate + shifts[stratum] - value),
                Acceleration::Unstratified => (n - 1.0) * (self.estimate - value),
            };
            squares += l * l;
            cubes += l * l * l;
        }
        if squares == 0.0 { 0.0 } else { cubes / (6.0 * squares.powf(1.5)) }
    }
}
