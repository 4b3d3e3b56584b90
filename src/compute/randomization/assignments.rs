use crate::error::{Error, ErrorKind, Result, counted};
use std::ops::Range;

/// The most groups that an assignment may have: a group is held in one byte.
const MOST_GROUPS: usize = 256;

/// The set of assignments that could have happened, all equally likely: units are exchanged within blocks, and
/// the numbers of units of each group within each block stay those observed.
///
/// A unit is one row, or one cluster of rows. Units that are held keep their group.
///
/// ```
/// use armwise::randomization::Assignments;
///
/// let group = [0, 0, 1, 1, 0, 1, 1, 0];
/// let complete = Assignments::new(&group)?;
/// assert_eq!(complete.count(), Some(70));
/// let blocked = Assignments::new(&group)?.within(&[0, 0, 0, 0, 1, 1, 1, 1])?;
/// assert_eq!(blocked.count(), Some(36));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Assignments {
    pub(super) groups: usize,
    /// The unit of every row; rows are units where there are no clusters.
    pub(super) unit: Option<Vec<u32>>,
    /// The group of every unit.
    pub(super) group: Vec<u32>,
    /// The block of every unit.
    pub(super) block: Vec<u32>,
    blocks: usize,
    pub(super) held: Vec<bool>,
}

/// The units that are drawn, block by block.
#[derive(Debug, Clone)]
pub(super) struct Slots {
    pub units: Vec<u32>,
    pub blocks: Vec<Block>,
}

/// A block: where its units stand among the slots, and how many of them each group has.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub slots: Range<usize>,
    pub sizes: Vec<u32>,
}

impl Assignments {
    /// All rows are exchanged with one another: complete randomisation. `group` holds the group of every row,
    /// from 0.
    ///
    /// # Errors
    /// No rows, or more than 256 groups.
    pub fn new(group: &[u32]) -> Result<Self> {
        let Some(&largest) = group.iter().max() else {
            return Err(Error::invalid("there is nobody to assign; give the group of at least one row"));
        };
        let groups = largest as usize + 1;
        if groups > MOST_GROUPS {
            return Err(Error::invalid(format!(
                "the largest group is {largest}; number the groups from 0, at most {MOST_GROUPS} of them"
            )));
        }
        let n = group.len();
        Ok(Self {
            groups,
            unit: None,
            group: group.to_vec(),
            block: vec![0; n],
            blocks: 1,
            held: vec![false; n],
        })
    }

    /// Units are exchanged within blocks only; `block` holds the block of every row, from 0. Say it before
    /// [`Assignments::by_cluster`].
    ///
    /// # Errors
    /// As many blocks as rows not given, or rows that are clusters already.
    pub fn within(mut self, block: &[u32]) -> Result<Self> {
        if self.unit.is_some() {
            return Err(Error::invalid("name the blocks of rows first, and then their clusters"));
        }
        self.check_rows(block.len(), "blocks")?;
        self.blocks = block.iter().max().map_or(0, |largest| *largest as usize + 1);
        if self.blocks > self.group.len() {
            return Err(Error::invalid(format!(
                "the largest block is {} for {}; number the blocks from 0",
                self.blocks - 1,
                counted(self.group.len(), "row")
            )));
        }
        self.block = block.to_vec();
        Ok(self)
    }

    /// Whole clusters are exchanged; `cluster` holds the cluster of every row, from 0.
    ///
    /// # Errors
    /// As many clusters as rows not given; a cluster in two groups or two blocks.
    pub fn by_cluster(mut self, cluster: &[u32]) -> Result<Self> {
        self.check_rows(cluster.len(), "clusters")?;
        let units = cluster.iter().max().map_or(0, |largest| *largest as usize + 1);
        if units > self.group.len() {
            return Err(Error::invalid(format!(
                "the largest cluster is {} for {}; number the clusters from 0, each with a row",
                units - 1,
                counted(self.group.len(), "row")
            )));
        }
        let mut first = vec![usize::MAX; units];
        for (row, &cluster) in cluster.iter().enumerate() {
            let first = &mut first[cluster as usize];
            if *first == usize::MAX {
                *first = row;
            }
            let refused = |what: &str| {
                Err(Error::from(ErrorKind::Incompatible(format!(
                    "cluster {cluster} has rows in two {what}, but clusters are assigned as a whole; check the clusters, or \
                     take rows as units"
                ))))
            };
            if self.group[*first] != self.group[row] {
                return refused("groups");
            }
            if self.block[*first] != self.block[row] {
                return refused("blocks");
            }
        }
        if first.contains(&usize::MAX) {
            return Err(Error::invalid("a cluster has no row; number the clusters from 0 without gaps"));
        }
        self.group = first.iter().map(|&row| self.group[row]).collect();
        self.block = first.iter().map(|&row| self.block[row]).collect();
        self.held = vec![false; units];
        self.unit = Some(cluster.to_vec());
        Ok(self)
    }

