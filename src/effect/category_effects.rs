use super::about::About;
use super::estimates::Estimates;
use super::on::{Checked, On};
use super::scale::{AnyScale, Scale};
use crate::compute::categorical::SimultaneousFamily;
use crate::design::Label;
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The effects of every treatment of one trial on every category of an outcome, with their joint covariance.
///
/// Treatments share the reference, and the categories of an arm exclude each other, so all of them are
/// correlated. [`CategoryEffects::category`] gives the [`Estimates`] of one category, which pool and report
/// like any other; the name of the category is then part of the measure.
///
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "\
///     arm,contract\nc,none\nc,none\nc,temporary\nc,permanent\nt,none\nt,temporary\n\
///     t,permanent\nt,permanent\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let effects = trial
///     .on(&Contract::nominal("contract"))?
///     .estimate_categories(&DifferenceInCategories::new())?;
/// assert_eq!(effects.counts[[1, 2]], 2);
/// assert_eq!(effects.category("permanent")?.treatment("t")?.value(), 0.25);
/// assert_eq!(effects.covariance.dim(), (3, 3));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// [`CategoryEffectsRecord`] has the fields and further methods.
pub type CategoryEffects<S = AnyScale> = On<S, CategoryEffectsRecord>;

/// The data of [`CategoryEffects`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CategoryEffectsRecord {
    /// The identity of the effects; the measure is the whole outcome.
    pub about: Arc<About>,
    /// The categories of the outcome, those without an effect included.
    pub categories: Vec<Label>,
    /// The people of each arm, the reference first, in each category: arms x categories.
    #[serde(with = "crate::compute::matrix_rows")]
    pub counts: Array2<u64>,
    /// The effects on each category.
    pub estimates: Vec<CategoryEstimates>,
    /// The covariance of all effects, treatments within categories, in squared units of the scale.
    #[serde(with = "crate::compute::matrix_rows")]
    pub covariance: Array2<f64>,
}

/// The effects of all treatments on the probability of one category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CategoryEstimates {
    /// The category.
    pub category: Label,
    /// The effects on it.
    pub estimates: Estimates,
}

impl Checked for CategoryEffectsRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let Self { about, categories, counts, estimates, covariance } = self;
        about.check_one_trial()?;
        let locate = |why: String| about.locate(Error::invalid(why));
        let Some(first) = estimates.first() else {
            let why = "no category has an effect that can be estimated; choose another base category, or another scale";
            return Err(about.locate(ErrorKind::NotEstimable(why.to_owned()).into()));
        };
        let first = &first.estimates;
        for (i, label) in categories.iter().enumerate() {
            if categories[..i].contains(label) {
                return Err(locate(format!("the category \"{label}\" occurs twice; name it once")));
            }
        }
        for (i, CategoryEstimates { category, estimates: one }) in estimates.iter().enumerate() {
            let earlier = estimates[..i].iter().any(|other| other.category == *category);
            let belongs = one.about().trials == about.trials
                && one.about().reference == about.reference
                && one.about().scale == about.scale
                && one.treatments().eq(first.treatments());
            if earlier || !belongs || !categories.contains(category) {
                return Err(locate(format!(
                    "the estimates for \"{category}\" do not belong here; give each of the categories once, all of the same trial, arms \
                     and scale"
                )));
            }
        }
        let analysed: Vec<u64> = std::iter::once(first.reference.counts.analysed)
            .chain(first.contrasts.iter().map(|one| one.treatment.counts.analysed))
            .collect();
        let fits =
            counts.dim() == (analysed.len(), categories.len())
                && counts.rows().into_iter().zip(&analysed).all(|(row, n)| {
                    row.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count)) == Some(*n)
                });
        if !fits {
            return Err(locate(
                "the counts are not those of the people analysed; give one row per arm, the reference first, and one column per category"
                    .to_owned(),
            ));
        }
        let t = first.len();
        if covariance.dim() != (t * estimates.len(), t * estimates.len()) {
            return Err(locate(
                "the covariance has another size than the estimates; give one row for each treatment and category"
                    .to_owned(),
            ));
        }
        for ((i, j), &value) in covariance.indexed_iter() {
            let bound = 1e-9 * (covariance[[i, i]].abs() * covariance[[j, j]].abs()).sqrt();
            let own = (i / t == j / t).then(|| estimates[i / t].estimates.covariance[[i % t, j % t]]);
            let agrees = own.is_none_or(|own| (own - value).abs() <= bound);
            if !value.is_finite() || !agrees || (value - covariance[[j, i]]).abs() > bound {
                return Err(locate(
                    "the joint covariance is not symmetric, or not that of the estimates of a category; give both halves alike"
                        .to_owned(),
                ));
            }
        }
        Ok(())
    }
}

impl<S: Scale> CategoryEffects<S> {
    pub(crate) fn new(
        mut about: About,
        categories: Vec<Label>,
        counts: Array2<u64>,
        estimates: Vec<CategoryEstimates>,
        mut covariance: Array2<f64>,
    ) -> Result<Self> {
        for i in 0..covariance.nrows() {
            for j in 0..i {
                covariance[[i, j]] = covariance[[j, i]];
            }
        }
        about.notices = Vec::new();
        for notice in estimates.iter().flat_map(|one| one.estimates.notices()) {
            if !about.notices.contains(notice) {
                about.notices.push(notice.clone());
            }
        }
        let about = Arc::new(about);
        Self::checked(CategoryEffectsRecord { about, categories, counts, estimates, covariance })
    }

    /// The effects on one category.
    ///
    /// # Errors
    /// There is no such category, or nothing could be estimated for it: it is the base of the others, or
    /// nobody is in it.
    pub fn category(&self, category: impl AsRef<str>) -> Result<Estimates<S>> {
        let label = category.as_ref();
        if let Some(found) = self.estimates.iter().find(|one| one.category == label) {
            return found.estimates.on_scale();
        }
        let error: Error = if self.categories.iter().any(|other| other == label) {
            let why = format!(
                "there is no effect on \"{label}\": it is the category with which the others are compared, or nobody is in it; there are \
                 effects on: {}",
                self.estimates.iter().map(|one| one.category.to_string()).collect::<Vec<_>>().join(", ")
            );
            ErrorKind::NotEstimable(why).into()
        } else {
            let known = self.categories.iter().map(ToString::to_string).collect();
            ErrorKind::UnknownCategory { label: label.to_owned(), known }.into()
        };
        Err(self.about.locate(error))
    }
}

impl CategoryEffectsRecord {
    /// The trial.
    pub fn trial(&self) -> &Label {
        &self.about.trials[0]
    }

    /// The effects on each category.
    pub fn iter(&self) -> std::slice::Iter<'_, CategoryEstimates> {
        self.estimates.iter()
    }

    /// The labels of the treatments.
    pub fn treatments(&self) -> impl Iterator<Item = &Label> {
        self.estimates[0].estimates.treatments()
    }
}

impl<'a> IntoIterator for &'a CategoryEffectsRecord {
    type Item = &'a CategoryEstimates;
    type IntoIter = std::slice::Iter<'a, CategoryEstimates>;
    fn into_iter(self) -> Self::IntoIter {
        self.estimates.iter()
    }
}

impl CategoryEstimates {
    pub(crate) fn new<S: Scale>(category: Label, estimates: &Estimates<S>) -> Self {
        Self { category, estimates: estimates.to_any() }
    }

    /// The same with intervals and tests that hold for the whole family.
    pub(crate) fn together(self, family: &Arc<SimultaneousFamily>) -> Result<Self> {
        Ok(Self { estimates: self.estimates.together(family)?, ..self })
    }
}
