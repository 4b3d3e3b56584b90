//! How assignments are replayed: all of them or draws, one design or several.

use super::assignments::{Assignments, Slots};
use super::null::NullDistribution;
use super::stream::{Drawn, LANES};
use crate::compute::progress::Task;
use crate::compute::threads::in_parts;
use crate::error::{Error, Result, counted, grouped};
use serde::{Deserialize, Serialize};

/// Draws that are kept at most, over all statistics: 2 GB.
const MOST_VALUES: usize = 1 << 28;

/// When the distribution over all assignments is found, and not drawn from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Exactness {
    /// By a list of all assignments where there are few, by counts of events, or by the distribution of a sum.
    /// The default.
    #[default]
    WherePossible,
    /// By a list of all assignments where there are few.
    AssignmentsOnly,
    /// Only where there are no more assignments than draws.
    FewAssignments,
    /// Never: assignments are drawn, with replacement.
    Never,
}

/// How many assignments are replayed, and how they are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ReplayOptions {
    /// The number of draws where nothing exact is possible; default: 9,999.
    pub draws: u64,
    /// The seed of the draws; default: 0.
    pub seed: u64,
    /// All assignments are listed up to this number of them, or up to the number of draws where that is
    /// larger; default: 100,000.
    pub enumerate_up_to: u64,
    /// When the distribution is exact; default: where possible.
    pub exactness: Exactness,
}

impl Default for ReplayOptions {
    fn default() -> Self {
        Self { draws: 9_999, seed: 0, enumerate_up_to: 100_000, exactness: Exactness::default() }
    }
}

impl ReplayOptions {
    setters! {
        /// The number of draws where nothing exact is possible; default: 9,999.
        draws: u64;
        /// The seed of the draws; default: 0.
        seed: u64;
        /// All assignments are listed up to this number of them, or up to the number of draws where that is
        /// larger; default: 100,000.
        enumerate_up_to: u64;
        /// When the distribution is exact; default: where possible.
        exactness: Exactness;
    }

    /// Refuses no draws, and more values than can be kept.
    pub(crate) fn check(&self, width: usize) -> Result<()> {
        if self.draws == 0 {
            return Err(Error::invalid("a randomisation test without draws; take 9,999, or more"));
        }
        let most = MOST_VALUES / width.max(1);
        if self.draws > most as u64 {
            return Err(Error::invalid(format!(
                "{} draws are more than can be kept; take at most {}",
                grouped(usize::try_from(self.draws).unwrap_or(usize::MAX)),
                grouped(most)
            )));
        }
        Ok(())
    }

    /// The number of assignments to list or to draw, with the seed of those that are drawn.
    pub(super) fn plan(&self, designs: &[Assignments], width: usize) -> Result<(u64, Option<u64>)> {
        self.check(width)?;
        let most = (MOST_VALUES / width.max(1)) as u64;
        let up_to = match self.exactness {
            Exactness::WherePossible | Exactness::AssignmentsOnly => {
                self.enumerate_up_to.max(self.draws).min(most)
            }
            Exactness::FewAssignments => self.draws,
            Exactness::Never => 0,
        };
        let all = designs.iter().try_fold(1_u64, |all, design| all.checked_mul(design.count()?));
        Ok(match all.filter(|&all| all <= up_to) {
            Some(all) => (all, None),
            None => (self.draws, Some(self.seed)),
        })
    }
}

/// How the assignments were replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Replays {
    /// All of them, the observed one included.
    Enumerated {
        /// Their number.
        assignments: u64,
    },
    /// All of them, by the probability of each table of counts or of each sum.
    Counted {
        /// The number of tables or sums.
        tables: u64,
    },
    /// A random sample; the observed assignment is added to it.
    Drawn {
        /// Their number.
        draws: u64,
        /// The number that was asked for; more where the work was stopped.
        of: u64,
        /// The seed: draw `i` is lane `i mod 16` of the stream `i / 16` of this seed.
        seed: u64,
    },
    /// Those that were given; the observed assignment is added to them.
    Given {
        /// Their number.
        draws: u64,
    },
}

impl Replays {
    /// Whether p-values are exact.
    pub fn exact(&self) -> bool {
        matches!(self, Self::Enumerated { .. } | Self::Counted { .. })
    }
}

/// A statistic of one's own of every assignment: a function from the group of every row to one value or several,
/// or to none where it is not defined.
///
/// # Errors
/// As [`Replay`](super::Replay); an error of the statistic, which ends the replay.
///
/// # Examples
/// ```
/// use armwise::randomization::{Assignments, ReplayOptions, replay_each};
///
/// let group = [1, 1, 1, 0, 0, 0];
/// let y = [4.0, 5.0, 6.0, 1.0, 2.0, 3.0];
/// let largest = |group: &[u32]| {
///     let treated = y.iter().zip(group).filter(|(_, group)| **group == 1);
///     Ok(Some(vec![treated.map(|(y, _)| *y).fold(0.0, f64::max)]))
/// };
/// let observed = vec![6.0];
/// let null = replay_each(
///     &Assignments::new(&group)?, ReplayOptions::default(), observed, largest,
/// )?;
/// assert_eq!(null.p_values(0).greater, 0.5);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn replay_each(
    assignments: &Assignments,
    options: ReplayOptions,
    observed: Vec<f64>,
    statistic: impl Fn(&[u32]) -> Result<Option<Vec<f64>>> + Sync,
) -> Result<NullDistribution> {
    replay_together(std::slice::from_ref(assignments), options, observed, |groups| statistic(&groups[0]))
}

