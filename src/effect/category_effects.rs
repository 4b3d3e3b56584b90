use super::contrast::Context;
use super::estimates::Estimates;
use super::method::{Estimand, IntervalMethod, Method};
use super::scale::{AnyScale, Scale};
use crate::compute::categorical::Simultaneous;
use crate::compute::distribution::Normal;
use crate::design::{Label, MeasureInfo, Notice};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// The effects of every treatment of one trial on every category of an outcome, with their joint covariance.
///
/// Treatments share the reference, and the categories of an arm exclude each other, so all of them are correlated.
/// [`CategoryEffects::category`] gives the [`Estimates`] of one category, which pool and report like any other; the name of the category is
/// then part of the measure.
///
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("arm,contract\nc,none\nc,none\nc,temporary\nc,permanent\nt,none\nt,temporary\nt,permanent\nt,permanent\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let effects = trial.on(&Contract::nominal("contract"))?.estimate_categories(&DifferenceInCategories::new())?;
/// assert_eq!(effects.counts()[[1, 2]], 2);
/// assert_eq!(effects.category("permanent")?.treatment("t")?.value(), 0.25);
/// assert_eq!(effects.covariance().dim(), (3, 3));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wire<S>", into = "Wire<S>")]
#[serde(bound = "S: Scale")]
pub struct CategoryEffects<S: Scale> {
    measure: MeasureInfo,
    categories: Vec<Label>,
    counts: Array2<u64>,
    estimates: Vec<CategoryEstimates<S>>,
    covariance: Array2<f64>,
}

/// The effects of every treatment on one category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "S: Scale")]
#[non_exhaustive]
pub struct CategoryEstimates<S: Scale> {
    /// The category.
    pub category: Label,
    /// Every treatment against the reference.
    pub estimates: Estimates<S>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound = "S: Scale")]
struct Wire<S: Scale> {
    measure: MeasureInfo,
    categories: Vec<Label>,
    counts: Vec<Vec<u64>>,
    estimates: Vec<CategoryEstimates<S>>,
    covariance: Vec<Vec<f64>>,
}

fn rows<T: Copy>(matrix: &Array2<T>) -> Vec<Vec<T>> {
    matrix.rows().into_iter().map(|row| row.to_vec()).collect()
}

fn matrix<T: Copy>(rows: &[Vec<T>], what: &str) -> Result<Array2<T>> {
    let width = rows.first().map_or(0, Vec::len);
    if rows.iter().any(|row| row.len() != width) {
        return Err(Error::invalid(format!("the rows of the {what} differ in length; give all the same")));
    }
    Ok(Array2::from_shape_fn((rows.len(), width), |(i, j)| rows[i][j]))
}

impl<S: Scale> From<CategoryEffects<S>> for Wire<S> {
    fn from(effects: CategoryEffects<S>) -> Self {
        Self {
            counts: rows(&effects.counts),
            covariance: rows(&effects.covariance),
            measure: effects.measure,
            categories: effects.categories,
            estimates: effects.estimates,
        }
    }
}

impl<S: Scale> TryFrom<Wire<S>> for CategoryEffects<S> {
    type Error = Error;

    fn try_from(wire: Wire<S>) -> Result<Self> {
        let counts = matrix(&wire.counts, "counts")?;
        let covariance = matrix(&wire.covariance, "covariance")?;
        Self::new(wire.measure, wire.categories, counts, wire.estimates, covariance)
    }
}

