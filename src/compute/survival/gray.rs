use super::counts::Counts;
use super::data::{Feature, SurvivalData, groups};
use crate::compute::fitted::quadratic_form;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::linalg::submatrix;
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

/// Gray's test that the cumulative incidence of a cause is the same in all groups, with strata if the data have
/// them: the log-rank test of the subdistribution hazard.
///
/// # Formula
/// At a time with `d1_k` events of the cause in group `k`, `d2_k` of the others and `R_k` at risk, curves just
/// before the time marked (-): `Y_k = R_k / S_k(-)`, and the score
/// `U_k = sum d1_k - d1 Y_k (1 - F_k(-)) / sum_l Y_l (1 - F_l(-))`; the variance of Gray (1988) under one common
/// curve, with his factors for finite samples, as R's `cmprsk` (`rho = 0`).
///
/// # References
/// Gray RJ (1988), Annals of Statistics 16:1141.
///
/// ```
/// use armwise::survival::{GrayTest, SurvivalData};
///
/// let data = SurvivalData::new(
///     &[1.0, 2.0, 4.0, 5.0, 3.0, 6.0, 8.0, 9.0],
///     &[1, 2, 1, 0, 1, 1, 2, 0],
/// )?;
/// let test = GrayTest::new(&data, &[0, 0, 0, 0, 1, 1, 1, 1], 1)?;
/// assert!(test.test.p_value > 0.5);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GrayTest {
    /// The cause.
    pub cause: u32,
    /// The score of each group; they add up to 0.
    pub score: Array1<f64>,
    /// The covariance matrix of the scores.
    pub variance: Array2<f64>,
    /// The test of all groups.
    pub test: ChiSquaredTest,
}

/// What a time holds that its part of the variance needs, by group.
struct Moment {
    at_risk: Vec<f64>,
    own: f64,
    others: Vec<f64>,
    before: Vec<f64>,
    after: Vec<f64>,
    /// The common incidence after it.
    incidence: f64,
    total: f64,
    shares: Array2<f64>,
    cumulated: Array2<f64>,
}

impl GrayTest {
    /// Compares the groups of rows with the same code, counted from 0.
    ///
    /// # Errors
    /// `invalid_input` for codes of another number of rows, entry times, weights, or causes taken as censored;
    /// `empty_arm` for fewer than two groups or a code without rows; `no_events` of the cause; `zero_variance`.
    pub fn new(data: &SurvivalData, group: &[u32], cause: u32) -> Result<Self> {
        data.refuse("Gray's test", &[Feature::Entry, Feature::Weights, Feature::CensoredCauses])?;
        let n_groups = groups(group, data.n())?;
        if cause == 0 || !data.cause.contains(&cause) {
            return Err(ErrorKind::NoEvents(format!(
                "nobody had an event of the cause {cause}; check the causes"
            ))
            .into());
        }
        let causes = data.n_causes();
        let grid = data.grid();
        let counts = Counts::new(data, grid, Some((group, n_groups)), causes);
        let mut score = Array1::<f64>::zeros(n_groups);
        let mut variance = Array2::<f64>::zeros((n_groups, n_groups));
        for stratum in 0..data.n_strata() {
            let (moments, end) =
                forward(&counts, stratum, n_groups, (cause as usize - 1, causes), &mut score);
            for moment in &moments {
                moment.add(&end, &mut variance);
            }
        }
        let tested: Vec<usize> = (1..n_groups).collect();
        let part = submatrix(variance.view(), &tested);
        let statistic = quadratic_form(score.select(Axis(0), &tested), part.view()).ok_or_else(|| {
            Error::from(ErrorKind::ZeroVariance(
                "the test has no variance: the groups are never at risk together, or everybody of one group has the event while \
                 others remain; check the strata, or take the log-rank test"
                    .to_owned(),
            ))
        })?;
        let test = ChiSquaredTest::new(statistic, tested.len() as f64)?;
        Ok(Self { cause, score, variance, test })
    }
}

