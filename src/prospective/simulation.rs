use super::answer::rounded;
use super::population::SimulatedPopulation;
use crate::compute::interval::Interval;
use crate::compute::progress::Task;
use crate::compute::threads::in_parts;
use crate::design::{Label, Trials};
use crate::effect::{Estimate, Scale};
use crate::error::{Error, Result, counted, number};
use crate::pool::{JointlyPooled, Pooled, PooledCoefficient};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What an analysis says of one treatment.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The treatment.
    pub treatment: Label,
    /// The effect.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// Its p-value.
    pub p_value: f64,
    /// Its interval.
    pub interval: Interval,
}

impl Answer {
    /// That of an estimate.
    pub fn of<S: Scale>(estimate: &Estimate<S>) -> Self {
        Self {
            treatment: estimate.treatment().clone(),
            value: estimate.value(),
            se: estimate.se(),
            p_value: estimate.p_value(),
            interval: estimate.interval(),
        }
    }

    /// That of a pooled effect.
    pub fn of_pooled<S: Scale>(pooled: &Pooled<S>) -> Self {
        Self {
            treatment: pooled.treatment.clone(),
            value: pooled.value(),
            se: pooled.se(),
            p_value: pooled.p_value(),
            interval: pooled.interval(),
        }
    }

    /// Those of all treatments of a joint pool.
    pub fn of_joint<S: Scale>(pooled: &JointlyPooled<S>) -> Vec<Self> {
        let one = |one: &PooledCoefficient| Self {
            treatment: one.label.clone(),
            value: one.value(),
            se: one.se(),
            p_value: one.p_value(),
            interval: one.interval(),
        };
        pooled.coefficients().iter().map(one).collect()
    }
}

/// An analysis of simulated trials: the estimators and pools that the real ones will have. Every function
/// from [`Trials`] to an answer for each treatment is one.
pub trait Analysis: Sync {
    /// An answer for each treated arm, in any order.
    ///
    /// # Errors
    /// What the estimator refuses: counted by its kind.
    fn analyse(&self, trials: &Trials) -> Result<Vec<Answer>>;
}

impl<F: Fn(&Trials) -> Result<Vec<Answer>> + Sync> Analysis for F {
    fn analyse(&self, trials: &Trials) -> Result<Vec<Answer>> {
        self(trials)
    }
}

/// A number from a simulation, with its Monte Carlo standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonteCarlo {
    /// The number.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

impl MonteCarlo {
    fn share(count: usize, of: usize) -> Option<Self> {
        let (n, p) = (of as f64, count as f64 / of as f64);
        (of > 0).then(|| Self { value: p, error: (p * (1.0 - p) / n).sqrt() })
    }

    fn mean(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
        (values.len() > 1).then(|| Self { value: mean, error: (squares / (n - 1.0) / n).sqrt() })
    }

    fn sd(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let sd = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        (values.len() > 1).then(|| Self { value: sd, error: sd / (2.0 * (n - 1.0)).sqrt() })
    }
}

impl fmt::Display for MonteCarlo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Two digits of the error, as many decimals of the value.
        let place = 1.0 - self.error.log10().floor();
        if self.error <= 0.0 || !(0.0..=12.0).contains(&place) {
            return write!(f, "{} (Monte Carlo error {})", number(rounded(self.value)), number(self.error));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 12
        let decimals = place as usize;
        let unit = 10_f64.powf(-place);
        // Zero has no sign.
        let value = if self.value.abs() < 0.5 * unit { 0.0 } else { self.value };
        write!(f, "{value:.decimals$} (Monte Carlo error {:.decimals$})", self.error)
    }
}

/// A trial rehearsed: drawn from a population and analysed, again and again.
///
/// # Formula
///
/// Over the replicates with an answer: bias (mean minus truth), the standard deviation of the effects beside
/// the mean standard error, coverage (the interval holds the truth), power (the p-value is below alpha; the
/// type I error where the truth is 0), type S error (the share of significant effects with the wrong sign)
/// and type M error (the mean size of significant effects over that of the truth). Errors of the analysis are
/// counted by their kind, and no replicate is drawn in the place of one that failed.
///
/// Replicate `i` draws from stream `i` of the seed, so that the result has the same bits on any number of
/// threads.
///
/// # Examples
///
/// The difference of proportions, as it will be estimated:
/// ```
/// use armwise::prelude::*;
/// use armwise::prospective::{Answer, Simulation, SimulatedOutcome, SimulatedPopulation};
///
/// const WORKS: Measure<Binary> = Measure::binary("outcome");
/// let outcome = SimulatedOutcome::Binary { proportions: vec![0.2, 0.4] };
/// let people = SimulatedPopulation::new(outcome, 160)?;
/// let analysis = |trials: &Trials| {
///     let comparison = trials.trial("city 1")?.on(&WORKS)?;
///     let effects = comparison.estimate(&DifferenceInProportions::new())?;
///     Ok(effects.iter().map(|one| Answer::of(&one)).collect())
/// };
/// let result = Simulation::new(people, 7).replicates(200).run(&analysis)?;
/// let one = &result.treatments[0];
/// assert!((one.power.unwrap().value - 0.8).abs() < 0.1);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Morris, White & Crowther (2019), Statistics in Medicine 38:2074 (Monte Carlo errors). Gelman & Carlin
/// (2014), Perspectives on Psychological Science 9:641 (type S and M).
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    population: SimulatedPopulation,
    seed: u64,
    replicates: u32,
    alpha: f64,
    truth: Option<Vec<f64>>,
}

