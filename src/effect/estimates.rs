use super::about::{About, impossible_limits};
use super::arm_means::ROUNDING;
use super::contrast::Contrast;
use super::estimate::{Estimate, EstimateRecord, check_reference};
use super::method::{IntervalMethod, Method, VarianceMethod};
use super::on::{Checked, On};
use super::scale::{AnyScale, Scale};
use crate::compute::categorical::{Simultaneous, SimultaneousFamily};
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::multiplicity::{Alternative, Contrasts, SimultaneousInference};
use crate::compute::proportion::TwoProportions;
use crate::compute::rate::TwoRates;
use crate::compute::regression::MarginalVariance;
use crate::design::{ArmCounts, ComparedArm, Label, Notice};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The effects of every treatment of one trial against its reference, with their joint covariance.
///
/// The contrasts share a reference, so they are correlated; arm against arm, any linear combination, and
/// multivariate pooling come from this one object.
///
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let arms = [("control", 6, 176), ("exemption", 6, 168), ("guidance", 7, 172)];
/// let effects = Comparison::from_counts("Utrecht", &outflow, arms)?
///     .estimate(&DifferenceInProportions::new())?;
/// assert_eq!(effects.len(), 2);
/// assert!(effects.covariance()[[0, 1]] > 0.0);
///
/// let guidance_or_exemption =
///     effects.combination("any help", &[("guidance", 0.5), ("exemption", 0.5)])?;
/// let between = effects.between("guidance", "exemption")?;
/// assert!(between.se() > 0.0 && guidance_or_exemption.se() < between.se());
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// [`EstimatesRecord`] has the fields and further methods.
pub type Estimates<S = AnyScale> = On<S, EstimatesRecord>;

/// The data of [`Estimates`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EstimatesRecord {
    /// The identity of the effects.
    pub about: Arc<About>,
    /// The reference with its numbers of people.
    pub reference: ComparedArm,
    /// Every treatment against the reference.
    pub contrasts: Vec<Contrast>,
    /// The covariance of the values, treatments x treatments in the order of the contrasts, in squared units
    /// of the scale.
    #[serde(with = "crate::compute::matrix_rows")]
    pub covariance: Array2<f64>,
}

impl Checked for EstimatesRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let Self { about, reference, contrasts, covariance } = self;
        about.check_one_trial()?;
        check_reference(about, reference)?;
        if contrasts.is_empty() {
            let why = "there is no treatment to estimate; give one beside the reference";
            return Err(about.locate(Error::invalid(why)));
        }
        for (i, contrast) in contrasts.iter().enumerate() {
            contrast
                .check(&about.reference, &about.scale, about.level)
                .and_then(|()| contrast.check_counts(reference.counts))
                .map_err(|error| about.locate(error))?;
            let label = contrast.treatment();
            if contrasts[..i].iter().any(|other| other.treatment() == label) {
                let why = "two arms have this label; give each its own";
                return Err(about.locate(Error::invalid(why).in_arm(label)));
            }
        }
        check_covariance(covariance.view(), contrasts).map_err(|error| about.locate(error))
    }
}

impl<S: Scale> Estimates<S> {
    pub(crate) fn new(
        scale: S,
        mut about: About,
        reference: ComparedArm,
        contrasts: Vec<Contrast>,
        mut covariance: Array2<f64>,
    ) -> Result<Self> {
        about.scale = scale.to_any();
        // The halves may differ in the last digit.
        if covariance.is_square() {
            for i in 0..covariance.nrows() {
                for j in 0..i {
                    covariance[[i, j]] = covariance[[j, i]];
                }
            }
        }
        for contrast in &contrasts {
            let treatment = &contrast.treatment.label;
            let beyond = impossible_limits(&about.scale, treatment, contrast.inference.interval());
            let open = Notice::UnboundedInterval { treatment: treatment.clone() };
            let known = |notice: &Notice| about.notices.iter().any(|told| told == notice || *told == open);
            about.notices.extend(beyond.filter(|notice| !known(notice)).into_iter().collect::<Vec<_>>());
        }
        Self::checked(EstimatesRecord { about: Arc::new(about), reference, contrasts, covariance })
    }

    /// The same estimates after a change of how they are described.
    pub(crate) fn described(self, change: impl FnOnce(&mut About)) -> Self {
        self.changed(|record| change(Arc::make_mut(&mut record.about)))
    }

