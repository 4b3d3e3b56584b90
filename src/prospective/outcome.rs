use crate::compute::distribution::Normal;
use crate::compute::power::{ProportionFormula, TwoMeansPower, TwoProportionsPower, WaldPower};
use crate::error::{Error, Result, number, percent};
use serde::{Deserialize, Serialize};

/// The formula for the events of a comparison of hazards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HazardFormula {
    /// Schoenfeld (1981), Biometrika 68:316: the log hazard ratio has variance `1 / (d pi1 pi0)` with `d`
    /// events and the shares `pi` of people in each group. The default.
    #[default]
    Schoenfeld,
    /// Freedman (1982), Statistics in Medicine 1:121: the log-rank statistic has mean
    /// `sqrt(r d) (1 - h) / (1 + r h)` with the hazard ratio `h` and the ratio of sizes `r`.
    Freedman,
}

/// Amounts of which some are 0, in one group.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedAmounts {
    /// The share of people with an amount above 0.
    pub share: f64,
    /// The mean of the amounts above 0.
    pub mean: f64,
    /// The standard deviation of the amounts above 0.
    pub sd: f64,
}

impl ExpectedAmounts {
    /// The mean over everybody.
    pub fn overall_mean(&self) -> f64 {
        self.share * self.mean
    }

    /// The variance over everybody.
    pub fn overall_variance(&self) -> f64 {
        self.share * (self.sd * self.sd + (1.0 - self.share) * self.mean * self.mean)
    }

    fn between(&self, other: &Self, x: f64) -> Self {
        let line = |a: f64, b: f64| b + x * (a - b);
        Self {
            share: line(self.share, other.share),
            mean: line(self.mean, other.mean),
            sd: line(self.sd, other.sd),
        }
    }

    /// Of people of whom a share `x` is as `self`, the others as `other`.
    fn mixed(&self, other: &Self, x: f64) -> Self {
        let moments =
            |one: &Self| [one.share, one.share * one.mean, one.share * (one.sd.powi(2) + one.mean.powi(2))];
        let (a, b) = (moments(self), moments(other));
        let mix = |i: usize| x * a[i] + (1.0 - x) * b[i];
        let (share, mean) = (mix(0), mix(1) / mix(0));
        Self { share, mean, sd: (mix(2) / mix(0) - mean * mean).max(0.0).sqrt() }
    }

    fn check(&self) -> Result<()> {
        let numbers = self.mean.is_finite() && self.sd.is_finite() && self.sd >= 0.0 && self.mean > 0.0;
        if self.share > 0.0 && self.share <= 1.0 && numbers && self.overall_variance() > 0.0 {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "amounts with a share of {}, a mean of {} and a standard deviation of {}; give a share above 0 and up to 1, a \
             positive mean and a spread",
            number(self.share),
            number(self.mean),
            number(self.sd)
        )))
    }
}

/// The outcome as it is expected with and without treatment: what a power rests on.
///
/// | kind | effect | variance of one person |
/// |---|---|---|
/// | proportions | by formula: difference, arcsine, log ratio, log odds ratio | see [`ProportionFormula`] |
/// | means | difference over the standard deviation | 1, with Student's t |
/// | rates | log rate ratio | `1 / (rate time) + k`, `k` the dispersion (Zhu & Lakkis 2014) |
/// | ordered | log odds ratio (proportional odds) | `3 / (1 - sum p^3)` (Whitehead 1993) |
/// | wins | probability of a win, minus 1/2 | `(1 - sum t^3) / 12`, `t` the shares that are tied (Noether 1987) |
/// | time to event | log hazard ratio | by [`HazardFormula`] and the share with an event |
/// | amounts | difference of means over everybody | `p (s^2 + (1 - p) m^2)` |
///
/// # References
///
/// Whitehead (1993), Statistics in Medicine 12:2257. Noether (1987), JASA 82:645. Zhu & Lakkis (2014),
/// Statistics in Medicine 33:376.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ExpectedOutcome {
    /// Yes or no.
    Proportions {
        /// The share with treatment.
        treated: f64,
        /// The share without.
        control: f64,
        /// The formula.
        formula: ProportionFormula,
    },
    /// A score.
    Means {
        /// The difference of means.
        difference: f64,
        /// The standard deviation within arms.
        sd: f64,
    },
    /// Counts over time.
    Rates {
        /// The rate with treatment.
        treated: f64,
        /// The rate without.
        control: f64,
        /// The time of one person.
        time: f64,
        /// The dispersion of a negative binomial distribution; 0 for Poisson's.
        dispersion: f64,
    },
    /// Ordered categories.
    Ordered {
        /// The shares of the categories without treatment, which sum to 1.
        control: Vec<f64>,
        /// The log odds ratio of a higher category.
        log_odds_ratio: f64,
    },
    /// Wins of a treated person over an untreated one.
    Wins {
        /// The probability of a win, with half of a tie.
        probability: f64,
        /// The shares of people with each value that several have; empty without ties.
        ties: Vec<f64>,
    },
    /// The time to an event.
    TimeToEvent {
        /// The hazard ratio.
        hazard_ratio: f64,
        /// The share of the control arm that has the event within the follow-up; see
        /// [`events_by_accrual`](ExpectedOutcome::events_by_accrual).
        control_events: f64,
        /// The formula.
        formula: HazardFormula,
    },
    /// Amounts, some of them 0.
    Amounts {
        /// With treatment.
        treated: ExpectedAmounts,
        /// Without.
        control: ExpectedAmounts,
    },
}

