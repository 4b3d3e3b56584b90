use super::outcome::{ExpectedOutcome, Kernel, tail_of};
use super::{Design, Question};
use crate::compute::power::{
    Aim, Clustering, Family, GroupSizes, ManyToOne, ProportionFormula, Rounding, Tails, TestLevel, WaldPower,
    WholeSizes, check_power, whole_above,
};
use crate::compute::roots::root;
use crate::compute::sequential::GroupSequential;
use crate::error::{Error, Result, counted, number};
use serde::{Deserialize, Serialize};

/// The sizes of the arms, relative to each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ArmRatio {
    /// All arms alike. The default.
    #[default]
    Equal,
    /// Each treated arm as many times as large as the control arm.
    TreatedPerControl(f64),
    /// The control arm `sqrt(k)` times as large as each of the `k` treated arms, which makes the variances of
    /// all comparisons least for the same people (Dunnett 1955).
    OptimalSharedControl,
}

/// A trial that is planned: the outcome as it is expected, and everything that decides how much it shows.
///
/// # Formula
///
/// Recruited people are those of the kernel (module [`power`](crate::power)) times the design effect of
/// clusters, over one minus the attrition; covariates leave `1 - R2` of the variance; with take-up the effect
/// is that of the offer. Each of several treated arms is compared with the control arm at the level of its
/// family. With looks, power and size are those of the group sequential design, whose level then holds.
///
/// # Assumptions
///
/// In words in every answer: [`Design::assumptions`].
///
/// # Examples
///
/// Three treatments against one control, 20% and 26% at work, one in eight lost:
/// ```
/// use armwise::power::Family;
/// use armwise::prospective::{ArmRatio, ExpectedOutcome, PlannedTrial};
///
/// let trial = PlannedTrial::new(ExpectedOutcome::proportions(0.26, 0.20))?
///     .treatments(3, Family::Bonferroni)?
///     .arm_ratio(ArmRatio::OptimalSharedControl)?
///     .attrition(0.125)?;
/// let design = trial.people_for(0.8)?;
/// assert!(design.power >= 0.8 && design.people.control > design.people.treated);
/// let detectable = trial.detectable(design.people, 0.8)?;
/// assert!((detectable.effect - 0.06).abs() < 1e-3);
/// println!("{design}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Those of the modules [`power`](crate::power) and [`sequential`](crate::sequential).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct PlannedTrial {
    pub(super) outcome: ExpectedOutcome,
    pub(super) aim: Aim,
    pub(super) test: TestLevel,
    pub(super) treatments: u32,
    pub(super) family: Family,
    pub(super) ratio: ArmRatio,
    pub(super) covariates: u32,
    pub(super) r2: f64,
    pub(super) clusters: Option<Clustering>,
    pub(super) attrition: f64,
    /// Of the treated arm and of the control arm.
    pub(super) take_up: [f64; 2],
    pub(super) looks: Option<GroupSequential>,
    pub(super) rounding: Rounding,
}

checked!(PlannedTrial);

impl PlannedTrial {
    /// One treated arm and a control arm of the same size, a two-sided test at 5%, everybody followed and
    /// treated as assigned.
    ///
    /// # Errors
    /// `invalid_input` for an outcome that cannot be.
    pub fn new(outcome: ExpectedOutcome) -> Result<Self> {
        let trial = Self {
            outcome,
            aim: Aim::Difference,
            test: TestLevel::two_sided(0.05)?,
            treatments: 1,
            family: Family::Unadjusted,
            ratio: ArmRatio::Equal,
            covariates: 0,
            r2: 0.0,
            clusters: None,
            attrition: 0.0,
            take_up: [1.0, 0.0],
            looks: None,
            rounding: Rounding::EachGroupUp,
        };
        trial.check().map(|()| trial)
    }

    fn with(mut self, set: impl FnOnce(&mut Self)) -> Result<Self> {
        set(&mut self);
        self.check().map(|()| self)
    }

    /// The claim; default: a difference. Margins are on the scale of the effect.
    ///
    /// # Errors
    /// `invalid_input` for a margin that is not positive.
    pub fn aim(self, aim: Aim) -> Result<Self> {
        self.with(|trial| trial.aim = aim)
    }

    /// The significance level and its tails; default: 5%, two-sided, both tails counted.
    ///
    /// # Errors
    /// None of its own.
    pub fn test(self, test: TestLevel) -> Result<Self> {
        self.with(|trial| trial.test = test)
    }

