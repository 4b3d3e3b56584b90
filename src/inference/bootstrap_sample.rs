//! The people of a comparison as units that are drawn again.

// Places and counts are small and positive; short loops read as calls.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::needless_for_each)]

use crate::compute::resampling::{EventResamples, Resamples};
use crate::design::{Binary, Comparison, Groups, OutcomeKind};
use crate::effect::{Estimates, ResampledUnit, ResampledWithin};
use crate::error::{Error, ErrorKind, Result, counted};
use crate::estimator::Estimator;

/// The units of a comparison, and how they are drawn.
pub(super) enum Sample {
    /// People or clusters.
    Units {
        units: Resamples,
        /// The unit of each person.
        unit_of: Vec<u32>,
        unit: ResampledUnit,
        within: ResampledWithin,
    },
    /// Numbers of events of the arms.
    Events(EventResamples),
}

/// The groups that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strata {
    Kept,
    Ignored,
}

/// The units that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Declared clusters, else people.
    Declared,
    People,
    /// Of a pool: draws from its model.
    Model,
}

impl Sample {
    pub(super) fn of<K: OutcomeKind, E: Estimator<K>>(
        comparison: &Comparison<K>,
        estimator: &E,
        full: &Estimates<E::Scale>,
        (unit, strata): (Unit, Strata),
    ) -> Result<Self> {
        let people = comparison.people.as_ref();
        let clusters = people.and_then(|people| people.clusters.as_ref()).filter(|_| unit == Unit::Declared);
        let strata = people
            .and_then(|people| people.strata.as_ref())
            .filter(|groups| strata == Strata::Kept && groups.occurring() > 1);
        let counts_alone = clusters.is_none() && strata.is_none() && estimator.needs_counts_alone();
        if K::NAME == Binary::NAME && (people.is_none() || counts_alone) {
            return Self::of_events(comparison);
        }
        let people = comparison.people()?;
        same_without_others(comparison, estimator, full)?;
        let (labels, unit_of): (_, Vec<u32>) = match clusters {
            Some(clusters) => (Some(clusters), consecutive(&clusters.codes)),
            None => (None, (0..people.arm.len() as u32).collect()),
        };
        let units = unit_of.iter().max().map_or(0, |last| *last as usize + 1);
        // The arm and the stratum of each unit.
        let mut arm_of = vec![u32::MAX; units];
        let mut stratum_of = vec![u32::MAX; units];
        let (mut mixed, mut crosses) = (false, false);
        for (person, &unit) in unit_of.iter().enumerate() {
            let (unit, arm) = (unit as usize, people.arm[person]);
            mixed |= arm_of[unit] != u32::MAX && arm_of[unit] != arm;
            arm_of[unit] = arm;
            let stratum = strata.map_or(0, |strata| strata.codes[person]);
            crosses |= stratum_of[unit] != u32::MAX && stratum_of[unit] != stratum;
            stratum_of[unit] = stratum;
        }
        if crosses {
            return Err(Error::invalid(
                "a cluster has people of several strata, so that clusters cannot be drawn within strata; ask for strata_ignored()",
            ));
        }
        let arms = comparison.arms.len() as u32;
        let (within, group_of): (ResampledWithin, Vec<u32>) = match (mixed, strata) {
            (true, None) => (ResampledWithin::Nothing, vec![0; units]),
            (true, Some(_)) => (ResampledWithin::Strata, stratum_of),
            (false, None) => (ResampledWithin::Arms, arm_of),
            (false, Some(_)) => {
                let both = stratum_of.iter().zip(&arm_of);
                (ResampledWithin::ArmsAndStrata, both.map(|(stratum, arm)| stratum * arms + arm).collect())
            }
        };
        if !mixed {
            check_groups(comparison, strata, &group_of, labels.is_some())?;
        }
        let unit = if labels.is_some() { ResampledUnit::Clusters } else { ResampledUnit::People };
        Ok(Self::Units { units: Resamples::within(&group_of)?, unit_of, unit, within })
    }

    fn of_events<K: OutcomeKind>(comparison: &Comparison<K>) -> Result<Self> {
        let groups = comparison.arms.iter().map(|arm| {
            let events = arm.counts.events.unwrap_or(0);
            if arm.counts.analysed < 2 {
                let why = "there is one person, who does not show how people vary; leave the arm out with compare(..).versus(..)";
                return Err(Error::from(ErrorKind::InsufficientObservations(why.to_owned())).in_arm(&arm.label));
            }
            Ok((events, arm.counts.analysed))
        });
        Ok(Self::Events(EventResamples::new(&groups.collect::<Result<Vec<_>>>()?)?))
    }

    /// What is resampled, and within what.
    pub(super) fn words(&self) -> (ResampledUnit, ResampledWithin) {
        match self {
            Self::Units { unit, within, .. } => (*unit, *within),
            Self::Events(_) => (ResampledUnit::People, ResampledWithin::Arms),
        }
    }
}

/// Codes from 0 on in the order of the given ones.
fn consecutive(codes: &[u32]) -> Vec<u32> {
    let mut known = codes.to_vec();
    known.sort_unstable();
    known.dedup();
    codes.iter().map(|code| known.partition_point(|other| other < code) as u32).collect()
}

/// Refuses an estimator that also uses people without an outcome: they are not drawn.
fn same_without_others<K: OutcomeKind, E: Estimator<K>>(
    comparison: &Comparison<K>,
    estimator: &E,
    full: &Estimates<E::Scale>,
) -> Result<()> {
    let alone = comparison.of_observed()?.estimate(estimator);
    let near = |a: f64, b: f64, se: f64| (a - b).abs() <= 1e-9 * (se + a.abs());
    let same = alone.is_ok_and(|alone| {
        alone.len() == full.len()
            && alone.contrasts.iter().zip(&full.contrasts).all(|(a, b)| near(a.value(), b.value(), b.se()))
    });
    if same {
        return Ok(());
    }
    Err(Error::invalid(
        "this estimator uses people without an outcome, whom a resample of those with one leaves out; take an estimator that models the \
         outcome, or the variance that this estimator has by itself",
    ))
}

/// Every arm needs two units, and every stratum every arm with two.
fn check_groups<K: OutcomeKind>(
    comparison: &Comparison<K>,
    strata: Option<&Groups>,
    group_of: &[u32],
    clustered: bool,
) -> Result<()> {
    let arms = comparison.arms.len();
    let strata_count = strata.map_or(1, |strata| strata.labels.len());
    let mut sizes = vec![0_usize; arms * strata_count];
    group_of.iter().for_each(|&group| sizes[group as usize] += 1);
    let unit = if clustered { "cluster" } else { "person" };
    for (stratum, sizes) in sizes.chunks(arms).enumerate() {
        if sizes.iter().all(|size| *size == 0) {
            continue;
        }
        if let Some(arm) = sizes.iter().position(|size| *size < 2) {
            let place =
                strata.map_or(String::new(), |strata| format!(" in stratum \"{}\"", strata.labels[stratum]));
            let advice = match strata {
                Some(_) => "ask for strata_ignored(), or join small strata",
                None => "leave the arm out with compare(..).versus(..)",
            };
            let why = format!(
                "the arm has {}{place}, and two are needed to show how they vary; {advice}",
                counted(sizes[arm], unit)
            );
            let error = Error::from(ErrorKind::InsufficientObservations(why));
            return Err(error.in_arm(&comparison.arms[arm].label));
        }
    }
    Ok(())
}
