use crate::compute::hypothesis::WaldTest;
use crate::compute::linalg::{submatrix, symmetrised};
use crate::compute::regression::{
    Category, ClusterVariance, Clustered, Family, Fit, Fitted, Glm, ModelMatrix,
};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

/// The differences between groups in every period: one regression for all periods, with units that are alike in
/// all of theirs.
///
/// # Formula
/// Least squares of `y_im` on an indicator of every block and period, an indicator of every group but the first
/// and every period, and covariates with one coefficient each. The coefficients of the second kind are the
/// effects, groups x periods. Their covariance counts the rows of a cluster as dependent
/// ([`ClusterVariance`]); without covariates and with one block they are differences in means.
///
/// # Assumptions
/// Clusters are independent of each other. Rows that are not there are missing at random given group, block and
/// period.
///
/// # References
/// Liang KY, Zeger SL (1986), Biometrika 73:13. Bell RM, McCaffrey DF (2002), Survey Methodology 28:169.
/// Pustejovsky JE, Tipton E (2018), Journal of Business & Economic Statistics 36:672.
///
/// ```
/// use armwise::multistate::PeriodModel;
/// use armwise::regression::ClusterVariance;
///
/// // Six units in two periods.
/// let works = [0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0];
/// let unit = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5];
/// let period = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
/// let group = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
/// let effects = PeriodModel::new(&works, &unit, (2, &group), (2, &period))?
///     .effects(ClusterVariance::Cr2, &[vec![0.5, 0.5]])?;
/// assert!(effects.estimates[[0, 0]].abs() < 1e-12);
/// assert!(effects.df[1] > 3.0 && effects.df[1] < 4.1);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PeriodModel<'a> {
    outcome: &'a [f64],
    cluster: &'a [u32],
    groups: usize,
    group: &'a [u32],
    periods: usize,
    period: &'a [u32],
    blocks: usize,
    block: Option<&'a [u32]>,
    covariates: Vec<(String, ArrayView1<'a, f64>)>,
}

/// The effects of a [`PeriodModel`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PeriodEffects {
    /// The number of rows.
    pub n: usize,
    /// The number of clusters.
    pub clusters: usize,
    /// The number of coefficients of the regression.
    pub coefficients: usize,
    /// The effects: the groups from the second on x periods.
    pub estimates: Array2<f64>,
    /// Their covariance, in the order of the rows of `estimates`.
    pub covariance: Array2<f64>,
    /// The degrees of freedom of each, in the same order: Satterthwaite's with CR2, else the clusters less 1.
    pub df: Vec<f64>,
    /// The weighted means over periods that were asked for.
    pub averages: Vec<PeriodAverage>,
    /// The test that all effects of a group are 0, or why there is none: chi-squared with CR0, F on the clusters
    /// less 1 with CR1 and CR1S, the approximate Hotelling test with CR2.
    pub joint: Vec<Result<WaldTest>>,
}

/// The same weighted mean over periods of the effects of each group.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PeriodAverage {
    /// The means, one for each group from the second on.
    pub estimates: Vec<f64>,
    /// Their covariance.
    pub covariance: Array2<f64>,
    /// The degrees of freedom of each.
    pub df: Vec<f64>,
}

