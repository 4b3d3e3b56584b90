use super::bounds::{Bounds, bound_above, bound_below, bounds_of, scaled, step_after, upper_bounds};
use super::motion::Motion;
use super::{Exits, Spending};
use crate::compute::distribution::Normal;
use crate::compute::interval::Interval;
use crate::compute::power::{Tails, TestLevel, check_power};
use crate::compute::roots::root;
use crate::error::{Error, Result, counted, number};
use serde::{Deserialize, Serialize};

/// More looks than any design has.
const MOST_LOOKS: usize = 50;
/// Looks that are closer cost time and give nothing.
const CLOSEST: f64 = 1e-4;

/// The way in which the significance level is shared over the looks. `t` is the information fraction, `c` the
/// constant that holds the level.
///
/// # References
///
/// Pocock (1977), Biometrika 64:191; O'Brien & Fleming (1979), Biometrics 35:549; Wang & Tsiatis (1987),
/// Biometrics 43:193; Haybittle (1971), British Journal of Radiology 44:793; Peto et al. (1976), British
/// Journal of Cancer 34:585.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// Bounds `c / sqrt(t)`: very wide at first.
    OBrienFleming,
    /// The same bound `c` at every look.
    Pocock,
    /// Bounds `c t^(delta - 1/2)`: O'Brien and Fleming's for 0, Pocock's for 1/2.
    WangTsiatis {
        /// The exponent, at most 1/2.
        delta: f64,
    },
    /// One wide bound at all looks but the last, which holds the level.
    HaybittlePeto {
        /// The bound at the early looks, such as 3.
        early: f64,
    },
    /// What is spent by each look follows a function of the information. A two-sided design spends alpha / 2
    /// on each side, and each side's bounds are found as if the other had none: the chance to cross both is
    /// left unspent.
    Spending(Spending),
}

impl Rule {
    pub(super) fn exponent(self) -> f64 {
        match self {
            Self::OBrienFleming => -0.5,
            Self::WangTsiatis { delta } => delta - 0.5,
            _ => 0.0,
        }
    }

    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::WangTsiatis { delta } if !(-5.0..=0.5).contains(&delta) => Err(Error::invalid(format!(
                "the exponent of Wang and Tsiatis is {}; give one from -5 to 0.5, such as 0.25",
                number(delta)
            ))),
            Self::HaybittlePeto { early } if !(early > 0.0 && early <= 30.0) => Err(Error::invalid(format!(
                "the bound at the early looks is {}; give one above 0, such as 3",
                number(early)
            ))),
            Self::Spending(spending) => spending.check(),
            _ => Ok(()),
        }
    }

    /// The rule in words.
    pub fn words(self) -> String {
        match self {
            Self::OBrienFleming => "O'Brien-Fleming bounds".into(),
            Self::Pocock => "Pocock bounds".into(),
            Self::WangTsiatis { delta } => format!("Wang-Tsiatis bounds (delta {})", number(delta)),
            Self::HaybittlePeto { early } => format!("Haybittle-Peto bounds ({})", number(early)),
            Self::Spending(spending) => spending.words(),
        }
    }
}

/// Whether a bound of futility must be followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Binding {
    /// It may be overruled: the upper bounds hold the level also then. The default.
    #[default]
    NonBinding,
    /// It is followed: the upper bounds count on that, and are lower.
    Binding,
}

/// Bounds below which a one-sided design stops because an effect is unlikely to be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Futility {
    /// Given bounds.
    Bounds {
        /// The z of each look but the last.
        early: Vec<f64>,
        /// Whether they must be followed.
        binding: Binding,
    },
    /// Bounds that spend the probability to miss an effect of this power; the drift follows from it.
    BetaSpending {
        /// The spending function.
        spending: Spending,
        /// The power.
        power: f64,
        /// Whether they must be followed. Binding ones need a [`Rule::Spending`].
        binding: Binding,
    },
}

impl Futility {
    /// Whether the bounds must be followed.
    pub fn binding(&self) -> Binding {
        match self {
            Self::Bounds { binding, .. } | Self::BetaSpending { binding, .. } => *binding,
        }
    }
}

