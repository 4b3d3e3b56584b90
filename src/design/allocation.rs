use super::comparison::{Comparison, Groups};
use super::{Label, OutcomeKind};
use crate::compute::randomization::Assignments;
use crate::error::{Error, ErrorKind, Result, counted};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The kinds of allocations: which assignments could have happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AllocationKind {
    /// Everybody is exchanged with everybody; the sizes of the arms are fixed. The default.
    #[default]
    Complete,
    /// People are exchanged within blocks, in which the sizes of the arms are fixed.
    Blocked,
    /// People are exchanged within strata, in which the sizes of the arms are taken as they came out.
    Stratified,
    /// Blocks of one person of each arm.
    Paired,
    /// Whole clusters are exchanged; the number of clusters of each arm is fixed.
    Clustered,
    /// Whole clusters are exchanged within blocks.
    BlockedClustered,
}

/// How people were allocated to arms: what a randomisation test replays.
///
/// A trial that declares none has that of its [`strata`](super::TrialBuilder::strata) and
/// [`clusters`](super::TrialBuilder::clusters). Where an allocation is declared, the trial is checked against
/// it when it is built, and its blocks and clusters count as declared strata and clusters where there are no
/// others.
///
/// ```
/// use armwise::design::{Allocation, AllocationKind};
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("arm,block,y\nc,1,2\nt,1,3\nt,2,4\nc,2,1\n")?;
/// let trial = Trial::builder("Utrecht", table)
///     .arm_labels("arm")
///     .control("c")
///     .allocation(Allocation::blocked(["block"]).sizes([("c", 1), ("t", 1)]))
///     .build()?;
/// assert_eq!(trial.allocation().kind, AllocationKind::Blocked);
///
/// let table = Table::from_csv_str("arm,block,y\nc,1,2\nt,1,3\nt,1,4\nc,2,1\nt,2,1\n")?;
/// let error = Trial::builder("Utrecht", table)
///     .arm_labels("arm")
///     .control("c")
///     .allocation(Allocation::blocked(["block"]).sizes([("c", 1), ("t", 1)]))
///     .build()
///     .unwrap_err();
/// assert!(error.to_string().contains("block \"1\" has 2 people"));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Allocation {
    /// The kind.
    pub kind: AllocationKind,
    /// The columns of blocks, strata or pairs; none where the kind has none.
    #[serde(default)]
    pub blocks: Vec<String>,
    /// The column of clusters that were allocated as a whole.
    #[serde(default)]
    pub clusters: Option<String>,
    /// The number of units of each arm in every block, or of all; empty where they are taken from the data.
    #[serde(default)]
    pub sizes: BTreeMap<String, u64>,
}

fn names<T: AsRef<str>>(columns: impl IntoIterator<Item = T>) -> Vec<String> {
    columns.into_iter().map(|column| column.as_ref().to_owned()).collect()
}

impl Allocation {
    fn of(kind: AllocationKind, blocks: Vec<String>, clusters: Option<&str>) -> Self {
        Self { kind, blocks, clusters: clusters.map(str::to_owned), sizes: BTreeMap::new() }
    }

    /// Complete randomisation: arms of fixed size among everybody.
    pub fn complete() -> Self {
        Self::default()
    }

    /// Randomisation within the blocks that these columns make.
    pub fn blocked<T: AsRef<str>>(columns: impl IntoIterator<Item = T>) -> Self {
        Self::of(AllocationKind::Blocked, names(columns), None)
    }

    /// Randomisation within the strata that these columns make.
    pub fn stratified<T: AsRef<str>>(columns: impl IntoIterator<Item = T>) -> Self {
        Self::of(AllocationKind::Stratified, names(columns), None)
    }

    /// Matched sets with one person of each arm, that this column names.
    pub fn paired(column: &str) -> Self {
        Self::of(AllocationKind::Paired, vec![column.to_owned()], None)
    }

    /// Randomisation of the clusters that this column names.
    pub fn clustered(column: &str) -> Self {
        Self::of(AllocationKind::Clustered, Vec::new(), Some(column))
    }

    /// Randomisation of clusters within blocks.
    pub fn blocked_clustered<T: AsRef<str>>(blocks: impl IntoIterator<Item = T>, clusters: &str) -> Self {
        Self::of(AllocationKind::BlockedClustered, names(blocks), Some(clusters))
    }

