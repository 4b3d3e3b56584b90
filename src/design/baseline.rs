use super::Comparison;
use super::arm::Arm;
use super::label::Label;
use super::outcome::OutcomeKind;
use super::trial::Trial;
use crate::compute::balance::{Attrition, CovariateBalance, CovariateKind, Manova, SampleRatio};
use crate::compute::mean::Sample;
use crate::data::{Column, ColumnKind};
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// The people of every arm before treatment: means with standard deviations, shares, and standardised differences.
///
/// It holds no p-values: arms that were randomised differ by chance alone, so that a test of one covariate tests what is
/// known to be true (CONSORT 2025, item 20). Where randomisation itself is doubted, [`BaselineTable::joint_test`] tests
/// all covariates together.
///
/// # Formula
/// [`CovariateBalance`], of every treatment against the reference; a level of a category is a covariate that is 0 or 1.
/// Everybody who has the covariate counts, and the missing are counted beside them.
///
/// # Errors
/// Of [`BaselineTable::of`]: a column that does not exist or is named twice, no columns, an arm in which a covariate is
/// missing for all people but one.
///
/// # Examples
/// ```
/// use armwise::design::BaselineTable;
/// use armwise::prelude::*;
///
/// let text = "arm,age,education\nc,34,low\nc,41,high\nc,28,low\n\
///     t,39,high\nt,44,high\nt,,low\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let table = BaselineTable::of(&trial, ["age", "education"])?;
/// let age = &table.rows[0];
/// assert_eq!((age.missing.as_slice(), age.arms[1].n), (&[0, 1][..], 2));
/// assert!(age.standardized_differences[0].unwrap() > 0.0);
/// println!("{table}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Hopewell et al. (2025), CONSORT 2025, BMJ 389:e081123. Austin (2009), Statistics in Medicine 28:3083.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct BaselineTable {
    /// The trial.
    pub trial: Label,
    /// The arms, the reference first.
    pub arms: Vec<Label>,
    /// The numbers of people who were randomised.
    pub randomised: Vec<u64>,
    /// The covariates, a row for each level of a category.
    pub rows: Vec<BaselineRow>,
    /// The test of all covariates together, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joint: Option<JointBaselineTest>,
}

checked!(BaselineTable);

/// One covariate, or one level of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BaselineRow {
    /// The column.
    pub covariate: String,
    /// The level of a category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Label>,
    /// Whether it is a number, or 0 and 1.
    pub kind: CovariateKind,
    /// Number, mean and standard deviation in every arm; the mean of 0 and 1 is a share.
    pub arms: Vec<Sample>,
    /// The numbers of people without it.
    pub missing: Vec<u64>,
    /// The standardised difference of every treatment; `None` where both arms are constant and differ.
    pub standardized_differences: Vec<Option<f64>>,
    /// The ratio of variances of every treatment to the reference; `None` of 0 and 1, or where the reference is constant.
    pub variance_ratios: Vec<Option<f64>>,
}

/// The test that the means of all covariates are the same in all arms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JointBaselineTest {
    /// The number of people who have all covariates.
    pub people: u64,
    /// Wilks's and Pillai's tests.
    pub manova: Manova,
}

/// A column of numbers, of which missing ones are NaN.
struct Part {
    level: Option<Label>,
    kind: CovariateKind,
    values: Vec<f64>,
}

/// A column as numbers: a category has a part for each level.
fn parts(column: &Column) -> Result<Vec<Part>> {
    let one = |kind, values| vec![Part { level: None, kind, values }];
    Ok(match column.kind() {
        ColumnKind::Category => {
            let labels: Vec<Option<&str>> = column.categories()?.collect();
            let is = |level: &str| -> Vec<f64> {
                labels
                    .iter()
                    .map(|own| own.map_or(f64::NAN, |own| f64::from(u8::from(own == level))))
                    .collect()
            };
            let part = |level: &std::sync::Arc<str>| Part {
                level: Some(Label::new(&**level)),
                kind: CovariateKind::Binary,
                values: is(level),
            };
            column.levels().iter().map(part).collect()
        }
        ColumnKind::Flag => {
            let value = |flag: Option<bool>| flag.map_or(f64::NAN, |flag| f64::from(u8::from(flag)));
            one(CovariateKind::Binary, column.flags()?.map(value).collect())
        }
        _ => {
            let values: Vec<f64> = column.reals()?.map(|value| value.unwrap_or(f64::NAN)).collect();
            let binary = values.iter().all(|x| x.is_nan() || *x == 0.0 || *x == 1.0);
            one(if binary { CovariateKind::Binary } else { CovariateKind::Numeric }, values)
        }
    })
}

