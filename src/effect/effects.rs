use super::about::{apart, twice};
use super::scale::{AnyScale, Scale, ScaleForm};
use super::{Estimate, Estimates, On};
use crate::compute::counts::DoubleZeros;
use crate::data::check_twins;
use crate::design::{Label, Notice, of_trials};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The effects of several trials: one [`Estimates`] per trial.
///
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "city,arm,works\nA,control,0\nA,control,1\nA,guidance,1\nA,guidance,0\n\
///         B,control,0\nB,control,1\nB,exemption,1\nB,exemption,0\n",
/// )?;
/// let trials = Trials::builder(table, "city").arm_labels("arm").control("control").build()?;
/// let effects =
///     trials.on(&Measure::binary("works"))?.estimate(&DifferenceInProportions::new())?;
/// let guidance = effects.treatment("guidance")?;
/// assert_eq!(guidance.len(), 1);
/// assert_eq!(guidance.without()[0], "B");
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked<S>")]
#[serde(bound = "S: Scale")]
pub struct Effects<S: Scale> {
    trials: Vec<Estimates<S>>,
    double_zeros: DoubleZeros,
}

/// Effects as they are read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound = "S: Scale")]
struct Unchecked<S: Scale> {
    trials: Vec<Estimates<S>>,
    double_zeros: DoubleZeros,
}

impl<S: Scale> TryFrom<Unchecked<S>> for Effects<S> {
    type Error = Error;

    fn try_from(Unchecked { trials, double_zeros }: Unchecked<S>) -> Result<Self> {
        Ok(Self::new(trials)?.double_zeros(double_zeros))
    }
}

impl<S: Scale> Effects<S> {
    /// The estimates of several trials.
    ///
    /// # Errors
    /// There is none; two of the same trial; or they differ in scale, measure, horizon, reference, or in
    /// being marginal or conditional.
    pub fn new(trials: impl IntoIterator<Item = Estimates<S>>) -> Result<Self> {
        let trials: Vec<Estimates<S>> = trials.into_iter().collect();
        let Some(first) = trials.first() else { return Err(ErrorKind::NoStudies.into()) };
        let mut seen = HashSet::from([first.trial()]);
        for other in &trials[1..] {
            first.about().belongs_with(other.about())?;
            if !seen.insert(other.trial()) {
                return Err(twice(other.trial()));
            }
        }
        check_names(&trials.iter().collect::<Vec<_>>())?;
        Ok(Self { trials, double_zeros: DoubleZeros::Drop })
    }

    setters! {
        /// What pools of ratios do with a trial in which nobody, or everybody, had the event in both arms, where
        /// half an event was added; default [`DoubleZeros::Drop`], as it says nothing of a ratio (Cochrane
        /// Handbook, section 10.4.4.1). The pool names the trial. Other scales keep such trials.
        double_zeros: DoubleZeros;
    }

    /// The trials that tell something of a ratio, and the names of the others; all of them where the rule is
    /// to keep them.
    pub(crate) fn informative(&self) -> (Vec<&Estimates<S>>, Vec<Label>) {
        let all = self.trials.iter();
        if self.double_zeros == DoubleZeros::Drop { informative(all) } else { (all.collect(), Vec::new()) }
    }

    /// One [`Estimates`] per trial.
    pub fn iter(&self) -> std::slice::Iter<'_, Estimates<S>> {
        self.trials.iter()
    }

    /// The first trial, which there always is.
    pub(crate) fn first(&self) -> &Estimates<S> {
        &self.trials[0]
    }

    /// How many trials there are.
    pub fn len(&self) -> usize {
        self.trials.len()
    }

    /// Never true: there is at least one trial.
    pub fn is_empty(&self) -> bool {
        self.trials.is_empty()
    }

    /// The estimates of one trial.
    ///
    /// # Errors
    /// There is no such trial.
    pub fn trial(&self, name: &str) -> Result<&Estimates<S>> {
        self.trials.iter().find(|estimates| *estimates.trial() == name).ok_or_else(|| {
            let known = self.trials.iter().map(|estimates| estimates.trial().to_string()).collect();
            ErrorKind::UnknownTrial { name: name.to_owned(), known }.into()
        })
    }

    /// The same effects with their scale known only at run time.
    pub fn to_any(&self) -> Effects<AnyScale> {
        Effects { trials: self.trials.iter().map(On::to_any).collect(), double_zeros: self.double_zeros }
    }

    /// What the estimates of all trials know, each said once.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let (telling, silent) = self.informative();
        let silent = (!silent.is_empty()).then_some(Notice::NoInformation { trials: silent });
        let told = of_trials(telling.into_iter().map(|trial| (trial.trial(), trial.notices())));
        silent.into_iter().chain(told).collect()
    }

    /// The labels of all treatments, in the order in which they first occur.
    pub fn treatments(&self) -> Vec<Label> {
        treatments(self.trials.iter())
    }

    /// The effect of one treatment in every trial that had it as an arm of its own; the other trials are
    /// named, and so are those that say nothing of a ratio ([`Effects::double_zeros`]).
    ///
    /// # Errors
    /// No trial had it, or none of them says anything of a ratio.
    pub fn treatment(&self, treatment: impl AsRef<str>) -> Result<TreatmentEffects<S>> {
        let name = treatment.as_ref();
        let (mut estimates, mut without, mut silent) = (Vec::new(), Vec::new(), Vec::new());
        for trial in &self.trials {
            match trial.treatment(name) {
                Ok(estimate) if self.double_zeros == DoubleZeros::Drop && says_nothing(&estimate) => {
                    silent.push(trial.trial().clone());
                }
                Ok(estimate) => estimates.push(estimate),
                Err(_) => without.push(trial.trial().clone()),
            }
        }
        if estimates.is_empty() && !silent.is_empty() {
            return Err(nothing_told().in_arm(&Label::new(name)).in_measure(&self.first().measure().name));
        }
        if estimates.is_empty() {
            let known = self.treatments().iter().map(ToString::to_string).collect();
            return Err(ErrorKind::UnknownTreatment { name: name.to_owned(), known }.into());
        }
        Ok(TreatmentEffects { treatment: Label::new(name), estimates, without, silent })
    }
}

