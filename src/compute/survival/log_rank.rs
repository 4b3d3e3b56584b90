use super::counts::Counts;
use super::data::{SurvivalData, groups};
use crate::compute::fitted::quadratic_form;
use crate::compute::hypothesis::{ChiSquaredTest, SignedTest};
use crate::compute::linalg::submatrix;
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

/// How much a test of the log-rank family weighs the events at a time, with `n` people at risk and the
/// Kaplan-Meier curve `S` of all groups of the stratum just before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogRankWeight {
    /// 1: the log-rank test (Mantel 1966, Cancer Chemotherapy Reports 50:163).
    #[default]
    LogRank,
    /// `n`: early differences count more, and so do times before censoring (Gehan 1965, Biometrika 52:203;
    /// Breslow 1970, Biometrika 57:579).
    GehanBreslow,
    /// `sqrt(n)` (Tarone & Ware 1977, Biometrika 64:156).
    TaroneWare,
    /// `S` (Peto & Peto 1972, Journal of the Royal Statistical Society A 135:185; R's `rho = 1`).
    PetoPeto,
    /// `S^rho (1 - S)^gamma` (Fleming & Harrington 1991, Counting Processes and Survival Analysis).
    FlemingHarrington {
        /// Above 0: early differences count more.
        rho: f64,
        /// Above 0: late differences count more.
        gamma: f64,
    },
}

impl LogRankWeight {
    fn at(self, n: f64, before: f64) -> f64 {
        match self {
            Self::LogRank => 1.0,
            Self::GehanBreslow => n,
            Self::TaroneWare => n.sqrt(),
            Self::PetoPeto => before,
            Self::FlemingHarrington { rho, gamma } => before.powf(rho) * (1.0 - before).powf(gamma),
        }
    }
}

/// A test of the log-rank family that the hazards of groups are the same at every time, with strata if the
/// data have them.
///
/// # Formula
/// At each time of a stratum with `n_g` of `n` at risk in group `g` and `d_g` of `d` events there, and the
/// weight `w`: `O_g = sum w d_g`, `E_g = sum w d n_g / n`, and the hypergeometric variance
/// `V_gh = sum w^2 d (n - d) / (n - 1) (n_g / n) (1{g = h} - n_h / n)`. The statistic is `(O - E)' V^- (O - E)`.
///
/// # References
/// Mantel N (1966), Cancer Chemotherapy Reports 50:163. Peto R, Peto J (1972), Journal of the Royal Statistical
/// Society A 135:185.
///
/// ```
/// use armwise::survival::{LogRank, LogRankWeight, SurvivalData};
///
/// let data = SurvivalData::new(
///     &[1.0, 2.0, 4.0, 5.0, 3.0, 6.0, 8.0, 9.0],
///     &[1, 1, 1, 0, 1, 1, 0, 0],
/// )?;
/// let test = LogRank::new(&data, &[0, 0, 0, 0, 1, 1, 1, 1], LogRankWeight::LogRank)?;
/// assert_eq!(test.observed, [3.0, 2.0]);
/// // The second group has fewer events than were to be expected.
/// assert!(test.signed()?.statistic < 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRank {
    /// The weight.
    pub weight: LogRankWeight,
    /// The weighted sum of the events of each group.
    pub observed: Vec<f64>,
    /// The weighted sum of the events that were to be expected in each group.
    pub expected: Vec<f64>,
    /// The covariance matrix of the observed sums.
    pub variance: Array2<f64>,
    /// The test of all groups.
    pub test: ChiSquaredTest,
}

