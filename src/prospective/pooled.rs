use super::answer::{count, effect_words, people, points};
use super::{ExpectedOutcome, PlannedTrial};
use crate::compute::power::{GroupSizes, TestLevel, check_power, whole_above};
use crate::compute::roots::root;
use crate::error::{Error, Result, counted, number};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the pooled effect of several cities is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PooledEstimand {
    /// The mean effect in cities such as these: the cities are a sample, and how much their effects differ
    /// counts. The default.
    #[default]
    CitiesLikeThese,
    /// The mean effect in these very cities: only chance within them counts.
    TheseCities,
}

/// The pooled evaluation of several cities, each with the same planned trial.
///
/// # Formula
///
/// With `k` cities, the variance `v` of the effect in one of them and the standard deviation `tau` of the
/// true effects between cities, the mean of cities such as these has variance `(v + tau^2) / k` and is read
/// against Student's t with `k - 1` degrees of freedom (Knapp & Hartung), so that its power is that of a
/// noncentral t. The mean of these very cities has variance `v / k` and is normal.
///
/// # Assumptions
///
/// Cities of one size, and effects that are normal over cities. However many people, the variance does not
/// fall below `tau^2 / k`: beyond some size only more cities help.
///
/// # Examples
/// ```
/// use armwise::prospective::{ExpectedOutcome, PlannedPool, PlannedTrial, PooledEstimand};
///
/// let city = PlannedTrial::new(ExpectedOutcome::proportions(0.23, 0.20))?;
/// let pool = PlannedPool::new(city, 6)?.tau(0.02)?;
/// let detectable = pool.detectable(300, 0.8)?;
/// let these = pool.clone().estimand(PooledEstimand::TheseCities).detectable(300, 0.8)?;
/// assert!(these.effect < detectable.effect);
/// // Twice as many people help less than twice as many cities.
/// let people = pool.power(600)?.power;
/// let cities = pool.clone().cities(12)?.power(300)?.power;
/// assert!(people < cities);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Hedges & Pigott (2001), Psychological Methods 6:203. Knapp & Hartung (2003), Statistics in Medicine
/// 22:2693.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct PlannedPool {
    city: PlannedTrial,
    cities: u32,
    tau: f64,
    estimand: PooledEstimand,
}

checked!(PlannedPool);

/// The answer of a [`PlannedPool`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct PooledDesign {
    /// The pool.
    pub pool: PlannedPool,
    /// The people of the control arm in each city; other arms by the ratio.
    pub control: u64,
    /// All people of all cities.
    pub total: u64,
    /// The standard error of the effect in one city.
    pub city_se: f64,
    /// The standard error of the pooled effect.
    pub se: f64,
    /// The power.
    pub power: f64,
    /// The effect, on its scale.
    pub effect: f64,
}

checked!(PooledDesign);

impl PlannedPool {
    /// The same trial in so many cities, without differences between them.
    ///
    /// # Errors
    /// `invalid_input` for fewer than two cities, and a trial with a margin or looks.
    pub fn new(city: PlannedTrial, cities: u32) -> Result<Self> {
        let pool = Self { city, cities, tau: 0.0, estimand: PooledEstimand::CitiesLikeThese };
        pool.check().map(|()| pool)
    }

    /// The standard deviation of the true effects between cities, on the scale of the effect; default: 0.
    ///
    /// # Errors
    /// `invalid_input` for a negative or infinite one.
    pub fn tau(mut self, tau: f64) -> Result<Self> {
        self.tau = tau;
        self.check().map(|()| self)
    }

    /// The number of cities.
    ///
    /// # Errors
    /// `invalid_input` for fewer than two.
    pub fn cities(mut self, cities: u32) -> Result<Self> {
        self.cities = cities;
        self.check().map(|()| self)
    }

    /// What the pooled effect is about; default: cities like these.
    #[must_use]
    pub fn estimand(mut self, estimand: PooledEstimand) -> Self {
        self.estimand = estimand;
        self
    }

    fn check(&self) -> Result<()> {
        self.city.check()?;
        if self.cities < 2 || self.cities > 100_000 {
            return Err(Error::invalid(format!("{}; give at least two", counted(self.cities, "trial"))));
        }
        if !(self.tau >= 0.0 && self.tau.is_finite()) {
            return Err(Error::invalid(format!(
                "the standard deviation between cities is {}; give a finite number from 0, on the scale of the effect",
                number(self.tau)
            )));
        }
        if !self.city.is_plain() {
            return Err(Error::invalid(
                "a pool of trials with a margin or looks; plan the pool for a difference, without looks",
            ));
        }
        Ok(())
    }

    fn sizes(&self, control: f64) -> Result<GroupSizes> {
        GroupSizes::in_ratio(control, self.city.per_control())
    }

    /// The standard errors in a city and of the pool.
    fn ses(&self, control: f64, x: f64) -> Result<[f64; 2]> {
        let outcome = self.city.power_basis()?.at(x).ok_or_else(no_outcome)?;
        let city = self.city.se(&outcome, self.sizes(control)?)?;
        let tau2 = if self.estimand == PooledEstimand::CitiesLikeThese { self.tau * self.tau } else { 0.0 };
        Ok([city, ((city * city + tau2) / f64::from(self.cities)).sqrt()])
    }

    fn test(&self) -> Result<TestLevel> {
        self.city.comparison_test(self.city.per_control())
    }

