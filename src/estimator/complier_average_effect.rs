use super::Estimator;
use super::options::{field, is_usual, level_setter};
use super::regression::MeanOutcome;
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::reference_distribution::check_level;
use crate::design::{ComparedArm, Comparison, Notice, OutcomeKind};
use crate::effect::{About, Contrast, Estimand, Estimates, IntervalMethod, Method, Scale, VarianceMethod};
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// How the interval of an effect on compliers is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TakeUpInterval {
    /// The effects `c` for which the arms do not differ in `Y - c D` (Anderson & Rubin 1949): right however
    /// little the arms differ in take-up. A limit is infinite where the data exclude no effect on that side.
    #[default]
    AndersonRubin,
    /// The estimate plus and minus standard errors: too short where the arms hardly differ in take-up.
    Wald,
}

/// The complier average causal effect (CACE): the effect on those who take the treatment up if it is offered,
/// and only then.
///
/// The effect of being offered the treatment (intention to treat) comes first; this one divides it by the
/// difference in take-up. The take-up is the column that the trial declared with
/// [`take_up`](crate::design::TrialBuilder::take_up): 1 for who received the treatment, 0 for who did not. In
/// the reference arm 1 is a participant who received the treatment without being assigned to it (two-sided
/// non-compliance).
///
/// # Formula
/// Arm `a` has mean outcome `y_a` and mean take-up `d_a`: `c = (y_1 - y_0) / (d_1 - d_0)`, which is two-stage
/// least squares with the assignment as the instrument. Its variance is `(v_1 + v_0) / (d_1 - d_0)^2` with
/// `v_a` the variance of `Y - c D` in the arm (divisor `n_a - 1`) over `n_a`: HC2. Two treatments share the
/// reference: their covariance is that of `Y - c_1 D` and `Y - c_2 D` there.
///
/// # Assumptions
/// People were randomised one by one and are independent. Assignment acts only through take-up (exclusion),
/// and nobody takes the treatment up only if it is not offered (monotonicity).
///
/// # Interval
/// Anderson-Rubin by default, with Student's t of `n_1 + n_0 - 2` degrees of freedom; Wald by
/// [`ComplierAverageEffect::interval`]. The p-value of Anderson-Rubin is that of the effect of assignment.
/// Where the set of effects that are not rejected has a hole, the interval is the whole line. The first-stage
/// statistic `F = (d_1 - d_0)^2 / Var` below 10 gives a notice.
///
/// # Errors
/// No take-up was declared; take-up outside 0 to 1; arms with the same take-up; an arm with fewer than two
/// people; take-up of the reference arm with several treatments, as it does not say which of them was
/// received.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "arm,coached,works\nc,0,0\nc,0,1\nc,0,0\nc,0,0\nt,1,1\nt,1,1\nt,1,0\n\
///         t,0,0\nt,1,1\nt,1,1\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table)
///     .arm_labels("arm")
///     .control("c")
///     .take_up("coached")
///     .build()?;
/// let comparison = trial.on(&Measure::binary("works"))?;
/// let assigned = comparison.estimate(&DifferenceInProportions::new())?.treatment("t")?;
/// let compliers = comparison.estimate(&ComplierAverageEffect::new())?.treatment("t")?;
/// assert!((compliers.value() - assigned.value() / (5.0 / 6.0)).abs() < 1e-12);
/// assert_eq!(compliers.estimand(), Estimand::Compliers);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Imbens GW, Angrist JD (1994), Econometrica 62:467. Angrist JD, Imbens GW, Rubin DB (1996), Journal of the
/// American Statistical Association 91:444. Anderson TW, Rubin H (1949), Annals of Mathematical Statistics
/// 20:46. Staiger D, Stock JH (1997), Econometrica 65:557 (weak take-up).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ComplierAverageEffect {
    #[serde(deserialize_with = "field::interval")]
    interval: TakeUpInterval,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for ComplierAverageEffect {
    fn default() -> Self {
        Self { interval: TakeUpInterval::AndersonRubin, level: 0.95 }
    }
}

/// Moments of outcome `y` and take-up `d` in an arm.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    n: f64,
    y: f64,
    d: f64,
    /// Variances and covariance of the two means, divisor `n (n - 1)`.
    yy: f64,
    yd: f64,
    dd: f64,
}

impl Moments {
    /// The covariance of the means of `Y - c D` and `Y - e D`.
    fn residual(&self, c: f64, e: f64) -> f64 {
        self.yy - (c + e) * self.yd + c * e * self.dd
    }
}