    /// The number of treated arms that share the control arm, and how they share the level; default: one.
    ///
    /// # Errors
    /// `invalid_input` for no treatment, or more than 100.
    pub fn treatments(self, treatments: u32, family: Family) -> Result<Self> {
        self.with(|trial| (trial.treatments, trial.family) = (treatments, family))
    }

    /// The sizes of the arms, relative to each other; default: alike.
    ///
    /// # Errors
    /// `invalid_input` for a ratio that is not positive.
    pub fn arm_ratio(self, ratio: ArmRatio) -> Result<Self> {
        self.with(|trial| trial.ratio = ratio)
    }

    /// Covariates and strata, and the share of the variance within arms that they explain; default: none.
    ///
    /// # Errors
    /// `invalid_input` for a share that is not from 0 to below 1, or explained by none.
    pub fn explained(self, covariates: u32, r2: f64) -> Result<Self> {
        self.with(|trial| (trial.covariates, trial.r2) = (covariates, r2))
    }

    /// People in clusters that are assigned as a whole; default: one by one.
    ///
    /// # Errors
    /// None of its own.
    pub fn clusters(self, clusters: Clustering) -> Result<Self> {
        self.with(|trial| trial.clusters = Some(clusters))
    }

    /// The share whose outcome will be missing; default: 0.
    ///
    /// # Errors
    /// `invalid_input` for a share that is not from 0 to below 1.
    pub fn attrition(self, share: f64) -> Result<Self> {
        self.with(|trial| trial.attrition = share)
    }

    /// The shares of the treated arm and of the control arm that take the treatment up; default: all, and
    /// none. The expected outcome is then that of those who take it up, and the effect of the offer is
    /// smaller.
    ///
    /// # Errors
    /// `invalid_input` for shares outside 0 to 1, no difference between them, and an outcome whose effect of
    /// the offer does not follow.
    pub fn take_up(self, treated: f64, control: f64) -> Result<Self> {
        self.with(|trial| trial.take_up = [treated, control])
    }

    /// Looks at the data before the end, whose level and tails then hold; default: none.
    ///
    /// # Errors
    /// `invalid_input` beside an aim of equivalence, and for several treatments at an adjusted level.
    pub fn looks(self, looks: GroupSequential) -> Result<Self> {
        self.with(|trial| {
            trial.test = looks.test();
            trial.looks = Some(looks);
        })
    }

    /// The way in which people are made whole; default: each arm up.
    ///
    /// # Errors
    /// None of its own.
    pub fn rounding(self, rounding: Rounding) -> Result<Self> {
        self.with(|trial| trial.rounding = rounding)
    }

    pub(super) fn check(&self) -> Result<()> {
        self.outcome.check()?;
        self.aim.check()?;
        if self.treatments == 0 || self.treatments > 100 {
            return Err(Error::invalid(format!("{}; give 1 to 100", counted(self.treatments, "treatment"))));
        }
        let ratio = self.per_control();
        if !(ratio > 0.0 && ratio.is_finite()) {
            return Err(Error::invalid(format!(
                "each treated arm is {} times the control arm; give a positive ratio, such as 1",
                number(ratio)
            )));
        }
        if !(0.0..1.0).contains(&self.r2) || (self.r2 > 0.0 && self.covariates == 0) {
            return Err(Error::invalid(format!(
                "{} explain a share of {}; give at least one covariate, and a share from 0 to below 1",
                counted(self.covariates, "covariate"),
                number(self.r2)
            )));
        }
        if !(0.0..1.0).contains(&self.attrition) {
            return Err(Error::invalid(format!(
                "the share whose outcome is missing is {}; give one from 0 to below 1",
                number(self.attrition)
            )));
        }
        let [treated, control] = self.take_up;
        if !(treated <= 1.0 && control >= 0.0 && treated > control) {
            return Err(Error::invalid(format!(
                "{} of the treated arm and {} of the control arm take the treatment up; give shares from 0 to 1, the first \
                 the larger",
                number(treated),
                number(control)
            )));
        }
        if self.looks.is_some() {
            if matches!(self.aim, Aim::Equivalence { .. }) {
                return Err(Error::invalid(
                    "looks belong to one claim, and equivalence is two; plan it without looks, or for non-inferiority",
                ));
            }
            if self.treatments > 1 && self.family != Family::Unadjusted {
                return Err(Error::invalid(
                    "looks with an adjusted level; make the looks at the level of one comparison, and leave the family unadjusted",
                ));
            }
        }
        self.offered().map(drop)
    }

