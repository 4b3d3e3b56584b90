//! What the regressions of hazards share: the times of the people in the model, and what is said of the
//! design.

use super::adjustment::{Adjustment, Prepared};
use super::clusters::declared_clusters;
use crate::compute::regression::{Family, ModelMatrix};
use crate::compute::survival::SurvivalData;
use crate::design::{Comparison, Groups, Notice, TimeToEvent, Times};
use crate::effect::{Contrast, IntervalMethod};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView1};
use std::collections::HashSet;

/// The times of the people in a model, with their strata and clusters counted from 0.
pub(super) struct Hazards<'p> {
    pub times: Times<'p>,
    /// The times, where they are not those of the comparison.
    time: Option<Vec<f64>>,
    strata: Option<Vec<u32>>,
    clusters: Option<Vec<u32>>,
}

/// The people of a comparison who have all columns of a model of hazards.
pub(super) fn prepare<'c>(
    adjustment: &Adjustment,
    comparison: &'c Comparison<TimeToEvent>,
    estimator: &'static str,
    level: f64,
) -> Result<Prepared<'c, TimeToEvent>> {
    adjustment.refuse_precision("a time to an event").map_err(|error| comparison.locate(error))?;
    adjustment.prepare(comparison, Family::Binomial, estimator, level)
}

/// The codes of groups, counted from 0 without gaps.
fn dense(groups: &Groups) -> Vec<u32> {
    let mut new = vec![None; groups.labels.len()];
    let mut next = 0;
    let code = |code: &u32| {
        *new[*code as usize].get_or_insert_with(|| {
            next += 1;
            next - 1
        })
    };
    groups.codes.iter().map(code).collect()
}

impl<'p> Hazards<'p> {
    /// `by_stratum`: people are at risk with those of their declared stratum only; `clustered`: with the
    /// declared clusters.
    pub(super) fn new(
        prepared: &'p Prepared<'_, TimeToEvent>,
        by_stratum: bool,
        clustered: bool,
    ) -> Result<Self> {
        let comparison = prepared.comparison();
        let strata = match prepared.strata().filter(|_| by_stratum) {
            None if by_stratum => {
                let why = "the baseline hazards are to differ between strata, but the trial declared none; name their columns with \
                           strata(..), or leave stratified() out";
                return Err(comparison.locate(Error::invalid(why)));
            }
            strata => strata.map(dense),
        };
        let clusters = if clustered {
            let clusters = declared_clusters(comparison).map_err(|error| comparison.locate(error))?;
            Some(dense(clusters))
        } else {
            None
        };
        Ok(Self { times: comparison.times()?, time: None, strata, clusters })
    }

    /// The data of the numeric layer.
    pub(super) fn data<'s>(&'s self, weights: Option<ArrayView1<'s, f64>>) -> Result<SurvivalData<'s>> {
        let mut data = match &self.time {
            None => self.times.data()?,
            Some(time) => {
                let data = SurvivalData::new(time, &self.times.cause)?;
                match self.times.entry {
                    Some(entry) => data.entry(entry)?,
                    None => data,
                }
            }
        };
        if let Some(strata) = &self.strata {
            data = data.strata(strata)?;
        }
        if let Some(clusters) = &self.clusters {
            data = data.clusters(clusters)?;
        }
        match weights.and_then(|weights| weights.to_slice()) {
            Some(weights) => data.weights(weights),
            None => Ok(data),
        }
    }

    /// With what comes after a horizon unseen.
    pub(super) fn until(mut self, horizon: f64) -> Self {
        let late = self.times.time.iter().any(|time| *time > horizon);
        if late {
            for (cause, time) in self.times.cause.iter_mut().zip(self.times.time) {
                *cause = if *time > horizon { 0 } else { *cause };
            }
            self.time = Some(self.times.time.iter().map(|time| time.min(horizon)).collect());
        }
        self
    }

    /// Events of the cause of interest.
    fn events(&self) -> usize {
        self.times.cause.iter().filter(|cause| **cause == 1).count()
    }

    /// A notice where there are fewer than five events for each coefficient.
    pub(super) fn few_events(&self, coefficients: usize) -> Option<Notice> {
        let events = self.events();
        (events < 5 * coefficients).then_some(Notice::FewEvents { events: events as u64, coefficients })
    }

    /// A notice of strata that lack an arm.
    pub(super) fn strata_left_out(&self, arm: &[u32], arms: usize) -> Option<Notice> {
        let strata = self.strata.as_ref()?;
        let of = strata.iter().max().map_or(0, |code| *code as usize + 1);
        let present: HashSet<(u32, u32)> = strata.iter().copied().zip(arm.iter().copied()).collect();
        let mut counts = vec![0; of];
        for (stratum, _) in present {
            counts[stratum as usize] += 1;
        }
        let left_out = counts.iter().filter(|count| **count < arms).count();
        (left_out > 0).then_some(Notice::StrataLeftOut { strata: left_out, of })
    }
}

