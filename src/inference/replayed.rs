use crate::compute::randomization::Assignments;
use crate::design::{Allocation, Assigned, Comparison, Notice, OutcomeKind};
use crate::error::{Error, ErrorKind, Result};

/// The allocation of a comparison, and the outcomes of everybody in it.
#[derive(Debug)]
pub struct Replayed {
    pub(crate) assigned: Assigned,
    /// The outcome of every row of the table; NaN where there is none.
    pub(crate) outcome: Vec<f64>,
}

impl Replayed {
    /// That of the people, or complete randomisation of those who were counted.
    pub(crate) fn of<K: OutcomeKind>(comparison: &Comparison<K>) -> Result<Self> {
        /// Rows that counts may stand for.
        const MOST: u64 = 50_000_000;
        if let Ok(people) = comparison.people() {
            let Some(assigned) = &people.allocated else {
                return Err(Error::invalid(
                    "these people were made from others, so that nothing tells how they were allocated; replay the comparison \
                     of the trial",
                ));
            };
            let mut outcome = vec![f64::NAN; people.table.rows()];
            for (&row, &value) in people.rows.iter().zip(&people.outcome) {
                outcome[row as usize] = value;
            }
            return Ok(Self { assigned: (**assigned).clone(), outcome });
        }
        let n: u64 = comparison.arms().iter().map(|arm| arm.counts.analysed).sum();
        if n > MOST {
            return Err(Error::invalid(
                "more than 50 million people; take Fisher's exact test, proportion::TwoProportions::fisher_test",
            ));
        }
        let (mut arm, mut outcome) = (Vec::new(), Vec::new());
        for (place, own) in (0_u32..).zip(comparison.arms()) {
            let events = own.counts.events.unwrap_or(0);
            for person in 0..own.counts.analysed {
                arm.push(place);
                outcome.push(f64::from(u8::from(person < events)));
            }
        }
        let arms = comparison.arms();
        let assigned = Assigned {
            allocation: Allocation::complete(),
            arms: arms.iter().map(|arm| arm.label.clone()).collect(),
            arm: arm.into(),
            blocks: None,
            clusters: None,
            place: (0_u32..).take(arms.len()).collect(),
        };
        Ok(Self { assigned, outcome })
    }

    /// The arm of the trial at a place of the comparison.
    pub(crate) fn code(&self, place: usize) -> u32 {
        let found = self.assigned.place.iter().position(|&own| own as usize == place);
        found.and_then(|arm| u32::try_from(arm).ok()).unwrap_or(0)
    }

    /// Refuses a comparison that leaves arms out.
    pub(crate) fn check_whole(&self) -> Result<()> {
        match self.assigned.place.iter().position(|place| *place == u32::MAX) {
            None => Ok(()),
            Some(arm) => Err(Error::invalid(format!(
                "everybody is to be drawn anew, but the comparison leaves \"{}\" out; compare all arms with trial.on(..), or hold \
                 the other arms",
                self.assigned.arms[arm]
            ))),
        }
    }

    /// What has to be said of the allocation.
    pub(crate) fn notices(&self, all: &Assignments) -> Vec<Notice> {
        /// Studentised statistics approach their level under equal means as clusters grow.
        const FEW: usize = 10;
        let mut notices = Vec::new();
        if all.clustered() {
            let units = all.units_of_groups();
            let compared = (0..units.len()).filter(|&arm| self.assigned.place[arm] != u32::MAX);
            if let Some(fewest) = compared.min_by_key(|&arm| units[arm]).filter(|&arm| units[arm] < FEW) {
                let arm = self.assigned.arms[fewest].clone();
                notices.push(Notice::FewClusters { arm, clusters: units[fewest] });
            }
        }
        if self.assigned.blocks.is_some() {
            let sizes = self.assigned.sizes();
            let occurring = sizes.iter().filter(|sizes| sizes.iter().any(|size| *size > 0)).count();
            let alone =
                sizes.iter().filter(|sizes| sizes.iter().filter(|size| **size > 0).count() == 1).count();
            if alone > 0 {
                notices.push(Notice::BlocksOfOneArm { blocks: alone, of: occurring });
            }
        }
        notices
    }

    /// Whether every block has this many units with an outcome in each of these arms.
    pub(crate) fn blocks_have(&self, arms: [u32; 2], least: usize) -> bool {
        let Some(blocks) = &self.assigned.blocks else { return false };
        let mut counts = vec![[0_usize; 2]; blocks.labels.len()];
        let mut occurs = vec![false; blocks.labels.len()];
        for (row, &arm) in self.assigned.arm.iter().enumerate() {
            let block = blocks.codes[row] as usize;
            for (place, own) in arms.iter().enumerate() {
                if *own == arm {
                    occurs[block] = true;
                    counts[block][place] += usize::from(!self.outcome[row].is_nan());
                }
            }
        }
        counts.iter().zip(&occurs).all(|(counts, occurs)| !occurs || counts.iter().all(|n| *n >= least))
    }

    /// Names the block that has nobody of an arm by its label.
    pub(crate) fn named(&self, error: Error) -> Error {
        let Some(blocks) = &self.assigned.blocks else { return error };
        if !matches!(error.kind(), ErrorKind::Incompatible(_)) {
            return error;
        }
        let sizes = self.assigned.sizes();
        for (block, sizes) in sizes.iter().enumerate() {
            let missing =
                (0..sizes.len()).find(|&arm| sizes[arm] == 0 && self.assigned.place[arm] != u32::MAX);
            if let Some(arm) = missing.filter(|_| sizes.iter().any(|size| *size > 0)) {
                let why = format!(
                    "block \"{}\" has nobody in this arm, so that it has no difference; leave the block out, or take a statistic that \
                     does without blocks",
                    blocks.labels[block]
                );
                return Error::from(ErrorKind::Incompatible(why)).in_arm(&self.assigned.arms[arm]);
            }
        }
        error
    }
}