    /// Each treated arm over the control arm.
    pub(super) fn per_control(&self) -> f64 {
        match self.ratio {
            ArmRatio::Equal => 1.0,
            ArmRatio::TreatedPerControl(ratio) => ratio,
            ArmRatio::OptimalSharedControl => 1.0 / f64::from(self.treatments).sqrt(),
        }
    }

    /// The outcome of the offer.
    fn offered(&self) -> Result<ExpectedOutcome> {
        let share = self.take_up[0] - self.take_up[1];
        if self.take_up == [1.0, 0.0] { Ok(self.outcome.clone()) } else { self.outcome.diluted(share) }
    }

    /// The outcome that power is about.
    pub(super) fn power_basis(&self) -> Result<ExpectedOutcome> {
        self.offered()
    }

    /// Whether the claim is a difference, without looks.
    pub(super) fn is_plain(&self) -> bool {
        self.aim == Aim::Difference && self.looks.is_none()
    }

    /// The standard error of the effect of one comparison.
    pub(super) fn se(&self, outcome: &ExpectedOutcome, recruited: GroupSizes) -> Result<f64> {
        let sizes = self.counted_as(recruited)?;
        match (outcome.kernel(sizes.ratio(), self.covariates, self.r2)?, outcome) {
            (Kernel::Means(means), ExpectedOutcome::Means { sd, .. }) => {
                let each = 1.0 / sizes.treated() + 1.0 / sizes.control();
                Ok(sd * (each * means.variance_factor()).sqrt())
            }
            (Kernel::Proportions(two), ExpectedOutcome::Proportions { formula, .. }) => {
                // The arcsine and exact tests have no interval of their own: that of the difference.
                let scale = match formula {
                    ProportionFormula::LogRiskRatio | ProportionFormula::LogOddsRatio => *formula,
                    _ => ProportionFormula::Unpooled,
                };
                let two = two.by(scale);
                Ok(Self::wald(Kernel::Proportions(two), sizes.ratio())?.se(sizes))
            }
            (kernel, _) => Ok(Self::wald(kernel, sizes.ratio())?.se(sizes)),
        }
    }

    /// The degrees of freedom of one comparison, of means.
    pub(super) fn df(&self, recruited: GroupSizes) -> Result<Option<f64>> {
        if !matches!(self.outcome, ExpectedOutcome::Means { .. }) {
            return Ok(None);
        }
        let df = self.counted_as(recruited)?.total() - 2.0 - f64::from(self.covariates);
        if df > 0.0 {
            return Ok(Some(df));
        }
        Err(Error::invalid("these people leave no degrees of freedom; give more"))
    }

    /// The test of one comparison.
    pub(super) fn comparison_test(&self, ratio: f64) -> Result<TestLevel> {
        let k = self.treatments as usize;
        if self.family != Family::Dunnett || k == 1 {
            return self.test.at(self.family.level(self.test.alpha(), k));
        }
        let mut sizes = vec![ratio; k + 1];
        sizes[0] = 1.0;
        let critical = ManyToOne::new(&vec![0.0; k], &sizes)?.critical_value(self.test)?;
        let sides = if self.test.tails() == Tails::One { 1.0 } else { 2.0 };
        self.test.at(sides * tail_of(critical))
    }

    /// People of each arm who count as much as those recruited.
    fn counted_as(&self, recruited: GroupSizes) -> Result<GroupSizes> {
        let effect = self.clusters.map_or(1.0, |clusters| clusters.design_effect());
        // Means keep their covariates in the kernel, for the degrees of freedom.
        let explained = if matches!(self.outcome, ExpectedOutcome::Means { .. }) { 0.0 } else { self.r2 };
        recruited.scaled((1.0 - self.attrition) / (effect * (1.0 - explained)))
    }

    /// The power of one comparison.
    pub(super) fn power_of(&self, outcome: &ExpectedOutcome, recruited: GroupSizes) -> Result<f64> {
        let sizes = self.counted_as(recruited)?;
        let test = self.comparison_test(sizes.ratio())?;
        let kernel = self.for_aim(outcome.kernel(sizes.ratio(), self.covariates, self.r2)?);
        if let Some(looks) = &self.looks {
            let (effect, se) = if let Kernel::Means(_) = kernel {
                (outcome.effect(), self.se(outcome, recruited)?)
            } else {
                let wald = Self::wald(kernel, sizes.ratio())?;
                (wald.effect(), wald.se(sizes))
            };
            let shift = match self.aim {
                Aim::NonInferiority { margin } => (effect + margin) / se,
                _ => effect.abs() / se,
            };
            return looks.power(shift.clamp(-30.0, 30.0));
        }
        match (kernel, self.aim) {
            (Kernel::Proportions(two), Aim::Difference) => two.power(sizes, test),
            (Kernel::Means(means), Aim::Difference) => means.power(sizes, test),
            (Kernel::Means(means), aim) => self.means_with_margin(outcome, means.df(sizes), aim, sizes, test),
            (kernel, aim) => Self::wald(kernel, sizes.ratio())?.power(aim, sizes, test),
        }
    }

