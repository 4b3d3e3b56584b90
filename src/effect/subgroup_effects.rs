use super::about::About;
use super::on::{Checked, On};
use super::scale::Scale;
use super::{AnyScale, Estimates};
use crate::compute::curve::Inference;
use crate::compute::hypothesis::WaldTest;
use crate::compute::linalg::Cholesky;
use crate::design::{Label, Notice};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// The effects of every treatment within the levels of a column, and whether they differ between levels.
///
/// [`SubgroupEffectsRecord`] has the fields and further methods.
///
/// # Formula
/// Levels share no people, so the covariance of all effects has one block for each level, and none between
/// levels. The difference of a treatment's effect between two levels is `b_l - b_m` with variance
/// `V_l + V_m`. The test of interaction is Wald's: with `d_l = b_l - b_0` for all treatments and levels but
/// the first and their covariance `C`, `d' C^-1 d` on (levels - 1) x treatments degrees of freedom:
/// chi-squared where the differences are normal, else F with the fewest degrees of freedom of the
/// differences, so that of one treatment and two levels it is the test of the difference. It is one of the
/// stated scale: effects that are the same as differences differ as ratios.
///
/// ```
/// use armwise::prelude::*;
///
/// let text = "arm,female,score\nc,no,1\nc,no,3\nt,no,6\nt,no,8\nc,yes,2\nc,yes,4\nt,yes,3\n\
///     t,yes,5\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let effects = trial
///     .on(&Measure::continuous("score"))?
///     .by_subgroup("female")?
///     .estimate(&DifferenceInMeans::new())?;
/// let difference = effects.difference("t", "yes", "no")?;
/// assert_eq!((difference.value(), difference.se()), (1.0 - 5.0, 2.0));
/// assert!((effects.interaction()?.statistic - 4.0).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Assmann SF et al. (2000), Lancet 355:1064. Wang R et al. (2007), New England Journal of Medicine 357:2189.
pub type SubgroupEffects<S = AnyScale> = On<S, SubgroupEffectsRecord>;

/// The data of [`SubgroupEffects`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubgroupEffectsRecord {
    /// The identity of the effects.
    pub about: Arc<About>,
    /// The column.
    pub column: String,
    /// Its levels.
    pub levels: Vec<Label>,
    /// The effects within each level, in the order of the levels.
    pub effects: Vec<Estimates>,
    /// The test of interaction of all treatments; `None` where it is not estimable.
    pub interaction: Option<WaldTest>,
}

/// The difference of a treatment's effect between two levels: on the scale, so of ratios the logarithm of
/// their ratio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubgroupDifference {
    /// The treatment.
    pub treatment: Label,
    /// The level.
    pub level: Label,
    /// The level that it is compared with.
    pub other: Label,
    /// The effect in the level less that in the other; Student's t by Welch and Satterthwaite where the
    /// effects have degrees of freedom.
    pub inference: Inference,
}

impl Deref for SubgroupDifference {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

impl Checked for SubgroupEffectsRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        self.about.check_one_trial()?;
        let fail = |why: &str| {
            Err(self.about.locate(Error::invalid(format!("{why}; estimate all subgroups alike"))))
        };
        let Self { levels, effects, .. } = self;
        if levels.len() != effects.len() || levels.len() < 2 {
            return fail("subgroups need one set of effects for each of at least two levels");
        }
        let first = &effects[0];
        for (level, effects) in levels.iter().zip(effects) {
            let same = effects.about().belongs_with(&self.about).is_ok()
                && effects.treatments().eq(first.treatments())
                && effects.level() == self.about.level;
            if !same {
                return fail(&format!(
                    "\"{level}\" has another measure, scale, level or other arms than \"{}\"",
                    levels[0]
                ));
            }
        }
        if levels.iter().enumerate().any(|(i, level)| levels[..i].contains(level)) {
            return fail("two subgroups have the same level");
        }
        if self.interaction != self.interaction().ok() {
            return fail("the test of interaction is not that of the effects");
        }
        Ok(())
    }
}

impl<S: Scale> SubgroupEffects<S> {
    pub(crate) fn new(
        column: String,
        levels: Vec<Label>,
        effects: Vec<Estimates<S>>,
        notices: Vec<Notice>,
    ) -> Result<Self> {
        let effects: Vec<Estimates> = effects.iter().map(On::to_any).collect();
        let Some(first) = effects.first() else {
            return Err(Error::invalid("there are no subgroups; name a column with at least two levels"));
        };
        let about = Arc::new(About { notices, ..first.about().clone() });
        let mut record = SubgroupEffectsRecord { about, column, levels, effects, interaction: None };
        record.interaction = record.interaction().ok();
        Self::checked(record)
    }

