use super::fisher;
use super::search::out_of_reach;
use super::{Aim, GroupSizes, Tails, TestLevel, WaldPower, check_power, check_ratio};
use crate::compute::distribution::Normal;
use crate::compute::roots::root;
use crate::error::{Error, Result, number};
use serde::{Deserialize, Serialize};

/// The formula for the power of a test of two proportions.
///
/// `p1` and `p0` are the proportions, `q` their complements, `n1` and `n0` the sizes, `d = abs(p1 - p0)`, `c`
/// the critical value, `s = sqrt(p1 q1 / n1 + p0 q0 / n0)`, `t = sqrt(p q (1 / n1 + 1 / n0))` with the
/// proportion `p` of both groups together. A two-sided power adds the opposite tail where [`Tails::Both`]
/// asks for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProportionFormula {
    /// The test with the pooled variance: `Phi((d - c t) / s)`. The default. Fleiss, Levin & Paik (2003),
    /// Statistical Methods for Rates and Proportions, chapter 4.
    #[default]
    Pooled,
    /// The test with the unpooled variance: `Phi(d / s - c)`.
    Unpooled,
    /// The variance-stabilised test: `Phi(abs(h) sqrt(n1 n0 / (n1 + n0)) - c)` with Cohen's
    /// `h = 2 asin(sqrt(p1)) - 2 asin(sqrt(p0))`. Cohen (1988), chapter 6.
    Arcsine,
    /// The pooled test with a continuity correction, `Phi((d - (1 / n1 + 1 / n0) / 2 - c t) / s)`; its
    /// opposite tail is never counted. Its size is `n0 / 4 (1 + sqrt(1 + 2 (r + 1) / (n0 r d)))^2` of the
    /// pooled test's `n0`. Casagrande, Pike & Smith (1978), Biometrics 34:483; Fleiss, Tytun & Ury (1980),
    /// Biometrics 36:343.
    ContinuityCorrected,
    /// Fisher's exact test, all tables counted; two-sided p-values add the tables that are no likelier than
    /// the observed one. Whole people only.
    FisherExact,
    /// Wald's test of the log ratio of proportions, variance `q1 / (n1 p1) + q0 / (n0 p0)`.
    LogRiskRatio,
    /// Wald's test of the log odds ratio, variance `1 / (n1 p1 q1) + 1 / (n0 p0 q0)`.
    LogOddsRatio,
}

/// The direction of a detectable effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Direction {
    /// The treated group has more. The default.
    #[default]
    Increase,
    /// The treated group has less.
    Decrease,
}

/// The power, size and detectable effect of a test of two proportions.
///
/// # Formula
///
/// That of each [`ProportionFormula`]. Sizes are closed where one tail is counted and the formula has a
/// closed form, else they are the root of the power. The detectable effect is the root of the power in `p1`.
///
/// # Examples
///
/// What 930 and 925 people show of a base rate of 20% (in percentage points):
/// ```
/// use armwise::power::{Direction, GroupSizes, ProportionFormula};
/// use armwise::power::{TestLevel, TwoProportionsPower};
///
/// let (test, sizes) = (TestLevel::two_sided(0.05)?, GroupSizes::new(930.0, 925.0)?);
/// let pooled = ProportionFormula::Pooled;
/// let more =
///     TwoProportionsPower::detectable(0.20, pooled, Direction::Increase, 0.8, sizes, test)?;
/// assert!((more - 0.0544845).abs() < 1e-7);
/// let less =
///     TwoProportionsPower::detectable(0.20, pooled, Direction::Decrease, 0.8, sizes, test)?;
/// assert!((less + 0.0494294).abs() < 1e-7);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, 3rd ed., chapter 4. Farrington
/// & Manning (1990), Statistics in Medicine 9:1447.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct TwoProportionsPower {
    treated: f64,
    control: f64,
    formula: ProportionFormula,
}

checked!(TwoProportionsPower);

impl TwoProportionsPower {
    /// The proportions of the treated and of the control group.
    ///
    /// # Errors
    /// `invalid_input` for proportions that are not above 0 and below 1: with none or all there is no
    /// variance.
    pub fn new(treated: f64, control: f64, formula: ProportionFormula) -> Result<Self> {
        let power = Self { treated, control, formula };
        power.check().map(|()| power)
    }