/// A group sequential design: its looks, rule and boundaries.
///
/// # Formula
///
/// With the information fractions `t_k`, the statistic `B = z sqrt(t)` is a Brownian motion with drift
/// `theta`. The density of `B` at a look and within all bounds so far is the integral of that at the look
/// before times a normal density; its tails beyond the bounds are the probabilities to stop. The integrals
/// are sums over panels of 16 Gauss-Legendre points, two standard deviations of a step wide, with errors near
/// 1e-12.
///
/// # Examples
///
/// Looks at 30% and 60% of the information, with Lan and DeMets's spending:
/// ```
/// use armwise::power::TestLevel;
/// use armwise::sequential::{GroupSequential, Rule, Spending};
///
/// let rule = Rule::Spending(Spending::OBrienFlemingType);
/// let test = TestLevel::one_sided(0.025)?;
/// let design = GroupSequential::new(&[0.3, 0.6, 1.0], rule, test)?;
/// let expected = [3.9285725, 2.6699720, 1.9810245];
/// assert!(design.critical_values().iter().zip(expected).all(|(c, e)| (c - e).abs() < 1e-6));
/// // 0.9% more people than without looks; on average 87% of them are needed.
/// let drift = design.drift(0.8)?;
/// assert!((design.inflation(0.8)? - 1.0085772).abs() < 1e-6);
/// assert!((design.exits(drift)?.expected_information() - 0.8726260).abs() < 1e-6);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Jennison & Turnbull (2000), Group Sequential Methods with Applications to Clinical Trials, chapters 2 to 7
/// and 19. Pampallona, Tsiatis & Kim (2001), Drug Information Journal 35:1113 (spending of both errors).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct GroupSequential {
    looks: Vec<f64>,
    rule: Rule,
    test: TestLevel,
    futility: Option<Futility>,
    critical_values: Vec<f64>,
    futility_values: Vec<f64>,
}

checked!(GroupSequential);

impl GroupSequential {
    /// A design with looks at these information fractions, the last of them 1.
    ///
    /// # Errors
    /// `invalid_input` for looks that do not rise from above 0 to 1, are more than 50, or closer than 0.0001;
    /// for a rule outside its range; and for early bounds that spend all of the level.
    pub fn new(looks: &[f64], rule: Rule, test: TestLevel) -> Result<Self> {
        check_looks(looks)?;
        let symmetric = test.tails() != Tails::One;
        let critical_values = upper_bounds(looks, rule, test.in_tail(), symmetric, None)?;
        Ok(Self {
            looks: looks.to_vec(),
            rule,
            test,
            futility: None,
            critical_values,
            futility_values: Vec::new(),
        })
    }