    /// The same with intervals and tests that hold for the whole family.
    pub(crate) fn together(self, family: &Arc<SimultaneousFamily>) -> Result<Self> {
        if family.by() == Simultaneous::Individual {
            return Ok(self);
        }
        let contrasts: Result<Vec<Contrast>> = self
            .contrasts
            .iter()
            .map(|one| {
                let inference = one.inference.clone().together(family, self.about.level)?;
                Ok(Contrast::new(one.treatment.clone(), inference))
            })
            .collect();
        let contrasts = contrasts.map_err(|error| self.about.locate(error))?;
        let described = self.described(|about| {
            let interval = Box::new(about.method.interval.clone());
            about.method.interval = IntervalMethod::Simultaneous { by: family.by(), interval };
        });
        Ok(described.changed(|record| record.contrasts = contrasts))
    }

    /// One estimate per treatment.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Estimate<S>> {
        self.contrasts.iter().map(|contrast| self.one(contrast.clone()))
    }

    fn one(&self, contrast: Contrast) -> Estimate<S> {
        let mut about = Arc::clone(&self.about);
        let own = match (&about.method.interval, contrast.curve()) {
            // Where an arm got halves in an empty cell, its interval is not that of the counts of the others.
            (IntervalMethod::Counts(_), ConfidenceCurve::Wald) => Some(IntervalMethod::Normal),
            // Nor is that of an arm that does not overlap with the reference.
            (IntervalMethod::Logit, ConfidenceCurve::Separated(_)) => Some(IntervalMethod::ExactRankSum),
            _ => None,
        };
        if let Some(own) = own {
            Arc::make_mut(&mut about).method.interval = own;
        }
        Estimate::of(EstimateRecord { about, reference: self.reference.clone(), contrast })
    }

    /// The estimate of one treatment.
    ///
    /// # Errors
    /// There is no such treatment.
    pub fn treatment(&self, treatment: impl AsRef<str>) -> Result<Estimate<S>> {
        Ok(self.one(self.contrasts[self.position(treatment.as_ref())?].clone()))
    }

    /// One treatment against another: value `b_i - b_j`, variance `V_ii + V_jj - 2 V_ij` from the joint
    /// covariance. Where the estimates are crude effects of counts it is the effect of these two arms' counts
    /// by the same interval method; other methods that are not Wald's, such as stratified score intervals,
    /// give way to Wald's interval, with a notice.
    ///
    /// # Errors
    /// There is no such treatment, both are the same, or the scale compares people in pairs
    /// ([`NetBenefit`](crate::effect::NetBenefit)).
    pub fn between(&self, treatment: impl AsRef<str>, other: impl AsRef<str>) -> Result<Estimate<S>> {
        let (i, j) = (self.position(treatment.as_ref())?, self.position(other.as_ref())?);
        if i == j {
            let why = format!("\"{}\" is compared with itself; name another arm", treatment.as_ref());
            return Err(self.about.locate(Error::invalid(why)));
        }
        if !self.about.scale.is_transitive() {
            let why = format!(
                "the effects against \"{}\" do not tell how people of \"{}\" and of \"{}\" compare in pairs; compare the arms \
                 themselves with compare(..).versus(..)",
                self.reference.label,
                treatment.as_ref(),
                other.as_ref()
            );
            return Err(self.about.locate(ErrorKind::NotEstimable(why).into()));
        }
        let mut weights = vec![0.0; self.len()];
        weights[i] = 1.0;
        weights[j] = -1.0;
        let [one, two] = [i, j].map(|arm| &self.contrasts[arm]);
        let curve = match (one.alone(), two.alone()) {
            (
                ConfidenceCurve::Counts { method, counts },
                ConfidenceCurve::Counts { method: other, counts: reference },
            ) if method == other => {
                let counts = TwoProportions::new(counts.treatment, reference.treatment);
                Some(ConfidenceCurve::Counts { method: *method, counts })
            }
            (
                ConfidenceCurve::Rates { method, rates },
                ConfidenceCurve::Rates { method: other, rates: reference },
            ) if method == other => {
                let rates = TwoRates::new(rates.treatment, reference.treatment);
                Some(ConfidenceCurve::Rates { method: *method, rates })
            }
            _ => None,
        };
        self.combine(one.treatment.clone(), two.treatment.clone(), &weights, curve)
    }

    /// A linear combination of treatments: value `w'b`, variance `w'V w`, with a Wald interval, and a notice
    /// where those of the treatments are others.
    ///
    /// # Errors
    /// There is no such treatment, a weight is not finite, or the name is that of the reference.
    pub fn combination<T: AsRef<str>>(&self, name: &str, weights: &[(T, f64)]) -> Result<Estimate<S>> {
        let mut all = vec![0.0; self.len()];
        for (treatment, weight) in weights {
            all[self.position(treatment.as_ref())?] += weight;
        }
        if !all.iter().all(|weight| weight.is_finite()) || all.iter().all(|weight| *weight == 0.0) {
            return Err(self.about.locate(Error::invalid(
                "a combination needs finite weights; give at least one that is not zero",
            )));
        }
        let mut counts = ArmCounts { randomised: 0, observed: 0, analysed: 0, events: Some(0) };
        for (contrast, _) in self.contrasts.iter().zip(&all).filter(|(_, weight)| **weight != 0.0) {
            let arm = contrast.treatment.counts;
            counts.randomised += arm.randomised;
            counts.observed += arm.observed;
            counts.analysed += arm.analysed;
            counts.events = counts.events.zip(arm.events).map(|(sum, events)| sum + events);
        }
        let treatment = ComparedArm { label: Label::new(name), components: Vec::new(), counts };
        self.combine(treatment, self.reference.clone(), &all, None)
    }

    fn combine(
        &self,
        treatment: ComparedArm,
        reference: ComparedArm,
        weights: &[f64],
        curve: Option<ConfidenceCurve>,
    ) -> Result<Estimate<S>> {
        let mut value: f64 = self.values().zip(weights).map(|(value, weight)| value * weight).sum();
        let (mut variance, mut size) = (0.0, 0.0);
        for ((i, j), covariance) in self.covariance.indexed_iter() {
            let term = weights[i] * weights[j] * covariance;
            variance += term;
            size += f64::abs(term);
        }
        if variance.abs() <= ROUNDING * size {
            // Rounding is all that is left where the terms cancel, in the value too.
            let largest = self.values().zip(weights).map(|(b, w)| f64::abs(b * w)).fold(0.0, f64::max);
            value = if value.abs() <= ROUNDING * largest { 0.0 } else { value };
            variance = 0.0;
        }
        let mut about = About { reference: reference.label.clone(), ..(*self.about).clone() };
        if variance < 0.0 {
            return Err(about.locate(negative_variance(&about.method).in_arm(&treatment.label)));
        }
        let se = variance.sqrt();
        if let IntervalMethod::Simultaneous { interval, .. } = about.method.interval {
            // Outside the family the combination stands alone.
            about.method.interval = *interval;
        }
        let inference = if let Some(curve) = curve {
            Inference::new(value, se, None, about.level, curve)
        } else {
            // Of several degrees of freedom the smallest is the safe one.
            let df = self.contrasts.iter().filter_map(|contrast| contrast.df()).reduce(f64::min);
            let own = if df.is_some() { IntervalMethod::StudentT } else { IntervalMethod::Normal };
            let asked = std::mem::replace(&mut about.method.interval, own);
            if !matches!(asked, IntervalMethod::Normal | IntervalMethod::StudentT) {
                about.notices.push(Notice::WaldInstead { interval: asked.to_string() });
            }
            Inference::wald(value, se, df, about.level)
        };
        if variance == 0.0 {
            // Where the counts have an interval all the same; else the check refuses.
            about.notices.push(Notice::ZeroStandardError { treatment: treatment.label.clone() });
        }
        let inference = inference.map_err(|error| about.locate(error.in_arm(&treatment.label)))?;
        let contrast = Contrast::new(treatment, inference);
        Estimate::checked(EstimateRecord { about: Arc::new(about), reference, contrast })
    }
}