    fn check(&self) -> Result<()> {
        for (group, p) in [("treated", self.treated), ("control", self.control)] {
            if !(p > 0.0 && p < 1.0) {
                return Err(Error::invalid(format!(
                    "the proportion of the {group} group is {}; give a share above 0 and below 1, such as 0.2 for 20%",
                    number(p)
                )));
            }
        }
        Ok(())
    }

    /// The difference of the proportions.
    pub fn difference(&self) -> f64 {
        self.treated - self.control
    }

    /// Cohen's h, the difference of the proportions on the arcsine scale.
    pub fn cohens_h(&self) -> f64 {
        let angle = |p: f64| 2.0 * p.sqrt().asin();
        angle(self.treated) - angle(self.control)
    }

    /// The same proportions by another formula.
    #[must_use]
    pub fn by(mut self, formula: ProportionFormula) -> Self {
        self.formula = formula;
        self
    }

    /// The formula.
    pub fn formula(&self) -> ProportionFormula {
        self.formula
    }

    /// As an effect with its variances; the pooled variance is that of groups in this ratio. `None` for
    /// Fisher's exact test.
    pub fn wald(&self, ratio: f64) -> Option<WaldPower> {
        let variance = |p: f64| p * (1.0 - p);
        let (p1, p0) = (self.treated, self.control);
        let (effect, variances) = match self.formula {
            ProportionFormula::Pooled
            | ProportionFormula::Unpooled
            | ProportionFormula::ContinuityCorrected => (p1 - p0, [variance(p1), variance(p0)]),
            ProportionFormula::Arcsine => (self.cohens_h(), [1.0, 1.0]),
            ProportionFormula::LogRiskRatio => ((p1 / p0).ln(), [(1.0 - p1) / p1, (1.0 - p0) / p0]),
            ProportionFormula::LogOddsRatio => {
                let logit = |p: f64| (p / (1.0 - p)).ln();
                (logit(p1) - logit(p0), [1.0 / variance(p1), 1.0 / variance(p0)])
            }
            ProportionFormula::FisherExact => return None,
        };
        let wald = WaldPower::new(effect, variances).ok()?;
        match self.formula {
            ProportionFormula::Pooled | ProportionFormula::ContinuityCorrected => {
                let pooled = variance((ratio * p1 + p0) / (1.0 + ratio));
                wald.under_null([pooled, pooled]).ok()
            }
            _ => Some(wald),
        }
    }

    /// The power of a test of no difference.
    ///
    /// # Errors
    /// `invalid_input` for Fisher's exact test of groups that are not whole, or of more than 2.5e7 tables.
    pub fn power(&self, sizes: GroupSizes, test: TestLevel) -> Result<f64> {
        let Some(wald) = self.wald(sizes.ratio()) else {
            return fisher::power(self.treated, self.control, sizes, test);
        };
        if self.formula == ProportionFormula::ContinuityCorrected {
            let correction = 0.5 * (1.0 / sizes.treated() + 1.0 / sizes.control());
            // The opposite tail is left out, and a difference below the correction counts against.
            let shifted = self.difference().abs() - correction;
            let pooled = wald.null_se(sizes);
            return Ok(Normal.cdf((shifted - test.critical() * pooled) / wald.se(sizes)));
        }
        wald.power(Aim::Difference, sizes, test)
    }

    /// The power of a claim with a margin on the difference of proportions, by the unpooled variance: for
    /// non-inferiority the treated proportion is better where it is higher.
    ///
    /// # Errors
    /// `invalid_input` for a margin that is not a positive number.
    pub fn power_of(&self, aim: Aim, sizes: GroupSizes, test: TestLevel) -> Result<f64> {
        if aim == Aim::Difference {
            self.power(sizes, test)
        } else {
            self.unpooled()?.power(aim, sizes, test)
        }
    }

    /// The sizes for a claim with a margin, as [`power_of`](Self::power_of).
    ///
    /// # Errors
    /// As [`WaldPower::sizes`].
    pub fn sizes_of(&self, aim: Aim, power: f64, ratio: f64, test: TestLevel) -> Result<GroupSizes> {
        if aim == Aim::Difference {
            return self.sizes(power, ratio, test);
        }
        self.unpooled()?.sizes(aim, power, ratio, test)
    }

    fn unpooled(&self) -> Result<WaldPower> {
        let variance = |p: f64| p * (1.0 - p);
        WaldPower::new(self.difference(), [variance(self.treated), variance(self.control)])
    }

