use crate::design::Allocation;
use crate::error::{Error, Result, counted, number, obeyed};
use serde::{Deserialize, Serialize};

/// How a list assigns units to arms.
///
/// # References
///
/// Rosenberger & Lachin (2016), Randomization in Clinical Trials. Efron (1971), Biometrika 58:403 (biased
/// coin). Pocock & Simon (1975), Biometrics 31:103 (minimisation). Morgan & Rubin (2012), Annals of
/// Statistics 40:1263 (rerandomisation).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ListMethod {
    /// Arms of fixed size in every stratum; what the ratio does not divide is drawn. The default. Pairs are
    /// strata of two units.
    #[default]
    Complete,
    /// Blocks in which the ratio holds, in every stratum; the size of each block is drawn from these.
    PermutedBlocks {
        /// The sizes, each a multiple of the sum of the ratio.
        sizes: Vec<u32>,
    },
    /// In every stratum the arm that lags most behind its ratio, with this probability; the others share the
    /// rest.
    /// With an unequal ratio the chance of an arm differs from place to place.
    BiasedCoin {
        /// The probability, such as 2/3.
        probability: f64,
    },
    /// The arm that leaves the factors of the units most alike, with this probability; the others share the
    /// rest. The imbalance of a level of a factor is the range over arms of the people over the ratio.
    /// With an unequal ratio the chance of an arm differs from place to place.
    Minimisation {
        /// The probability, such as 0.8.
        probability: f64,
        /// The weight of each factor of the units.
        weights: Vec<f64>,
    },
    /// Complete allocations until every treated arm is as close to the control arm as declared: Mahalanobis's
    /// distance of the means of the units' covariates.
    Rerandomised {
        /// The largest distance `n1 n0 / (n1 + n0) d' S^-1 d` that is accepted.
        bound: f64,
        /// The most allocations that are drawn.
        most: u32,
    },
}

/// A unit of a list: a person, or a cluster that is assigned as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListUnit {
    /// Its name.
    pub name: String,
    /// Its stratum, city or pair; empty where there is one for all.
    #[serde(default)]
    pub stratum: String,
    /// The level of each factor, for minimisation.
    #[serde(default)]
    pub factors: Vec<String>,
    /// The value of each covariate, for rerandomisation.
    #[serde(default)]
    pub covariates: Vec<f64>,
}

impl ListUnit {
    /// A unit without strata, factors and covariates.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), stratum: String::new(), factors: Vec::new(), covariates: Vec::new() }
    }

    /// In a stratum.
    #[must_use]
    pub fn stratum(mut self, stratum: impl Into<String>) -> Self {
        self.stratum = stratum.into();
        self
    }

    /// With levels of factors.
    #[must_use]
    pub fn factors<T: Into<String>>(mut self, levels: impl IntoIterator<Item = T>) -> Self {
        self.factors = levels.into_iter().map(Into::into).collect();
        self
    }

    /// With values of covariates.
    #[must_use]
    pub fn covariates(mut self, values: impl IntoIterator<Item = f64>) -> Self {
        self.covariates = values.into_iter().collect();
        self
    }
}

/// The declaration of an allocation list: arms with their ratio, method, units and seed. The list follows
/// from it, so that a list can be verified by drawing it again.
///
/// # Examples
///
/// Permuted blocks of 4 or 8, within two cities:
/// ```
/// use armwise::prospective::{AllocationList, ListMethod, ListPlan};
///
/// let plan = ListPlan::new([("control", 1), ("exemption", 1)], 20_171_001)?
///     .strata([("Utrecht", 40), ("Tilburg", 24)])?
///     .method(ListMethod::PermutedBlocks { sizes: vec![4, 8] })?;
/// let list = plan.draw()?;
/// let text = list.to_csv();
/// assert_eq!(AllocationList::from_csv(&text, &plan)?, list);
/// // A changed row never verifies.
/// let changed = text.replacen(",control,", ",exemption,", 1);
/// assert!(AllocationList::from_csv(&changed, &plan).is_err());
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct ListPlan {
    pub(super) arms: Vec<(String, u32)>,
    pub(super) method: ListMethod,
    pub(super) units: Vec<ListUnit>,
    pub(super) seed: u64,
}

