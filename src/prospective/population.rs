use super::list_plan::{ListMethod, ListPlan, ListUnit};
use crate::compute::distribution::Normal;
use crate::data::Table;
use crate::design::{Trial, Trials};
use crate::error::{Error, Result, counted, number};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The outcome of simulated people, in every arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum SimulatedOutcome {
    /// Yes or no, in the column `outcome`.
    Binary {
        /// The proportion in each arm, the control arm first.
        proportions: Vec<f64>,
    },
    /// A score, in the column `outcome`.
    Score {
        /// The mean in each arm, the control arm first.
        means: Vec<f64>,
        /// The standard deviation within arms.
        sd: f64,
    },
}

/// People as they may be: their potential outcome in every arm, a covariate, strata, cities that differ, who
/// drops out and who takes the treatment up.
///
/// # Formula
///
/// A person has a standard normal covariate `x` and a latent `z = rho x + sqrt(1 - rho^2) e`. A score is
/// `m_a + s + c_a + sd z`, an event happens where `Phi(z) < p_a + s + c_a`. Here `m_a` or `p_a` is the arm's, `s`
/// the stratum's, and `c_a` the city's: normal with standard deviation `base_sd` in all arms, and `tau` more in
/// each treated arm. Whoever does not take the treatment up has the outcome of the control arm. Every person
/// takes the same numbers from the stream of a replicate, whatever the parameters, so that scenarios of one size
/// share their people.
///
/// The table of a trial has the columns `city`, `arm`, `stratum`, `x`, `taken_up` and `outcome`.
///
/// # Examples
/// ```
/// use armwise::prospective::{SimulatedOutcome, SimulatedPopulation};
///
/// let outcome = SimulatedOutcome::Binary { proportions: vec![0.20, 0.26] };
/// let people = SimulatedPopulation::new(outcome, 300)?
///     .covariate(0.5)?
///     .dropout(vec![0.1, 0.1])?
///     .take_up(vec![0.0, 0.8])?;
/// // The effect of the offer.
/// assert!((people.truth()[0] - 0.8 * 0.06).abs() < 1e-12);
/// let trials = people.trials(7, 0)?;
/// assert_eq!(trials.len(), 1);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct SimulatedPopulation {
    outcome: SimulatedOutcome,
    people: u32,
    arms: Vec<(String, u32)>,
    method: ListMethod,
    cities: u32,
    base_sd: f64,
    tau: f64,
    rho: f64,
    strata: Vec<(String, f64, f64)>,
    dropout: Vec<f64>,
    take_up: Vec<f64>,
}

checked!(SimulatedPopulation);

impl SimulatedPopulation {
    /// So many people in each of one city, assigned completely at random in equal shares; the arms are called
    /// `control`, `treatment 1`, `treatment 2` and so on.
    ///
    /// # Errors
    /// `invalid_input` for fewer than two arms, proportions outside 0 to 1, and fewer people than arms.
    pub fn new(outcome: SimulatedOutcome, people: u32) -> Result<Self> {
        let k = match &outcome {
            SimulatedOutcome::Binary { proportions } => proportions.len(),
            SimulatedOutcome::Score { means, .. } => means.len(),
        };
        let name = |arm: usize| if arm == 0 { "control".to_owned() } else { format!("treatment {arm}") };
        let population = Self {
            outcome,
            people,
            arms: (0..k).map(|arm| (name(arm), 1)).collect(),
            method: ListMethod::Complete,
            cities: 1,
            base_sd: 0.0,
            tau: 0.0,
            rho: 0.0,
            strata: vec![("all".to_owned(), 1.0, 0.0)],
            dropout: vec![0.0; k],
            take_up: (0..k).map(|arm| if arm == 0 { 0.0 } else { 1.0 }).collect(),
        };
        population.check().map(|()| population)
    }

    fn with(mut self, set: impl FnOnce(&mut Self)) -> Result<Self> {
        set(&mut self);
        self.check().map(|()| self)
    }

    /// The names of the arms and their ratio, the control arm first.
    ///
    /// # Errors
    /// `invalid_input` for another number of arms than the outcome has, and what a list refuses.
    pub fn arms<T: AsRef<str>>(self, arms: impl IntoIterator<Item = (T, u32)>) -> Result<Self> {
        let arms = arms.into_iter().map(|(arm, ratio)| (arm.as_ref().to_owned(), ratio)).collect();
        self.with(|population| population.arms = arms)
    }

    /// How people are assigned within a city; default: complete. The factor of minimisation is the stratum,
    /// the covariate of rerandomisation is `x`.
    ///
    /// # Errors
    /// What a list refuses.
    pub fn method(self, method: ListMethod) -> Result<Self> {
        self.with(|population| population.method = method)
    }