impl ComplierAverageEffect {
    /// Anderson-Rubin interval, level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The interval; default: Anderson-Rubin.
        interval: TakeUpInterval;
    }

    level_setter!();

    fn of<K: OutcomeKind, S: Scale>(&self, comparison: &Comparison<K>, scale: S) -> Result<Estimates<S>> {
        check_level(self.level)?;
        let Some(column) = &comparison.people()?.take_up else {
            return Err(Error::invalid("the trial declared no take-up; name its column with take_up(..)"));
        };
        let comparison = &*comparison.complete(std::iter::once(column.as_str()))?;
        let moments = moments(comparison, column)?;
        let reference = moments[0];
        let interval = match self.interval {
            TakeUpInterval::AndersonRubin => IntervalMethod::AndersonRubin,
            TakeUpInterval::Wald => IntervalMethod::StudentT,
        };
        let method = Method::new("complier average effect")
            .variance(VarianceMethod::Regression(crate::compute::regression::VarianceType::Hc2))
            .interval(interval);
        let mut about = About::of(comparison, Estimand::Compliers, method, self.level)?;
        about.notices.extend(comparison.clusters_ignored().into_iter().chain(comparison.strata_ignored()));
        let mut contrasts = Vec::with_capacity(moments.len() - 1);
        for (arm, treatment) in comparison.treatments().iter().zip(&moments[1..]) {
            let contrast = self.contrast(treatment, &reference, arm.clone(), &mut about.notices);
            contrasts.push(contrast.map_err(|error| error.in_arm(&arm.label))?);
        }
        let k = contrasts.len();
        let shift = |i: usize| moments[i + 1].d - reference.d;
        let covariance = Array2::from_shape_fn((k, k), |(i, j)| {
            let (c, e) = (contrasts[i].value(), contrasts[j].value());
            // Not from the moments anew, where rounding may leave a zero variance negative.
            if i == j { contrasts[i].variance() } else { reference.residual(c, e) / (shift(i) * shift(j)) }
        });
        Estimates::new(scale, about, comparison.reference().clone(), contrasts, covariance)
    }

    fn contrast(
        &self,
        treatment: &Moments,
        reference: &Moments,
        arm: ComparedArm,
        notices: &mut Vec<Notice>,
    ) -> Result<Contrast> {
        let (y, d) = (treatment.y - reference.y, treatment.d - reference.d);
        // Equal shares of arms of different size differ by rounding.
        if d.abs() <= 1e-13 {
            let why = "as many took the treatment up in this arm as in the reference, so that nobody shows its effect; \
                       report the effect of assignment";
            return Err(ErrorKind::NotEstimable(why.to_owned()).into());
        }
        let (yy, dd) = (treatment.yy + reference.yy, treatment.dd + reference.dd);
        if yy == 0.0 {
            let why = "the outcome does not vary in this arm nor in the reference; a mean has no standard error then";
            return Err(ErrorKind::ZeroVariance(why.to_owned()).into());
        }
        if d * d < 10.0 * dd {
            notices.push(Notice::WeakTakeUp { treatment: arm.label.clone(), f: d * d / dd });
        }
        let value = y / d;
        let residual = treatment.residual(value, value) + reference.residual(value, value);
        // Where take-up explains the outcome without a rest, what is left of these terms is rounding.
        let terms = yy + 2.0 * (value * (treatment.yd + reference.yd)).abs() + value * value * dd;
        let variance = if residual <= 1e-13 * terms { 0.0 } else { residual / (d * d) };
        let df = Some(treatment.n + reference.n - 2.0);
        let curve = match self.interval {
            TakeUpInterval::AndersonRubin => ConfidenceCurve::AndersonRubin {
                outcome: y,
                take_up: d,
                outcome_variance: yy,
                covariance: treatment.yd + reference.yd,
                take_up_variance: dd,
            },
            TakeUpInterval::Wald => ConfidenceCurve::Wald,
        };
        let contrast = Contrast::new(arm, Inference::new(value, variance.sqrt(), df, self.level, curve)?);
        if contrast.interval().lower().is_infinite() || contrast.interval().upper().is_infinite() {
            notices.push(Notice::UnboundedInterval { treatment: contrast.treatment().clone() });
        }
        Ok(contrast)
    }
}

fn moments<K: OutcomeKind>(comparison: &Comparison<K>, column: &str) -> Result<Vec<Moments>> {
    let people = comparison.people()?;
    let received = people.table.reals(column)?;
    let arms = comparison.arms();
    let mut moments = vec![Moments::default(); arms.len()];
    for (&row, (&arm, &y)) in people.rows.iter().zip(people.arm.iter().zip(&people.outcome)) {
        let d = received[row as usize];
        if !(0.0..=1.0).contains(&d) {
            let why = format!(
                "holds {d} where take-up is needed; give 1 (received), 0 (not received) or a share between them"
            );
            return Err(people.table.locate(Error::invalid(why).in_column(column), row as usize));
        }
        let arm = &mut moments[arm as usize];
        arm.n += 1.0;
        // Updated means and products lose no digits to a large common value.
        let (dy, dd) = (y - arm.y, d - arm.d);
        arm.y += dy / arm.n;
        arm.d += dd / arm.n;
        arm.yy += dy * (y - arm.y);
        arm.yd += dy * (d - arm.d);
        arm.dd += dd * (d - arm.d);
    }
    for (arm, moments) in arms.iter().zip(&mut moments) {
        if moments.n < 2.0 {
            let why = "this arm has fewer than two people with outcome and take-up; leave it out".to_owned();
            return Err(Error::from(ErrorKind::InsufficientObservations(why)).in_arm(&arm.label));
        }
        let divisor = moments.n * (moments.n - 1.0);
        moments.yy /= divisor;
        moments.yd /= divisor;
        moments.dd /= divisor;
    }
    if arms.len() > 2 && moments[0].d > 0.0 {
        let why = "participants of the reference arm received a treatment, but take-up does not say which of several; \
                   compare one treatment at a time with trial.compare(..)";
        return Err(Error::from(ErrorKind::NotEstimable(why.to_owned())).in_arm(&arms[0].label));
    }
    Ok(moments)
}

impl<K: MeanOutcome> Estimator<K> for ComplierAverageEffect {
    type Scale = K::Difference;

    fn estimate(&self, comparison: &Comparison<K>) -> Result<Estimates<K::Difference>> {
        self.of(comparison, K::Difference::default())
    }
}
