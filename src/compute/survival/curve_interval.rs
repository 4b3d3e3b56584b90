use crate::compute::interval::Interval;
use crate::compute::reference_distribution::ReferenceDistribution;
use crate::compute::words::words;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The scale on which the interval of a survival probability or a cumulative incidence is symmetric.
///
/// # Formula
/// With the estimate `P`, its standard error `se` and the normal quantile `z` the limits are
/// `g^-1(g(P) -+ z se |g'(P)|)`.
///
/// # References
/// Borgan O, Liestol K (1990), Scandinavian Journal of Statistics 17:35. Kalbfleisch JD, Prentice RL (1980),
/// The Statistical Analysis of Failure Time Data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CurveInterval {
    /// `g(P) = P`; not truncated.
    Plain,
    /// `g(P) = ln P`: lower limits are above 0.
    Log,
    /// `g(P) = ln(-ln P)`: limits are between 0 and 1 ("log-log" of R's `survfit`).
    #[default]
    LogLog,
    /// `g(P) = ln(-ln(1 - P))`: limits are between 0 and 1 ("cloglog" of R's `etm`).
    ComplementaryLogLog,
    /// `g(P) = ln(P / (1 - P))`
    Logit,
    /// `g(P) = arcsin(sqrt(P))`
    Arcsine,
}

words! { CurveInterval {
    Plain => "plain",
    Log => "log",
    LogLog => "log-log",
    ComplementaryLogLog => "complementary log-log",
    Logit => "logit",
    Arcsine => "arcsine",
} }

impl CurveInterval {
    /// The interval of a probability; `None` where the scale is infinite at the estimate (0, and for most
    /// scales 1).
    ///
    /// # Errors
    /// `invalid_input` for a level that is not between 0 and 1.
    pub fn interval(self, estimate: f64, se: f64, level: f64) -> Result<Option<Interval>> {
        let reach = ReferenceDistribution::Normal.critical(level)? * se;
        let p = estimate;
        let inside = 0.0 < p && p < 1.0;
        Ok(match self {
            Self::Plain => Some(Interval::around(p, reach)),
            Self::Log => (p > 0.0).then(|| Interval::around(p.ln(), reach / p).map(f64::exp)),
            Self::LogLog => inside.then(|| {
                let g = -p.ln();
                Interval::around(g.ln(), reach / (p * g)).map(|x| (-x.exp()).exp())
            }),
            Self::ComplementaryLogLog => inside.then(|| {
                let g = -(-p).ln_1p();
                Interval::around(g.ln(), reach / ((1.0 - p) * g)).map(|x| -(-x.exp()).exp_m1())
            }),
            Self::Logit => inside.then(|| {
                Interval::around((p / (1.0 - p)).ln(), reach / (p * (1.0 - p)))
                    .map(|x| 1.0 / (1.0 + (-x).exp()))
            }),
            Self::Arcsine => inside.then(|| {
                let half = 0.5 * reach / (p * (1.0 - p)).sqrt();
                let end = std::f64::consts::FRAC_PI_2;
                Interval::around(p.sqrt().asin(), half).map(|x| x.clamp(0.0, end).sin().powi(2))
            }),
        })
    }
}