    /// A margin is on the scale of the effect: proportions are then compared by their difference with the unpooled
    /// variance, unless the formula is of a ratio.
    fn for_aim(&self, kernel: Kernel) -> Kernel {
        let Kernel::Proportions(two) = kernel else { return kernel };
        let ratio =
            [ProportionFormula::LogRiskRatio, ProportionFormula::LogOddsRatio].contains(&two.formula());
        if self.aim == Aim::Difference || ratio {
            return kernel;
        }
        Kernel::Proportions(two.by(ProportionFormula::Unpooled))
    }

    /// An effect on the scale of the margin.
    fn wald(kernel: Kernel, ratio: f64) -> Result<WaldPower> {
        match kernel {
            Kernel::Wald(wald) => Ok(wald),
            Kernel::Means(_) => Err(Error::invalid("a t test is no z test; plan it without looks")),
            Kernel::Proportions(two) => two.wald(ratio).ok_or_else(|| {
                Error::invalid("Fisher's exact test has no margin and no looks; take the unpooled formula")
            }),
        }
    }

    /// Margins of means, by noncentral t.
    fn means_with_margin(
        &self,
        outcome: &ExpectedOutcome,
        df: f64,
        aim: Aim,
        sizes: GroupSizes,
        test: TestLevel,
    ) -> Result<f64> {
        let ExpectedOutcome::Means { difference, sd } = outcome else {
            return Err(Error::invalid("no means; give a difference of means"));
        };
        let one = TestLevel::one_sided(test.in_tail())?;
        let se = sd * ((1.0 / sizes.treated() + 1.0 / sizes.control()) * (1.0 - self.r2)).sqrt();
        match aim {
            Aim::NonInferiority { margin } => one.t_power(df, (difference + margin) / se),
            Aim::Equivalence { margin } => {
                let above = one.t_power(df, (difference + margin) / se)?;
                let below = one.t_power(df, (margin - difference) / se)?;
                Ok((above + below - 1.0).max(0.0))
            }
            Aim::Difference => one.t_power(df, difference.abs() / se),
        }
    }

