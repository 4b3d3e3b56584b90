use super::assignments::Assignments;
use super::exact;
use super::null::NullDistribution;
use super::problem::{Parts, Problem};
use super::statistic::Statistic;
use super::stream::LANES;
use crate::compute::threads::fill_in_parts;
use crate::error::{Error, Result, counted, grouped};
use serde::{Deserialize, Serialize};

/// Draws that are kept at most, over all statistics: 2 GB.
const MOST_VALUES: usize = 1 << 28;

/// Assignments that a thread takes at once.
const PART: usize = 16 * LANES;

/// When the distribution over all assignments is found, and not drawn from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Exactness {
    /// By a list of all assignments where there are few, by counts of events, or by the distribution of a sum.
    /// The default.
    #[default]
    WherePossible,
    /// Only where there are no more assignments than draws.
    FewAssignments,
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

/// The replay of a design: a statistic for every assignment that could have happened.
///
/// Under the sharp null hypothesis (nobody's outcome depends on the group) all assignments would have given the
/// outcomes that were seen, so the share of assignments with a statistic as extreme as the observed one is an
/// exact p-value, whatever the distribution of the outcomes.
///
/// # Formula
/// Exact: `p = #(T* >= T) / N` over all N assignments, the observed one among them. Else
/// `p = (1 + #(T* >= T)) / (1 + B)` over B draws (Phipson & Smyth 2010), which keeps its level for any B. Ties
/// count, up to 1e-9 of the largest statistic. An assignment for which the statistic is not defined counts as
/// extreme.
///
/// # Errors
/// An outcome of another length, groups without rows, blocks that lack a group where the statistic takes blocks
/// one by one; no draws, or more than 2^28 values.
///
/// # Examples
/// ```
/// use armwise::randomization::{Assignments, Replay, Statistic};
///
/// let assignments = Assignments::new(&[1, 1, 1, 0, 0, 0])?;
/// let replay = Replay::new(&assignments, Statistic::DifferenceInMeans)
///     .outcome(&[4.0, 5.0, 6.0, 1.0, 2.0, 3.0])
///     .run()?;
/// // One assignment of 20 is as extreme, and its mirror image.
/// assert_eq!(replay.p_values(0).two_sided, 0.1);
/// assert_eq!(replay.p_values(0).greater, 0.05);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Fisher (1935), The Design of Experiments. Phipson & Smyth (2010), Statistical Applications in Genetics and
/// Molecular Biology 9:39. Rosenbaum (2002), Observational Studies.
#[derive(Debug, Clone)]
pub struct Replay<'a> {
    pub(super) assignments: &'a Assignments,
    pub(super) statistic: Statistic,
    pub(super) outcomes: Vec<Vec<f64>>,
    pub(super) covariates: Vec<Vec<f64>>,
    pub(super) treatments: Vec<u32>,
    pub(super) control: u32,
    draws: u64,
    seed: u64,
    enumerate_up_to: u64,
    exactness: Exactness,
}

impl<'a> Replay<'a> {
    /// A replay of one treatment, group 1, against the control, group 0, with 9,999 draws and seed 0 where
    /// nothing exact is possible. Add an outcome.
    pub fn new(assignments: &'a Assignments, statistic: Statistic) -> Self {
        Self {
            assignments,
            statistic,
            outcomes: Vec::new(),
            covariates: Vec::new(),
            treatments: vec![1],
            control: 0,
            draws: 9_999,
            seed: 0,
            enumerate_up_to: 100_000,
            exactness: Exactness::default(),
        }
    }

    /// Adds an outcome: one value for each row, NaN where it is missing.
    #[must_use]
    pub fn outcome(mut self, values: &[f64]) -> Self {
        self.outcomes.push(values.to_vec());
        self
    }

    /// Adds a covariate of least squares: one value for each row.
    #[must_use]
    pub fn covariate(mut self, values: &[f64]) -> Self {
        self.covariates.push(values.to_vec());
        self
    }

    /// The groups that are compared with the control; default: group 1.
    #[must_use]
    pub fn treatments(mut self, groups: &[u32]) -> Self {
        self.treatments = groups.to_vec();
        self
    }