impl BaselineTable {
    /// These columns of a trial.
    ///
    /// # Errors
    /// See [`BaselineTable`].
    pub fn of<A: Arm, T: AsRef<str>>(trial: &Trial<A>, columns: impl IntoIterator<Item = T>) -> Result<Self> {
        let names: Vec<String> = columns.into_iter().map(|name| name.as_ref().to_owned()).collect();
        let fail = |error: Error| error.in_trial(trial.name());
        if names.is_empty() {
            return Err(fail(Error::invalid("a baseline table has no covariate; name at least one column")));
        }
        if let Some(twice) = (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
            let why = "the covariate is named twice; name it once";
            return Err(fail(Error::invalid(why).in_column(&names[twice])));
        }
        let design = &trial.design;
        let arms: Vec<Label> = trial.arm_labels().cloned().collect();
        let mut randomised = vec![0; arms.len()];
        design.arm.iter().for_each(|&arm| randomised[arm as usize] += 1);
        let mut rows = Vec::new();
        for name in &names {
            let column = trial.table().column(name).map_err(fail)?;
            for part in parts(column).map_err(|error| fail(error.in_column(name)))? {
                let row = Self::row(name, part, &design.arm, &arms);
                rows.push(row.map_err(|error| fail(error.in_column(name)))?);
            }
        }
        Ok(Self { trial: trial.name().clone(), arms, randomised, rows, joint: None })
    }

    fn row(name: &str, part: Part, arm_of: &[u32], arms: &[Label]) -> Result<BaselineRow> {
        let mut seen: Vec<Vec<f64>> = vec![Vec::new(); arms.len()];
        let mut missing = vec![0; arms.len()];
        for (&arm, &value) in arm_of.iter().zip(&part.values) {
            let arm = arm as usize;
            if value.is_nan() { missing[arm] += 1 } else { seen[arm].push(value) }
        }
        let mut row = BaselineRow {
            covariate: name.to_owned(),
            level: part.level,
            kind: part.kind,
            arms: Vec::with_capacity(arms.len()),
            missing,
            standardized_differences: Vec::new(),
            variance_ratios: Vec::new(),
        };
        for (values, arm) in seen.iter().zip(arms) {
            if values.len() < 2 {
                let why =
                    format!("{} of this arm have this covariate; leave the covariate out", values.len());
                return Err(Error::from(ErrorKind::InsufficientObservations(why)).in_arm(arm));
            }
            row.arms.push(Sample::of(values).map_err(|error| error.in_arm(arm))?);
        }
        for (values, arm) in seen.iter().zip(arms).skip(1) {
            let balance =
                CovariateBalance::new(values, &seen[0], part.kind).map_err(|error| error.in_arm(arm))?;
            row.standardized_differences.push(balance.standardized_difference().ok());
            let ratio = balance.variance_ratio().filter(|_| part.kind == CovariateKind::Numeric);
            row.variance_ratios.push(ratio);
        }
        Ok(row)
    }