    /// The number of units of each arm in every block, or of all where there are no blocks, which the data are
    /// checked against; default: not known.
    #[must_use]
    pub fn sizes<T: AsRef<str>>(mut self, sizes: impl IntoIterator<Item = (T, u64)>) -> Self {
        self.sizes = sizes.into_iter().map(|(arm, size)| (arm.as_ref().to_owned(), size)).collect();
        self
    }

    /// That of declared strata and clusters.
    pub(super) fn of_declared(strata: &[String], clusters: Option<&String>) -> Self {
        let kind = match (strata.is_empty(), clusters) {
            (true, None) => AllocationKind::Complete,
            (false, None) => AllocationKind::Stratified,
            (true, Some(_)) => AllocationKind::Clustered,
            (false, Some(_)) => AllocationKind::BlockedClustered,
        };
        Self::of(kind, strata.to_vec(), clusters.map(String::as_str))
    }

    /// Refuses columns that the kind does not have, and the lack of those that it has.
    pub(crate) fn check(&self) -> Result<()> {
        use AllocationKind::{Blocked, BlockedClustered, Clustered, Complete, Paired, Stratified};
        let [blocks, clusters] = match self.kind {
            Complete => [false, false],
            Blocked | Stratified | Paired => [true, false],
            Clustered => [false, true],
            BlockedClustered => [true, true],
        };
        if blocks == self.blocks.is_empty() || clusters != self.clusters.is_some() {
            let with = |has: bool| if has { "with" } else { "without" };
            return Err(Error::invalid(format!(
                "the allocation is {self}; blocks are declared {} their columns, and clusters {} theirs",
                with(blocks),
                with(clusters)
            )));
        }
        if let Some((arm, _)) = self.sizes.iter().find(|(_, size)| **size == 0) {
            return Err(Error::invalid("an arm of no units; leave it out of the sizes").in_arm(arm));
        }
        Ok(())
    }
}

/// `complete`, `blocked by site`, `clusters of school within region`.
impl fmt::Display for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blocks = self.blocks.join(" and ");
        let clusters = self.clusters.as_deref().unwrap_or("(none)");
        match self.kind {
            AllocationKind::Complete => f.write_str("complete"),
            AllocationKind::Blocked => write!(f, "within blocks of {blocks}"),
            AllocationKind::Stratified => write!(f, "within strata of {blocks}"),
            AllocationKind::Paired => write!(f, "within pairs of {blocks}"),
            AllocationKind::Clustered => write!(f, "of whole clusters of {clusters}"),
            AllocationKind::BlockedClustered => {
                write!(f, "of whole clusters of {clusters} within blocks of {blocks}")
            }
        }
    }
}

/// The allocation with the arm, block and cluster of everybody who was randomised, with an outcome or without.
#[derive(Debug, Clone)]
pub(crate) struct Assigned {
    pub allocation: Allocation,
    /// The arms of the trial.
    pub arms: Arc<[Label]>,
    /// The arm of every row of the table.
    pub arm: Arc<[u32]>,
    pub blocks: Option<Arc<Groups>>,
    pub clusters: Option<Arc<Groups>>,
    /// The place of every arm of the trial in the comparison; `u32::MAX` outside it.
    pub place: Vec<u32>,
}

impl Assigned {
    /// The assignments that could have happened. A cluster in two arms or two blocks is refused by its label.
    pub(crate) fn assignments(&self) -> Result<Assignments> {
        let mut assignments = Assignments::new(&self.arm)?;
        if let Some(blocks) = &self.blocks {
            assignments = assignments.within(&blocks.codes)?;
        }
        if let Some(clusters) = &self.clusters {
            self.check_clusters(clusters)?;
            assignments = assignments.by_cluster(&clusters.codes)?;
        }
        Ok(assignments)
    }

    fn check_clusters(&self, clusters: &Groups) -> Result<()> {
        let mut first = vec![usize::MAX; clusters.labels.len()];
        for (row, &cluster) in clusters.codes.iter().enumerate() {
            let first = &mut first[cluster as usize];
            if *first == usize::MAX {
                *first = row;
            }
            let label = &clusters.labels[cluster as usize];
            let [one, other] = [*first, row].map(|row| &self.arms[self.arm[row] as usize]);
            if one != other {
                let why = format!(
                    "cluster \"{label}\" has people in \"{one}\" and in \"{other}\", but clusters are allocated as a whole; check \
                     the column, or declare another allocation"
                );
                return Err(Error::from(ErrorKind::Incompatible(why)).in_column(&clusters.columns[0]));
            }
            if let Some(blocks) = &self.blocks
                && blocks.codes[*first] != blocks.codes[row]
            {
                let [one, other] = [*first, row].map(|row| &blocks.labels[blocks.codes[row] as usize]);
                let why = format!(
                    "cluster \"{label}\" has people in the blocks \"{one}\" and \"{other}\", but clusters are allocated as a whole; \
                     check both columns"
                );
                return Err(Error::from(ErrorKind::Incompatible(why)).in_column(&clusters.columns[0]));
            }
        }
        Ok(())
    }