/// One treatment over all replicates. `None` where there is no number, such as the type S error without an
/// effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SimulatedTreatment {
    /// The treatment.
    pub treatment: String,
    /// The true effect.
    pub truth: f64,
    /// The mean effect minus the truth.
    pub bias: Option<MonteCarlo>,
    /// The standard deviation of the effects.
    pub sd: Option<MonteCarlo>,
    /// The mean standard error.
    pub mean_se: Option<MonteCarlo>,
    /// The share of intervals that hold the truth.
    pub coverage: Option<MonteCarlo>,
    /// The share of p-values below alpha: the power, or the type I error where the truth is 0.
    pub power: Option<MonteCarlo>,
    /// The share of significant effects with the wrong sign.
    pub type_s: Option<MonteCarlo>,
    /// The mean size of significant effects over that of the truth.
    pub type_m: Option<MonteCarlo>,
}

/// The result of a [`Simulation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Simulated {
    /// The population.
    pub population: SimulatedPopulation,
    /// The seed.
    pub seed: u64,
    /// The significance level.
    pub alpha: f64,
    /// The replicates that were asked for.
    pub asked: u32,
    /// The replicates that were done: fewer where a [`Progress`](crate::progress::Progress) stopped the work.
    pub done: u32,
    /// The replicates without an answer, by the kind of error.
    pub failures: BTreeMap<String, u32>,
    /// Each treatment.
    pub treatments: Vec<SimulatedTreatment>,
    /// The share of replicates with any significant effect: the familywise error where all truths are 0.
    pub any_significant: Option<MonteCarlo>,
}

checked!(Simulated);

impl Simulated {
    fn check(&self) -> Result<()> {
        let failed: u64 = self.failures.values().map(|n| u64::from(*n)).sum();
        let shares = |one: &SimulatedTreatment| {
            let share = |of: Option<MonteCarlo>| of.is_none_or(|of| (0.0..=1.0).contains(&of.value));
            let numbers = [one.bias, one.sd, one.mean_se, one.coverage, one.power, one.type_s, one.type_m];
            let finite = numbers.iter().flatten().all(|of| of.value.is_finite() && of.error >= 0.0);
            finite && share(one.coverage) && share(one.power) && share(one.type_s) && one.truth.is_finite()
        };
        if self.done <= self.asked
            && failed <= u64::from(self.done)
            && self.treatments.iter().all(shares)
            && self.treatments.len() == self.population.treatments().count()
            && self.alpha > 0.0
            && self.alpha < 1.0
        {
            return Ok(());
        }
        Err(Error::invalid("the numbers of the simulation do not belong together; run it anew"))
    }

    /// Whether the work was stopped before all replicates were done.
    pub fn is_partial(&self) -> bool {
        self.done < self.asked
    }
}

impl Simulation {
    /// 1,000 replicates at a level of 5%.
    pub fn new(population: SimulatedPopulation, seed: u64) -> Self {
        Self { population, seed, replicates: 1_000, alpha: 0.05, truth: None }
    }

    setters! {
        /// The replicates; default 1,000.
        replicates: u32;
        /// The significance level; default 0.05.
        alpha: f64;
        /// The true effect of each treatment on the scale of the analysis, where it is no difference of
        /// proportions or means; default: [`SimulatedPopulation::truth`].
        truth: Vec<f64> as Some;
    }

