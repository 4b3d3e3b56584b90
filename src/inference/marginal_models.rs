use super::bootstrap_sample::{Sample, Strata, Unit};
use super::jackknife::{deviations, left_out};
use crate::compute::multiplicity::{Alternative, Contrasts, SimultaneousContrast, SimultaneousInference};
use crate::design::{Comparison, Label, Notice, OutcomeKind};
use crate::effect::About;
use crate::error::{Error, ErrorKind, Result};
use crate::estimator::Estimator;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Inference for several outcomes and arms of one trial together: each outcome has an estimator of its own, and
/// the effects are joined through the people whom they share.
///
/// Take it where the outcomes of a trial answer one question and their intervals are to hold together. Outcomes
/// may be of different kinds, and be missing for different people. [`StepDownTest`](super::StepDownTest) does the
/// same from the randomisation alone, without intervals.
///
/// # Formula
/// `d_i` holds, for every effect, what person (or declared cluster) `i` adds to it, from the effect without that
/// person: `sqrt((n_k - 1) / n_k) (b_(ki) - m_k)`, as in [`Jackknife`](super::Jackknife); 0 where the person has
/// no outcome. The correlation of two effects is that of `sum_i d_i d_i'`. With the standard errors of the
/// estimators it gives the joint distribution of the statistics `value / se`, whose largest one gives intervals
/// and p-values ([`Contrasts`]). Student's t takes the smallest degrees of freedom.
///
/// # Assumptions
/// People, or clusters, are independent, and effects are smooth functions of them.
///
/// # Interval
/// Simultaneous: all hold together with the confidence level.
///
/// # Errors
/// No comparison; comparisons of different trials, or from counts; the same effect twice; those of the estimators
/// and of [`Jackknife`](super::Jackknife); an effect without variance.
///
/// # Examples
/// ```
/// use armwise::inference::MultipleMarginalModels;
/// use armwise::multiplicity::Alternative;
/// use armwise::prelude::*;
///
/// let text = "arm,score,works\nc,1,0\nc,2,0\nc,2.5,1\nc,3,0\nt,4,1\nt,4.5,1\nt,5,0\nt,7,1\n";
/// let table = Table::from_csv_str(text)?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let score = trial.on(&Measure::continuous("score"))?;
/// let works = trial.on(&Measure::binary("works"))?;
///
/// let both = MultipleMarginalModels::new("primary")
///     .with(&score, &DifferenceInMeans::new())?
///     .with(&works, &DifferenceInProportions::new())?
///     .fit(Alternative::TwoSided, 0.95)?;
/// let first = &both.effects[0];
/// assert!(first.p_value < first.single_step && first.single_step < 2.0 * first.p_value);
/// println!("{both}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Pipper, Ritz & Bisgaard (2012), Journal of the Royal Statistical Society C 61:315. Hothorn, Bretz & Westfall
/// (2008), Biometrical Journal 50:346.
#[derive(Debug, Clone)]
pub struct MultipleMarginalModels {
    name: String,
    entries: Vec<Entry>,
}

/// The effects of one comparison.
#[derive(Debug, Clone)]
struct Entry {
    about: Arc<About>,
    treatments: Vec<Label>,
    values: Vec<f64>,
    ses: Vec<f64>,
    df: Option<f64>,
    /// What each unit adds to the effects.
    added: BTreeMap<Unique, Vec<f64>>,
}

/// A person by the row of the file, or a cluster by its label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Unique {
    Row(usize),
    Cluster(Label),
}

