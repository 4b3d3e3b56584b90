use super::contrast::check_level;
use super::scale::Scale;
use super::{AnyScale, Estimates};
use crate::compute::distribution::{Normal, StudentT};
use crate::compute::interval::{Interval, extended};
use crate::compute::linalg::Cholesky;
use crate::compute::regression::ChiSquaredTest;
use crate::design::{Label, Notice};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// The effects of every treatment within the levels of a column, and whether they differ between levels.
///
/// # Formula
/// Levels share no people, so the covariance of all effects has one block for each level, and none between levels. The difference of a treatment's effect
/// between two levels is `b_l - b_m` with variance `V_l + V_m`. The test of interaction is Wald's: with `d_l = b_l - b_0` for all treatments and levels but
/// the first and their covariance `C`, `d' C^-1 d` on (levels - 1) x treatments degrees of freedom. It is one of the stated scale: effects that are the
/// same as differences differ as ratios.
///
/// ```
/// use armwise::prelude::*;
///
/// let text = "arm,female,score\nc,no,1\nc,no,3\nt,no,6\nt,no,8\nc,yes,2\nc,yes,4\nt,yes,3\nt,yes,5\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?).arm_labels("arm").control("c").build()?;
/// let effects = trial.on(&Measure::continuous("score"))?.by_subgroup("female")?.estimate(&DifferenceInMeans::new())?;
/// let difference = effects.difference("t", "yes", "no")?;
/// assert_eq!((difference.value, difference.se), (1.0 - 5.0, 2.0));
/// assert!((effects.interaction()?.statistic - 4.0).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Assmann SF et al. (2000), Lancet 355:1064. Wang R et al. (2007), New England Journal of Medicine 357:2189.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wire<S>", bound = "S: Scale")]
pub struct SubgroupEffects<S: Scale> {
    column: String,
    levels: Vec<Label>,
    effects: Vec<Estimates<S>>,
    notices: Vec<Notice>,
    /// Kept for readers of the JSON; `None` where it is not estimable.
    interaction: Option<ChiSquaredTest>,
}

#[derive(Deserialize)]
#[serde(bound = "S: Scale")]
struct Wire<S: Scale> {
    column: String,
    levels: Vec<Label>,
    effects: Vec<Estimates<S>>,
    notices: Vec<Notice>,
}

impl<S: Scale> TryFrom<Wire<S>> for SubgroupEffects<S> {
    type Error = Error;

    fn try_from(wire: Wire<S>) -> Result<Self> {
        Self::new(wire.column, wire.levels, wire.effects, wire.notices)
    }
}

/// How much the effect of a treatment differs between two levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubgroupDifference {
    /// The treatment.
    pub treatment: Label,
    /// The level.
    pub level: Label,
    /// The level that it is compared with.
    pub other: Label,
    /// The effect in the level less that in the other, on the scale: of ratios the logarithm of their ratio.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// The degrees of freedom of Student's t (Welch and Satterthwaite); `None` for the normal distribution.
    pub df: Option<f64>,
    /// Value over standard error.
    #[serde(with = "extended")]
    pub statistic: f64,
    /// The two-sided p-value.
    pub p_value: f64,
    /// The confidence interval, of the level of the estimates.
    pub interval: Interval,
}

impl<S: Scale> SubgroupEffects<S> {
    pub(crate) fn new(
        column: String,
        levels: Vec<Label>,
        effects: Vec<Estimates<S>>,
        notices: Vec<Notice>,
    ) -> Result<Self> {
        let fail = |why: &str| Err(Error::invalid(format!("{why}; estimate all subgroups alike")));
        if levels.len() != effects.len() || levels.len() < 2 {
            return fail("subgroups need one set of effects for each of at least two levels");
        }
        let first = &effects[0];
        for (level, effects) in levels.iter().zip(&effects) {
            let same = effects.measure() == first.measure()
                && effects.reference() == first.reference()
                && effects.treatments().eq(first.treatments())
                && effects.scale() == first.scale()
                && effects.level() == first.level();
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
        check_level(first.level())?;
        let mut this = Self { column, levels, effects, notices, interaction: None };
        this.interaction = this.interaction().ok();
        Ok(this)
    }

    /// The column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// Its levels.
    pub fn levels(&self) -> &[Label] {
        &self.levels
    }

    /// The effects within each level, in the order of [`SubgroupEffects::levels`].
    pub fn effects(&self) -> &[Estimates<S>] {
        &self.effects
    }

    /// The effects within one level.
    ///
    /// # Errors
    /// There is no such level.
    pub fn within(&self, level: impl AsRef<str>) -> Result<&Estimates<S>> {
        Ok(&self.effects[self.place(level.as_ref())?])
    }

    /// What a reader has to know of the trial and of the division; the effects within a level have their own notices.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

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
        let value = one.value() - two.value();
        let variance = one.variance() + two.variance();
        let se = variance.sqrt();
        let df = match (one.df(), two.df()) {
            (Some(a), Some(b)) if variance > 0.0 => {
                let (p, q) = (one.variance() / variance, two.variance() / variance);
                Some(1.0 / (p * p / a + q * q / b))
            }
            (a, b) => a.or(b),
        };
        let statistic = if value == 0.0 { 0.0 } else { value / se };
        let tail = 0.5 * (1.0 - one.level());
        let (p_value, quantile) = match df.map(StudentT::new).transpose()? {
            Some(t) => (2.0 * t.sf(statistic.abs()), t.upper_quantile(tail)),
            None => (2.0 * Normal.sf(statistic.abs()), Normal.upper_quantile(tail)),
        };
        Ok(SubgroupDifference {
            treatment: one.treatment().clone(),
            level: self.levels[i].clone(),
            other: self.levels[j].clone(),
            value,
            se,
            df,
            statistic,
            p_value: p_value.min(1.0),
            interval: Interval::new(value - quantile * se, value + quantile * se)?,
        })
    }

    /// The difference of every treatment's effect in every level from that in the first level.
    ///
    /// # Errors
    /// As [`SubgroupEffects::difference`].
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
    pub fn interaction(&self) -> Result<ChiSquaredTest> {
        self.wald(&(0..self.effects[0].len()).collect::<Vec<_>>())
    }

    /// The test that one treatment has the same effect in all levels.
    ///
    /// # Errors
    /// There is no such treatment; its effects have no standard error.
    pub fn interaction_of(&self, treatment: impl AsRef<str>) -> Result<ChiSquaredTest> {
        let label = self.effects[0].treatment(treatment.as_ref())?.treatment().clone();
        let places = self.effects[0].treatments().position(|other| *other == label);
        self.wald(&places.into_iter().collect::<Vec<_>>())
    }

    /// `d' C^-1 d` of these treatments.
    fn wald(&self, treatments: &[usize]) -> Result<ChiSquaredTest> {
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
        ChiSquaredTest::new(d.dot(&factor.solve(d.view())), (k * l) as f64)
    }

    fn place(&self, level: &str) -> Result<usize> {
        self.levels.iter().position(|other| *other == level).ok_or_else(|| {
            let known = self.levels.iter().map(ToString::to_string).collect();
            Error::from(ErrorKind::UnknownCategory { label: level.to_owned(), known }).in_column(&self.column)
        })
    }

    /// The same effects with their scale known only at run time.
    pub fn to_any(&self) -> SubgroupEffects<AnyScale> {
        SubgroupEffects {
            column: self.column.clone(),
            levels: self.levels.clone(),
            effects: self.effects.iter().map(Estimates::to_any).collect(),
            notices: self.notices.clone(),
            interaction: self.interaction,
        }
    }
}