/// The reference distribution of a variance over clusters: t on the clusters of both arms of an effect, less
/// 1.
pub(super) fn cluster_df(comparison: &Comparison<TimeToEvent>) -> Result<Vec<f64>> {
    let (people, clusters) = (comparison.people()?, declared_clusters(comparison)?);
    let mut arms = vec![HashSet::new(); comparison.arms().len()];
    for (&arm, &cluster) in people.arm.iter().zip(&clusters.codes) {
        arms[arm as usize].insert(cluster);
    }
    Ok(arms[1..].iter().map(|arm| arm.union(&arms[0]).count() as f64 - 1.0).collect())
}

/// Wald's contrasts of the arms, which are the first coefficients: `df` for each, or the normal distribution.
pub(super) fn wald(
    comparison: &Comparison<TimeToEvent>,
    values: ArrayView1<f64>,
    covariance: &Array2<f64>,
    df: Option<&[f64]>,
    level: f64,
) -> Result<Vec<Contrast>> {
    let arms = comparison.treatments().iter().enumerate();
    arms.map(|(i, arm)| Contrast::wald(arm.clone(), values[i], covariance[[i, i]], df.map(|df| df[i]), level))
        .collect()
}

/// The interval that goes with degrees of freedom.
pub(super) fn interval_of(df: Option<&[f64]>) -> IntervalMethod {
    if df.is_some() { IntervalMethod::StudentT } else { IntervalMethod::Normal }
}

/// Refuses a risk by the hazards of one cause where others compete.
pub(super) fn refuse_competing(comparison: &Comparison<TimeToEvent>) -> Result<()> {
    if comparison.kind().causes().len() < 2 {
        return Ok(());
    }
    let why = "a risk by hazards of one cause takes people with another cause as if they could still have the event; use RiskAtHorizon, \
               or declare the other causes with censored(..) if that is meant";
    Err(comparison.locate(Error::invalid(why)))
}

/// Refuses a horizon beyond the follow-up of an arm.
pub(super) fn check_follow_up(comparison: &Comparison<TimeToEvent>, horizon: f64) -> Result<()> {
    for (end, arm) in comparison.follow_up()?.iter().zip(comparison.arms()) {
        if let Some(end) = end.filter(|end| *end < horizon) {
            let times = comparison.times()?;
            let (horizon, last) = (times.span(horizon), times.point(end));
            let error = Error::from(ErrorKind::BeyondFollowUp { horizon, last });
            return Err(comparison.locate(error.in_arm(&arm.label)));
        }
    }
    Ok(())
}

/// Refuses a horizon beyond the follow-up of a declared stratum, whose baseline hazard is its own.
pub(super) fn check_follow_up_of_strata(comparison: &Comparison<TimeToEvent>, horizon: f64) -> Result<()> {
    let Some(strata) = &comparison.people()?.strata else { return Ok(()) };
    let times = comparison.times()?;
    // The last time of each stratum, and whether somebody is seen until then without an event.
    let mut ends = vec![(0.0_f64, false); strata.labels.len()];
    for ((&stratum, &time), &cause) in strata.codes.iter().zip(times.time).zip(&times.cause) {
        let (last, there) = &mut ends[stratum as usize];
        if time > *last {
            (*last, *there) = (time, cause == 0);
        } else if time == *last {
            *there |= cause == 0;
        }
    }
    let short = strata.labels.iter().zip(ends).find(|(_, (last, there))| *there && *last < horizon);
    let Some((stratum, (last, _))) = short else { return Ok(()) };
    let why = format!(
        "the horizon, {}, lies beyond the follow-up of stratum \"{stratum}\", which ends at {} while people are still there, and its \
         baseline hazard is its own; give an earlier horizon, or leave stratified() out",
        times.span(horizon),
        times.point(last)
    );
    Err(comparison.locate(Error::not_estimable(why)))
}

/// The columns of a matrix whose first are the treatments, as if everybody had been in each of `k` arms.
pub(super) fn in_each_arm(matrix: &ModelMatrix, k: usize) -> Vec<Array2<f64>> {
    let mut all = Array2::zeros((matrix.nrows(), matrix.ncols()));
    matrix.for_each_block(|rows, block| {
        rows.zip(block.columns()).for_each(|(row, x)| all.row_mut(row).assign(&x));
    });
    let in_arm = |arm: usize| {
        let mut setting = all.clone();
        for place in 0..k - 1 {
            setting.column_mut(place).fill(f64::from(u8::from(place + 1 == arm)));
        }
        setting
    };
    (0..k).map(in_arm).collect()
}
