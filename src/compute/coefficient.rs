//! A coefficient with its test and interval.

use super::interval::Interval;
use super::reference_distribution::ReferenceDistribution;
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

/// One coefficient, or one linear combination of coefficients, with Wald's test and interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Coefficient {
    /// The name of the parameter: of a design column, a treatment, a threshold.
    pub name: String,
    /// The estimate.
    pub estimate: f64,
    /// The standard error.
    pub se: f64,
    /// `estimate / se`.
    pub statistic: f64,
    /// Degrees of freedom of Student's t; `None` for the standard normal distribution.
    pub df: Option<f64>,
    /// The two-sided p-value.
    pub p_value: f64,
    /// The two-sided interval.
    pub interval: Interval,
}

checked!(Coefficient);

impl Coefficient {
    /// Refuses numbers of which one does not follow from another. The p-value may be the larger of two tests.
    fn check(&self) -> Result<()> {
        let Self { name, estimate, se, statistic, df, p_value, interval } = self;
        let own = if *se > 0.0 { estimate / se } else { *statistic };
        let least = ReferenceDistribution::of(*df)?.two_sided(own);
        let sound = estimate.is_finite()
            && *se >= 0.0
            && (own - statistic).abs() <= 1e-8 * (1.0 + own.abs())
            && interval.contains(*estimate)
            && (least * (1.0 - 1e-8) - 1e-12..=1.0).contains(p_value);
        if sound {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the estimate {estimate}, standard error {se}, statistic {statistic}, p-value {p_value} and interval {} to {} do not follow \
             from each other; take the coefficient as it was fitted",
            interval.lower(),
            interval.upper()
        ))
        .in_column(name))
    }
}

/// Wald's test and interval for estimates with the same degrees of freedom, at one level.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wald {
    df: Option<f64>,
    null: ReferenceDistribution,
    quantile: f64,
}

impl Wald {
    pub(crate) fn new(df: Option<f64>, level: f64) -> Result<Self> {
        let null = ReferenceDistribution::of(df)?;
        Ok(Self { df, null, quantile: null.critical(level)? })
    }

    pub(crate) fn coefficient(&self, name: impl Into<String>, estimate: f64, se: f64) -> Coefficient {
        let statistic = if estimate == 0.0 && se == 0.0 { 0.0 } else { estimate / se };
        Coefficient {
            name: name.into(),
            estimate,
            se,
            statistic,
            df: self.df,
            p_value: self.null.two_sided(statistic),
            interval: Interval::around(estimate, self.quantile * se),
        }
    }
}

/// Coefficients with the degrees of freedom of each, from their covariance matrix.
///
/// # Errors
/// `invalid_input` where shapes differ or the level is not in (0, 1); `zero_variance` where a variance is not
/// positive.
pub(crate) fn wald_table(
    names: &[String],
    estimates: ArrayView1<f64>,
    covariance: ArrayView2<f64>,
    df: &[Option<f64>],
    level: f64,
) -> Result<Vec<Coefficient>> {
    let p = estimates.len();
    if covariance.dim() != (p, p) || df.len() != p {
        return Err(Error::invalid(format!(
            "the covariance matrix of {coefficients} is {p} x {p}; give it, and degrees of freedom for each",
            coefficients = counted(p, "coefficient")
        )));
    }
    let mut known: Option<Wald> = None;
    let rows = names.iter().zip(estimates).zip(covariance.diag()).zip(df);
    rows.map(|(((name, &estimate), &variance), &df)| {
        let se = variance.sqrt();
        if !(se > 0.0 && se.is_finite()) {
            return Err(Error::from(ErrorKind::ZeroVariance(format!(
                "the variance of the coefficient is {variance}, so that there is no test of it; the response may be fitted perfectly"
            )))
            .in_column(name));
        }
        let wald = match known {
            Some(wald) if wald.df == df => wald,
            _ => Wald::new(df, level)?,
        };
        known = Some(wald);
        Ok(wald.coefficient(name, estimate, se))
    })
    .collect()
}
