//! People who are drawn again: a comparison with every person, or cluster, as often as it was drawn.

// Places and counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::comparison::{ArmCounts, Comparison, Groups, People};
use super::outcome::OutcomeKind;
use crate::error::Result;
use std::sync::Arc;

impl<K: OutcomeKind> Comparison<K> {
    /// The comparison of the people whose unit is counted, each as often as it; a cluster that is drawn twice
    /// is two clusters. Everybody counts as randomised who is drawn. Without notices.
    ///
    /// # Errors
    /// An arm is left without people.
    pub(crate) fn resampled(&self, unit_of: &[u32], counts: &[u32]) -> Result<Self> {
        let people = self.people()?;
        let times: Vec<usize> = unit_of.iter().map(|&unit| counts[unit as usize] as usize).collect();
        let mut drawn = people.repeat(&times);
        if let Some(clusters) = &people.clusters {
            drawn.clusters = Some(clusters.copied(&times));
        }
        self.of_drawn(drawn)
    }

    /// The comparison of the people with an outcome alone, in the order in which they are.
    pub(crate) fn of_observed(&self) -> Result<Self> {
        let mut people = self.people()?.clone();
        let mut assigned = vec![u32::MAX; people.assigned.len()];
        people.rows.iter().zip(&people.arm).for_each(|(&row, &arm)| assigned[row as usize] = arm);
        people.assigned = assigned.into();
        self.of_drawn(people)
    }

    fn of_drawn(&self, people: People) -> Result<Self> {
        let mut drawn = Self {
            trial: self.trial.clone(),
            measure: self.measure.clone(),
            kind: self.kind.clone(),
            arms: self.arms.clone(),
            notices: Vec::new(),
            people: Some(people),
            subgroup: self.subgroup,
        };
        drawn.count_analysed()?;
        for arm in &mut drawn.arms {
            arm.counts.observed = arm.counts.analysed;
            arm.counts.randomised = arm.counts.analysed;
        }
        Ok(drawn)
    }

    /// The comparison of published counts with these events and people of the arms.
    pub(crate) fn with_counts(&self, counts: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut arms = self.arms.clone();
        for (arm, (events, n)) in arms.iter_mut().zip(counts) {
            arm.counts = ArmCounts { randomised: n, observed: n, analysed: n, events: Some(events) };
        }
        Self {
            trial: self.trial.clone(),
            measure: self.measure.clone(),
            kind: self.kind.clone(),
            arms,
            notices: Vec::new(),
            people: None,
            subgroup: self.subgroup,
        }
    }
}

impl Groups {
    /// The groups of people who occur so often, every copy of a group being a group of its own: the first
    /// copy of each person belongs to the first copy of the group. There are at most as many as before.
    fn copied(&self, times: &[usize]) -> Self {
        let mut copies = vec![0; self.labels.len()];
        self.codes.iter().zip(times).for_each(|(&code, &times)| copies[code as usize] = times);
        let first: Vec<u32> = copies
            .iter()
            .scan(0, |next, copies| {
                let first = *next;
                *next += *copies as u32;
                Some(first)
            })
            .collect();
        let copies = |(&code, &times): (&u32, &usize)| {
            let first = first[code as usize];
            first..first + times as u32
        };
        let codes: Vec<u32> = self.codes.iter().zip(times).flat_map(copies).collect();
        Self { labels: Arc::clone(&self.labels), codes, columns: Arc::clone(&self.columns) }
    }
}