impl MultipleMarginalModels {
    /// A family without effects.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), entries: Vec::new() }
    }

    /// Adds the effects of every treatment of a comparison.
    ///
    /// # Errors
    /// As [`MultipleMarginalModels`].
    pub fn with<K: OutcomeKind, E: Estimator<K> + Sync>(
        mut self,
        comparison: &Comparison<K>,
        estimator: &E,
    ) -> Result<Self> {
        let full = comparison.estimate(estimator)?;
        let people = comparison.people()?;
        if let Some(first) = self.entries.first()
            && first.about.trials != full.about.trials
        {
            let why = format!(
                "the family \"{}\" is of {}, whose people these are not; join trials by a pool, or the p-values by a HypothesisFamily",
                self.name, first.about.trials[0]
            );
            return Err(full.about.locate(Error::from(ErrorKind::Incompatible(why))));
        }
        let sample = Sample::of(comparison, estimator, &full, (Unit::Declared, Strata::Kept))?;
        let answers = left_out(comparison, estimator, &sample, full.len())?;
        let parts = deviations(&answers, full.len());
        let clusters = people.clusters.as_ref();
        let mut added = BTreeMap::new();
        for (person, &row) in people.rows.iter().enumerate() {
            let unique = match clusters {
                Some(clusters) => Unique::Cluster(clusters.labels[clusters.codes[person] as usize].clone()),
                None => Unique::Row(people.table.origin(row as usize)),
            };
            let place = match &sample {
                Sample::Units { unit_of, .. } => Some(unit_of[person] as usize),
                // Those with the event come before those without, arm by arm.
                Sample::Events(_) => {
                    let (arm, event) = (people.arm[person] as usize, people.outcome[person] == 1.0);
                    let before: usize = comparison.arms()[..arm].iter().map(answers_of).sum();
                    let arm = &comparison.arms()[arm].counts;
                    Some(before + usize::from(!event && arm.events.is_some_and(|events| events > 0)))
                }
            };
            if let Some(part) = place.and_then(|place| parts.get(place)) {
                added.insert(unique, part.clone());
            }
        }
        self.entries.push(Entry {
            treatments: full.treatments().cloned().collect(),
            values: full.values().collect(),
            ses: full.contrasts.iter().map(|contrast| contrast.se()).collect(),
            df: full.contrasts.iter().filter_map(|contrast| contrast.df()).reduce(f64::min),
            about: full.about.clone(),
            added,
        });
        Ok(self)
    }

    /// The effects with intervals that hold together at a level, and p-values that are adjusted for all of them.
    ///
    /// # Errors
    /// As [`MultipleMarginalModels`], and for a level that is not between 0 and 1.
    pub fn fit(&self, alternative: Alternative, level: f64) -> Result<MarginalModels> {
        let correlation = self.correlation()?;
        let mut effects = Vec::new();
        let mut notices = Vec::new();
        for entry in &self.entries {
            for notice in &entry.about.notices {
                if !notices.contains(notice) {
                    notices.push(notice.clone());
                }
            }
            let numbers = entry.values.iter().zip(&entry.ses);
            for (treatment, (&value, &se)) in entry.treatments.iter().zip(numbers) {
                let twice = |own: &MarginalEffect| {
                    own.treatment == *treatment
                        && own.about.measure == entry.about.measure
                        && own.about.scale == entry.about.scale
                        && own.about.method == entry.about.method
                };
                if effects.iter().any(twice) {
                    let why = Error::invalid("the same effect is in the family twice; add it once");
                    return Err(entry.about.locate(why.in_arm(treatment)));
                }
                effects.push(MarginalEffect::before(&entry.about, treatment, value, se));
            }
        }
        let df = self.entries.iter().filter_map(|entry| entry.df).reduce(f64::min);
        let mut made = MarginalModels {
            name: self.name.clone(),
            alternative,
            level,
            df,
            critical_value: f64::NAN,
            effects,
            correlation,
            notices,
        };
        let joint = made.joint()?;
        made.critical_value = joint.critical_value;
        made.effects.iter_mut().zip(joint.contrasts).for_each(|(own, contrast)| own.take(contrast));
        Ok(made)
    }

    /// The correlation of all effects through the units that they share.
    fn correlation(&self) -> Result<Array2<f64>> {
        if self.entries.is_empty() {
            return Err(Error::invalid(format!(
                "the family \"{}\" holds no effect; add a comparison",
                self.name
            )));
        }
        let starts: Vec<usize> = self
            .entries
            .iter()
            .scan(0, |next, entry| {
                let start = *next;
                *next += entry.values.len();
                Some(start)
            })
            .collect();
        let k = self.entries.iter().map(|entry| entry.values.len()).sum();
        let mut sums = Array2::<f64>::zeros((k, k));
        for (one, &row) in self.entries.iter().zip(&starts) {
            for (other, &column) in self.entries.iter().zip(&starts) {
                for (unit, own) in &one.added {
                    let Some(theirs) = other.added.get(unit) else { continue };
                    for (i, a) in own.iter().enumerate() {
                        for (j, b) in theirs.iter().enumerate() {
                            sums[[row + i, column + j]] += a * b;
                        }
                    }
                }
            }
        }
        let roots: Vec<f64> = sums.diag().iter().map(|variance| variance.sqrt()).collect();
        for entry in self.entries.iter().zip(&starts) {
            let (entry, &start) = entry;
            for (place, treatment) in entry.treatments.iter().enumerate() {
                if roots[start + place] <= 0.0 || entry.ses[place] <= 0.0 {
                    let why = "nobody adds anything to this effect, so that it varies with no other; leave the outcome or the arm out";
                    let error = Error::from(ErrorKind::ZeroVariance(why.to_owned()));
                    return Err(entry.about.locate(error.in_arm(treatment)));
                }
            }
        }
        Ok(Array2::from_shape_fn((k, k), |(i, j)| {
            if i == j { 1.0 } else { (sums[[i, j]] / (roots[i] * roots[j])).clamp(-1.0, 1.0) }
        }))
    }
}