    /// The power at `x` times the effect.
    fn power_at(&self, control: f64, x: f64) -> Result<f64> {
        let effect = self.city.power_basis()?.at(x).ok_or_else(no_outcome)?.effect();
        let shift = effect.abs() / self.ses(control, x)?[1];
        let test = self.test()?;
        match self.estimand {
            PooledEstimand::TheseCities => Ok(test.normal_power(shift)),
            PooledEstimand::CitiesLikeThese => test.t_power(f64::from(self.cities - 1), shift.min(9e3)),
        }
    }

    fn answer(&self, control: u64, x: f64) -> Result<PooledDesign> {
        let [city_se, se] = self.ses(control as f64, x)?;
        let effect = self.city.power_basis()?.at(x).ok_or_else(no_outcome)?.effect();
        let power = self.power_at(control as f64, x)?;
        let treated = whole_above(self.city.per_control() * control as f64);
        let in_city = control + u64::from(self.city.treatments) * treated;
        Ok(PooledDesign {
            pool: self.clone(),
            control,
            total: in_city.saturating_mul(u64::from(self.cities)),
            city_se,
            se,
            power,
            effect,
        })
    }

    /// The power with so many people in the control arm of each city.
    ///
    /// # Errors
    /// `invalid_input` for no people, and what the kernel refuses.
    pub fn power(&self, control: u64) -> Result<PooledDesign> {
        self.answer(control, 1.0)
    }

    /// The people of the control arm in each city for a power.
    ///
    /// # Errors
    /// `invalid_input` where no number of people suffices: the number of cities that would is in the error.
    pub fn people_for(&self, power: f64) -> Result<PooledDesign> {
        check_power(power)?;
        let at = |control: f64| self.power_at(control, 1.0);
        let most = 1e12;
        if at(most)? < power {
            let enough = (self.cities..=100_000).find(|k| {
                let more = Self { cities: *k, ..self.clone() };
                more.power_at(most, 1.0).is_ok_and(|found| found >= power)
            });
            let advice = enough.map_or("give a larger effect".to_owned(), |k| format!("{k} cities would"));
            return Err(Error::invalid(format!(
                "with effects that differ by {} between cities, no number of people in {} has a power of {}; {advice}",
                number(self.tau),
                counted(self.cities, "trial"),
                number(power)
            )));
        }
        let mut high = 2.0;
        while at(high)? < power {
            high *= 2.0;
        }
        let excess = |ln: f64| at(ln.exp()).map_or(f64::NAN, |found| found - power);
        let control = if high > 2.0 { root(excess, (0.5 * high).ln(), high.ln()).exp() } else { high };
        self.answer(whole_above(control), 1.0)
    }

    /// The fewest cities for a power, with so many people in the control arm of each.
    ///
    /// # Errors
    /// `invalid_input` for a power outside its range, and where 100,000 cities do not suffice.
    pub fn cities_for(&self, power: f64, control: u64) -> Result<PooledDesign> {
        check_power(power)?;
        for cities in 2..=100_000 {
            let pool = Self { cities, ..self.clone() };
            if pool.power_at(control as f64, 1.0)? >= power {
                return pool.answer(control, 1.0);
            }
        }
        Err(Error::invalid(
            "100,000 cities do not have this power; give a larger effect, or more people in each",
        ))
    }

    /// The effect that is detected with a power, with so many people in the control arm of each city.
    ///
    /// # Errors
    /// `invalid_input` for a power outside its range, no expected effect, and where no effect is detected.
    pub fn detectable(&self, control: u64, power: f64) -> Result<PooledDesign> {
        check_power(power)?;
        if self.city.power_basis()?.effect() == 0.0 {
            return Err(Error::invalid("the expected effect is 0; give one, so that the direction is known"));
        }
        let n = control as f64;
        let mut high = 1e-3;
        while self.power_at(n, high)? < power {
            high *= 1.25;
            if high > 1e6 {
                return Err(Error::invalid(
                    "no effect is detected with this power; give more people or cities",
                ));
            }
        }
        let excess = |x: f64| self.power_at(n, x).map_or(f64::NAN, |found| found - power);
        self.answer(control, root(excess, 1e-9, high))
    }
}

fn no_outcome() -> Error {
    Error::invalid(
        "no effect in this direction is detected with this power by these people; give more people or cities",
    )
}

impl PooledDesign {
    fn check(&self) -> Result<()> {
        self.pool.check()?;
        let positive = self.city_se > 0.0 && self.se > 0.0 && self.city_se.is_finite() && self.se.is_finite();
        let again = self.pool.power(self.control)?;
        let power = (0.0..=1.0).contains(&self.power) && self.effect.is_finite();
        if positive && power && self.total == again.total {
            return Ok(());
        }
        Err(Error::invalid("the numbers of the pooled design do not follow from its pool; compute it anew"))
    }
}

impl fmt::Display for PooledDesign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = match self.pool.estimand {
            PooledEstimand::CitiesLikeThese => "cities like these",
            PooledEstimand::TheseCities => "these very cities",
        };
        let scale = self.pool.city.outcome.scale();
        let tau =
            if scale == ExpectedOutcome::POINTS { points(self.pool.tau) } else { number(self.pool.tau) };
        write!(
            f,
            "Power of {:.1}% for a {} in {about}: {} with {} in each control arm, {} in all; effects differ by {tau} \
             (standard deviation) between cities.",
            100.0 * self.power,
            effect_words(scale, self.effect),
            counted(count(u64::from(self.pool.cities)), "trial"),
            people(self.control),
            people(self.total)
        )
    }
}