impl EstimatesRecord {
    /// The trial.
    pub fn trial(&self) -> &Label {
        &self.about.trials[0]
    }

    /// The number of treatments.
    pub fn len(&self) -> usize {
        self.contrasts.len()
    }

    /// Never true: there is at least one treatment.
    pub fn is_empty(&self) -> bool {
        self.contrasts.is_empty()
    }

    /// The labels of the treatments.
    pub fn treatments(&self) -> impl Iterator<Item = &Label> {
        self.contrasts.iter().map(Contrast::treatment)
    }

    /// The values of all treatments.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.contrasts.iter().map(|contrast| contrast.value())
    }

    /// The covariance of all treatments' values.
    pub fn covariance(&self) -> ArrayView2<'_, f64> {
        self.covariance.view()
    }

    /// The numbers of people in the reference arm.
    pub fn reference_counts(&self) -> ArmCounts {
        self.reference.counts
    }

    /// Intervals of all treatments that hold together, with adjusted p-values in one step and in steps down,
    /// from the joint covariance: Dunnett's procedure for treatments that share a reference. They are those
    /// of statistics `value / se` (see [`Contrasts`]), whatever interval each effect has alone, in the order
    /// of the treatments. Student's t takes the smallest degrees of freedom of the treatments.
    ///
    /// ```
    /// use armwise::multiplicity::Alternative;
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let arms = [("control", 155, 925), ("exemption", 212, 930), ("guidance", 190, 921)];
    /// let effects = Comparison::from_counts("Utrecht", &outflow, arms)?
    ///     .estimate(&DifferenceInProportions::new())?;
    /// let together = effects.simultaneous(Alternative::TwoSided, 0.95)?;
    /// assert!(together.critical_value > 1.96 && together.critical_value < 2.2414);
    /// let guidance = &together.contrasts[1];
    /// assert!(guidance.p_value < guidance.single_step);
    /// assert!(guidance.single_step < 2.0 * guidance.p_value);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// A level that is not between 0 and 1, and an effect without variance.
    pub fn simultaneous(&self, alternative: Alternative, level: f64) -> Result<SimultaneousInference> {
        self.joint()
            .and_then(|joint| joint.simultaneous(alternative, level))
            .map_err(|error| self.about.locate(error))
    }

    /// The effects as contrasts with their joint distribution: for other null values ([`Contrasts::against`])
    /// and closed tests.
    ///
    /// # Errors
    /// An effect without variance.
    pub fn joint(&self) -> Result<Contrasts> {
        let values: Vec<f64> = self.values().collect();
        let df = self.contrasts.iter().filter_map(|contrast| contrast.df()).reduce(f64::min);
        Contrasts::new(&values, self.covariance(), df).map_err(|error| self.about.locate(error))
    }

    fn position(&self, treatment: &str) -> Result<usize> {
        self.contrasts.iter().position(|contrast| contrast.treatment() == treatment).ok_or_else(|| {
            let known = self.treatments().map(ToString::to_string).collect();
            self.about.locate(ErrorKind::UnknownTreatment { name: treatment.to_owned(), known }.into())
        })
    }
}

