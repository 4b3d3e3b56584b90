use super::{PooledDeviation, TwoMeans, zero_variance};
use crate::compute::distribution::FisherF;
use crate::compute::distribution::special::ln_beta;
use crate::compute::interval::extended;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Hedges' exact correction `J(m) = Gamma(m / 2) / (sqrt(m / 2) Gamma((m - 1) / 2))` for `m` degrees of
/// freedom (Hedges 1981, Journal of Educational Statistics 6:107).
///
/// By the beta function, whose logarithm keeps its digits where two large gamma functions cancel.
///
/// # Errors
/// `invalid_input` unless `m > 1`: the correction does not exist then.
///
/// ```
/// use armwise::mean::hedges_correction;
///
/// assert!((hedges_correction(2.0)? - 0.564_189_583_547_756).abs() < 1e-15);
/// assert!((hedges_correction(1e8)? - (1.0 - 0.75e-8)).abs() < 1e-14);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn hedges_correction(df: f64) -> Result<f64> {
    if !(df > 1.0 && df.is_finite()) {
        return Err(Error::invalid(format!(
            "the correction of Hedges does not exist for {df} degrees of freedom; it needs more than one"
        )));
    }
    // Gamma(m / 2) / Gamma((m - 1) / 2) = sqrt(pi) / B((m - 1) / 2, 1 / 2)
    Ok((0.5 * (2.0 * std::f64::consts::PI / df).ln() - ln_beta(0.5 * (df - 1.0), 0.5)).exp())
}

/// The usual approximation of [`hedges_correction`], `1 - 3 / (4 m - 1)`.
pub fn hedges_correction_approximate(df: f64) -> f64 {
    1.0 - 3.0 / (4.0 * df - 1.0)
}

/// A difference of means in pooled standard deviations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StandardizedDifference {
    /// Cohen's d: the difference over the pooled standard deviation.
    pub cohen_d: f64,
    /// Hedges' exact correction `J` at `m = n_1 + n_0 - 2` degrees of freedom.
    pub correction: f64,
    /// Hedges' g, `J d`: free of bias under normality.
    pub hedges_g: f64,
    /// `m`.
    pub df: f64,
    /// `1 / n_1 + 1 / n_0`.
    inverse_sizes: f64,
}

/// The sampling variance of a standardised difference. `N = n_1 + n_0`, `m = N - 2`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StandardizedVariance {
    /// Of g: `1 / n_1 + 1 / n_0 + g^2 / (2 N)` (Hedges 1982, Psychological Bulletin 92:490); metafor's
    /// default.
    #[default]
    LargeSample,
    /// Of g: `J^2 (1 / n_1 + 1 / n_0 + d^2 / (2 N))` (Borenstein 2009, The Handbook of Research Synthesis,
    /// 2nd edition, 221).
    Borenstein,
    /// Of g, unbiased: `1 / n_1 + 1 / n_0 + (1 - (m - 2) / (m J^2)) g^2` (Hedges 1983, Psychological Bulletin
    /// 93:388).
    Unbiased,
    /// Of d: `1 / n_1 + 1 / n_0 + d^2 / (2 N)`.
    CohenLargeSample,
}

impl StandardizedDifference {
    /// The sampling variance.
    pub fn variance(&self, variance: StandardizedVariance) -> f64 {
        let Self { cohen_d: d, correction: j, hedges_g: g, df: m, inverse_sizes } = *self;
        let large_sample = |effect: f64| inverse_sizes + effect * effect / (2.0 * (m + 2.0));
        match variance {
            StandardizedVariance::LargeSample => large_sample(g),
            StandardizedVariance::Borenstein => j * j * large_sample(d),
            StandardizedVariance::Unbiased => inverse_sizes + (1.0 - (m - 2.0) / (m * j * j)) * g * g,
            StandardizedVariance::CohenLargeSample => large_sample(d),
        }
    }
}

/// A difference of means in standard deviations of the control group.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GlassDelta {
    /// The difference over the control group's standard deviation; infinite where that is 0.
    #[serde(with = "extended")]
    pub raw: f64,
    /// `J(n_0 - 1)` times the raw value; `None` with two controls, where `J` does not exist, and where the
    /// raw value is infinite.
    pub corrected: Option<f64>,
    /// `1 / n_1 + 1 / n_0 + D^2 / (2 n_0)` with the corrected `D`.
    pub variance: Option<f64>,
}

/// The logarithm of a ratio with its sampling variance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogRatio {
    /// The natural logarithm of the ratio; infinite for a ratio of 0 or infinity.
    #[serde(with = "extended")]
    pub estimate: f64,
    /// Its sampling variance.
    pub variance: f64,
}

