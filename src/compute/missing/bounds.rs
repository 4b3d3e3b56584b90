use crate::compute::distribution::Normal;
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::check_level;
use crate::compute::roots::root;
use crate::error::{Error, ErrorKind, Result, counted, number};
use serde::{Deserialize, Serialize};

/// An arm: the outcomes that were seen, and the number of people who were randomised to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct PartlyObserved {
    seen: Vec<f64>,
    randomised: u64,
}

checked!(PartlyObserved);

impl PartlyObserved {
    /// The outcomes that were seen in an arm of so many people.
    ///
    /// # Errors
    /// `invalid_input` for more outcomes than people, and values that are not finite;
    /// `insufficient_observations` where nobody was seen.
    pub fn new(seen: Vec<f64>, randomised: u64) -> Result<Self> {
        let arm = Self { seen, randomised };
        arm.check()?;
        Ok(arm)
    }

    /// Events among those who were seen.
    ///
    /// # Errors
    /// As [`PartlyObserved::new`], and for more events than people seen, and more than 2^32 people.
    pub fn events(events: u64, seen: u64, randomised: u64) -> Result<Self> {
        if events > seen || seen > 1 << 32 {
            return Err(Error::invalid(format!(
                "{} among {} seen; give at most as many events as people, and at most 2^32 people",
                counted(events, "event"),
                counted(seen, "person")
            )));
        }
        Self::new((0..seen).map(|i| f64::from(u8::from(i < events))).collect(), randomised)
    }

    /// The outcomes that were seen.
    pub fn seen(&self) -> &[f64] {
        &self.seen
    }

    /// The number of people who were randomised.
    pub fn randomised(&self) -> u64 {
        self.randomised
    }

    /// The share of people who were seen.
    pub fn response(&self) -> f64 {
        self.seen.len() as f64 / self.randomised as f64
    }

    /// The mean of those who were seen.
    pub fn mean(&self) -> f64 {
        mean(&self.seen)
    }

    /// The standard deviation of those who were seen, with divisor n - 1.
    ///
    /// # Errors
    /// `insufficient_observations` where one person was seen.
    pub fn sd(&self) -> Result<f64> {
        if self.seen.len() < 2 {
            let why = "one outcome of this arm was seen, which has no standard deviation; read worst-case bounds instead";
            return Err(ErrorKind::InsufficientObservations(why.to_owned()).into());
        }
        let (mean, n) = (self.mean(), self.seen.len() as f64);
        Ok((self.seen.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
    }

    /// Mean and squared standard error of the mean of those who were seen, NaN of one person.
    pub(super) fn seen_alone(&self) -> (f64, f64) {
        (self.mean(), self.sd().map_or(f64::NAN, |sd| sd * sd / self.seen.len() as f64))
    }

    /// Mean and squared standard error of the mean, where the others have this value.
    pub(super) fn filled(&self, value: f64) -> (f64, f64) {
        let (n, seen) = (self.randomised as f64, self.seen.len() as f64);
        let share = seen / n;
        let mean = share * self.mean() + (1.0 - share) * value;
        let squares: f64 = self.seen.iter().map(|x| (x - mean).powi(2)).sum();
        let squares = squares + (n - seen) * (value - mean).powi(2);
        (mean, squares / (n - 1.0) / n)
    }

    fn check(&self) -> Result<()> {
        let Self { seen, randomised } = self;
        if seen.len() as u64 > *randomised || *randomised > 1 << 53 {
            return Err(Error::invalid(format!(
                "{} of {}; give at most one for each, and at most 2^53 people",
                counted(seen.len(), "outcome"),
                counted(randomised, "person")
            )));
        }
        if let Some(bad) = seen.iter().find(|x| x.is_nan() || x.abs() > 1e150) {
            return Err(Error::invalid(format!(
                "an outcome is {}; give finite numbers up to 1e150",
                number(*bad)
            )));
        }
        if seen.is_empty() {
            let why = "nobody of this arm was seen; give at least one outcome";
            return Err(ErrorKind::InsufficientObservations(why.to_owned()).into());
        }
        Ok(())
    }
}

/// The mean in two passes.
pub(super) fn mean(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let first = values.iter().map(|x| x / n).sum::<f64>();
    first + values.iter().map(|x| (x - first) / n).sum::<f64>()
}

/// An interval for an effect that is known only to lie between two bounds, each with a standard error.
///
/// # Formula
///
/// `lower - c se_lower` to `upper + c se_upper`, where `c` solves
/// `Phi(c + (upper - lower) / max(se_lower, se_upper)) - Phi(-c) = level`: it covers the effect, not the whole of the
/// bounds. At bounds that coincide `c` is the two-sided normal quantile, at bounds far apart the one-sided one.
///
/// # Examples
/// ```
/// use armwise::missing::ImbensManski;
///
/// let apart = ImbensManski::new([0.1, 0.5], [0.02, 0.02], 0.95)?;
/// assert!((apart.critical - 1.6449).abs() < 1e-4);
/// let point = ImbensManski::new([0.1, 0.1], [0.02, 0.02], 0.95)?;
/// assert!((point.critical - 1.9600).abs() < 1e-4);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Imbens & Manski (2004), Econometrica 72:1845. Stoye (2009), Econometrica 77:1299.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImbensManski {
    /// The multiple of the standard errors.
    pub critical: f64,
    /// The interval.
    pub interval: Interval,
}

impl ImbensManski {
    /// From the bounds, lower before upper, with their standard errors.
    ///
    /// # Errors
    /// `invalid_input` for a level that is not between 0 and 1, an upper bound below the lower one, and numbers that are
    /// not finite or standard errors below zero.
    pub fn new(bounds: [f64; 2], se: [f64; 2], level: f64) -> Result<Self> {
        check_level(level)?;
        let ([lower, upper], largest) = (bounds, se[0].max(se[1]));
        let sound =
            bounds.iter().chain(&se).all(|x| x.is_finite()) && upper >= lower && se[0].min(se[1]) >= 0.0;
        if !sound {
            return Err(Error::invalid(format!(
                "bounds of {lower} and {upper} with standard errors {} and {}; give the lower bound first, and finite numbers",
                se[0], se[1]
            )));
        }
        let width = if largest > 0.0 { (upper - lower) / largest } else { 0.0 };
        let two_sided = Normal.upper_quantile(0.5 * (1.0 - level));
        let one_sided = Normal.upper_quantile(1.0 - level);
        // The chance of a miss on either side, less the one that is allowed.
        let excess = |c: f64| Normal.sf(c + width) + Normal.sf(c) - (1.0 - level);
        let critical = if width == 0.0 {
            two_sided
        } else if excess(one_sided) <= 0.0 {
            one_sided
        } else {
            root(excess, one_sided, two_sided)
        };
        Ok(Self { critical, interval: Interval::new(lower - critical * se[0], upper + critical * se[1])? })
    }
}

/// The effects that are possible whatever the missing outcomes are, of an outcome with a smallest and a largest value.
///
/// # Formula
///
/// The mean of an arm lies between that with every missing outcome at the smallest value and that with every one at the
/// largest. The effect lies between the lower bound of the treatment less the upper one of the control, and the reverse.
/// The standard error of a bound is Welch's of the outcomes filled so.
///
/// # Assumptions
/// None about the missing. The interval rests on normal means.
///
/// # Errors
/// Of [`WorstCase::new`]: `invalid_input` for an outcome outside the range.
///
/// # Examples
/// See [the module](crate::missing).
///
/// # References
/// Horowitz & Manski (2000), JASA 95:77.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorstCase {
    /// The bounds of the mean of the treatment.
    pub treatment: Interval,
    /// The bounds of the mean of the control arm.
    pub control: Interval,
    /// The bounds of the effect.
    pub effect: Interval,
    /// The difference in the means of those who were seen.
    pub complete_cases: f64,
    /// The difference where all missing outcomes of both arms have the smallest value, and the largest.
    pub all_alike: [f64; 2],
    /// Standard errors of both bounds; `None` where an arm has one person.
    pub se: Option<[f64; 2]>,
}