checked!(ListPlan);

impl ListPlan {
    /// Arms with their ratio, the control arm first.
    ///
    /// # Errors
    /// `invalid_input` for fewer than two arms, two of one name, and a ratio of 0.
    pub fn new<T: AsRef<str>>(arms: impl IntoIterator<Item = (T, u32)>, seed: u64) -> Result<Self> {
        let arms = arms.into_iter().map(|(arm, ratio)| (arm.as_ref().to_owned(), ratio)).collect();
        let plan = Self { arms, method: ListMethod::Complete, units: Vec::new(), seed };
        plan.check().map(|()| plan)
    }

    /// So many units, numbered from 1.
    ///
    /// # Errors
    /// `invalid_input` for more than 10 million.
    pub fn people(self, people: u32) -> Result<Self> {
        self.strata([("", people)])
    }

    /// So many units in each stratum, numbered from 1 through all.
    ///
    /// # Errors
    /// `invalid_input` for more than 10 million units, and a stratum that is given twice.
    pub fn strata<T: AsRef<str>>(mut self, strata: impl IntoIterator<Item = (T, u32)>) -> Result<Self> {
        self.units.clear();
        let mut seen = std::collections::BTreeSet::new();
        for (stratum, size) in strata {
            let stratum = stratum.as_ref();
            if !seen.insert(stratum.to_owned()) {
                return Err(Error::invalid(format!(
                    "the stratum \"{stratum}\" is given twice; give each once"
                )));
            }
            if self.units.len() + size as usize > MOST_UNITS {
                return Err(Error::invalid("more than 10 million units; make several lists"));
            }
            for _ in 0..size {
                self.units.push(ListUnit::new((self.units.len() + 1).to_string()).stratum(stratum));
            }
        }
        self.check().map(|()| self)
    }

    /// These units, in the order in which they arrive.
    ///
    /// # Errors
    /// `invalid_input` for two units of one name, and units that lack the factors or covariates of others.
    pub fn units(mut self, units: impl IntoIterator<Item = ListUnit>) -> Result<Self> {
        self.units = units.into_iter().collect();
        self.check().map(|()| self)
    }

    /// The method; default: complete.
    ///
    /// # Errors
    /// `invalid_input` for a block that the ratio does not divide, and a probability, weight or bound outside
    /// its range.
    pub fn method(mut self, method: ListMethod) -> Result<Self> {
        self.method = method;
        self.check().map(|()| self)
    }

    /// The same declaration with another seed: another list that could have been.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Refuses a method that does not fit the ratio, whatever the units.
    pub(super) fn check_ratio_of(mut self, method: &ListMethod) -> Result<()> {
        self.method = method.clone();
        self.check_method()
    }

    /// The sum of the ratio.
    pub(super) fn cycle(&self) -> u32 {
        self.arms.iter().map(|(_, ratio)| ratio).sum()
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.arms.len() < 2 || self.arms.len() > 100 {
            return Err(Error::invalid(format!(
                "a list of {}; give 2 to 100",
                counted(self.arms.len(), "arm")
            )));
        }
        for (i, (arm, ratio)) in self.arms.iter().enumerate() {
            if *ratio == 0 || *ratio > 10_000 {
                return Err(
                    Error::invalid("the ratio of an arm is out of range; give 1 to 10000").in_arm(arm)
                );
            }
            if self.arms[..i].iter().any(|(other, _)| other == arm) {
                return Err(Error::invalid("two arms have this name; give each its own").in_arm(arm));
            }
        }
        let strata = self.units.iter().flat_map(|unit| [&unit.name, &unit.stratum]);
        let mut names = self.arms.iter().map(|(arm, _)| arm).chain(strata);
        if let Some(name) = names.find(|name| name.chars().any(obeyed)) {
            return Err(Error::invalid(format!(
                "the name \"{name}\" holds a character that cannot be seen; a list is printed and read, so take it out"
            )));
        }
        self.check_method()?;
        let mut names = std::collections::HashSet::new();
        if let Some(twin) = self.units.iter().find(|unit| !names.insert(unit.name.as_str())) {
            return Err(Error::invalid(format!(
                "two units are called \"{}\"; give each its own name",
                twin.name
            )));
        }
        if let Some(first) = self.units.first() {
            let like = |unit: &&ListUnit| {
                unit.factors.len() != first.factors.len() || unit.covariates.len() != first.covariates.len()
            };
            if let Some(other) = self.units.iter().find(like) {
                return Err(Error::invalid(format!(
                    "unit \"{}\" has other factors or covariates than unit \"{}\"; give all units the same",
                    other.name, first.name
                )));
            }
        }
        Ok(())
    }