    /// So many cities of this many people each, which differ with these standard deviations: in the outcome
    /// without treatment, and in the effect of each treated arm.
    ///
    /// # Errors
    /// `invalid_input` for no city, and negative standard deviations.
    pub fn cities(self, cities: u32, base_sd: f64, tau: f64) -> Result<Self> {
        self.with(|population| {
            (population.cities, population.base_sd, population.tau) = (cities, base_sd, tau);
        })
    }

    /// The correlation of the covariate `x` with the latent outcome; default: 0.
    ///
    /// # Errors
    /// `invalid_input` outside -1 to 1.
    pub fn covariate(self, rho: f64) -> Result<Self> {
        self.with(|population| population.rho = rho)
    }

    /// Strata: a name, the share of people, and what is added to the outcome of everybody there.
    ///
    /// # Errors
    /// `invalid_input` for shares that do not sum to 1, and additions that carry a proportion outside 0 to 1.
    pub fn strata<T: AsRef<str>>(self, strata: impl IntoIterator<Item = (T, f64, f64)>) -> Result<Self> {
        let strata = strata.into_iter().map(|(name, share, shift)| (name.as_ref().to_owned(), share, shift));
        let strata = strata.collect();
        self.with(|population| population.strata = strata)
    }

    /// The share of each arm whose outcome is missing, whatever it is.
    ///
    /// # Errors
    /// `invalid_input` for shares that are not from 0 to below 1, one for each arm.
    pub fn dropout(self, shares: Vec<f64>) -> Result<Self> {
        self.with(|population| population.dropout = shares)
    }

    /// The share of each arm that takes a treatment up. In the control arm they have the outcome of the first
    /// treatment.
    ///
    /// # Errors
    /// `invalid_input` for shares outside 0 to 1, one for each arm.
    pub fn take_up(self, shares: Vec<f64>) -> Result<Self> {
        self.with(|population| population.take_up = shares)
    }

    /// The value of each arm.
    fn values(&self) -> &[f64] {
        match &self.outcome {
            SimulatedOutcome::Binary { proportions } => proportions,
            SimulatedOutcome::Score { means, .. } => means,
        }
    }

    fn check(&self) -> Result<()> {
        let k = self.values().len();
        if k < 2 || self.arms.len() != k || self.dropout.len() != k || self.take_up.len() != k {
            return Err(Error::invalid(format!(
                "an outcome of {}, {}, {} of dropping out and {} of taking up; give one of each for every arm, at least two",
                counted(k, "arm"),
                counted(self.arms.len(), "name"),
                counted(self.dropout.len(), "share"),
                counted(self.take_up.len(), "share")
            )));
        }
        let shifts = || self.strata.iter().map(|(_, _, shift)| *shift);
        let proper = match &self.outcome {
            SimulatedOutcome::Binary { proportions } => {
                proportions.iter().all(|p| shifts().all(|shift| (0.0..=1.0).contains(&(p + shift))))
            }
            SimulatedOutcome::Score { means, sd } => {
                means.iter().chain(&shifts().collect::<Vec<f64>>()).all(|x| x.is_finite())
                    && *sd > 0.0
                    && sd.is_finite()
            }
        };
        if !proper {
            return Err(Error::invalid(
                "the outcome is out of range in an arm or stratum; give shares from 0 to 1, or means and a positive standard deviation",
            ));
        }
        let shares: f64 = self.strata.iter().map(|(_, share, _)| share).sum();
        if self.strata.iter().any(|(_, share, _)| share.is_nan() || *share <= 0.0)
            || (shares - 1.0).abs() > 1e-9
        {
            return Err(Error::invalid(format!(
                "the shares of the strata sum to {}; give positive shares that sum to 1",
                number(shares)
            )));
        }
        if !self.dropout.iter().all(|share| (0.0..1.0).contains(share))
            || !self.take_up.iter().all(|share| (0.0..=1.0).contains(share))
        {
            return Err(Error::invalid(
                "a share that drops out or takes up is out of range; give shares from 0 to 1",
            ));
        }
        let spread = self.base_sd >= 0.0 && self.tau >= 0.0 && (self.base_sd + self.tau).is_finite();
        if !((-1.0..=1.0).contains(&self.rho) && spread) {
            return Err(Error::invalid(
                "the correlation of the covariate or a standard deviation between cities is out of range; give -1 to 1, and numbers from 0",
            ));
        }
        if self.cities == 0
            || (self.people as usize) < k
            || u64::from(self.cities) * u64::from(self.people) > 100_000_000
        {
            return Err(Error::invalid(format!(
                "{} cities of {} people; give at least one city, and as many people as arms",
                self.cities, self.people
            )));
        }
        self.plan(0)?.check_ratio_of(&self.method)
    }

