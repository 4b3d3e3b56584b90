use crate::compute::distribution::Normal;
use crate::error::{Error, Result, number};
use serde::{Deserialize, Serialize};

/// The share of a probability that is spent by an information fraction `t`.
///
/// # References
///
/// Lan & DeMets (1983), Biometrika 70:659; Kim & DeMets (1987), Biometrika 74:149; Hwang, Shih & DeCani
/// (1990), Statistics in Medicine 9:1439.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Spending {
    /// `2 Phi(-z / sqrt(t))` with the upper alpha / 2 quantile `z`: little at first, as O'Brien and Fleming's
    /// bounds.
    OBrienFlemingType,
    /// `alpha ln(1 + (e - 1) t)`: evenly, as Pocock's bounds.
    PocockType,
    /// `alpha t^rho` (Kim & DeMets).
    Power {
        /// The exponent, above 0.
        rho: f64,
    },
    /// `alpha (1 - exp(-gamma t)) / (1 - exp(-gamma))`, `alpha t` for gamma 0 (Hwang, Shih & DeCani).
    HwangShihDeCani {
        /// Negative for little at first.
        gamma: f64,
    },
}

impl Spending {
    /// What is spent of `alpha` by the information fraction `t`.
    ///
    /// ```
    /// use armwise::sequential::Spending;
    ///
    /// let spending = Spending::Power { rho: 3.0 };
    /// assert!((spending.spent(0.025, 0.5) - 0.003125).abs() < 1e-15);
    /// assert!((spending.spent(0.025, 1.0) - 0.025).abs() < 1e-15);
    /// ```
    pub fn spent(self, alpha: f64, t: f64) -> f64 {
        if t >= 1.0 {
            return alpha;
        }
        if t <= 0.0 {
            return 0.0;
        }
        match self {
            Self::OBrienFlemingType => 2.0 * Normal.sf(Normal.upper_quantile(0.5 * alpha) / t.sqrt()),
            Self::PocockType => alpha * ((std::f64::consts::E - 1.0) * t).ln_1p(),
            Self::Power { rho } => alpha * t.powf(rho),
            Self::HwangShihDeCani { gamma } if gamma.abs() < 1e-12 => alpha * t,
            Self::HwangShihDeCani { gamma } => alpha * (-gamma * t).exp_m1() / (-gamma).exp_m1(),
        }
    }

    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::Power { rho } if !(rho > 0.0 && rho <= 50.0) => Err(Error::invalid(format!(
                "the exponent of the spending is {}; give one above 0 and up to 50, such as 3",
                number(rho)
            ))),
            Self::HwangShihDeCani { gamma } if !(-50.0..=50.0).contains(&gamma) => {
                Err(Error::invalid(format!(
                    "the gamma of the spending is {}; give one from -50 to 50, such as -4",
                    number(gamma)
                )))
            }
            _ => Ok(()),
        }
    }

    /// In words.
    pub(super) fn words(self) -> String {
        match self {
            Self::OBrienFlemingType => "O'Brien-Fleming-type spending".into(),
            Self::PocockType => "Pocock-type spending".into(),
            Self::Power { rho } => format!("power spending (Kim & DeMets, rho {})", number(rho)),
            Self::HwangShihDeCani { gamma } => {
                format!("Hwang-Shih-DeCani spending (gamma {})", number(gamma))
            }
        }
    }
}
