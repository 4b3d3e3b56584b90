use super::{JointlyPooled, OneStageInteraction, OneStagePooled, Pooled};
use crate::compute::curve::Inference;
use crate::compute::meta_analysis::ChiSquaredTest;
use crate::design::{Label, MeasureInfo};
use crate::effect::{AnyScale, Scale};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// One analysis in a [`OneStageComparison`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OneStageRow {
    /// What the analysis is called.
    pub name: String,
    /// How many trials tell about the treatment.
    pub trials: usize,
    /// The effect with its confidence curve.
    pub inference: Inference,
    /// The variance between trials; `None` for a common effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tau2: Option<f64>,
    /// The p-value of the analysis' own test that effects do not differ between trials.
    pub heterogeneity_p_value: Option<f64>,
}

/// One stage beside two stages: the effect of one treatment by several analyses, one row each.
///
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 7, 95)])?,
///     Comparison::from_counts("C", &outflow, [("control", 20, 180), ("guidance", 31, 170)])?,
/// ])?;
/// let two = CommonEffect::new()
///     .pool(&cities.estimate(&OddsRatio::new())?.treatment("guidance")?)?;
/// let one = OneStageLogistic::common().pool(&cities)?;
/// let table = OneStageComparison::new("guidance")
///     .two_stage("inverse variance", &two)?
///     .one_stage("logistic", &one)?;
/// assert!((table.rows()[0].value() - table.rows()[1].value()).abs() < 0.01);
/// assert!(table.to_string().contains("inverse variance"));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "S: Scale")]
pub struct OneStageComparison<S: Scale> {
    treatment: Label,
    subject: Option<Subject<S>>,
    rows: Vec<OneStageRow>,
}

/// What all rows are about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "S: Scale")]
pub(crate) struct Subject<S: Scale> {
    pub(crate) scale: S,
    pub(crate) measure: MeasureInfo,
    pub(crate) reference: Label,
}

impl std::ops::Deref for OneStageRow {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

impl<S: Scale> OneStageComparison<S> {
    /// No analyses of this treatment yet.
    pub fn new(treatment: impl AsRef<str>) -> Self {
        Self { treatment: Label::new(treatment), subject: None, rows: Vec::new() }
    }

    /// Adds a pool of the estimates of trials.
    ///
    /// # Errors
    /// It is of another treatment, measure, reference or scale.
    pub fn two_stage(mut self, name: &str, pooled: &Pooled<S>) -> Result<Self> {
        if *pooled.treatment() != self.treatment {
            return Err(self.other_treatment(pooled.treatment()));
        }
        self.belongs(&pooled.scale(), pooled.measure(), pooled.reference())?;
        let summary = pooled.summary;
        let tau2 = summary.tau2_estimator.map(|_| summary.tau2);
        self.push(name, pooled.trials.len(), &pooled.inference, tau2, tested(&summary.q));
        Ok(self)
    }

    /// Adds the treatment from a joint pool of all treatments; `Q` is of all of them.
    ///
    /// # Errors
    /// It lacks the treatment, or is of another measure, reference or scale.
    pub fn joint(mut self, name: &str, pooled: &JointlyPooled<S>) -> Result<Self> {
        let coefficient = pooled.coefficient(&self.treatment)?;
        self.belongs(&pooled.scale(), pooled.measure(), pooled.reference())?;
        let model = &pooled.model;
        let tau2 = model.tau2_estimator.map(|_| model.tau2);
        self.push(name, coefficient.trials.len(), &coefficient.inference, tau2, tested(&model.q));
        Ok(self)
    }

    /// Adds the treatment from a one-stage model; the test of treatment by trial is of all its treatments.
    ///
    /// # Errors
    /// It lacks the treatment, or is of another measure, reference or scale.
    pub fn one_stage(mut self, name: &str, pooled: &OneStagePooled<S>) -> Result<Self> {
        let coefficient = pooled.treatment(&self.treatment)?;
        self.belongs(&pooled.scale(), pooled.measure(), pooled.reference())?;
        let p_value = pooled.interaction().map(|test: &OneStageInteraction| test.p_value);
        self.push(name, coefficient.trials.len(), &coefficient.inference, pooled.tau2(), p_value);
        Ok(self)
    }

    fn push(
        &mut self,
        name: &str,
        trials: usize,
        inference: &Inference,
        tau2: Option<f64>,
        heterogeneity_p_value: Option<f64>,
    ) {
        let inference = inference.clone();
        self.rows.push(OneStageRow { name: name.to_owned(), trials, inference, tau2, heterogeneity_p_value });
    }

    fn other_treatment(&self, other: &Label) -> Error {
        let why =
            format!("this table is of \"{}\", the pool is of \"{other}\"; give each its own", self.treatment);
        Error::from(ErrorKind::Incompatible(why)).in_arm(other)
    }

    fn belongs(&mut self, scale: &S, measure: &MeasureInfo, reference: &Label) -> Result<()> {
        let new = Subject { scale: scale.clone(), measure: measure.clone(), reference: reference.clone() };
        match &self.subject {
            Some(subject) if *subject != new => {
                let why = format!(
                    "the analyses before are of \"{}\" against \"{}\" ({}), this one is of \"{}\" against \"{reference}\" ({}), or \
                     has another unit, horizon or direction; compare them apart",
                    subject.measure.name,
                    subject.reference,
                    subject.scale.to_any(),
                    measure.name,
                    scale.to_any()
                );
                Err(Error::from(ErrorKind::Incompatible(why)).in_measure(&measure.name))
            }
            _ => {
                self.subject = Some(new);
                Ok(())
            }
        }
    }

    /// The treatment.
    pub fn treatment(&self) -> &Label {
        &self.treatment
    }

    /// One row for each analysis, in the order in which they were added.
    pub fn rows(&self) -> &[OneStageRow] {
        &self.rows
    }

    /// The same analyses with their scale known only at run time.
    pub fn to_any(&self) -> OneStageComparison<AnyScale> {
        let subject = self.subject.as_ref().map(|subject| Subject {
            scale: subject.scale.to_any(),
            measure: subject.measure.clone(),
            reference: subject.reference.clone(),
        });
        OneStageComparison { treatment: self.treatment.clone(), subject, rows: self.rows.clone() }
    }

    pub(crate) fn subject(&self) -> Option<&Subject<S>> {
        self.subject.as_ref()
    }
}

/// The p-value of heterogeneity; `None` where one trial shows none.
fn tested(q: &ChiSquaredTest) -> Option<f64> {
    (q.df > 0.0).then_some(q.p_value)
}
