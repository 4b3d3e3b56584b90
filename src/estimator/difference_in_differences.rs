use super::Estimator;
use super::options::{is_usual, level_setter, usual_level};
use crate::compute::longitudinal::{DifferenceInDifferences as Differences, Waves};
use crate::compute::mean::{Sample, welch_df};
use crate::compute::regression::ClusterVariance;
use crate::design::{Comparison, Continuous, Repeated};
use crate::effect::{
    About, Contrast, Estimand, Estimates, IntervalMethod, MeanDifference, Method, VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// The outcomes that a difference in differences takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DifferenceOf {
    /// All outcomes of the two waves, also of people who have one of them; CR2 with the outcomes of a person
    /// as dependent.
    #[default]
    Means,
    /// The changes of people with both waves: the effect with fixed effects of people and waves; Welch.
    Changes,
}

/// The difference in the change of means from the declared baseline to a wave.
///
/// Use it where arms may differ at baseline and a linear model of the baseline is not wanted. Where people
/// were randomised, [`RepeatedMeasures`](crate::estimator::RepeatedMeasures) and
/// [`LinearRegression`](crate::estimator::LinearRegression) with the baseline as a covariate are more
/// precise.
///
/// # Formula
/// `(m_a1 - m_a0) - (m_r1 - m_r0)` of the means of treatment `a` and reference `r` at the baseline 0 and the
/// wave 1. Of all outcomes: the coefficient of the product of arm and wave in least squares, with CR2 of the
/// people of both arms. Of changes: the difference in mean change of people with both waves. Treatments share
/// the change of the reference.
///
/// # Assumptions
/// Without treatment all arms would have changed alike. Of all outcomes: missing completely at random in
/// every arm; of changes: given the person's own level.
///
/// # Interval
/// Student's t: on Satterthwaite's degrees of freedom of Bell and McCaffrey (2002) of the two arms, or
/// Welch's.
///
/// # Errors
/// No declared baseline; declared clusters; an arm without outcome in one of the two waves, or with fewer
/// than two people who have both.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
/// use armwise::estimator::DifferenceOf;
///
/// const WELLBEING: Measure<Repeated<Continuous>> =
///     Measure::repeated("wellbeing", &[("start", "w0"), ("16 months", "w2")])
///         .baseline("start");
///
/// let text = "arm,w0,w2\nc,50,53\nc,61,\nc,42,49\nc,55,58\n\
///     t,48,58\nt,55,63\nt,52,\nt,60,69\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let comparison = trial.on(&WELLBEING)?;
/// let changes = DifferenceInDifferences::new().of(DifferenceOf::Changes);
/// let effect = comparison.estimate(&changes)?.treatment("t")?;
/// assert!((effect.value() - (9.0 - 13.0 / 3.0)).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Bell RM, McCaffrey DF (2002), Survey Methodology 28:169. Angrist JD, Pischke JS (2009), Mostly Harmless
/// Econometrics, chapter 5.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DifferenceInDifferences {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(default)]
    of: DifferenceOf,
    #[serde(default = "usual_level", skip_serializing_if = "is_usual")]
    level: f64,
}

impl Default for DifferenceInDifferences {
    fn default() -> Self {
        Self::new()
    }
}

impl DifferenceInDifferences {
    /// From the baseline to the last wave; of all outcomes; level 0.95.
    pub fn new() -> Self {
        Self { at: None, of: DifferenceOf::Means, level: 0.95 }
    }

    level_setter!();

    setters! {
        /// The outcomes that it takes; default: [`DifferenceOf::Means`].
        of: DifferenceOf;
    }

    /// The wave to which the change is taken; default: the last.
    #[must_use]
    pub fn at(mut self, wave: impl Into<String>) -> Self {
        self.at = Some(wave.into());
        self
    }

    /// The places of the baseline and of the wave.
    fn places(&self, kind: &Repeated<Continuous>) -> Result<[usize; 2]> {
        let Some(baseline) = kind.baseline_place() else {
            let why =
                "a difference in differences is from a baseline; name its wave with Measure::baseline(..)";
            return Err(Error::invalid(why));
        };
        let later = match &self.at {
            Some(wave) => kind.place(wave)?,
            None => (0..kind.names().count()).rev().find(|place| *place != baseline).unwrap_or(baseline),
        };
        if later == baseline {
            let why = "the change is from the baseline to itself; name another wave with at(..)";
            return Err(Error::invalid(why));
        }
        Ok([baseline, later])
    }
}

/// The outcomes of the people of an arm in the two waves.
type OfArm = Vec<[Option<f64>; 2]>;

/// The difference between two arms: value, variance, degrees of freedom, and the part of the variance that is
/// the reference's.
struct Pair {
    value: f64,
    variance: f64,
    df: f64,
    of_reference: f64,
}