impl<S: Scale> From<&Effects<S>> for Effects<AnyScale> {
    fn from(effects: &Effects<S>) -> Self {
        effects.to_any()
    }
}

impl<S: Scale> From<&Estimates<S>> for Effects<AnyScale> {
    fn from(estimates: &Estimates<S>) -> Self {
        Self { trials: vec![estimates.to_any()], double_zeros: DoubleZeros::Drop }
    }
}

impl<'a, S: Scale> IntoIterator for &'a Effects<S> {
    type Item = &'a Estimates<S>;
    type IntoIter = std::slice::Iter<'a, Estimates<S>>;
    fn into_iter(self) -> Self::IntoIter {
        self.trials.iter()
    }
}

/// The effect of one treatment in several trials, and the trials that did not have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "TreatmentEffectsWire<S>", into = "TreatmentEffectsWire<S>")]
#[serde(bound = "S: Scale")]
pub struct TreatmentEffects<S: Scale> {
    treatment: Label,
    estimates: Vec<Estimate<S>>,
    without: Vec<Label>,
    silent: Vec<Label>,
}

/// The treatment is that of the estimates.
#[derive(Serialize, Deserialize)]
#[serde(bound = "S: Scale")]
struct TreatmentEffectsWire<S: Scale> {
    estimates: Vec<Estimate<S>>,
    without: Vec<Label>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    silent: Vec<Label>,
}

impl<S: Scale> From<TreatmentEffects<S>> for TreatmentEffectsWire<S> {
    fn from(effects: TreatmentEffects<S>) -> Self {
        Self { estimates: effects.estimates, without: effects.without, silent: effects.silent }
    }
}

impl<S: Scale> TryFrom<TreatmentEffectsWire<S>> for TreatmentEffects<S> {
    type Error = Error;

    fn try_from(wire: TreatmentEffectsWire<S>) -> Result<Self> {
        let TreatmentEffectsWire { estimates, without, silent } = wire;
        let effects = Self::new(estimates)?;
        let own: HashSet<&Label> = effects.iter().map(|estimate| estimate.trial()).collect();
        let mut seen = HashSet::new();
        for trial in without.iter().chain(&silent) {
            if own.contains(trial) {
                let why = "this trial has an estimate, and is named as one without the arm or without events; it can only be one of both";
                return Err(Error::invalid(why).in_trial(trial));
            }
            if !seen.insert(trial) {
                return Err(twice(trial));
            }
        }
        Ok(Self { without, silent, ..effects })
    }
}

impl<S: Scale> TreatmentEffects<S> {
    /// Estimates that belong together: one of each trial, of the same treatment.
    ///
    /// # Errors
    /// There is none; two of the same trial; or they differ in scale, measure, horizon, treatment, reference,
    /// or in being marginal or conditional.
    pub fn new(estimates: impl IntoIterator<Item = Estimate<S>>) -> Result<Self> {
        let estimates: Vec<Estimate<S>> = estimates.into_iter().collect();
        let Some(first) = estimates.first() else { return Err(ErrorKind::NoStudies.into()) };
        let mut seen = HashSet::from([first.trial()]);
        for other in &estimates[1..] {
            if first.treatment() != other.treatment() {
                return Err(other.about().locate(apart("treatment", first.treatment(), other.treatment())));
            }
            first.about().belongs_with(other.about())?;
            if !seen.insert(other.trial()) {
                return Err(twice(other.trial()));
            }
        }
        let treatment = first.treatment().clone();
        Ok(Self { treatment, estimates, without: Vec::new(), silent: Vec::new() })
    }

    /// The treatment.
    pub fn treatment(&self) -> &Label {
        &self.treatment
    }