    /// The effects within one level.
    ///
    /// # Errors
    /// There is no such level.
    pub fn within(&self, level: impl AsRef<str>) -> Result<Estimates<S>> {
        self.effects[self.place(level.as_ref())?].on_scale()
    }
}

impl SubgroupEffectsRecord {
    /// How much the effect of a treatment in one level differs from that in another.
    ///
    /// # Errors
    /// There is no such treatment or level, or both levels are the same.
    pub fn difference(
        &self,
        treatment: impl AsRef<str>,
        level: impl AsRef<str>,
        other: impl AsRef<str>,
    ) -> Result<SubgroupDifference> {
        let (i, j) = (self.place(level.as_ref())?, self.place(other.as_ref())?);
        if i == j {
            let why = format!("\"{}\" is compared with itself; name another level", level.as_ref());
            return Err(Error::invalid(why).in_column(&self.column));
        }
        let treatment = treatment.as_ref();
        let (one, two) = (self.effects[i].treatment(treatment)?, self.effects[j].treatment(treatment)?);
        Ok(SubgroupDifference {
            treatment: one.treatment().clone(),
            level: self.levels[i].clone(),
            other: self.levels[j].clone(),
            inference: one.inference.minus(&two.inference).map_err(|error| self.about.locate(error))?,
        })
    }

    /// The difference of every treatment's effect in every level from that in the first level.
    ///
    /// # Errors
    /// As [`SubgroupEffectsRecord::difference`].
    pub fn differences(&self) -> Result<Vec<SubgroupDifference>> {
        let treatments: Vec<Label> = self.effects[0].treatments().cloned().collect();
        let levels = self.levels[1..].iter();
        levels
            .flat_map(|level| {
                treatments.iter().map(move |label| self.difference(label, level, &self.levels[0]))
            })
            .collect()
    }

    /// The joint test that no treatment has another effect in another level.
    ///
    /// # Errors
    /// Effects without a standard error.
    pub fn interaction(&self) -> Result<WaldTest> {
        self.wald(&(0..self.effects[0].len()).collect::<Vec<_>>())
    }

    /// The test that one treatment has the same effect in all levels.
    ///
    /// # Errors
    /// There is no such treatment; its effects have no standard error.
    pub fn interaction_of(&self, treatment: impl AsRef<str>) -> Result<WaldTest> {
        let label = self.effects[0].treatment(treatment.as_ref())?.treatment().clone();
        let places = self.effects[0].treatments().position(|other| *other == label);
        self.wald(&places.into_iter().collect::<Vec<_>>())
    }

    /// `d' C^-1 d` of these treatments.
    fn wald(&self, treatments: &[usize]) -> Result<WaldTest> {
        let (k, l) = (treatments.len(), self.levels.len() - 1);
        let values: Vec<Vec<f64>> = self.effects.iter().map(|effects| effects.values().collect()).collect();
        let mut d = Array1::zeros(k * l);
        let mut covariance = Array2::zeros((k * l, k * l));
        for ((m, i), value) in (0..l).flat_map(|m| (0..k).map(move |i| (m, i))).zip(d.iter_mut()) {
            *value = values[m + 1][treatments[i]] - values[0][treatments[i]];
            for n in 0..l {
                for (j, &treatment) in treatments.iter().enumerate() {
                    let place = [treatments[i], treatment];
                    let own = if m == n { self.effects[m + 1].covariance()[place] } else { 0.0 };
                    covariance[[m * k + i, n * k + j]] = own + self.effects[0].covariance()[place];
                }
            }
        }
        let factor = Cholesky::new(covariance.view()).filter(|factor| factor.smallest_pivot > 1e-14);
        let Some(factor) = factor else {
            let why = "the effects within subgroups have a singular covariance, so that their differences cannot be tested together; test one \
                       treatment at a time, or merge levels in which the outcome does not vary";
            let error = Error::from(ErrorKind::NotEstimable(why.to_owned())).in_column(&self.column);
            return Err(error.in_measure(&self.effects[0].measure().name).in_trial(self.effects[0].trial()));
        };
        let dfs = self.differences()?.into_iter().filter(|one| {
            treatments.iter().any(|&i| *one.treatment == **self.effects[0].contrasts[i].treatment())
        });
        let denominator = dfs.filter_map(|one| one.df()).reduce(f64::min);
        WaldTest::new(d.dot(&factor.solve(d.view())), (k * l) as f64, denominator)
    }

    fn place(&self, level: &str) -> Result<usize> {
        self.levels.iter().position(|other| *other == level).ok_or_else(|| {
            let known = self.levels.iter().map(ToString::to_string).collect();
            Error::from(ErrorKind::UnknownCategory { label: level.to_owned(), known }).in_column(&self.column)
        })
    }
}