/// The F test of equal variances.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VarianceRatioTest {
    /// `s_1^2 / s_0^2`; infinite where only the control group does not vary.
    #[serde(with = "extended")]
    pub statistic: f64,
    /// `n_1 - 1`.
    pub df1: f64,
    /// `n_0 - 1`.
    pub df2: f64,
    /// Two-sided: twice the smaller tail.
    pub p_value: f64,
}

impl TwoMeans {
    /// The difference in pooled standard deviations: Cohen's d and Hedges' g.
    ///
    /// ```
    /// use armwise::mean::{Sample, StandardizedVariance, TwoMeans};
    ///
    /// let two = TwoMeans::new(
    ///     Sample { n: 12, mean: 31.5, sd: 5.2 },
    ///     Sample { n: 9, mean: 29.0, sd: 4.1 },
    /// )?;
    /// let standardized = two.standardized();
    /// assert!(standardized.hedges_g < standardized.cohen_d);
    /// assert!(standardized.variance(StandardizedVariance::LargeSample) > 0.19);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn standardized(&self) -> StandardizedDifference {
        let pooled = PooledDeviation::of(&[self.treatment, self.control]);
        let cohen_d = (self.treatment.mean - self.control.mean) / pooled.sd;
        // Two groups of two or more have at least two degrees of freedom, so J exists.
        let correction = hedges_correction(pooled.df).unwrap_or(1.0);
        StandardizedDifference {
            cohen_d,
            correction,
            hedges_g: correction * cohen_d,
            df: pooled.df,
            inverse_sizes: self.inverse_sizes(),
        }
    }

    /// The difference in standard deviations of the control group (Glass 1976, Educational Researcher
    /// 5(10):3).
    ///
    /// # Errors
    /// `zero_variance` where the control group does not vary and the means are equal.
    pub fn glass_delta(&self) -> Result<GlassDelta> {
        let raw = (self.treatment.mean - self.control.mean) / self.control.sd;
        if raw.is_nan() {
            return Err(zero_variance(
                "the control group does not vary; use the pooled standard deviation (standardized)",
            ));
        }
        let correction = hedges_correction(self.control.df()).ok().filter(|_| raw.is_finite());
        let corrected = correction.map(|correction| correction * raw);
        let variance =
            corrected.map(|delta| self.inverse_sizes() + delta * delta / (2.0 * self.control.n as f64));
        Ok(GlassDelta { raw, corrected, variance })
    }

    /// The log ratio of means `ln(m_1 / m_0)`, variance `s_1^2 / (n_1 m_1^2) + s_0^2 / (n_0 m_0^2)`
    /// (Hedges, Gurevitch & Curtis 1999, Ecology 80:1150).
    ///
    /// # Errors
    /// `not_estimable` unless both means have the same sign.
    pub fn log_ratio(&self) -> Result<LogRatio> {
        let (m1, m0) = (self.treatment.mean, self.control.mean);
        if m1 == 0.0 || m0 == 0.0 || (m1 > 0.0) != (m0 > 0.0) {
            return Err(ErrorKind::NotEstimable(format!(
                "the logarithm of a ratio of {m1} to {m0} is undefined; use the difference"
            ))
            .into());
        }
        Ok(LogRatio {
            // By the difference, which keeps the digits of means that are close.
            estimate: ((m1 - m0) / m0).ln_1p(),
            variance: (self.treatment.se() / m1).powi(2) + (self.control.se() / m0).powi(2),
        })
    }

    /// The log ratio of standard deviations `ln(s_1 / s_0) + 1 / (2 (n_1 - 1)) - 1 / (2 (n_0 - 1))`, variance
    /// `1 / (2 (n_1 - 1)) + 1 / (2 (n_0 - 1))` (Nakagawa et al. 2015, Methods in Ecology and Evolution
    /// 6:143).
    pub fn log_variability_ratio(&self) -> LogRatio {
        let (half1, half0) = (0.5 / self.treatment.df(), 0.5 / self.control.df());
        LogRatio {
            estimate: (self.treatment.sd / self.control.sd).ln() + half1 - half0,
            variance: half1 + half0,
        }
    }

    /// The F test of equal variances; it presumes normal values.
    pub fn variance_ratio_test(&self) -> VarianceRatioTest {
        let statistic = (self.treatment.sd / self.control.sd).powi(2);
        let (df1, df2) = (self.treatment.df(), self.control.df());
        // A ratio of 0 or infinity has no smaller tail.
        let p_value = FisherF::new(df1, df2)
            .ok()
            .filter(|_| statistic > 0.0 && statistic.is_finite())
            .map_or(0.0, |f| (2.0 * f.cdf(statistic).min(f.sf(statistic))).min(1.0));
        VarianceRatioTest { statistic, df1, df2, p_value }
    }
}