impl WorstCase {
    /// Bounds for outcomes within `range`: 0 to 1 for an event.
    ///
    /// # Errors
    /// See [`WorstCase`].
    pub fn new(treatment: &PartlyObserved, control: &PartlyObserved, range: Interval) -> Result<Self> {
        Self::check_range(treatment, control, range)?;
        let (low, high) = (range.lower(), range.upper());
        let [t_low, t_high] = [low, high].map(|value| treatment.filled(value));
        let [c_low, c_high] = [low, high].map(|value| control.filled(value));
        // Where nobody is missing the same sum is taken twice.
        let between = |a: f64, b: f64| Interval::new(a.min(b), b);
        let se = (treatment.randomised > 1 && control.randomised > 1)
            .then(|| [(t_low.1 + c_high.1).sqrt(), (t_high.1 + c_low.1).sqrt()]);
        Ok(Self {
            treatment: between(t_low.0, t_high.0)?,
            control: between(c_low.0, c_high.0)?,
            effect: between(t_low.0 - c_high.0, t_high.0 - c_low.0)?,
            complete_cases: treatment.mean() - control.mean(),
            all_alike: [t_low.0 - c_low.0, t_high.0 - c_high.0],
            se,
        })
    }

    pub(super) fn check_range(
        treatment: &PartlyObserved,
        control: &PartlyObserved,
        range: Interval,
    ) -> Result<()> {
        let (low, high) = (range.lower(), range.upper());
        if !(low.abs() <= 1e150 && high.abs() <= 1e150) {
            return Err(Error::invalid(
                "the range of an outcome is not finite; bounds need its smallest and largest value",
            ));
        }
        if let Some(beyond) = treatment.seen.iter().chain(&control.seen).find(|x| !range.contains(**x)) {
            return Err(Error::invalid(format!(
                "an outcome is {beyond}, outside the range {low} to {high}; give the smallest and the largest value that it can have"
            )));
        }
        Ok(())
    }

    /// The interval for the effect.
    ///
    /// # Errors
    /// A level that is not between 0 and 1; `insufficient_observations` where an arm has one person.
    pub fn interval(&self, level: f64) -> Result<ImbensManski> {
        imbens_manski(self.effect, self.se, level)
    }
}

/// The interval of bounds that may lack a standard error.
pub(super) fn imbens_manski(effect: Interval, se: Option<[f64; 2]>, level: f64) -> Result<ImbensManski> {
    let Some(se) = se else {
        let why = "an arm of one person has no standard error; read the bounds alone";
        return Err(ErrorKind::InsufficientObservations(why.to_owned()).into());
    };
    ImbensManski::new([effect.lower(), effect.upper()], se, level)
}