fn of_means(treatment: &OfArm, reference: &OfArm) -> Result<Pair> {
    let (mut outcome, mut unit, mut wave, mut group) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let people = reference.iter().map(|own| (0, own)).chain(treatment.iter().map(|own| (1, own)));
    for (person, (arm, own)) in (0..).zip(people) {
        for (place, value) in (0..).zip(own) {
            if let Some(value) = value {
                outcome.push(*value);
                unit.push(person);
                wave.push(place);
                group.push(arm);
            }
        }
    }
    let waves = Waves::new(&outcome, &unit, &wave)?;
    let difference = Differences::new(&waves, &group)?;
    let own = difference.pooled(ClusterVariance::Cr2)?;
    let of_reference = difference.control_variance(ClusterVariance::Cr2)?;
    let df = own.df.unwrap_or(f64::INFINITY);
    Ok(Pair { value: own.estimate, variance: own.se * own.se, df, of_reference })
}

fn of_changes(treatment: &OfArm, reference: &OfArm) -> Result<Pair> {
    let sample = |own: &OfArm| {
        let changes: Vec<f64> =
            own.iter().filter_map(|[first, second]| Some((*second)? - (*first)?)).collect();
        Sample::of(&changes)
    };
    let (treatment, reference) = (sample(treatment)?, sample(reference)?);
    let [own, of_reference] = [treatment, reference].map(|sample| sample.se() * sample.se());
    Ok(Pair {
        value: treatment.mean - reference.mean,
        variance: own + of_reference,
        df: welch_df(&treatment, &reference),
        of_reference,
    })
}

impl Estimator<Repeated<Continuous>> for DifferenceInDifferences {
    type Scale = MeanDifference;

    fn estimate(&self, comparison: &Comparison<Repeated<Continuous>>) -> Result<Estimates<MeanDifference>> {
        const NAME: &str = "difference in differences";
        if comparison.clusters().is_some() {
            let why = "people are declared in clusters, and a difference in differences counts people as independent; adjust a \
                       LinearRegression of one wave for the baseline, which counts clusters, or declare none";
            return Err(Error::invalid(why));
        }
        let [baseline, later] = self.places(comparison.kind())?;
        let used = |own: &[Option<f64>]| {
            let both = [own[baseline], own[later]];
            let needed = if self.of == DifferenceOf::Changes { 2 } else { 1 };
            (both.iter().flatten().count() >= needed).then_some(both)
        };
        let outcomes = comparison.wave_outcomes()?;
        let keep: Vec<bool> = outcomes.iter().map(|own| used(own).is_some()).collect();
        let people = comparison.keeping(&keep).map_err(|error| match error.kind() {
            ErrorKind::EmptyArm(_) => error.with_kind(ErrorKind::EmptyArm(
                "nobody in this arm has the outcomes of both waves; name another wave, or leave the arm out with compare(..).versus(..)"
                    .to_owned(),
            )),
            _ => error,
        })?;
        let mut arms: Vec<OfArm> = vec![Vec::new(); people.arms().len()];
        for (own, &arm) in outcomes.iter().filter_map(|own| used(own)).zip(people.arm_indices()) {
            arms[arm as usize].push(own);
        }
        let names: Vec<&str> = comparison.kind().names().collect();
        for (own, arm) in arms.iter().zip(people.arms()) {
            if let Some(place) = (0..2).find(|place| own.iter().all(|both| both[*place].is_none())) {
                let why = format!(
                    "nobody in this arm has an outcome in the wave \"{}\"; name another wave, or leave the arm out",
                    names[[baseline, later][place]]
                );
                return Err(Error::from(ErrorKind::EmptyArm(why)).in_arm(&arm.label));
            }
        }
        let of = if self.of == DifferenceOf::Changes { of_changes } else { of_means };
        let (mut contrasts, mut variances, mut shared) = (Vec::new(), Vec::new(), 0.0);
        for (own, arm) in arms.iter().skip(1).zip(people.treatments()) {
            let pair = of(own, &arms[0]).map_err(|error| error.in_arm(&arm.label))?;
            let contrast = Contrast::wald(arm.clone(), pair.value, pair.variance, Some(pair.df), self.level)?;
            contrasts.push(contrast);
            variances.push(pair.variance);
            shared = pair.of_reference;
        }
        let covariance = Array2::from_shape_fn((variances.len(), variances.len()), |(i, j)| {
            if i == j { variances[i] } else { shared }
        });
        let variance = match self.of {
            DifferenceOf::Means => VarianceMethod::Clustered(ClusterVariance::Cr2),
            DifferenceOf::Changes => VarianceMethod::Unpooled,
        };
        let method = Method::new(NAME).variance(variance).interval(IntervalMethod::StudentT);
        let mut about = About::of(&people, Estimand::Marginal, method, self.level)?;
        about.measure.horizon = Some(names[later].to_owned());
        about.notices.extend(people.strata_ignored());
        Estimates::new(MeanDifference, about, people.reference().clone(), contrasts, covariance)
    }
}