    /// The sizes for a power, the treated group `ratio` times the control group.
    ///
    /// # Errors
    /// `invalid_input` for a power or ratio outside its range, equal proportions, and Fisher's exact test,
    /// whose power does not rise steadily with the size: take the size of the continuity-corrected test, and
    /// look at the power of sizes near it.
    pub fn sizes(&self, power: f64, ratio: f64, test: TestLevel) -> Result<GroupSizes> {
        check_power(power)?;
        check_ratio(ratio)?;
        let wald = self.wald(ratio).ok_or_else(|| {
            out_of_reach(
                "the power of Fisher's exact test does not rise steadily with the size; take the size of the \
                 continuity-corrected formula, and look at the exact power of the sizes near it",
            )
        })?;
        if self.formula != ProportionFormula::ContinuityCorrected {
            return wald.sizes(Aim::Difference, power, ratio, test);
        }
        let plain = wald.sizes(Aim::Difference, power, ratio, test.nearer_tail())?.control();
        let d = self.difference().abs();
        let corrected = 1.0 + (1.0 + 2.0 * (ratio + 1.0) / (plain * ratio * d)).sqrt();
        GroupSizes::in_ratio(0.25 * plain * corrected * corrected, ratio)
    }

    /// The smallest difference that is detected with a power by these sizes; negative for a decrease.
    ///
    /// # Errors
    /// `invalid_input` for a proportion, power or size outside its range, and where no proportion on that
    /// side is detected with this power.
    pub fn detectable(
        control: f64,
        formula: ProportionFormula,
        direction: Direction,
        power: f64,
        sizes: GroupSizes,
        test: TestLevel,
    ) -> Result<f64> {
        check_power(power)?;
        Self::new(control, control, formula)?;
        let at = |treated: f64| Self::new(treated, control, formula)?.power(sizes, test);
        // The proportions nearest to none and all that have a variance.
        let end = match direction {
            Direction::Increase => 1.0 - 1e-12,
            Direction::Decrease => 1e-12,
        };
        if at(control)? >= power {
            return Err(out_of_reach(
                "the test rejects as often without a difference; give a power above the significance level",
            ));
        }
        // Wald's tests lose their power again near none and all: the nearest proportion counts.
        let mut before = control;
        let mut reached = None;
        for step in 1..=64 {
            let there = control + (end - control) * (f64::from(step) / 64.0).powi(2);
            if at(there)? >= power {
                reached = Some(there);
                break;
            }
            before = there;
        }
        let Some(reached) = reached else {
            let word = if direction == Direction::Increase { "all" } else { "none" };
            return Err(Error::invalid(format!(
                "no proportion up to {word} is told from {} with a power of {} by these sizes; give larger groups or a \
                 lower power",
                number(control),
                number(power)
            )));
        };
        let excess = |treated: f64| at(treated).map_or(f64::NAN, |found| found - power);
        Ok(root(excess, before, reached) - control)
    }

    /// The closed approximation of the detectable effect, `(c + z) sqrt(p0 q0 (1 / n1 + 1 / n0))`: the
    /// variance of the control group in both.
    ///
    /// # Errors
    /// `invalid_input` for a proportion or power outside its range.
    pub fn detectable_by_control_variance(
        control: f64,
        power: f64,
        sizes: GroupSizes,
        test: TestLevel,
    ) -> Result<f64> {
        check_power(power)?;
        Self::new(control, control, ProportionFormula::Unpooled)?;
        let variance = control * (1.0 - control) * (1.0 / sizes.treated() + 1.0 / sizes.control());
        Ok(test.nearer_shift(power) * variance.sqrt())
    }
}

impl ProportionFormula {
    /// The formula in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Pooled => "z test of two proportions, pooled variance",
            Self::Unpooled => "z test of two proportions, unpooled variance",
            Self::Arcsine => "z test of two proportions on the arcsine scale",
            Self::ContinuityCorrected => "z test of two proportions, pooled variance, continuity-corrected",
            Self::FisherExact => "Fisher's exact test",
            Self::LogRiskRatio => "Wald test of the log ratio of proportions",
            Self::LogOddsRatio => "Wald test of the log odds ratio",
        }
    }

    /// All formulas.
    pub const ALL: [Self; 7] = [
        Self::Pooled,
        Self::Unpooled,
        Self::Arcsine,
        Self::ContinuityCorrected,
        Self::FisherExact,
        Self::LogRiskRatio,
        Self::LogOddsRatio,
    ];

    /// Whether a two-sided power counts the opposite tail.
    pub fn counts(self, tails: Tails) -> bool {
        tails == Tails::Both && self != Self::ContinuityCorrected
    }
}