/// The kernel that answers for an outcome.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kernel {
    Proportions(TwoProportionsPower),
    Means(TwoMeansPower),
    Wald(WaldPower),
}

fn share(what: &str, p: f64) -> Result<()> {
    if p > 0.0 && p < 1.0 {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{what} is {}; give a share above 0 and below 1, such as 0.2 for 20%",
        number(p)
    )))
}

fn positive(what: &str, x: f64) -> Result<()> {
    if x > 0.0 && x.is_finite() {
        return Ok(());
    }
    Err(Error::invalid(format!("{what} is {}; give a positive number", number(x))))
}

impl ExpectedOutcome {
    /// The scale that is written in percentage points.
    pub(super) const POINTS: &'static str = "difference of proportions";

    /// Proportions, by the pooled z test.
    pub fn proportions(treated: f64, control: f64) -> Self {
        Self::Proportions { treated, control, formula: ProportionFormula::Pooled }
    }

    /// The share of people with an event at a constant hazard, when they enter evenly over `accrual` and are
    /// followed for `follow_up` after that: `1 - (exp(-h f) - exp(-h (a + f))) / (h a)`.
    ///
    /// # Errors
    /// `invalid_input` for a hazard that is not positive, and times that are negative or both 0.
    ///
    /// ```
    /// use armwise::prospective::ExpectedOutcome;
    ///
    /// let events = ExpectedOutcome::events_by_accrual(0.05, 6.0, 12.0)?;
    /// assert!((events - 0.5259).abs() < 1e-3);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn events_by_accrual(hazard: f64, accrual: f64, follow_up: f64) -> Result<f64> {
        positive("the hazard", hazard)?;
        if !(accrual >= 0.0
            && follow_up >= 0.0
            && (accrual + follow_up).is_finite()
            && accrual + follow_up > 0.0)
        {
            return Err(Error::invalid(format!(
                "the accrual is {} and the follow-up {}; give times from 0, not both 0",
                number(accrual),
                number(follow_up)
            )));
        }
        let seen = hazard * accrual;
        // The mean of exp(-h u) over the accrual.
        let mean = if seen < 1e-8 { 1.0 - 0.5 * seen } else { -(-seen).exp_m1() / seen };
        Ok(1.0 - (-hazard * follow_up).exp() * mean)
    }

    /// Refuses what no outcome is.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Proportions { treated, control, .. } => {
                share("the proportion with treatment", *treated)?;
                share("the proportion without treatment", *control)
            }
            Self::Means { difference, sd } => {
                positive("the standard deviation", *sd)?;
                TwoMeansPower::new(difference / sd).map(drop)
            }
            Self::Rates { treated, control, time, dispersion } => {
                positive("the rate with treatment", *treated)?;
                positive("the rate without treatment", *control)?;
                positive("the time of one person", *time)?;
                if *dispersion >= 0.0 && dispersion.is_finite() {
                    return Ok(());
                }
                Err(Error::invalid(format!(
                    "the dispersion is {}; give a number from 0, 0 for Poisson counts",
                    number(*dispersion)
                )))
            }
            Self::Ordered { control, log_odds_ratio } => {
                for p in control {
                    share("the share of a category", *p)?;
                }
                let sum: f64 = control.iter().sum();
                if control.len() < 2 || (sum - 1.0).abs() > 1e-6 {
                    return Err(Error::invalid(format!(
                        "the shares of the categories sum to {}; give two or more that sum to 1",
                        number(sum)
                    )));
                }
                if log_odds_ratio.is_finite() && log_odds_ratio.abs() < 20.0 {
                    return Ok(());
                }
                Err(Error::invalid(
                    "the log odds ratio is out of range; give the logarithm of an odds ratio, such as 0.4",
                ))
            }
            Self::Wins { probability, ties } => {
                share("the probability of a win", *probability)?;
                let sum: f64 = ties.iter().sum();
                if ties.iter().all(|t| (0.0..1.0).contains(t)) && sum <= 1.0 + 1e-9 {
                    return Ok(());
                }
                Err(Error::invalid(
                    "the shares that are tied are not shares; give numbers from 0 that sum to at most 1",
                ))
            }
            Self::TimeToEvent { hazard_ratio, control_events, .. } => {
                positive("the hazard ratio", *hazard_ratio)?;
                share("the share of the control arm with an event", *control_events)
            }
            Self::Amounts { treated, control } => {
                treated.check()?;
                control.check()
            }
        }
    }

    /// The effect on its scale.
    pub fn effect(&self) -> f64 {
        match self {
            Self::Proportions { treated, control, formula } => match formula {
                ProportionFormula::LogRiskRatio => (treated / control).ln(),
                ProportionFormula::LogOddsRatio => {
                    let logit = |p: f64| (p / (1.0 - p)).ln();
                    logit(*treated) - logit(*control)
                }
                _ => treated - control,
            },
            Self::Means { difference, .. } => *difference,
            Self::Rates { treated, control, .. } => (treated / control).ln(),
            Self::Ordered { log_odds_ratio, .. } => *log_odds_ratio,
            Self::Wins { probability, .. } => probability - 0.5,
            Self::TimeToEvent { hazard_ratio, .. } => hazard_ratio.ln(),
            Self::Amounts { treated, control } => treated.overall_mean() - control.overall_mean(),
        }
    }

    /// The scale of the effect, in words.
    pub fn scale(&self) -> &'static str {
        match self {
            Self::Proportions { formula: ProportionFormula::LogRiskRatio, .. } => "log risk ratio",
            Self::Proportions { formula: ProportionFormula::LogOddsRatio, .. } | Self::Ordered { .. } => {
                "log odds ratio"
            }
            Self::Proportions { .. } => Self::POINTS,
            Self::Means { .. } => "difference of means",
            Self::Rates { .. } => "log rate ratio",
            Self::Wins { .. } => "probability of a win minus 1/2",
            Self::TimeToEvent { .. } => "log hazard ratio",
            Self::Amounts { .. } => "difference of mean amounts",
        }
    }

    /// The outcome with `x` times the effect: the control arm stays, the treated arm moves. `None` where no
    /// such outcome exists.
    pub(super) fn at(&self, x: f64) -> Option<Self> {
        let mut moved = self.clone();
        match &mut moved {
            Self::Proportions { treated, control, .. } => *treated = *control + x * (*treated - *control),
            Self::Means { difference, .. } => *difference *= x,
            Self::Rates { treated, control, .. } => *treated = *control * (*treated / *control).powf(x),
            Self::Ordered { log_odds_ratio, .. } => *log_odds_ratio *= x,
            Self::Wins { probability, .. } => *probability = 0.5 + x * (*probability - 0.5),
            Self::TimeToEvent { hazard_ratio, .. } => *hazard_ratio = hazard_ratio.powf(x),
            Self::Amounts { treated, control } => *treated = treated.between(control, x),
        }
        moved.check().ok().map(|()| moved)
    }

    /// The outcome where a share `x` of the treated arm, more than of the control arm, takes up the treatment
    /// and the others are as the control arm.
    pub(super) fn diluted(&self, x: f64) -> Result<Self> {
        let mut mixed = self.clone();
        match &mut mixed {
            Self::Proportions { treated, control, .. } => *treated = *control + x * (*treated - *control),
            Self::Means { difference, .. } => *difference *= x,
            Self::Rates { treated, control, .. } => *treated = *control + x * (*treated - *control),
            Self::Wins { probability, .. } => *probability = 0.5 + x * (*probability - 0.5),
            Self::Amounts { treated, control } => *treated = treated.mixed(control, x),
            Self::Ordered { .. } | Self::TimeToEvent { .. } => {
                return Err(Error::invalid(format!(
                    "the {} of everybody offered does not follow from that of those who take it up; give the effect of the offer, \
                     and no take-up",
                    self.scale()
                )));
            }
        }
        Ok(mixed)
    }

    /// The kernel for groups in this ratio (treated over control); the covariates are those of means.
    pub(super) fn kernel(&self, ratio: f64, covariates: u32, r2: f64) -> Result<Kernel> {
        let wald = |effect: f64, v1: f64, v0: f64| WaldPower::new(effect, [v1, v0]).map(Kernel::Wald);
        let effect = self.effect();
        match self {
            Self::Proportions { treated, control, formula } => {
                TwoProportionsPower::new(*treated, *control, *formula).map(Kernel::Proportions)
            }
            Self::Means { difference, sd } => {
                TwoMeansPower::new(difference / sd)?.covariates(covariates, r2).map(Kernel::Means)
            }
            Self::Rates { treated, control, time, dispersion } => {
                let variance = |rate: f64| 1.0 / (rate * time) + dispersion;
                wald(effect, variance(*treated), variance(*control))
            }
            Self::Ordered { control, log_odds_ratio } => {
                let treated = shifted(control, *log_odds_ratio);
                let mean = |(a, b): (&f64, f64)| 0.5 * (a + b);
                let cubes: f64 = control.iter().zip(treated).map(|pair| mean(pair).powi(3)).sum();
                let variance = 3.0 / (1.0 - cubes);
                wald(effect, variance, variance)
            }
            Self::Wins { ties, .. } => {
                let variance = (1.0 - ties.iter().map(|t| t.powi(3)).sum::<f64>()) / 12.0;
                wald(effect, variance, variance)
            }
            Self::TimeToEvent { hazard_ratio, control_events, formula } => {
                let treated = -(hazard_ratio * (-control_events).ln_1p()).exp_m1();
                let events = (ratio * treated + control_events) / (1.0 + ratio);
                let h = *hazard_ratio;
                let variance = match formula {
                    HazardFormula::Freedman if h != 1.0 => {
                        (effect * (1.0 + ratio * h) / ((1.0 + ratio) * (1.0 - h))).powi(2) / events
                    }
                    _ => 1.0 / events,
                };
                wald(effect, variance, variance)
            }
            Self::Amounts { treated, control } => {
                wald(effect, treated.overall_variance(), control.overall_variance())
            }
        }
    }

    /// The assumptions, in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Proportions { treated, control, formula } => format!(
                "The proportion is {} in the control arm and {} with treatment; {}.",
                percent(*control),
                percent(*treated),
                formula.words()
            ),
            Self::Means { difference, sd } => format!(
                "The means differ by {} with a standard deviation of {} within arms; t test.",
                number(*difference),
                number(*sd)
            ),
            Self::Rates { treated, control, time, dispersion } => format!(
                "The rate is {} in the control arm and {} with treatment, over a time of {} for each person, with a dispersion of \
                 {}; Wald test of the log rate ratio.",
                number(*control),
                number(*treated),
                number(*time),
                number(*dispersion)
            ),
            Self::Ordered { control, log_odds_ratio } => format!(
                "The {} ordered categories have proportional odds, with a log odds ratio of {}; Whitehead's formula.",
                control.len(),
                number(*log_odds_ratio)
            ),
            Self::Wins { probability, .. } => format!(
                "A treated person wins from an untreated one with probability {}; Noether's formula.",
                number(*probability)
            ),
            Self::TimeToEvent { hazard_ratio, control_events, formula } => format!(
                "The hazards are proportional with a ratio of {}, and {} of the control arm have the event; {}.",
                number(*hazard_ratio),
                percent(*control_events),
                match formula {
                    HazardFormula::Schoenfeld => "Schoenfeld's formula",
                    HazardFormula::Freedman => "Freedman's formula",
                }
            ),
            Self::Amounts { treated, control } => format!(
                "Of the control arm {} have an amount, {} on average (standard deviation {}); with treatment {} have one, {} on \
                 average (standard deviation {}); z test of the means over everybody.",
                percent(control.share),
                number(control.mean),
                number(control.sd),
                percent(treated.share),
                number(treated.mean),
                number(treated.sd)
            ),
        }
    }
}

/// The shares of ordered categories whose odds of a higher one are multiplied by the exponential of
/// `log_odds_ratio`.
fn shifted(control: &[f64], log_odds_ratio: f64) -> Vec<f64> {
    let mut above = 1.0;
    let mut higher: Vec<f64> = control
        .iter()
        .map(|p| {
            above -= p;
            let above = above.clamp(0.0, 1.0);
            let odds = above / (1.0 - above).max(f64::MIN_POSITIVE) * log_odds_ratio.exp();
            if odds.is_finite() { odds / (1.0 + odds) } else { 1.0 }
        })
        .collect();
    if let Some(last) = higher.last_mut() {
        *last = 0.0;
    }
    let mut before = 1.0;
    higher
        .into_iter()
        .map(|above| {
            let p = before - above;
            before = above;
            p
        })
        .collect()
}

/// The level of one tail at a critical value.
pub(super) fn tail_of(critical: f64) -> f64 {
    Normal.sf(critical)
}