/// The times of a stratum in order, and what cumulates over all of them.
fn forward(
    counts: &Counts,
    stratum: usize,
    groups: usize,
    (cause, causes): (usize, usize),
    score: &mut Array1<f64>,
) -> (Vec<Moment>, Array2<f64>) {
    let mut survival = vec![1.0; groups];
    let mut incidence = vec![0.0; groups];
    let mut common = 0.0;
    let mut cumulated = Array2::<f64>::zeros((groups, groups));
    let mut moments = Vec::new();
    counts.for_each(stratum, |_, at_risk, events| {
        let own: Vec<f64> = (0..groups).map(|g| events[g * causes + cause]).collect();
        let all: Vec<f64> = (0..groups).map(|g| events[g * causes..(g + 1) * causes].iter().sum()).collect();
        let y: Vec<f64> =
            (0..groups).map(|g| if at_risk[g] > 0.0 { at_risk[g] / survival[g] } else { 0.0 }).collect();
        let total: f64 = y.iter().sum();
        if total <= 0.0 {
            return;
        }
        let d: f64 = own.iter().sum();
        let open: Vec<f64> = (0..groups).map(|g| y[g] * (1.0 - incidence[g])).collect();
        let all_open: f64 = open.iter().sum();
        if d > 0.0 && all_open > 0.0 {
            for g in 0..groups {
                score[g] += own[g] - d * open[g] / all_open;
            }
        }
        let shares = Array2::from_shape_fn((groups, groups), |(i, k)| {
            f64::from(u8::from(i == k)) * y[i] - y[i] * y[k] / total
        });
        if d > 0.0 {
            cumulated.scaled_add(d / (total * (1.0 - common)), &shares);
        }
        common += d / total;
        let before = survival.clone();
        for g in 0..groups {
            if at_risk[g] > 0.0 {
                incidence[g] += survival[g] * own[g] / at_risk[g];
                survival[g] *= if all[g] < at_risk[g] { 1.0 - all[g] / at_risk[g] } else { 0.0 };
            }
        }
        moments.push(Moment {
            at_risk: at_risk.to_vec(),
            own: d,
            others: (0..groups).map(|g| all[g] - own[g]).collect(),
            before,
            after: survival.clone(),
            incidence: common,
            total,
            shares,
            cumulated: cumulated.clone(),
        });
    });
    (moments, cumulated)
}

impl Moment {
    /// Adds the part of a time to the variance; `end` is what has cumulated at the last time.
    fn add(&self, end: &Array2<f64>, variance: &mut Array2<f64>) {
        let groups = self.at_risk.len();
        let rest = end - &self.cumulated;
        for k in (0..groups).filter(|k| self.at_risk[*k] > 0.0) {
            let open = if self.after[k] > 0.0 { (1.0 - self.incidence) / self.after[k] } else { 0.0 };
            if self.own > 0.0 {
                let (s, d) = (self.before[k], self.own);
                let factor = if d > 1.0 { 1.0 - (d - 1.0) / (self.total * s - 1.0) } else { 1.0 };
                let scale = factor * s * d / (self.total * self.at_risk[k]);
                let q = |i: usize| {
                    self.shares[[i, k]] + rest[[i, k]] * if self.after[k] > 0.0 { 1.0 - open } else { 0.0 }
                };
                for i in 0..groups {
                    for j in 0..groups {
                        variance[[i, j]] += scale * q(i) * q(j);
                    }
                }
            }
            let d = self.others[k];
            if d > 0.0 {
                let factor = if d > 1.0 { 1.0 - (d - 1.0) / (self.at_risk[k] - 1.0) } else { 1.0 };
                let scale = factor * self.before[k].powi(2) * d / self.at_risk[k].powi(2);
                for i in 0..groups {
                    for j in 0..groups {
                        variance[[i, j]] += scale * rest[[i, k]] * open * rest[[j, k]] * open;
                    }
                }
            }
        }
    }
}