    fn check_method(&self) -> Result<()> {
        let probability = |p: f64| {
            if p > 0.0 && p <= 1.0 {
                return Ok(());
            }
            Err(Error::invalid(format!(
                "the probability of the arm that lags is {}; give one above 0 and up to 1, such as 0.8",
                number(p)
            )))
        };
        match &self.method {
            ListMethod::Complete => Ok(()),
            ListMethod::PermutedBlocks { sizes } => {
                let cycle = self.cycle();
                if sizes.is_empty() {
                    return Err(Error::invalid(format!(
                        "no size of blocks is given; give multiples of {cycle}, such as {}",
                        2 * cycle
                    )));
                }
                let fits = |size: &&u32| **size == 0 || !size.is_multiple_of(cycle) || **size > 100_000;
                match sizes.iter().find(fits) {
                    None => Ok(()),
                    Some(size) => {
                        let ratio: Vec<String> =
                            self.arms.iter().map(|(_, ratio)| ratio.to_string()).collect();
                        Err(Error::invalid(format!(
                            "a block of {size} does not hold the ratio {}; give a multiple of {cycle}, such as {} or {}",
                            ratio.join(":"),
                            cycle.max(size / cycle * cycle),
                            (size / cycle + 1) * cycle
                        )))
                    }
                }
            }
            ListMethod::BiasedCoin { probability: p } => probability(*p),
            ListMethod::Minimisation { probability: p, weights } => {
                probability(*p)?;
                let fits = |w: &f64| *w > 0.0 && w.is_finite();
                if weights.is_empty() || !weights.iter().all(fits) {
                    return Err(Error::invalid(
                        "minimisation needs a positive weight for each factor; give 1 for all alike",
                    ));
                }
                match self.units.iter().find(|unit| unit.factors.len() != weights.len()) {
                    None => Ok(()),
                    Some(unit) => Err(Error::invalid(format!(
                        "unit \"{}\" has {} and minimisation {}; give a weight for each factor",
                        unit.name,
                        counted(unit.factors.len(), "factor"),
                        counted(weights.len(), "weight")
                    ))),
                }
            }
            ListMethod::Rerandomised { bound, most } => {
                if !(*bound > 0.0 && bound.is_finite()) || *most == 0 {
                    return Err(Error::invalid(format!(
                        "the bound of the distance is {} in {} at most; give a positive bound, and at least one draw",
                        number(*bound),
                        counted(*most, "draw")
                    )));
                }
                let numbers = |unit: &ListUnit| {
                    !unit.covariates.is_empty() && unit.covariates.iter().all(|x| x.is_finite())
                };
                match self.units.iter().find(|unit| !numbers(unit)) {
                    None => Ok(()),
                    Some(unit) => Err(Error::invalid(format!(
                        "unit \"{}\" has no covariates that are numbers; give each unit its values",
                        unit.name
                    ))),
                }
            }
        }
    }

    /// The allocation that a trial declares with this list, by the columns `stratum` and `block` of its CSV:
    /// what a randomisation test replays. `None` for a biased coin, minimisation and rerandomisation, which
    /// no exchange of people replays: draw the declaration with other seeds.
    pub fn allocation(&self) -> Option<Allocation> {
        let strata = self.units.iter().any(|unit| unit.stratum != self.units[0].stratum);
        match self.method {
            ListMethod::Complete if strata => Some(Allocation::stratified(["stratum"])),
            ListMethod::Complete => Some(Allocation::complete()),
            ListMethod::PermutedBlocks { .. } => Some(Allocation::blocked(["block"])),
            _ => None,
        }
    }
}

/// More units than any list has.
const MOST_UNITS: usize = 10_000_000;