/// What can make this variance negative, and what to do about it.
pub(super) fn negative_variance(method: &Method) -> Error {
    let why = match method.variance {
        VarianceMethod::Marginal(MarginalVariance::Ye2023Stratified) => {
            "the variance estimate for stratified randomisation is negative, as it can be where arms are small or not alike in their \
             strata, and strata decide much of the outcome; check the declared strata, and estimate within \
             them (mantel_haenszel(..) of proportions) or adjust for them (adjust_for(..)); MarginalVariance::Superpopulation cannot be \
             negative, but takes no strata"
        }
        VarianceMethod::Sato | VarianceMethod::GreenlandRobins | VarianceMethod::RobinsBreslowGreenland => {
            "the variance estimate is negative, as the covariance of Mantel-Haenszel effects that share a control allows in small \
             samples; compare the arms themselves with compare(..).versus(..)"
        }
        VarianceMethod::Marginal(_) => {
            "the variance estimate is negative, which this estimator can give in small samples; \
             use MarginalVariance::Superpopulation, which cannot"
        }
        _ => {
            "the variance estimate is negative, so the covariance is that of no effects; compare the arms themselves with \
             compare(..).versus(..), or check the covariance where you gave it"
        }
    };
    ErrorKind::NegativeVariance(why.to_owned()).into()
}

/// Finite, symmetric, with the squares of the standard errors on its diagonal. Correlations may exceed 1:
/// some variance estimates are not positive semi-definite.
fn check_covariance(covariance: ArrayView2<f64>, contrasts: &[Contrast]) -> Result<()> {
    let k = contrasts.len();
    if covariance.dim() != (k, k) {
        return Err(Error::invalid(format!(
            "the covariance of {estimates} must be {k} x {k}",
            estimates = counted(k, "estimate")
        )));
    }
    for ((i, j), &value) in covariance.indexed_iter() {
        let bound = (covariance[[i, i]] * covariance[[j, j]]).sqrt();
        if !value.is_finite() || covariance[[i, i]] < 0.0 {
            return Err(Error::invalid(format!(
                "the covariance holds {value}; it must be finite, with a diagonal of zero or more"
            )));
        }
        if (value - covariance[[j, i]]).abs() > 1e-9 * bound {
            return Err(Error::invalid("the covariance is not symmetric; give both halves alike"));
        }
    }
    for (contrast, &variance) in contrasts.iter().zip(covariance.diag()) {
        // In standard errors, whose squares may be too small for a number.
        if (contrast.se() - variance.sqrt()).abs() > 1e-9 * contrast.se() {
            let why = format!(
                "the standard error {} is not the root of the variance {variance}; they must agree",
                contrast.se()
            );
            return Err(Error::invalid(why).in_arm(contrast.treatment()));
        }
    }
    Ok(())
}
