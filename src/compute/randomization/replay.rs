use super::assignments::Assignments;
use super::exact;
use super::null::NullDistribution;
use super::problem::{Parts, Problem, Scratch};
use super::replays::{Designs, Exactness, ReplayOptions, Replays, in_sixteens};
use super::statistic::{BlockWeights, Statistic};
use super::stream::{Drawn, LANES};
use crate::error::{Error, Result};

/// Assignments that a thread takes at once.
const PART: usize = 16 * LANES;

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
    block_weights: BlockWeights,
    options: ReplayOptions,
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
            block_weights: BlockWeights::default(),
            options: ReplayOptions::default(),
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
        /// The people of a block by whom its difference is weighted; default: the two groups.
        block_weights: BlockWeights;
        /// How many assignments are replayed, and how they are drawn.
        options: ReplayOptions;
        /// As [`ReplayOptions::draws`].
        options.draws: u64;
        /// As [`ReplayOptions::seed`].
        options.seed: u64;
        /// As [`ReplayOptions::enumerate_up_to`].
        options.enumerate_up_to: u64;
        /// As [`ReplayOptions::exactness`].
        options.exactness: Exactness;
    }

    /// The statistics of all assignments, or of draws.
    ///
    /// # Errors
    /// As [`Replay`].
    pub fn run(&self) -> Result<NullDistribution> {
        let problem = self.problem(&self.outcomes)?;
        let observed = self.answered(&problem)?;
        let width = problem.width();
        let (count, seed) = self.options.plan(std::slice::from_ref(self.assignments), width)?;
        if seed.is_some()
            && self.options.exactness == Exactness::WherePossible
            && let Some((values, weights)) = exact::distribution(self.assignments, &problem, &self.outcomes)
        {
            let tables = weights.len() as u64;
            return Ok(NullDistribution::new(observed, values, Some(weights), Replays::Counted { tables }));
        }
        let (values, replays) = replayed(&problem, count, seed, width, |parts, out| {
            out.iter_mut().zip(parts).for_each(|(out, part)| *out = part.statistic());
        })?;
        Ok(NullDistribution::new(observed, values, None, replays))
    }

    /// The statistics of assignments that are given, one list of groups by row for each.
    ///
    /// # Errors
    /// As [`Replay`], and for a list that is none of the assignments that could have happened.
    pub fn over(&self, draws: &[Vec<u32>]) -> Result<NullDistribution> {
        let problem = self.problem(&self.outcomes)?;
        let observed = self.answered(&problem)?;
        let mut values = Vec::with_capacity(draws.len() * problem.width());
        let mut drawn = Drawn::new(&problem.slots);
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
                    drawn.groups[slot][0] = u8::try_from(group).unwrap_or(u8::MAX);
                }
                if sizes != block.sizes {
                    return refused(
                        "its groups have other sizes than those observed; give assignments of the design",
                    );
                }
            }
            let each = |parts: Vec<Parts>| values.extend(parts.iter().map(|one| one.statistic()));
            problem.evaluate(Some(&drawn), &mut problem.scratch(), 1, each);
        }
        let replays = Replays::Given { draws: draws.len() as u64 };
        if draws.is_empty() {
            return Err(Error::invalid("there are no assignments; give at least one"));
        }
        Ok(NullDistribution::new(observed, values, None, replays))
    }

    pub(super) fn problem(&self, outcomes: &[Vec<f64>]) -> Result<Problem> {
        let mut problem = Problem::new(
            self.assignments,
            self.statistic,
            outcomes,
            &self.covariates,
            &self.treatments,
            self.control,
        )?;
        problem.weights = self.block_weights;
        Ok(problem)
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

    /// Values of assignments that are listed or drawn, `width` for each.
    pub(super) fn listed_or_drawn(
        &self,
        problem: &Problem,
        width: usize,
        write: impl Fn(&[Parts], &mut [f64]) + Sync,
    ) -> Result<(Vec<f64>, Replays)> {
        let (count, seed) = self.options.plan(std::slice::from_ref(self.assignments), width)?;
        replayed(problem, count, seed, width, write)
    }
}

/// `width` numbers of every assignment: of all in their order, or of random ones.
fn replayed(
    problem: &Problem,
    count: u64,
    seed: Option<u64>,
    width: usize,
    write: impl Fn(&[Parts], &mut [f64]) + Sync,
) -> Result<(Vec<f64>, Replays)> {
    let write = |parts: Vec<Parts>, out: &mut Vec<f64>| {
        let start = out.len();
        out.resize(start + width, 0.0);
        write(&parts, &mut out[start..]);
    };
    let together = PART / LANES;
    if let Some((counts, seed)) = problem.counts.as_ref().zip(seed) {
        let work = |scratch: &mut Scratch, sixteen, lanes, out: &mut Vec<f64>| {
            problem.draw_counts(counts, scratch, seed, sixteen as u64);
            problem.evaluate(None, scratch, lanes, |parts| write(parts, out));
            Ok(())
        };
        let cost = problem.slots.blocks.len() * problem.treatments.len();
        return in_sixteens(|| problem.scratch(), (count, Some(seed)), width, (together, cost), work);
    }
    let design = Designs::new(std::slice::from_ref(&problem.slots), seed);
    let start = || (design.start(), problem.scratch());
    let work = |(drawn, scratch): &mut (Vec<Drawn>, Scratch), sixteen, lanes, out: &mut Vec<f64>| {
        design.assign(drawn, sixteen, lanes);
        problem.evaluate(drawn.first(), scratch, lanes, |parts| write(parts, out));
        Ok(())
    };
    in_sixteens(start, (count, seed), width, (together, design.units()), work)
}