    /// The list of a city, without its units.
    fn plan(&self, seed: u64) -> Result<ListPlan> {
        ListPlan::new(self.arms.iter().map(|(arm, ratio)| (arm, *ratio)), seed)
    }

    /// The names of the treated arms.
    pub fn treatments(&self) -> impl Iterator<Item = &str> {
        self.arms.iter().skip(1).map(|(arm, _)| arm.as_str())
    }

    /// The true effect of the offer of each treated arm: the difference of proportions or means over people
    /// and cities. For proportions it holds where no city is carried to 0 or 1.
    pub fn truth(&self) -> Vec<f64> {
        let values = self.values();
        let offered = |arm: usize| {
            let taken = values[if arm == 0 { 1 } else { arm }];
            values[0] + self.take_up[arm] * (taken - values[0])
        };
        (1..values.len()).map(|arm| offered(arm) - offered(0)).collect()
    }

    /// The trials of a replicate, one for each city.
    ///
    /// # Errors
    /// What the list or the trial refuses.
    pub fn trials(&self, seed: u64, replicate: u64) -> Result<Trials> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(replicate);
        let trials: Result<Vec<Trial>> = (0..self.cities).map(|city| self.city(city, &mut random)).collect();
        Trials::new(trials?)
    }

    fn city(&self, city: u32, random: &mut ChaCha8Rng) -> Result<Trial> {
        let mut uniform = || ((random.next_u64() >> 11) as f64 + 0.5) * 2_f64.powi(-53);
        let k = self.arms.len();
        let base = self.base_sd * Normal.quantile(uniform());
        let differs: Vec<f64> = (0..k)
            .map(|arm| {
                let z = Normal.quantile(uniform());
                base + if arm == 0 { 0.0 } else { self.tau * z }
            })
            .collect();
        let people: Vec<[f64; 5]> = (0..self.people).map(|_| [(); 5].map(|()| uniform())).collect();
        let list_seed = random.next_u64();
        let stratum_of = |u: f64| {
            let mut left = u;
            let found = self.strata.iter().position(|(_, share, _)| {
                left -= share;
                left < 0.0
            });
            found.unwrap_or(self.strata.len() - 1)
        };
        let x: Vec<f64> = people.iter().map(|person| Normal.quantile(person[1])).collect();
        let units = people.iter().zip(&x).enumerate().map(|(i, (person, x))| {
            let stratum = &self.strata[stratum_of(person[0])].0;
            ListUnit::new(i.to_string()).stratum(stratum).factors([stratum.as_str()]).covariates([*x])
        });
        let list = self.plan(list_seed)?.units(units)?.method(self.method.clone())?.draw()?;
        let mut taken_up = Vec::with_capacity(people.len());
        let mut outcome = Vec::with_capacity(people.len());
        let values = self.values();
        let rest = (1.0 - self.rho * self.rho).sqrt();
        for ((person, x), row) in people.iter().zip(&x).zip(list.rows()) {
            let [stratum, _, e, take_up, dropout] = *person;
            let arm = self.arms.iter().position(|(arm, _)| *arm == row.arm).unwrap_or(0);
            let takes = take_up < self.take_up[arm];
            let lived = match (takes, arm) {
                (false, _) => 0,
                (true, 0) => 1,
                (true, arm) => arm,
            };
            let z = self.rho * x + rest * Normal.quantile(e);
            let level = values[lived] + self.strata[stratum_of(stratum)].2 + differs[lived];
            taken_up.push(takes);
            let seen = dropout >= self.dropout[arm];
            outcome.push(seen.then(|| match &self.outcome {
                SimulatedOutcome::Binary { .. } => f64::from(u8::from(Normal.cdf(z) < level)),
                SimulatedOutcome::Score { sd, .. } => level + sd * z,
            }));
        }
        let mut table = Table::new()
            .with_categories("arm", list.rows().iter().map(|row| &row.arm))?
            .with_categories("stratum", list.rows().iter().map(|row| &row.stratum))?
            .with_reals("x", x)?
            .with_flags("taken_up", taken_up)?;
        table = match self.outcome {
            SimulatedOutcome::Binary { .. } => {
                table.with_flags("outcome", outcome.into_iter().map(|y| y.map(|y| y == 1.0)))?
            }
            SimulatedOutcome::Score { .. } => table.with_reals("outcome", outcome)?,
        };
        let mut trial =
            Trial::builder(format!("city {}", city + 1), table).arm_labels("arm").control(&self.arms[0].0);
        if self.strata.len() > 1 {
            trial = trial.strata(["stratum"]);
        }
        trial.build()
    }
}