    /// The number of units of each arm in each block: `[block][arm]`.
    pub(crate) fn sizes(&self) -> Vec<Vec<u64>> {
        let blocks = self.blocks.as_ref().map_or(1, |blocks| blocks.labels.len());
        let mut sizes = vec![vec![0; self.arms.len()]; blocks];
        let mut seen = vec![false; self.clusters.as_ref().map_or(0, |clusters| clusters.labels.len())];
        for (row, &arm) in self.arm.iter().enumerate() {
            if let Some(clusters) = &self.clusters
                && std::mem::replace(&mut seen[clusters.codes[row] as usize], true)
            {
                continue;
            }
            let block = self.blocks.as_ref().map_or(0, |blocks| blocks.codes[row] as usize);
            sizes[block][arm as usize] += 1;
        }
        sizes
    }

    /// Holds the data against an allocation that was declared.
    pub(super) fn check(&self) -> Result<()> {
        self.allocation.check()?;
        if let Some(clusters) = &self.clusters {
            self.check_clusters(clusters)?;
        }
        let known = || self.arms.iter().map(ToString::to_string).collect();
        for arm in self.allocation.sizes.keys() {
            if self.arms.iter().all(|label| label != arm.as_str()) {
                return Err(ErrorKind::UnknownArm { label: arm.clone(), known: known() }.into());
            }
        }
        let unit = if self.clusters.is_some() { "cluster" } else { "person" };
        for (block, sizes) in self.sizes().iter().enumerate() {
            for (arm, &size) in self.arms.iter().zip(sizes) {
                let declared = match self.allocation.kind {
                    AllocationKind::Paired => Some(1),
                    _ if self.allocation.sizes.is_empty() => None,
                    _ => Some(self.allocation.sizes.get(arm.as_str()).copied().unwrap_or(0)),
                };
                let Some(declared) = declared.filter(|declared| *declared != size) else { continue };
                let place = match &self.blocks {
                    Some(blocks) => format!("block \"{}\" has", blocks.labels[block]),
                    None => "there are".to_owned(),
                };
                let why = format!(
                    "{place} {} in this arm where the allocation declares {declared}; check the block and the arm of everybody, \
                     or declare the allocation that was made",
                    counted(usize::try_from(size).unwrap_or(usize::MAX), unit)
                );
                return Err(Error::from(ErrorKind::Incompatible(why)).in_arm(arm));
            }
        }
        Ok(())
    }
}

impl<K: OutcomeKind> Comparison<K> {
    /// The same people under another assignment: `arm` holds the arm of the trial of every row of the table.
    ///
    /// # Errors
    /// An arm in which nobody has an outcome.
    pub(crate) fn reassigned(&self, arm: &[u32]) -> Result<Self> {
        let people = self.people()?;
        let Some(allocated) = &people.allocated else { return Ok(self.clone()) };
        let place = |row: usize| allocated.place[arm[row] as usize];
        let mut replayed = self.clone();
        let mut own = people.clone();
        for (arm, &row) in own.arm.iter_mut().zip(&people.rows) {
            *arm = place(row as usize);
        }
        let assigned = people.assigned.iter().enumerate();
        own.assigned = assigned.map(|(row, &was)| if was == u32::MAX { was } else { place(row) }).collect();
        let keep: Vec<bool> = own.arm.iter().map(|arm| *arm != u32::MAX).collect();
        if keep.contains(&false) {
            own = own.keep(&keep);
        }
        let mut counts = vec![[0_u64; 2]; self.arms.len()];
        own.arm.iter().for_each(|&arm| counts[arm as usize][1] += 1);
        let randomised = (0..arm.len()).map(place).filter(|arm| *arm != u32::MAX);
        randomised.for_each(|arm| counts[arm as usize][0] += 1);
        for (arm, [randomised, observed]) in replayed.arms.iter_mut().zip(counts) {
            (arm.counts.randomised, arm.counts.observed) = (randomised, observed);
        }
        replayed.people = Some(own);
        replayed.count_analysed()?;
        Ok(replayed)
    }
}