impl<'a> PeriodModel<'a> {
    /// A model of an outcome of each row, with its cluster, its group (of so many; 0 is the reference) and its
    /// period (of so many), both counted from 0.
    ///
    /// # Errors
    /// `invalid_input` for lists of different lengths, fewer than two groups, no period, and a group or period
    /// beyond their numbers; `insufficient_observations` where a group has no row in a period.
    pub fn new(
        outcome: &'a [f64],
        cluster: &'a [u32],
        (groups, group): (usize, &'a [u32]),
        (periods, period): (usize, &'a [u32]),
    ) -> Result<Self> {
        let n = outcome.len();
        if [cluster.len(), group.len(), period.len()].iter().any(|len| *len != n) {
            return Err(Error::invalid(
                "outcomes, clusters, groups and periods differ in number; give one of each for each row",
            ));
        }
        if groups < 2 || periods == 0 {
            return Err(Error::invalid(format!(
                "there are {} and {}; give two groups or more, and a period or more",
                counted(groups, "group"),
                counted(periods, "period")
            )));
        }
        let mut seen = Array2::from_elem((groups, periods), false);
        for (&group, &period) in group.iter().zip(period) {
            let Some(seen) = seen.get_mut([group as usize, period as usize]) else {
                return Err(Error::invalid(format!(
                    "a row is of group {group} in period {period}, beyond the numbers given; count both from 0"
                )));
            };
            *seen = true;
        }
        if let Some(((group, period), _)) = seen.indexed_iter().find(|(_, seen)| !**seen) {
            return Err(ErrorKind::InsufficientObservations(format!(
                "group {group} has no row in period {period}; leave the period out"
            ))
            .into());
        }
        let covariates = Vec::new();
        Ok(Self { outcome, cluster, groups, group, periods, period, blocks: 1, block: None, covariates })
    }

    /// The block of each row (of so many), each with an indicator of its own for every period; default: one.
    ///
    /// # Errors
    /// `invalid_input` unless there is a block below their number for each row.
    pub fn blocks(mut self, blocks: usize, block: &'a [u32]) -> Result<Self> {
        if block.len() != self.outcome.len() || block.iter().any(|block| *block as usize >= blocks) {
            return Err(Error::invalid("the blocks do not fit; give one for each row, counted from 0"));
        }
        (self.blocks, self.block) = (blocks, Some(block));
        Ok(self)
    }

    /// A covariate, with one value for each row.
    #[must_use]
    pub fn covariate(mut self, name: impl Into<String>, values: ArrayView1<'a, f64>) -> Self {
        self.covariates.push((name.into(), values));
        self
    }

    /// The effects with this variance, with weighted means over periods: for each a weight of every period.
    ///
    /// # Errors
    /// Those of the regression: `rank_deficient` where a covariate or block is none, `invalid_input` for values
    /// that are not finite and for weights that are not one for each period; `insufficient_observations` with too
    /// few clusters.
    pub fn effects(&self, variance: ClusterVariance, averages: &[Vec<f64>]) -> Result<PeriodEffects> {
        self.with_fit(averages, |fit, clustered, columns| {
            self.of(fit, clustered, columns, variance, averages)
        })
    }

    /// Weighted means over periods alone, without the effects by period and their tests: for each a weight of
    /// every period.
    ///
    /// # Errors
    /// As [`PeriodModel::effects`].
    pub fn averages(&self, variance: ClusterVariance, averages: &[Vec<f64>]) -> Result<Vec<PeriodAverage>> {
        self.with_fit(averages, |fit, clustered, columns| {
            let combined = Combined::new(self, fit, clustered, columns, variance, &[], averages)?;
            Ok((0..averages.len()).map(|which| combined.average(which)).collect())
        })
    }

    fn with_fit<T>(
        &self,
        averages: &[Vec<f64>],
        with: impl FnOnce(&Fit, &Clustered, &[usize]) -> Result<T>,
    ) -> Result<T> {
        let code = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        if averages.iter().any(|weights| weights.len() != self.periods) {
            return Err(Error::invalid(format!(
                "a mean over {} needs one weight for each",
                counted(self.periods, "period")
            )));
        }
        let n = self.outcome.len();
        let block = |row: usize| self.block.map_or(0, |block| block[row] as usize);
        let cells: Vec<u32> =
            (0..n).map(|row| code(block(row) * self.periods + self.period[row] as usize)).collect();
        // The reference has the code 0; the others theirs by group and period.
        let own = |row: usize| match self.group[row] as usize {
            0 => 0,
            group => code(1 + (group - 1) * self.periods + self.period[row] as usize),
        };
        let own: Vec<u32> = (0..n).map(own).collect();
        let effects = (self.groups - 1) * self.periods;
        let names = |count: usize| (0..count).map(|i| i.to_string());
        let mut matrix = ModelMatrix::new(n).intercept()?;
        if self.blocks * self.periods > 1 {
            matrix = matrix.category("cell", Category::new(&cells, names(self.blocks * self.periods)))?;
        }
        matrix = matrix.category("effect", Category::new(&own, names(effects + 1)))?;
        for (name, values) in &self.covariates {
            matrix = matrix.numeric(name, *values)?;
        }
        let fit = Glm::new(Family::Gaussian).fit(&matrix, ArrayView1::from(self.outcome))?;
        let clustered = fit.clustered(self.cluster)?;
        let columns: Vec<usize> = matrix.columns_of("effect")?.collect();
        with(&fit, &clustered, &columns)
    }

    fn of(
        &self,
        fit: &Fit,
        clustered: &Clustered,
        columns: &[usize],
        variance: ClusterVariance,
        averages: &[Vec<f64>],
    ) -> Result<PeriodEffects> {
        let (groups, periods) = (self.groups - 1, self.periods);
        let combined = Combined::new(self, fit, clustered, columns, variance, columns, averages)?;
        let joint = |group: usize| {
            let tested = &columns[group * periods..(group + 1) * periods];
            joint(fit, clustered, combined.all.view(), variance, tested)
        };
        Ok(PeriodEffects {
            n: self.outcome.len(),
            clusters: clustered.n_clusters(),
            coefficients: fit.rank(),
            estimates: Array2::from_shape_fn((groups, periods), |(g, m)| combined.estimates[g * periods + m]),
            covariance: combined.part(0, columns.len()),
            df: combined.df[..columns.len()].to_vec(),
            averages: (0..averages.len()).map(|which| combined.average(which)).collect(),
            joint: (0..groups).map(joint).collect(),
        })
    }
}

/// Single effects, then means over periods of each group, with their joint covariance.
struct Combined {
    groups: usize,
    /// The number of single effects.
    single: usize,
    estimates: Array1<f64>,
    covariance: Array2<f64>,
    df: Vec<f64>,
    /// The covariance of all coefficients.
    all: Array2<f64>,
}

impl Combined {
    fn new(
        model: &PeriodModel,
        fit: &Fit,
        clustered: &Clustered,
        columns: &[usize],
        variance: ClusterVariance,
        single: &[usize],
        averages: &[Vec<f64>],
    ) -> Result<Self> {
        let (groups, periods) = (model.groups - 1, model.periods);
        let all = clustered.covariance(variance)?;
        let mut combinations = Array2::zeros((single.len() + averages.len() * groups, fit.rank()));
        for (row, &column) in single.iter().enumerate() {
            combinations[[row, column]] = 1.0;
        }
        for (which, weights) in averages.iter().enumerate() {
            for group in 0..groups {
                let mut row = combinations.row_mut(single.len() + which * groups + group);
                weights.iter().enumerate().for_each(|(m, w)| row[columns[group * periods + m]] = *w);
            }
        }
        let df = match variance {
            ClusterVariance::Cr2 | ClusterVariance::Cr2Pearson => {
                clustered.satterthwaite_with(variance == ClusterVariance::Cr2Pearson, combinations.view())?
            }
            _ => vec![clustered.n_clusters() as f64 - 1.0; combinations.nrows()],
        };
        let estimates = combinations.dot(&fit.coefficients());
        let covariance = symmetrised(combinations.dot(&all).dot(&combinations.t()));
        Ok(Self { groups, single: single.len(), estimates, covariance, df, all })
    }

    fn part(&self, from: usize, len: usize) -> Array2<f64> {
        submatrix(self.covariance.view(), &(from..from + len).collect::<Vec<_>>())
    }

    fn average(&self, which: usize) -> PeriodAverage {
        let from = self.single + which * self.groups;
        PeriodAverage {
            estimates: self.estimates.iter().skip(from).take(self.groups).copied().collect(),
            covariance: self.part(from, self.groups),
            df: self.df[from..from + self.groups].to_vec(),
        }
    }
}

/// The operations above which the Hotelling test of many periods is not made.
const MOST: f64 = 2e8;

/// The test that all these coefficients are 0.
fn joint(
    fit: &Fit,
    clustered: &Clustered,
    covariance: ArrayView2<f64>,
    variance: ClusterVariance,
    tested: &[usize],
) -> Result<WaldTest> {
    let q = tested.len() as f64;
    if variance == ClusterVariance::Cr2 {
        if (q * fit.rank() as f64).powi(2) * clustered.n_clusters() as f64 > MOST {
            let why = format!(
                "the test of {} at once takes too long; name fewer periods, or take ClusterVariance::Cr1",
                counted(tested.len(), "period")
            );
            return Err(Error::invalid(why));
        }
        let test = clustered.hotelling_test(tested)?;
        let (statistic, denominator_df, p_value) = (test.statistic, Some(test.df2), test.p_value);
        return Ok(WaldTest { statistic, df: q, denominator_df, p_value });
    }
    let clusters = (variance != ClusterVariance::Cr0).then(|| clustered.n_clusters() as f64 - 1.0);
    WaldTest::new(fit.wald_test_from(covariance, tested)?.statistic, q, clusters)
}