    /// Draws and analyses all replicates.
    ///
    /// # Errors
    /// `invalid_input` for no replicates, a level outside 0 to 1, and an analysis that answers for another
    /// number of treatments; `stopped` where the work was stopped before any replicate was done.
    pub fn run(&self, analysis: &dyn Analysis) -> Result<Simulated> {
        if self.replicates == 0 || !(self.alpha > 0.0 && self.alpha < 1.0) {
            return Err(Error::invalid(format!(
                "{} at a level of {}; give at least one, and a level between 0 and 1",
                counted(self.replicates, "replicate"),
                number(self.alpha)
            )));
        }
        let truth = self.truth.clone().unwrap_or_else(|| self.population.truth());
        let names: Vec<String> = self.population.treatments().map(str::to_owned).collect();
        if truth.len() != names.len() || truth.iter().any(|x| !x.is_finite()) {
            return Err(Error::invalid(format!(
                "{} for {}; give a finite number for each",
                counted(truth.len(), "true effect"),
                counted(names.len(), "treatment")
            )));
        }
        let task = Task::start("replicates", u64::from(self.replicates));
        let replicates = in_parts(self.replicates as usize, 1, true, |part| {
            if task.stopped() {
                return None;
            }
            let answer = self
                .population
                .trials(self.seed, part.start as u64)
                .and_then(|trials| analysis.analyse(&trials));
            // What a stop cut short is no failure of the analysis.
            let cut = task.stopped() && answer.is_err();
            let _ = task.advance(1);
            (!cut).then_some(answer)
        });
        let mut failures = BTreeMap::new();
        let mut answers: Vec<Vec<Answer>> = Vec::new();
        let mut done = 0;
        for answer in replicates.into_iter().flatten() {
            done += 1;
            let own = match answer {
                Ok(own) if own.len() != names.len() => {
                    return Err(Error::invalid(format!(
                        "the analysis answers for {}, not {}; give an answer for each treated arm",
                        counted(own.len(), "treatment"),
                        counted(names.len(), "treatment")
                    )));
                }
                Ok(own) => own,
                Err(error) => {
                    *failures.entry(error.kind().name().to_owned()).or_insert(0) += 1;
                    continue;
                }
            };
            match in_order(own, &names)? {
                own if own.iter().all(|one| one.value.is_finite() && one.se.is_finite()) => {
                    answers.push(own);
                }
                _ => *failures.entry("not_finite".to_owned()).or_insert(0) += 1,
            }
        }
        if done == 0 {
            task.check()?;
        }
        let any = answers.iter().filter(|own| own.iter().any(|one| one.p_value < self.alpha)).count();
        let treatments = names.into_iter().zip(truth).enumerate().map(|(i, (treatment, truth))| {
            let own: Vec<Answer> = answers.iter().map(|answer| answer[i].clone()).collect();
            summary(treatment, truth, self.alpha, &own)
        });
        Ok(Simulated {
            population: self.population.clone(),
            seed: self.seed,
            alpha: self.alpha,
            asked: self.replicates,
            done,
            failures,
            treatments: treatments.collect(),
            any_significant: MonteCarlo::share(any, answers.len()),
        })
    }
}

/// The answers in the order of the treatments of the population.
fn in_order(mut answers: Vec<Answer>, names: &[String]) -> Result<Vec<Answer>> {
    let mut sorted = Vec::with_capacity(answers.len());
    for name in names {
        let Some(place) = answers.iter().position(|one| one.treatment == name.as_str()) else {
            return Err(Error::invalid(format!(
                "the analysis has no answer for \"{name}\", an arm of the population; give one for each treated arm"
            )));
        };
        sorted.push(answers.swap_remove(place));
    }
    Ok(sorted)
}

fn summary(treatment: String, truth: f64, alpha: f64, answers: &[Answer]) -> SimulatedTreatment {
    let n = answers.len();
    let values: Vec<f64> = answers.iter().map(|one| one.value).collect();
    let ses: Vec<f64> = answers.iter().map(|one| one.se).collect();
    let significant: Vec<f64> =
        answers.iter().filter(|one| one.p_value < alpha).map(|one| one.value).collect();
    let wrong = significant.iter().filter(|value| **value * truth < 0.0).count();
    let sizes: Vec<f64> = significant.iter().map(|value| (value / truth).abs()).collect();
    let effect = truth != 0.0;
    let held = |one: &&Answer| one.interval.lower() <= truth && truth <= one.interval.upper();
    SimulatedTreatment {
        treatment,
        truth,
        bias: MonteCarlo::mean(&values).map(|mean| MonteCarlo { value: mean.value - truth, ..mean }),
        sd: MonteCarlo::sd(&values),
        mean_se: MonteCarlo::mean(&ses),
        coverage: MonteCarlo::share(answers.iter().filter(held).count(), n),
        power: MonteCarlo::share(significant.len(), n),
        type_s: MonteCarlo::share(wrong, significant.len()).filter(|_| effect),
        type_m: MonteCarlo::mean(&sizes).filter(|_| effect),
    }
}

impl fmt::Display for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.done, counted(self.asked, "replicate"))?;
        for (kind, count) in &self.failures {
            write!(f, ", {count} without an answer ({kind})")?;
        }
        for one in &self.treatments {
            write!(f, "\n{}, true effect {}:", one.treatment, number(one.truth))?;
            let power = if one.truth == 0.0 { "type I error" } else { "power" };
            let rows = [
                ("bias", one.bias),
                ("standard deviation", one.sd),
                ("mean standard error", one.mean_se),
                ("coverage", one.coverage),
                (power, one.power),
                ("type S error", one.type_s),
                ("type M error", one.type_m),
            ];
            for (name, value) in rows {
                if let Some(value) = value {
                    write!(f, "\n  {name} {value}")?;
                }
            }
        }
        Ok(())
    }
}
