//! The test that hazards are proportional.

use super::{CoxFit, Ties};
use crate::compute::fitted::{check_tested, quadratic_form};
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::linalg::{Cholesky, submatrix};
use crate::compute::survival::counts::Counts;
use crate::compute::survival::data::SurvivalData;
use crate::compute::words::words;
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

/// The function of time with which hazard ratios are taken to change in the test of proportional hazards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimeTransform {
    /// `1 - S(t-)`, the Kaplan-Meier curve of all rows without strata: outlying times have little influence.
    #[default]
    KaplanMeier,
    /// The time.
    Identity,
    /// Its logarithm; times must be above 0.
    Logarithm,
    /// The rank of the time among the times of all rows.
    Rank,
}

words! { TimeTransform {
    KaplanMeier => "Kaplan-Meier",
    Identity => "time",
    Logarithm => "log time",
    Rank => "rank of time",
} }

/// The score test that a coefficient does not change with a function `g` of time.
///
/// # Formula
/// With `V` the information and `x - xbar` the Schoenfeld residual at each event, and `g` centred at its mean
/// over the events: `u = sum g (x - xbar)`, and `u' (I22 - I21 I11^-1 I12)^-1 u` with `I11 = sum V`,
/// `I12 = sum g V`, `I22 = sum g^2 V`, `u` and the matrix restricted to the tested columns.
///
/// # References
/// Grambsch PM, Therneau TM (1994), Biometrika 81:515; the exact form of the score test as R's survival since
/// 3.0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProportionalHazardsTest {
    /// The function of time.
    pub transform: TimeTransform,
    /// The names of the coefficients.
    pub names: Vec<String>,
    /// The test of each coefficient alone.
    pub each: Vec<ChiSquaredTest>,
    /// The test of all together.
    pub global: ChiSquaredTest,
    score: Array1<f64>,
    information: Array2<f64>,
}

impl ProportionalHazardsTest {
    /// The test of the coefficients at some positions together.
    ///
    /// # Errors
    /// `invalid_input` for positions that are not there; `not_estimable` where events are at too few times.
    pub fn joint(&self, tested: &[usize]) -> Result<ChiSquaredTest> {
        check_tested(tested, self.names.len())?;
        let score = self.score.select(Axis(0), tested);
        let statistic =
            quadratic_form(score, submatrix(self.information.view(), tested).view()).ok_or_else(too_few)?;
        ChiSquaredTest::new(statistic, tested.len() as f64)
    }
}

impl CoxFit<'_> {
    /// Tests that hazards are proportional.
    ///
    /// # Errors
    /// `not_estimable` for exact ties, and where events are at too few times; `invalid_input` for the
    /// logarithm of a time of 0.
    pub fn proportional_hazards_test(&self, transform: TimeTransform) -> Result<ProportionalHazardsTest> {
        let sets = &self.sets;
        if sets.ties == Ties::Exact {
            return Err(ErrorKind::NotEstimable(
                "the test of proportional hazards is not defined for exact ties; take Efron's or Breslow's"
                    .to_owned(),
            )
            .into());
        }
        let mut g = transformed(sets.data, &sets.grid.times, transform)?;
        let (mut sum, mut events) = (0.0, 0.0);
        for (g, (deaths, _)) in g.iter().zip(&sets.deaths).filter(|(_, (deaths, _))| *deaths > 0) {
            sum += g * *deaths as f64;
            events += *deaths as f64;
        }
        for g in &mut g {
            *g -= sum / events;
        }
        let weighted = sets.weighted(&self.found.coefficients);
        let hazards = sets.hazards(&weighted);
        let information = |power: i32| {
            let of = |slot: usize| g[slot].powi(power);
            let mut cumulative = vec![0.0; sets.grid.len()];
            for slots in &sets.grid.strata {
                for slot in slots.start + 1..slots.end {
                    cumulative[slot] = cumulative[slot - 1] + of(slot) * hazards.steps[slot].hazard[0];
                }
            }
            let (products, _) =
                sets.products(&weighted, &cumulative, |slot| of(slot) * hazards.steps[slot].hazard[1]);
            products - sets.products_of_means(&weighted, &hazards, of)
        };
        let (once, twice) = (information(1), information(2));
        let factor = Cholesky::new(self.found.evaluation.information.view()).ok_or_else(too_few)?;
        let mut solved = once.clone();
        for mut column in solved.columns_mut() {
            let x = factor.solve(column.view());
            column.assign(&x);
        }
        let information = crate::compute::linalg::symmetrised(twice - once.t().dot(&solved));
        // The residuals: covariates of the events, less the means of their risk sets.
        let mut score = Array1::<f64>::zeros(sets.p());
        sets.for_each_centred_block(|rows, block| {
            for (row, x) in rows.zip(block.columns()).filter(|(row, _)| sets.data.is_event(*row)) {
                score.scaled_add(g[sets.grid.exit[row] as usize] * sets.data.weight(row), &x);
            }
        });
        sets.for_each_risk_set(&weighted, |slot, s1, d1| {
            let [whole, dying] = hazards.steps[slot].hazard;
            for (j, sum) in score.iter_mut().enumerate() {
                *sum -= g[slot] * (whole * s1[j] - dying * d1[j]);
            }
        });
        let names = self.names().to_vec();
        let each = (0..sets.p()).map(|j| {
            let variance = information[[j, j]];
            if variance <= 1e-12 * self.found.evaluation.information[[j, j]] {
                return Err(too_few());
            }
            Ok(ChiSquaredTest::one_df(score[j] * score[j] / variance))
        });
        let each = each.collect::<Result<Vec<_>>>()?;
        let statistic = quadratic_form(score.clone(), information.view()).ok_or_else(too_few)?;
        let global = ChiSquaredTest::new(statistic, sets.p() as f64)?;
        Ok(ProportionalHazardsTest { transform, names, each, global, score, information })
    }
}

/// The function of the time of each slot.
fn transformed(data: &SurvivalData, times: &[f64], transform: TimeTransform) -> Result<Vec<f64>> {
    Ok(match transform {
        TimeTransform::Identity => {
            times.iter().map(|time| if time.is_finite() { *time } else { 0.0 }).collect()
        }
        TimeTransform::Logarithm => {
            if times.contains(&0.0) {
                return Err(Error::invalid(
                    "an event has a time of 0, which has no logarithm; take another transform",
                ));
            }
            times.iter().map(|time| if time.is_finite() { time.ln() } else { 0.0 }).collect()
        }
        TimeTransform::KaplanMeier => {
            let pooled = data.pooled();
            let grid = pooled.grid();
            let counts = Counts::new(&pooled, grid, None, 1);
            let mut survival = 1.0;
            let mut before = vec![1.0];
            counts.for_each(0, |_, n, d| {
                before.push(survival);
                if n[0] > 0.0 {
                    survival *= 1.0 - d[0] / n[0];
                }
            });
            let of = |time: &f64| {
                let slot = grid.times.partition_point(|known| known <= time).max(1) - 1;
                1.0 - before[slot]
            };
            times.iter().map(of).collect()
        }
        TimeTransform::Rank => {
            let mut sorted = data.time.to_vec();
            sorted.sort_unstable_by(f64::total_cmp);
            let of = |time: &f64| {
                let below = sorted.partition_point(|known| known < time);
                let up_to = sorted.partition_point(|known| known <= time);
                0.5 * (below + up_to + 1) as f64
            };
            times.iter().map(of).collect()
        }
    })
}

fn too_few() -> Error {
    ErrorKind::NotEstimable(
        "events are at too few different times to see whether hazards stay proportional; leave the test out"
            .to_owned(),
    )
    .into()
}