/// The same of several designs that are drawn independently of each other, such as the trials of a pool.
/// `statistic` has the groups of the rows of each.
///
/// # Errors
/// As [`replay_each`]; no design.
pub fn replay_together(
    designs: &[Assignments],
    options: ReplayOptions,
    observed: Vec<f64>,
    statistic: impl Fn(&[Vec<u32>]) -> Result<Option<Vec<f64>>> + Sync,
) -> Result<NullDistribution> {
    let width = observed.len();
    if designs.is_empty() || width == 0 {
        return Err(Error::invalid("there is nothing to replay; give a design and an observed statistic"));
    }
    let (count, seed) = options.plan(designs, width)?;
    let slots: Vec<Slots> = designs.iter().map(Assignments::slots).collect();
    let slot_of_row = |(design, slots): (&Assignments, &Slots)| {
        let mut slot = vec![u32::MAX; design.group.len()];
        (0_u32..).zip(&slots.units).for_each(|(place, &unit)| slot[unit as usize] = place);
        design.of_rows(&slot)
    };
    let rows: Vec<Vec<u32>> = designs.iter().zip(&slots).map(slot_of_row).collect();
    let all = Designs::new(&slots, seed);
    let work = |drawn: &mut Vec<Drawn>, sixteen, lanes, out: &mut Vec<f64>| {
        all.assign(drawn, sixteen, lanes);
        let mut groups: Vec<Vec<u32>> = designs.iter().map(Assignments::observed).collect();
        for lane in 0..lanes {
            for ((groups, rows), drawn) in groups.iter_mut().zip(&rows).zip(&*drawn) {
                for (group, &slot) in groups.iter_mut().zip(rows).filter(|(_, slot)| **slot != u32::MAX) {
                    *group = u32::from(drawn.groups[slot as usize][lane]);
                }
            }
            match statistic(&groups)? {
                Some(values) if values.len() == width => out.extend(values),
                Some(values) => {
                    return Err(Error::invalid(format!(
                        "{} of an assignment for {}; give one for each observed statistic",
                        counted(values.len(), "value"),
                        counted(width, "statistic")
                    )));
                }
                None => out.extend(std::iter::repeat_n(f64::NAN, width)),
            }
        }
        Ok(())
    };
    let (values, replays) = in_sixteens(|| all.start(), (count, seed), width, (1, all.units()), work)?;
    Ok(NullDistribution::new(observed, values, None, replays))
}

/// The seed of one of several designs.
pub(crate) fn seed_of(seed: u64, design: usize) -> u64 {
    seed.wrapping_add((design as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Sixteen assignments of every design, drawn or by their numbers.
pub(super) struct Designs<'a> {
    slots: &'a [Slots],
    counts: Vec<u64>,
    seed: Option<u64>,
}

impl<'a> Designs<'a> {
    pub(super) fn new(slots: &'a [Slots], seed: Option<u64>) -> Self {
        Self { slots, counts: slots.iter().map(|slots| slots.count().unwrap_or(u64::MAX)).collect(), seed }
    }

    pub(super) fn start(&self) -> Vec<Drawn> {
        self.slots.iter().map(Drawn::new).collect()
    }

    /// All units that are assigned.
    pub(super) fn units(&self) -> usize {
        self.slots.iter().map(|slots| slots.units.len()).sum()
    }

    pub(super) fn assign(&self, drawn: &mut [Drawn], sixteen: usize, lanes: usize) {
        let mut before = 1;
        for (design, ((drawn, slots), count)) in
            drawn.iter_mut().zip(self.slots).zip(&self.counts).enumerate()
        {
            match self.seed {
                Some(seed) => drawn.draw(slots, seed_of(seed, design), sixteen as u64),
                // The first design turns fastest.
                None => {
                    drawn.enumerate(slots, lanes, |lane| ((sixteen * LANES + lane) as u64 / before) % count);
                }
            }
            before = before.saturating_mul(*count);
        }
    }
}

/// Calls `work` for sixteen assignments after sixteen, each thread with a state of its own. What is finished when
/// the work is stopped is kept where assignments are drawn, which are a sample however few they are. `cost` is
/// that of an assignment, in units that are drawn.
pub(super) fn in_sixteens<T>(
    start: impl Fn() -> T + Sync,
    (count, seed): (u64, Option<u64>),
    width: usize,
    (together, cost): (usize, usize),
    work: impl Fn(&mut T, usize, usize, &mut Vec<f64>) -> Result<()> + Sync,
) -> Result<(Vec<f64>, Replays)> {
    let length = usize::try_from(count).unwrap_or(usize::MAX);
    let task = Task::start(if seed.is_some() { "draws" } else { "assignments" }, count);
    let parallel = length.saturating_mul(cost) > 100_000;
    let parts = in_parts(length.div_ceil(LANES), together, parallel, |sixteens| -> Result<Vec<f64>> {
        let mut out = Vec::with_capacity(sixteens.len() * LANES * width);
        let mut state = start();
        for sixteen in sixteens {
            if task.stopped() {
                break;
            }
            let lanes = LANES.min(length - sixteen * LANES);
            work(&mut state, sixteen, lanes, &mut out)?;
            // A stop is noticed above.
            let _ = task.advance(lanes as u64);
        }
        Ok(out)
    });
    let values: Vec<f64> = parts.into_iter().collect::<Result<Vec<_>>>()?.concat();
    let done = (values.len() / width) as u64;
    match seed {
        Some(seed) if done > 0 => Ok((values, Replays::Drawn { draws: done, of: count, seed })),
        None if done == count => Ok((values, Replays::Enumerated { assignments: count })),
        _ => {
            Err(task.check().map_or_else(Error::from, |()| Error::invalid("no assignment; take more draws")))
        }
    }
}