    setters! {
        /// The group that treatments are compared with; default: group 0.
        control: u32;
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

    /// The statistics of all assignments, or of draws.
    ///
    /// # Errors
    /// As [`Replay`].
    pub fn run(&self) -> Result<NullDistribution> {
        let problem = self.problem(&self.outcomes)?;
        let observed = self.answered(&problem)?;
        if let Some(assignments) = self.listed()? {
            let values = self.statistics(&problem, assignments, None)?;
            return Ok(NullDistribution::new(observed, values, None, Replays::Enumerated { assignments }));
        }
        if self.exactness == Exactness::WherePossible
            && let Some((values, weights)) = exact::distribution(self.assignments, &problem, &self.outcomes)
        {
            let tables = weights.len() as u64;
            return Ok(NullDistribution::new(observed, values, Some(weights), Replays::Counted { tables }));
        }
        let (draws, seed) = (self.draws, self.seed);
        let values = self.statistics(&problem, draws, Some(seed))?;
        Ok(NullDistribution::new(observed, values, None, Replays::Drawn { draws, seed }))
    }

    /// The statistics of assignments that are given, one list of groups by row for each.
    ///
    /// # Errors
    /// As [`Replay`], and for a list that is none of the assignments that could have happened.
    pub fn over(&self, draws: &[Vec<u32>]) -> Result<NullDistribution> {
        let problem = self.problem(&self.outcomes)?;
        let observed = self.answered(&problem)?;
        let mut values = Vec::with_capacity(draws.len() * problem.width());
        let mut scratch = problem.scratch();
        for (number, draw) in draws.iter().enumerate() {
            let refused = |why: &str| Err(Error::invalid(format!("assignment {}: {why}", number + 1)));
            if draw.len() != self.assignments.rows() {
                return refused("it has another number of rows; give the group of every row");
            }
            let mut of_unit = vec![u32::MAX; self.assignments.group.len()];
            for (row, &group) in draw.iter().enumerate() {
                let unit = self.assignments.unit.as_ref().map_or(row, |unit| unit[row] as usize);
                if of_unit[unit] != u32::MAX && of_unit[unit] != group {
                    return refused("it has a cluster in two groups; give all its rows one group");
                }
                of_unit[unit] = group;
            }
            for block in &problem.slots.blocks {
                let mut sizes = vec![0; block.sizes.len()];
                for slot in block.slots.clone() {
                    let group = of_unit[problem.slots.units[slot] as usize];
                    let Some(size) = sizes.get_mut(group as usize) else {
                        return refused("it has a group that nobody has; number the groups as observed");
                    };
                    *size += 1;
                    scratch.drawn.groups[slot * LANES] = u8::try_from(group).unwrap_or(u8::MAX);
                }
                if sizes != block.sizes {
                    return refused("its groups have other sizes than those observed; give assignments of the design");
                }
            }
            problem.evaluate(&mut scratch, 1, |parts| values.extend(parts.iter().map(|one| one.statistic())));
        }
        let replays = Replays::Given { draws: draws.len() as u64 };
        if draws.is_empty() {
            return Err(Error::invalid("there are no assignments; give at least one"));
        }
        Ok(NullDistribution::new(observed, values, None, replays))
    }

    pub(super) fn problem(&self, outcomes: &[Vec<f64>]) -> Result<Problem> {
        Problem::new(
            self.assignments,
            self.statistic,
            outcomes,
            &self.covariates,
            &self.treatments,
            self.control,
        )
    }

    /// The observed statistics, which have to exist.
    fn answered(&self, problem: &Problem) -> Result<Vec<f64>> {
        let observed: Vec<f64> = problem.observed().into_iter().map(Parts::statistic).collect();
        if observed.iter().any(|value| value.is_nan()) {
            return Err(Error::not_estimable(format!(
                "the {} is not defined for the observed groups: a group has too few rows with an outcome; leave it out, or \
                 take the difference in means",
                self.statistic.words()
            )));
        }
        Ok(observed)
    }

    /// The number of assignments where all are listed.
    pub(super) fn listed(&self) -> Result<Option<u64>> {
        let most = (MOST_VALUES / self.outcomes.len().max(1) / self.treatments.len().max(1)) as u64;
        check_draws(self.draws, most)?;
        let all = self.assignments.count();
        Ok(all.filter(|&all| all <= self.enumerate_up_to.max(self.draws).min(most)))
    }

    /// The number and the seed of replays for intervals, which are listed or drawn.
    pub(super) fn replays(&self) -> Result<(u64, Option<u64>, Replays)> {
        let (draws, seed) = (self.draws, self.seed);
        Ok(match self.listed()? {
            Some(assignments) => (assignments, None, Replays::Enumerated { assignments }),
            None => (draws, Some(seed), Replays::Drawn { draws, seed }),
        })
    }

    fn statistics(&self, problem: &Problem, count: u64, seed: Option<u64>) -> Result<Vec<f64>> {
        replayed(problem, count, seed, problem.width(), |parts, out| {
            out.iter_mut().zip(parts).for_each(|(out, part)| *out = part.statistic());
        })
    }
}

/// Refuses no draws, and more than can be kept.
pub(crate) fn check_draws(draws: u64, most: u64) -> Result<()> {
    if draws == 0 {
        return Err(Error::invalid("a randomisation test without draws; take 9,999, or more"));
    }
    if draws > most {
        return Err(Error::invalid(format!(
            "{} are more than can be kept; take at most {}",
            counted(usize::try_from(draws).unwrap_or(usize::MAX), "draw"),
            grouped(usize::try_from(most).unwrap_or(usize::MAX))
        )));
    }
    Ok(())
}

/// `width` numbers of every assignment: of all in their order, or of random ones.
pub(super) fn replayed(
    problem: &Problem,
    count: u64,
    seed: Option<u64>,
    width: usize,
    write: impl Fn(&[Parts], &mut [f64]) + Sync,
) -> Result<Vec<f64>> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut values = vec![0.0; count * width];
    fill_in_parts(&mut values, PART * width, count * problem.slots.units.len() > 100_000, |start, part| {
        let mut scratch = problem.scratch();
        for (sixteen, out) in part.chunks_mut(LANES * width).enumerate() {
            let first = (start / width + sixteen * LANES) as u64;
            let lanes = out.len() / width;
            match seed {
                Some(seed) => scratch.drawn.draw(&problem.slots, seed, first / LANES as u64),
                None => scratch.drawn.enumerate(&problem.slots, first, lanes),
            }
            let mut out = out.chunks_mut(width);
            problem.evaluate(&mut scratch, lanes, |parts| {
                if let Some(out) = out.next() {
                    write(&parts, out);
                }
            });
        }
        Ok::<(), Error>(())
    })?;
    Ok(values)
}