    /// The units of groups other than these keep their group.
    #[must_use]
    pub fn among(mut self, groups: &[u32]) -> Self {
        self.held = self.group.iter().map(|group| !groups.contains(group)).collect();
        self
    }

    fn check_rows(&self, given: usize, what: &str) -> Result<()> {
        if given == self.group.len() {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "{} for {}; give one for each row",
            counted(given, what.trim_end_matches('s')),
            counted(self.group.len(), "row")
        )))
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.unit.as_ref().map_or(self.group.len(), Vec::len)
    }

    /// The number of groups.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// The number of units of each group: rows, or clusters.
    pub fn units_of_groups(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.groups];
        self.group.iter().for_each(|&group| sizes[group as usize] += 1);
        sizes
    }

    /// Whether whole clusters are assigned.
    pub fn clustered(&self) -> bool {
        self.unit.is_some()
    }

    /// The number of different assignments, the observed one included; none where it is 2^63 or more.
    pub fn count(&self) -> Option<u64> {
        self.slots().count()
    }

    pub(super) fn slots(&self) -> Slots {
        let mut of_block: Vec<Vec<u32>> = vec![Vec::new(); self.blocks];
        for (unit, &block) in (0_u32..).zip(&self.block) {
            if !self.held[unit as usize] {
                of_block[block as usize].push(unit);
            }
        }
        let mut slots = Slots { units: Vec::with_capacity(self.group.len()), blocks: Vec::new() };
        for units in of_block.into_iter().filter(|units| !units.is_empty()) {
            let mut sizes = vec![0; self.groups];
            for &unit in &units {
                sizes[self.group[unit as usize] as usize] += 1;
            }
            let start = slots.units.len();
            slots.units.extend(&units);
            slots.blocks.push(Block { slots: start..slots.units.len(), sizes });
        }
        slots
    }

    /// The group of every row.
    pub(super) fn observed(&self) -> Vec<u32> {
        self.of_rows(&self.group)
    }

    /// A value of every unit as one of every row.
    pub(super) fn of_rows<T: Copy>(&self, of_units: &[T]) -> Vec<T> {
        match &self.unit {
            None => of_units.to_vec(),
            Some(unit) => unit.iter().map(|&unit| of_units[unit as usize]).collect(),
        }
    }
}

/// `n! / (n_1! ... n_k!)`; none where it is 2^63 or more.
fn arrangements(sizes: &[u32]) -> Option<u64> {
    let (mut count, mut n) = (1_u128, 0_u128);
    for &size in sizes {
        for i in 1..=u128::from(size) {
            n += 1;
            count = count * n / i;
            if count >= 1 << 63 {
                return None;
            }
        }
    }
    u64::try_from(count).ok()
}

impl Slots {
    /// The number of different assignments; none where it is 2^63 or more.
    pub(super) fn count(&self) -> Option<u64> {
        let product = |all: u64, block: &Block| all.checked_mul(arrangements(&block.sizes)?);
        self.blocks.iter().try_fold(1, product).filter(|&all| all < 1 << 63)
    }

    /// Writes the assignment of this number, counted from 0, as the group of each slot.
    pub(super) fn unrank(&self, mut number: u64, mut write: impl FnMut(usize, u8)) {
        for block in &self.blocks {
            // The sizes fit, as the number of all assignments does.
            let mut count = u128::from(arrangements(&block.sizes).unwrap_or(1));
            let mut rank = u128::from(number) % count;
            number /= u64::try_from(count).unwrap_or(1);
            let mut left = block.sizes.clone();
            let mut units = block.slots.len() as u128;
            for slot in block.slots.clone() {
                for (group, left) in left.iter_mut().enumerate() {
                    let with = count * u128::from(*left) / units;
                    if rank < with {
                        count = with;
                        *left -= 1;
                        write(slot, u8::try_from(group).unwrap_or(u8::MAX));
                        break;
                    }
                    rank -= with;
                }
                units -= 1;
            }
        }
    }
}