    /// A design with so many looks, evenly spaced.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn even(looks: u32, rule: Rule, test: TestLevel) -> Result<Self> {
        if looks as usize > MOST_LOOKS {
            return Err(Error::invalid(format!(
                "{} were asked for; give at most {MOST_LOOKS}",
                counted(looks, "look")
            )));
        }
        let times: Vec<f64> = (1..=looks).map(|k| f64::from(k) / f64::from(looks)).collect();
        Self::new(&times, rule, test)
    }

    /// With bounds of futility, which a one-sided design may have.
    ///
    /// # Errors
    /// `invalid_input` for a two-sided design, bounds that do not fit the looks or lie above the upper ones,
    /// a power outside its range, and binding bounds by spending beside upper bounds that are not.
    pub fn futility(mut self, futility: Futility) -> Result<Self> {
        if self.symmetric() {
            return Err(Error::invalid(
                "bounds of futility belong to a one-sided design; make it with TestLevel::one_sided, at half the level",
            ));
        }
        let early = self.looks.len() - 1;
        match &futility {
            Futility::Bounds { early: bounds, binding } => {
                if bounds.len() != early || bounds.iter().any(|z| !z.is_finite()) {
                    return Err(Error::invalid(format!(
                        "{} of futility; give a finite z for each look but the last, {early} in all",
                        counted(bounds.len(), "bound")
                    )));
                }
                if *binding == Binding::Binding {
                    let mut lowers = bounds.clone();
                    lowers.push(f64::NEG_INFINITY);
                    let alpha = self.test.in_tail();
                    self.critical_values = upper_bounds(&self.looks, self.rule, alpha, false, Some(&lowers))?;
                }
                self.futility_values.clone_from(bounds);
            }
            Futility::BetaSpending { spending, power, binding } => {
                spending.check()?;
                check_power(*power)?;
                let (uppers, lowers) = self.by_both_spendings(*spending, *power, *binding)?;
                (self.critical_values, self.futility_values) = (uppers, lowers);
            }
        }
        for (k, lower) in self.futility_values.iter().enumerate() {
            if *lower > self.critical_values[k] {
                return Err(Error::invalid(format!(
                    "at look {} the bound of futility, {}, lies above the upper bound, {}; give a lower one",
                    k + 1,
                    number(*lower),
                    number(self.critical_values[k])
                )));
            }
        }
        self.futility = Some(futility);
        Ok(self)
    }

    /// Upper and lower bounds, the drift found at which the last look spends what is left of beta.
    fn by_both_spendings(
        &self,
        spending: Spending,
        power: f64,
        binding: Binding,
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let Rule::Spending(of_alpha) = self.rule else {
            if binding == Binding::Binding {
                return Err(Error::invalid(
                    "binding bounds by spending need upper bounds by spending; give Rule::Spending, or non-binding bounds",
                ));
            }
            return self.beta_spending(spending, power, |k, _| self.critical_values[k]);
        };
        if binding == Binding::NonBinding {
            return self.beta_spending(spending, power, |k, _| self.critical_values[k]);
        }
        let alpha = self.test.in_tail();
        let at = |k: usize| if k == 0 { 0.0 } else { of_alpha.spent(alpha, self.looks[k - 1]) };
        self.beta_spending(spending, power, |k, null| {
            bound_above(null, self.looks[k], of_alpha.spent(alpha, self.looks[k]) - at(k))
        })
    }

    fn beta_spending(
        &self,
        spending: Spending,
        power: f64,
        upper_at: impl Fn(usize, &Motion) -> f64,
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let (beta, last) = (1.0 - power, self.looks.len() - 1);
        let bounds = |drift: f64| {
            let (mut null, mut motion) = (Motion::from(0.0, 0.0, 0.0), Motion::from(0.0, 0.0, drift));
            let (mut uppers, mut lowers, mut spent) = (Vec::new(), Vec::new(), 0.0);
            for (k, &t) in self.looks.iter().enumerate() {
                let upper = upper_at(k, &null);
                uppers.push(upper);
                if k == last {
                    // What is missed at the end, over what is left to miss.
                    let missed = motion.below(t, upper * t.sqrt());
                    return (missed - (beta - spent), uppers, lowers);
                }
                let now = spending.spent(beta, t);
                let lower = bound_below(&motion, t, now - spent).min(upper);
                spent = now;
                lowers.push(lower);
                let within = scaled([lower, upper], t);
                null = null.within(t, within, step_after(&self.looks, k));
                motion = motion.within(t, within, step_after(&self.looks, k));
            }
            (f64::NAN, uppers, lowers)
        };
        let fixed = self.test.nearer_shift(power);
        if fixed <= 0.0 {
            return Err(Error::invalid("give a power above the significance level"));
        }
        let drift = root(|drift| bounds(drift).0, 0.5 * fixed, 3.0 * fixed);
        let (miss, uppers, lowers) = bounds(drift);
        if miss.abs() > 1e-8 {
            return Err(Error::invalid(
                "no bounds of futility spend this probability at these looks; give later looks, or another spending",
            ));
        }
        Ok((uppers, lowers))
    }

    fn check(&self) -> Result<()> {
        let mut made = Self::new(&self.looks, self.rule, self.test)?;
        if let Some(futility) = &self.futility {
            made = made.futility(futility.clone())?;
        }
        let near = |a: &[f64], b: &[f64]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-7 * b.abs().max(1.0))
        };
        if near(&self.critical_values, &made.critical_values)
            && near(&self.futility_values, &made.futility_values)
        {
            return Ok(());
        }
        Err(Error::invalid("the bounds do not follow from the looks and the rule; make the design anew"))
    }

    fn symmetric(&self) -> bool {
        self.test.tails() != Tails::One
    }

    /// The bounds of all looks; those of futility where `followed`.
    fn bounds(&self, followed: bool) -> Vec<Bounds> {
        let mut lowers: Vec<f64> = if followed { self.futility_values.clone() } else { Vec::new() };
        lowers.resize(self.looks.len(), f64::NEG_INFINITY);
        (0..self.looks.len())
            .map(|k| bounds_of(&self.critical_values, self.symmetric(), Some(&lowers), k))
            .collect()
    }

    /// The bounds on which the level relies.
    pub(super) fn relied_on(&self) -> Vec<Bounds> {
        self.bounds(self.futility.as_ref().is_some_and(|futility| futility.binding() == Binding::Binding))
    }

    /// The information fractions of the looks.
    pub fn looks(&self) -> &[f64] {
        &self.looks
    }

    /// The rule.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The level and its tails.
    pub fn test(&self) -> TestLevel {
        self.test
    }

    /// The z beyond which each look claims an effect; 37 where nothing is spent.
    pub fn critical_values(&self) -> &[f64] {
        &self.critical_values
    }

    /// The z below which each look but the last stops for futility; none without such bounds.
    pub fn futility_values(&self) -> &[f64] {
        &self.futility_values
    }

    /// The constant of O'Brien and Fleming's, Pocock's and Wang and Tsiatis's bounds: the bound at the end.
    pub fn constant(&self) -> Option<f64> {
        match self.rule {
            Rule::OBrienFleming | Rule::Pocock | Rule::WangTsiatis { .. } => {
                self.critical_values.last().copied()
            }
            _ => None,
        }
    }

    /// The one-sided p-value at each bound.
    pub fn nominal_p(&self) -> Vec<f64> {
        self.critical_values.iter().map(|z| Normal.sf(*z)).collect()
    }

    /// The probabilities to stop at each look, bounds of futility followed.
    ///
    /// # Errors
    /// `invalid_input` for a drift beyond 30 in size.
    pub fn exits(&self, drift: f64) -> Result<Exits> {
        check_drift(drift)?;
        Ok(Exits::of(&self.looks, &self.bounds(true), drift, [0.0, 0.0]))
    }

    /// The probability to claim an effect: across the upper bound, or either of a two-sided design.
    ///
    /// # Errors
    /// As [`exits`](Self::exits).
    pub fn power(&self, drift: f64) -> Result<f64> {
        let exits = self.exits(drift)?;
        let of = if self.symmetric() { exits.cumulative() } else { exits.cumulative_above() };
        Ok(of.last().copied().unwrap_or(0.0).min(1.0))
    }

    /// The chance of a claim without an effect, where bounds of futility that may be overruled are overruled.
    ///
    /// # Errors
    /// None for a design that was made.
    pub fn type_one_error(&self) -> Result<f64> {
        let exits = Exits::of(&self.looks, &self.relied_on(), 0.0, [0.0, 0.0]);
        let of = if self.symmetric() { exits.cumulative() } else { exits.cumulative_above() };
        Ok(of.last().copied().unwrap_or(0.0))
    }

    /// The drift with this power.
    ///
    /// # Errors
    /// `invalid_input` for a power outside its range or not above the level.
    pub fn drift(&self, power: f64) -> Result<f64> {
        check_power(power)?;
        let at = |drift: f64| self.power(drift).map_or(f64::NAN, |found| found - power);
        if at(0.0) >= 0.0 {
            return Err(Error::invalid(format!(
                "the design claims an effect as often without one; give a power above {}",
                number(self.test.alpha())
            )));
        }
        let high = (2.0 * self.fixed_drift(power)?).clamp(3.0, 30.0);
        if at(high) < 0.0 {
            return Err(Error::invalid(format!(
                "no drift has a power of {} with these bounds; give less strict bounds of futility",
                number(power)
            )));
        }
        Ok(root(at, 0.0, high))
    }

    /// The drift with this power without looks, `c + z`.
    ///
    /// # Errors
    /// `invalid_input` for a power outside its range.
    pub fn fixed_drift(&self, power: f64) -> Result<f64> {
        check_power(power)?;
        Ok(self.test.nearer_shift(power))
    }

    /// The information at the end over that of a design without looks and of the same power.
    ///
    /// # Errors
    /// As [`drift`](Self::drift).
    pub fn inflation(&self, power: f64) -> Result<f64> {
        let looks = self.drift(power)?;
        Ok((looks / self.fixed_drift(power)?).powi(2))
    }

    /// The interval of the drift at a look (the first is 1) that holds for all looks together: `(z -+ c) /
    /// sqrt(t)`.
    ///
    /// # Errors
    /// `invalid_input` for a look that does not exist and a statistic that is not a finite number.
    pub fn repeated_interval(&self, look: usize, z: f64) -> Result<Interval> {
        let k = self.place(look, z)?;
        let (c, root_t) = (self.critical_values[k], self.looks[k].sqrt());
        Interval::new((z - c) / root_t, (z + c) / root_t)
    }

    /// The place of a look that is counted from 1.
    pub(super) fn place(&self, look: usize, z: f64) -> Result<usize> {
        if look == 0 || look > self.looks.len() {
            return Err(Error::invalid(format!(
                "there is no look {look}; give one from 1 to {}",
                self.looks.len()
            )));
        }
        if !z.is_finite() {
            return Err(Error::invalid("the statistic is not a finite number; give z of the look"));
        }
        Ok(look - 1)
    }

    /// The chance of a claim at a later look, from `z` at a look (the first is 1), with this drift from there
    /// on.
    ///
    /// # Errors
    /// `invalid_input` for the last look, one that does not exist, and a drift beyond 30 in size.
    ///
    /// # Examples
    /// ```
    /// use armwise::power::TestLevel;
    /// use armwise::sequential::{GroupSequential, Rule};
    ///
    /// let test = TestLevel::one_sided(0.025)?;
    /// let design = GroupSequential::even(2, Rule::OBrienFleming, test)?;
    /// // Half-way, at z = 1.2, if the drift is as planned.
    /// let chance = design.conditional_power(1, 1.2, design.drift(0.8)?)?;
    /// assert!((chance - 0.66).abs() < 0.01);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn conditional_power(&self, look: usize, z: f64, drift: f64) -> Result<f64> {
        check_drift(drift)?;
        let k = self.place(look, z)?;
        if k + 1 == self.looks.len() {
            return Err(Error::invalid("nothing comes after the last look; give an earlier one"));
        }
        let from = [self.looks[k], z * self.looks[k].sqrt()];
        let exits = Exits::of(&self.looks[k + 1..], &self.bounds(true)[k + 1..], drift, from);
        let of = if self.symmetric() { exits.cumulative() } else { exits.cumulative_above() };
        Ok(of.last().copied().unwrap_or(0.0).min(1.0))
    }
}

fn check_drift(drift: f64) -> Result<()> {
    if drift.is_finite() && drift.abs() <= 30.0 {
        return Ok(());
    }
    Err(Error::invalid(format!("the drift is {}; give one from -30 to 30, such as 2.8", number(drift))))
}

fn check_looks(looks: &[f64]) -> Result<()> {
    if looks.is_empty() || looks.len() > MOST_LOOKS {
        return Err(Error::invalid(format!(
            "a design with {}; give 1 to {MOST_LOOKS}",
            counted(looks.len(), "look")
        )));
    }
    let mut before = 0.0;
    for (k, t) in looks.iter().enumerate() {
        if !(t.is_finite() && t - before >= CLOSEST) {
            return Err(Error::invalid(format!(
                "look {} is at {} of the information, after {}; give rising fractions at least {CLOSEST} apart",
                k + 1,
                number(*t),
                number(before)
            )));
        }
        before = *t;
    }
    if before != 1.0 {
        return Err(Error::invalid(format!(
            "the last look is at {} of the information; give fractions of all information, the last of them 1",
            number(before)
        )));
    }
    Ok(())
}