impl LogRank {
    /// Compares the groups of rows with the same code, counted from 0.
    ///
    /// # Errors
    /// `invalid_input` for codes of another number of rows and powers below 0; `empty_arm` for fewer than two groups or a code
    /// without rows; `no_events`; `zero_variance` where no two groups are ever at risk together.
    pub fn new(data: &SurvivalData, group: &[u32], weight: LogRankWeight) -> Result<Self> {
        if let LogRankWeight::FlemingHarrington { rho, gamma } = weight
            && !(rho.is_finite() && gamma.is_finite() && rho >= 0.0 && gamma >= 0.0)
        {
            return Err(Error::invalid(format!(
                "the powers of the weight are {rho} and {gamma}; give finite numbers of at least 0"
            )));
        }
        let n_groups = groups(group, data.n())?;
        data.check_events()?;
        let grid = data.grid();
        let counts = Counts::new(data, grid, Some((group, n_groups)), 1);
        let mut observed = vec![0.0; n_groups];
        let mut expected = vec![0.0; n_groups];
        let mut variance = Array2::<f64>::zeros((n_groups, n_groups));
        for stratum in 0..data.n_strata() {
            let mut survival = 1.0;
            counts.for_each(stratum, |_, at_risk, events| {
                let (n, d): (f64, f64) = (at_risk.iter().sum(), events.iter().sum());
                if n <= 0.0 || d <= 0.0 {
                    return;
                }
                let w = weight.at(n, survival);
                let spread = if n > 1.0 { w * w * d * (n - d).max(0.0) / (n - 1.0) } else { 0.0 };
                for g in 0..n_groups {
                    observed[g] += w * events[g];
                    expected[g] += w * d * at_risk[g] / n;
                    let share = spread * at_risk[g] / n;
                    variance[[g, g]] += share;
                    for h in 0..=g {
                        variance[[g, h]] -= share * at_risk[h] / n;
                    }
                }
                survival *= 1.0 - d / n;
            });
        }
        for g in 0..n_groups {
            for h in 0..g {
                variance[[h, g]] = variance[[g, h]];
            }
        }
        let differences: Array1<f64> = observed.iter().zip(&expected).map(|(o, e)| o - e).collect();
        // A group that is never at risk with another has no part in the test.
        let present: Vec<usize> = (0..n_groups).filter(|&g| variance[[g, g]] > 0.0).collect();
        let Some((_, tested)) = present.split_last().filter(|(_, tested)| !tested.is_empty()) else {
            return Err(apart());
        };
        let statistic =
            quadratic_form(differences.select(Axis(0), tested), submatrix(variance.view(), tested).view())
                .ok_or_else(apart)?;
        let test = match tested.len() {
            1 => ChiSquaredTest::one_df(statistic),
            df => ChiSquaredTest::new(statistic, df as f64)?,
        };
        Ok(Self { weight, observed, expected, variance, test })
    }

    /// The test of two groups with its sign: positive where the second has more events than were to be
    /// expected.
    ///
    /// # Errors
    /// `invalid_input` for more than two groups.
    pub fn signed(&self) -> Result<SignedTest> {
        if self.observed.len() != 2 {
            return Err(Error::invalid("a sign needs two groups; take trend for more, or compare two"));
        }
        Ok(SignedTest::normal((self.observed[1] - self.expected[1]) / self.variance[[1, 1]].sqrt()))
    }

    /// The test that hazards rise or fall with a score of the groups: positive where they rise (Tarone 1975,
    /// Biometrika 62:679).
    ///
    /// # Errors
    /// `invalid_input` unless there is one finite score for each group; `zero_variance` where all are the same.
    pub fn trend(&self, scores: &[f64]) -> Result<SignedTest> {
        if scores.len() != self.observed.len() || scores.iter().any(|score| !score.is_finite()) {
            return Err(Error::invalid(format!(
                "give one finite score for each group, {} of them",
                self.observed.len()
            )));
        }
        let scores = Array1::from(scores.to_vec());
        let centred = &scores - scores.mean().unwrap_or(0.0);
        let differences: Array1<f64> = self.observed.iter().zip(&self.expected).map(|(o, e)| o - e).collect();
        let variance = centred.dot(&self.variance.dot(&centred));
        if variance.is_nan() || variance <= 0.0 {
            return Err(ErrorKind::ZeroVariance(
                "the scores of the groups that meet do not differ; give others".to_owned(),
            )
            .into());
        }
        Ok(SignedTest::normal(centred.dot(&differences) / variance.sqrt()))
    }
}

fn apart() -> Error {
    ErrorKind::ZeroVariance(
        "no two groups are at risk at the time of an event, so that they cannot be compared; check entry times and strata".to_owned(),
    )
    .into()
}