impl<S: Scale> CategoryEffects<S> {
    /// `covariance` is that of all estimates, categories varying slowest.
    pub(crate) fn new(
        measure: MeasureInfo,
        categories: Vec<Label>,
        counts: Array2<u64>,
        estimates: Vec<CategoryEstimates<S>>,
        mut covariance: Array2<f64>,
    ) -> Result<Self> {
        let Some(first) = estimates.first() else {
            return Err(ErrorKind::NotEstimable(
                "no category has an effect that can be estimated; choose another base category, or another scale"
                    .to_owned(),
            )
            .into());
        };
        let first = &first.estimates;
        let locate = |why: String| Error::invalid(why).in_measure(&measure.name).in_trial(first.trial());
        for (i, label) in categories.iter().enumerate() {
            if categories[..i].contains(label) {
                return Err(locate(format!("the category \"{label}\" occurs twice; name it once")));
            }
        }
        for (i, CategoryEstimates { category, estimates: one }) in estimates.iter().enumerate() {
            let earlier = estimates[..i].iter().any(|other| other.category == *category);
            let belongs = one.trial() == first.trial()
                && one.reference() == first.reference()
                && one.scale() == first.scale()
                && one.treatments().eq(first.treatments());
            if earlier || !belongs || !categories.contains(category) {
                return Err(locate(format!(
                    "the estimates for \"{category}\" do not belong here; give each of the categories once, all of the same trial, arms \
                     and scale"
                )));
            }
        }
        let analysed: Vec<u64> = std::iter::once(first.reference_counts().analysed)
            .chain(first.iter().map(|estimate| estimate.treatment_counts().analysed))
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
            let own = (i / t == j / t).then(|| estimates[i / t].estimates.covariance()[[i % t, j % t]]);
            let agrees = own.is_none_or(|own| (own - value).abs() <= bound);
            if !value.is_finite() || !agrees || (value - covariance[[j, i]]).abs() > bound {
                return Err(locate(
                    "the joint covariance is not symmetric, or not that of the estimates of a category; give both halves alike"
                        .to_owned(),
                ));
            }
        }
        for i in 0..covariance.nrows() {
            for j in 0..i {
                covariance[[i, j]] = covariance[[j, i]];
            }
        }
        Ok(Self { measure, categories, counts, estimates, covariance })
    }

    /// The effects on one category.
    ///
    /// # Errors
    /// There is no such category, or nothing could be estimated for it: it is the base of the others, or nobody is in it.
    pub fn category(&self, category: impl AsRef<str>) -> Result<Estimates<S>> {
        let label = category.as_ref();
        if let Some(found) = self.estimates.iter().find(|one| one.category == label) {
            return Ok(found.estimates.clone());
        }
        let error: Error = if self.categories.iter().any(|other| other == label) {
            let why = format!(
                "there is no effect on \"{label}\": it is the category with which the others are compared, or nobody is in it; there are \
                 effects on: {}",
                self.labels().join(", ")
            );
            ErrorKind::NotEstimable(why).into()
        } else {
            let known = self.categories.iter().map(ToString::to_string).collect();
            ErrorKind::UnknownCategory { label: label.to_owned(), known }.into()
        };
        Err(error.in_measure(&self.measure.name).in_trial(self.trial()))
    }

    fn labels(&self) -> Vec<String> {
        self.estimates.iter().map(|one| one.category.to_string()).collect()
    }

    /// The effects, category by category.
    pub fn iter(&self) -> std::slice::Iter<'_, CategoryEstimates<S>> {
        self.estimates.iter()
    }

    fn first(&self) -> &Estimates<S> {
        &self.estimates[0].estimates
    }

    /// The declared categories, in their order.
    pub fn categories(&self) -> &[Label] {
        &self.categories
    }

    /// How many people are analysed: one row per arm, the reference first, one column per category.
    pub fn counts(&self) -> ArrayView2<'_, u64> {
        self.counts.view()
    }

    /// The covariance of all effects in the order of [`CategoryEffects::iter`], the treatments of one category next to each other.
    ///
    /// It is singular where the categories exclude each other: their differences sum to zero.
    pub fn covariance(&self) -> ArrayView2<'_, f64> {
        self.covariance.view()
    }

    /// The trial.
    pub fn trial(&self) -> &Label {
        self.first().trial()
    }

    /// The measure with all of its categories.
    pub fn measure(&self) -> &MeasureInfo {
        &self.measure
    }

    /// The scale.
    pub fn scale(&self) -> &S {
        self.first().scale()
    }

    /// The arm that every treatment is compared with.
    pub fn reference(&self) -> &Label {
        self.first().reference()
    }

    /// The labels of the treatments.
    pub fn treatments(&self) -> impl Iterator<Item = &Label> {
        self.first().treatments()
    }

    /// Marginal or conditional.
    pub fn estimand(&self) -> Estimand {
        self.first().estimand()
    }

    /// By which methods they were made.
    pub fn method(&self) -> &Method {
        self.first().method()
    }

    /// The confidence level of the intervals, each by itself or all together.
    pub fn level(&self) -> f64 {
        self.first().level()
    }

    /// What a reader has to be told, once for all categories.
    pub fn notices(&self) -> Vec<Notice> {
        let mut notices: Vec<Notice> = Vec::new();
        for notice in self.estimates.iter().flat_map(|one| one.estimates.notices()) {
            if !notices.contains(notice) {
                notices.push(notice.clone());
            }
        }
        notices
    }

    /// The same effects with their scale known only at run time.
    pub fn to_any(&self) -> CategoryEffects<AnyScale> {
        let estimates = self.estimates.iter().map(|one| CategoryEstimates {
            category: one.category.clone(),
            estimates: one.estimates.to_any(),
        });
        CategoryEffects {
            measure: self.measure.clone(),
            categories: self.categories.clone(),
            counts: self.counts.clone(),
            estimates: estimates.collect(),
            covariance: self.covariance.clone(),
        }
    }
}

impl<'a, S: Scale> IntoIterator for &'a CategoryEffects<S> {
    type Item = &'a CategoryEstimates<S>;
    type IntoIter = std::slice::Iter<'a, CategoryEstimates<S>>;
    fn into_iter(self) -> Self::IntoIter {
        self.estimates.iter()
    }
}

impl<S: Scale> CategoryEstimates<S> {
    pub(crate) fn new(category: Label, estimates: Estimates<S>) -> Self {
        Self { category, estimates }
    }

    /// Declares that intervals made at the level of [`single_level`] hold together at `level`.
    pub(crate) fn together(self, by: Simultaneous, level: f64) -> Self {
        if by == Simultaneous::Individual {
            return self;
        }
        let describe = |context: &mut Context| {
            context.level = level;
            let interval = Box::new(context.method.interval.clone());
            context.method.interval = IntervalMethod::Simultaneous { by, interval };
        };
        Self { estimates: self.estimates.described(describe), ..self }
    }
}

/// The level of each interval at which all hold together.
pub(crate) fn single_level(by: Simultaneous, covariance: ArrayView2<f64>, level: f64) -> Result<f64> {
    let critical = by.critical_value(covariance, level)?;
    Ok(if by == Simultaneous::Individual { level } else { 1.0 - 2.0 * Normal.sf(critical) })
}