    /// The estimate of the first trial, which there always is.
    pub(crate) fn first(&self) -> &Estimate<S> {
        &self.estimates[0]
    }

    /// One estimate per trial.
    pub fn iter(&self) -> std::slice::Iter<'_, Estimate<S>> {
        self.estimates.iter()
    }

    /// How many estimates there are.
    pub fn len(&self) -> usize {
        self.estimates.len()
    }

    /// Never true: there is at least one estimate.
    pub fn is_empty(&self) -> bool {
        self.estimates.is_empty()
    }

    /// The trials that did not have the treatment as an arm of its own.
    pub fn without(&self) -> &[Label] {
        &self.without
    }

    /// The trials with the treatment that say nothing of a ratio, as nobody or everybody had the event
    /// ([`Effects::double_zeros`]).
    pub fn without_information(&self) -> &[Label] {
        &self.silent
    }

    /// The same estimates with their scale known only at run time.
    pub fn to_any(&self) -> TreatmentEffects<AnyScale> {
        TreatmentEffects {
            treatment: self.treatment.clone(),
            estimates: self.estimates.iter().map(Estimate::to_any).collect(),
            without: self.without.clone(),
            silent: self.silent.clone(),
        }
    }

    /// Which trials lack the treatment, then what the estimates of the others know of it, each said once.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let mut notices = Vec::new();
        if !self.without.is_empty() {
            notices
                .push(Notice::TrialsWithoutArm { arm: self.treatment.clone(), trials: self.without.clone() });
        }
        if !self.silent.is_empty() {
            notices.push(Notice::NoInformation { trials: self.silent.clone() });
        }
        notices.extend(of_trials(self.estimates.iter().map(|one| {
            let arms = [one.treatment(), one.reference()];
            (one.trial(), one.notices().iter().filter(move |notice| notice.concerns(arms)))
        })));
        notices
    }
}

impl<'a, S: Scale> IntoIterator for &'a TreatmentEffects<S> {
    type Item = &'a Estimate<S>;
    type IntoIter = std::slice::Iter<'a, Estimate<S>>;
    fn into_iter(self) -> Self::IntoIter {
        self.estimates.iter()
    }
}

/// The labels of all treatments, in the order in which they first occur.
pub(crate) fn treatments<'e, S: Scale>(trials: impl Iterator<Item = &'e Estimates<S>>) -> Vec<Label> {
    let mut seen = HashSet::new();
    trials.flat_map(|estimates| estimates.treatments()).filter(|label| seen.insert(*label)).cloned().collect()
}

/// The trials that tell something of a ratio, and the names of those in which nobody, or everybody, had the
/// event in every arm.
pub(crate) fn informative<'e, S: Scale>(
    trials: impl Iterator<Item = &'e Estimates<S>>,
) -> (Vec<&'e Estimates<S>>, Vec<Label>) {
    let (silent, telling): (Vec<_>, Vec<_>) =
        trials.partition(|trial| trial.iter().all(|estimate| says_nothing(&estimate)));
    (telling, silent.into_iter().map(|trial| trial.trial().clone()).collect())
}

/// Whether nobody, or everybody, had the event in both arms of a ratio, which then rests on what was added to
/// the cells.
fn says_nothing<S: Scale>(estimate: &Estimate<S>) -> bool {
    let (one, two) = (estimate.treatment_counts(), estimate.reference_counts());
    let events = one.events.zip(two.events).map(|(one, two)| one + two);
    let all = one.analysed + two.analysed;
    estimate.scale().form() == ScaleForm::LogRatio
        && events.is_some_and(|events| events == 0 || events == all)
}

/// The error where no trial says anything of a ratio.
pub(crate) fn nothing_told() -> Error {
    let why = "nobody, or everybody, had the event in both arms of every trial, so they say nothing of a ratio; take the difference, or keep \
               them with double_zeros(DoubleZeros::Keep)";
    ErrorKind::NotEstimable(why.to_owned()).into()
}

/// Refuses trials that cannot be one network: they may differ in their reference, but in nothing else.
pub(crate) fn one_network<S: Scale>(trials: &[&Estimates<S>]) -> Result<()> {
    let Some(first) = trials.first() else { return Err(ErrorKind::NoStudies.into()) };
    let mut seen = HashSet::from([first.trial()]);
    for other in &trials[1..] {
        first.about().same_network(other.about())?;
        if !seen.insert(other.trial()) {
            return Err(twice(other.trial()));
        }
    }
    check_names(trials)
}

/// Refuses trials or arms that are the same to a reader under two names.
fn check_names<S: Scale>(trials: &[&Estimates<S>]) -> Result<()> {
    check_twins(trials.iter().map(|estimates| estimates.trial().as_str()))?;
    let arms = || trials.iter().flat_map(|estimates| estimates.contrasts.iter().map(|one| &one.treatment));
    let references = trials.iter().map(|estimates| estimates.reference().as_str());
    check_twins(arms().map(|arm| arm.label.as_str()).chain(references))
}