/// How many answers an arm has: with the event, and without.
fn answers_of(arm: &crate::design::ComparedArm) -> usize {
    let events = arm.counts.events.unwrap_or(0);
    usize::from(events > 0) + usize::from(events < arm.counts.analysed)
}

/// The effects of several outcomes and arms of a trial that hold together: the result of
/// [`MultipleMarginalModels`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct MarginalModels {
    /// The name of the family.
    pub name: String,
    /// The alternative of all tests.
    pub alternative: Alternative,
    /// The level at which all intervals hold together.
    pub level: f64,
    /// The degrees of freedom; none for the normal distribution.
    pub df: Option<f64>,
    /// The critical value of the statistics; negative for `Less`.
    pub critical_value: f64,
    /// The effects, in the order in which their comparisons were added.
    pub effects: Vec<MarginalEffect>,
    /// The correlation of the effects, effects x effects.
    #[serde(with = "crate::compute::matrix_rows")]
    pub correlation: Array2<f64>,
    /// Everything that has to be said beside the numbers.
    pub notices: Vec<Notice>,
}
checked!(MarginalModels);

/// One effect of [`MarginalModels`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MarginalEffect {
    /// The identity of the effect.
    pub about: Arc<About>,
    /// The treatment.
    pub treatment: Label,
    /// The effect on its scale.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// The p-value of `value / se` by itself.
    pub p_value: f64,
    /// The p-value adjusted in one step, which belongs to the interval.
    pub single_step: f64,
    /// The p-value adjusted in steps down: never larger, and without an interval of its own.
    pub step_down: f64,
    /// The simultaneous interval; a bound where the test is one-sided.
    pub interval: crate::Interval,
}

impl MarginalEffect {
    fn before(about: &Arc<About>, treatment: &Label, value: f64, se: f64) -> Self {
        Self {
            about: about.clone(),
            treatment: treatment.clone(),
            value,
            se,
            p_value: 1.0,
            single_step: 1.0,
            step_down: 1.0,
            interval: crate::Interval::between(value, value),
        }
    }

    fn take(&mut self, contrast: SimultaneousContrast) {
        self.p_value = contrast.p_value;
        self.single_step = contrast.single_step;
        self.step_down = contrast.step_down;
        self.interval = contrast.interval;
    }
}

impl MarginalModels {
    /// The joint inference that the effects and their correlation give.
    fn joint(&self) -> Result<SimultaneousInference> {
        let values: Vec<f64> = self.effects.iter().map(|own| own.value).collect();
        let k = values.len();
        let covariance = Array2::from_shape_fn((k, k), |(i, j)| {
            self.correlation[[i, j]] * self.effects[i].se * self.effects[j].se
        });
        Contrasts::new(&values, covariance.view(), self.df)?.simultaneous(self.alternative, self.level)
    }

    /// Refuses what does not follow from the effects and their correlation.
    fn check(&self) -> Result<()> {
        let k = self.effects.len();
        let wrong = |why: &str| {
            Err(Error::invalid(format!("the family \"{}\": {why}; take it as it was made", self.name)))
        };
        if self.correlation.dim() != (k, k) || (0..k).any(|i| self.correlation[[i, i]] != 1.0) {
            return wrong("its correlation is not one of its effects");
        }
        for own in &self.effects {
            own.about.check()?;
        }
        let joint = self.joint()?;
        let near = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-6 * (1.0 + a.abs());
        let same = near(joint.critical_value, self.critical_value)
            && self.effects.iter().zip(&joint.contrasts).all(|(own, contrast)| {
                near(own.p_value, contrast.p_value)
                    && near(own.single_step, contrast.single_step)
                    && near(own.step_down, contrast.step_down)
                    && near(own.interval.lower(), contrast.interval.lower())
                    && near(own.interval.upper(), contrast.interval.upper())
            });
        if same { Ok(()) } else { wrong("p-values or intervals do not follow from the effects") }
    }
}