    /// The table with the test that all means are the same in all arms, of the people who have all covariates. Of every
    /// category the first level is left out, as the others tell it.
    ///
    /// # Errors
    /// A covariate that is constant or a combination of others; too few people.
    pub fn joint_test<A: Arm>(mut self, trial: &Trial<A>) -> Result<Self> {
        let fail = |error: Error| error.in_trial(&self.trial);
        let mut columns: Vec<Vec<f64>> = Vec::new();
        let mut names: Vec<&str> = self.rows.iter().map(|row| row.covariate.as_str()).collect();
        names.dedup();
        for name in names {
            let parts = parts(trial.table().column(name).map_err(fail)?).map_err(fail)?;
            let redundant = usize::from(parts.first().is_some_and(|part| part.level.is_some()));
            columns.extend(parts.into_iter().skip(redundant).map(|part| part.values));
        }
        let arm_of = &trial.design.arm;
        let complete: Vec<usize> =
            (0..arm_of.len()).filter(|&row| columns.iter().all(|column| !column[row].is_nan())).collect();
        let groups: Vec<Array2<f64>> = (0..self.arms.len())
            .map(|arm| {
                let own: Vec<usize> =
                    complete.iter().copied().filter(|&row| arm_of[row] as usize == arm).collect();
                Array2::from_shape_fn((own.len(), columns.len()), |(i, j)| columns[j][own[i]])
            })
            .collect();
        let views: Vec<_> = groups.iter().map(|group| group.view()).collect();
        let manova = Manova::new(&views).map_err(fail)?;
        self.joint = Some(JointBaselineTest { people: complete.len() as u64, manova });
        Ok(self)
    }

    fn check(&self) -> Result<()> {
        let arms = self.arms.len();
        let of_arms = |row: &BaselineRow| row.arms.len() == arms && row.missing.len() == arms;
        let of_treatments = |row: &BaselineRow| {
            row.standardized_differences.len() + 1 == arms && row.variance_ratios.len() + 1 == arms
        };
        let finite = |row: &BaselineRow| {
            let samples = row.arms.iter().all(|one| one.mean.is_finite() && one.sd.is_finite());
            let ratios = row.standardized_differences.iter().chain(&row.variance_ratios).flatten();
            samples && ratios.into_iter().all(|x| x.is_finite())
        };
        let sound = arms >= 2
            && self.randomised.len() == arms
            && self.rows.iter().all(|row| of_arms(row) && of_treatments(row) && finite(row));
        if sound {
            return Ok(());
        }
        Err(Error::invalid("a baseline table needs every number of every arm; take it as it was made")
            .in_trial(&self.trial))
    }
}

impl<A: Arm> Trial<A> {
    /// The test whether people were randomised in these ratios, one for each arm, the reference first; clusters count as
    /// one where they were randomised. See [`sample_ratio`](crate::balance::sample_ratio).
    ///
    /// # Errors
    /// Another number of ratios than arms, or a ratio that is not above zero.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let text = "arm\nc\nc\nc\nt\nt\n";
    /// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
    ///     .arm_labels("arm")
    ///     .control("c")
    ///     .build()?;
    /// assert!(trial.sample_ratio(&[1.0, 1.0])?.exact_p_value.unwrap() > 0.9);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn sample_ratio(&self, allocation: &[f64]) -> Result<SampleRatio> {
        let design = &self.design;
        let mut units = vec![0_u64; design.arms.len()];
        let mut counted = vec![false; self.cluster_labels().len()];
        for (row, &arm) in design.arm.iter().enumerate() {
            let cluster = design.clusters.as_ref().map(|clusters| clusters.codes[row] as usize);
            if cluster.is_none_or(|cluster| !std::mem::replace(&mut counted[cluster], true)) {
                units[arm as usize] += 1;
            }
        }
        crate::compute::balance::sample_ratio(&units, allocation).map_err(|error| error.in_trial(self.name()))
    }
}

impl<K: OutcomeKind> Comparison<K> {
    /// The shares of people without this outcome in the arms, the reference first, with the test that they are equal. See
    /// [`attrition`](crate::balance::attrition).
    ///
    /// # Errors
    /// An arm without people.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let text = "arm,wage\nc,1\nc,2\nc,\nt,3\nt,4\nt,2\n";
    /// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
    ///     .arm_labels("arm")
    ///     .control("c")
    ///     .build()?;
    /// let attrition = trial.on(&Measure::continuous("wage"))?.attrition()?;
    /// assert!((attrition.shares[0] - 1.0 / 3.0).abs() < 1e-15 && attrition.shares[1] == 0.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn attrition(&self) -> Result<Attrition> {
        let counts = self.arms().iter().map(|arm| arm.counts);
        let missing: Vec<u64> =
            counts.clone().map(|arm| arm.randomised.saturating_sub(arm.observed)).collect();
        let randomised: Vec<u64> = counts.map(|arm| arm.randomised).collect();
        crate::compute::balance::attrition(&missing, &randomised).map_err(|error| self.locate(error))
    }
}