    /// The scale of the effect, in words.
    pub fn scale(&self) -> &'static str {
        self.outcome.scale()
    }

    /// The power of these people (each treated arm, and the control arm).
    ///
    /// # Errors
    /// `invalid_input` for more looks than people, and what the kernel refuses.
    pub fn power(&self, people: WholeSizes) -> Result<Design> {
        self.check_looks(people)?;
        let offered = self.offered()?;
        let power = self.power_of(&offered, people.sizes()?)?;
        self.design(Question::Power, people, power, offered.effect())
    }

    fn check_looks(&self, people: WholeSizes) -> Result<()> {
        let all = people.control + u64::from(self.treatments) * people.treated;
        match &self.looks {
            Some(looks) if looks.looks().len() as u64 > all => Err(Error::invalid(format!(
                "{} at {}; give at most as many looks as people",
                counted(looks.looks().len(), "look"),
                counted(all, "person").replace("persons", "people")
            ))),
            _ => Ok(()),
        }
    }

    /// The people for a power, made whole by the rounding.
    ///
    /// # Errors
    /// `invalid_input` for a power outside its range, no effect, and an effect beyond the margin.
    pub fn people_for(&self, power: f64) -> Result<Design> {
        let people = self.sizes_for(power)?.whole(self.rounding)?;
        self.check_looks(people)?;
        let offered = self.offered()?;
        let reached = self.power_of(&offered, people.sizes()?)?;
        self.design(Question::People, people, reached, offered.effect())
    }

    /// The people for a power, as real numbers.
    ///
    /// # Errors
    /// As [`people_for`](Self::people_for).
    pub fn sizes_for(&self, power: f64) -> Result<GroupSizes> {
        check_power(power)?;
        let offered = self.offered()?;
        if offered.effect() == 0.0 && self.aim == Aim::Difference {
            return Err(Error::invalid(
                "the effect is 0, which no number of people shows; give the smallest effect that matters",
            ));
        }
        let ratio = self.per_control();
        let at = |control: f64| self.power_of(&offered, GroupSizes::in_ratio(control, ratio)?);
        // From where the kernels have an answer, upwards.
        let mut low = 1.0;
        while at(low).is_err() && low < 1e6 {
            low *= 1.3;
        }
        if at(low)? >= power {
            return GroupSizes::in_ratio(low, ratio);
        }
        let mut high = 2.0 * low;
        while at(high)? < power {
            high *= 2.0;
            if high > 1e13 {
                return Err(Error::invalid(format!(
                    "no number of people has a power of {} for this claim; give another effect or margin",
                    number(power)
                )));
            }
        }
        let excess = |ln: f64| at(ln.exp()).map_or(f64::NAN, |found| found - power);
        GroupSizes::in_ratio(root(excess, (0.5 * high).max(low).ln(), high.ln()).exp(), ratio)
    }

    /// The effect that these people detect with a power: in the direction of the expected effect, the control
    /// arm as expected. With take-up it is the effect of the offer.
    ///
    /// # Errors
    /// `invalid_input` for a power outside its range, no expected effect (its direction is then not known),
    /// an aim with a margin, and where no effect is detected.
    pub fn detectable(&self, people: WholeSizes, power: f64) -> Result<Design> {
        check_power(power)?;
        self.check_looks(people)?;
        if self.aim != Aim::Difference {
            return Err(Error::invalid(
                "a detectable effect belongs to a difference; ask for the power of a margin",
            ));
        }
        let offered = self.offered()?;
        if offered.effect() == 0.0 {
            return Err(Error::invalid("the expected effect is 0; give one, so that the direction is known"));
        }
        let sizes = people.sizes()?;
        let at = |x: f64| offered.at(x).map(|outcome| self.power_of(&outcome, sizes));
        let none = || {
            Error::invalid(format!(
                "no effect in this direction is detected with a power of {} by these people; give more people or a lower power",
                number(power)
            ))
        };
        let mut low = 1e-9;
        if at(low).transpose()?.is_some_and(|found| found >= power) {
            return Err(Error::invalid(
                "the test rejects as often without an effect; give a power above the significance level",
            ));
        }
        // Upwards in small steps: near the end of what can be, some tests lose their power again.
        let mut high = 1e-3;
        loop {
            match at(high).transpose()? {
                Some(found) if found >= power => break,
                Some(_) if high < 1e9 => (low, high) = (high, 1.25 * high),
                Some(_) => return Err(none()),
                None => {
                    // No such outcome: up to the last one that there is.
                    let (mut inside, mut outside) = (low, high);
                    for _ in 0..50 {
                        let middle = 0.5 * (inside + outside);
                        if at(middle).is_some() { inside = middle } else { outside = middle }
                    }
                    let step = (inside - low) / 32.0;
                    let from = low;
                    let place = |i: u32| from + step * f64::from(i);
                    let reaches =
                        |i: &u32| at(place(*i)).and_then(Result::ok).is_some_and(|found| found >= power);
                    let reached = (1..=32).find(reaches).ok_or_else(none)?;
                    (low, high) = (place(reached - 1), place(reached));
                    break;
                }
            }
        }
        let excess = |x: f64| at(x).and_then(Result::ok).map_or(f64::NAN, |found| found - power);
        let x = root(excess, low, high);
        let outcome = offered.at(x).ok_or_else(none)?;
        let reached = self.power_of(&outcome, sizes)?;
        self.design(Question::DetectableEffect, people, reached, outcome.effect())
    }

    fn design(&self, question: Question, people: WholeSizes, power: f64, effect: f64) -> Result<Design> {
        let treated = u64::from(self.treatments) * people.treated;
        let clusters = match self.clusters {
            None => None,
            Some(clusters) => {
                let up = |people: u64| whole_above(people as f64 / clusters.size());
                Some([up(people.treated), up(people.control)])
            }
        };
        let test = self.comparison_test(people.sizes()?.ratio())?;
        Ok(Design {
            question,
            trial: self.clone(),
            people,
            total: treated + people.control,
            clusters,
            alpha_of_comparison: test.alpha(),
            power,
            effect,
            scale: self.outcome.scale().to_owned(),
            assumptions: self.assumptions()?,
        })
    }
}
