use super::Estimator;
use super::options::{is_usual, level_setter, usual_level};
use super::two_arm::words_of_p;
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::rank::{Placements, Separated};
use crate::compute::reference_distribution::check_level;
use crate::design::{Comparison, Continuous, Notice, Ordinal, OutcomeKind};
use crate::effect::{
    About, AnyScale, Contrast, Estimand, Estimates, IntervalMethod, LogWinOdds, Method, NetBenefit, Scale,
    VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// The probability that a person of the treatment has the higher outcome than one of the reference: the
/// estimand of the tests of Mann and Whitney and of Brunner and Munzel, for ordered and for skewed outcomes.
///
/// On the scale [`NetBenefit`], `2 w - 1`, no effect is 0; on [`LogWinOdds`] it is the logarithm of
/// `w / (1 - w)`. [`Estimate::win_probability`](crate::Estimate::win_probability) gives `w` itself.
///
/// # Formula
/// `w_a = P(Y_a > Y_0) + P(Y_a = Y_0) / 2`, the share of all pairs, ties as a half. The placement of a person
/// of arm `a` is the share of the reference that it exceeds, `F_0(Y)`, and that of a person of the reference
/// is `F_a(Y)`, ties as a half; `Var(w_a) = s^2(F_0(Y_a)) / n_a + s^2(F_a(Y_0)) / n_0` and
/// `Cov(w_a, w_b) = cov(F_a(Y_0), F_b(Y_0)) / n_0`, since treatments share the reference.
///
/// # Assumptions
/// People were randomised one by one and their outcomes are independent. No assumption on the shape or the
/// spread of outcomes. Effects of two treatments against the reference do not tell how the two compare:
/// compare them themselves.
///
/// # Interval
/// Student's t with the degrees of freedom of Brunner and Munzel on the logit of `w`, so that the limits stay
/// in range; the p-value on [`NetBenefit`] is that of Brunner and Munzel's test. Where everybody of an arm is
/// above, or below, everybody of the reference placements do not vary: the net benefit is then 1 or -1 with a
/// standard error of 0, and its p-value and interval are those of the exact rank sum test
/// ([`Separated`](crate::rank::Separated)), with a notice.
///
/// # Errors
/// An arm with fewer than two outcomes; arms without any variation, which have no standard error; on
/// [`LogWinOdds`] an arm that does not overlap with the reference, whose odds are infinite.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let csv = "arm,contract\nc,none\nc,none\nc,none\nc,temporary\nc,permanent\nt,none\n\
///     t,temporary\nt,permanent\nt,permanent\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(csv)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let comparison = trial.on(&Contract::ordinal("contract"))?;
/// let benefit = comparison.estimate(&WinProbability::new(NetBenefit))?.treatment("t")?;
/// // Of the 20 pairs 11 are won, 3 are lost and 6 are tied.
/// assert!((benefit.value() - 8.0 / 20.0).abs() < 1e-12);
/// let odds = comparison.estimate(&WinProbability::new(LogWinOdds))?.treatment("t")?;
/// assert!((odds.ratio().unwrap() - 0.7 / 0.3).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Brunner E, Munzel U (2000), Biometrical Journal 42:17. `DeLong` ER, `DeLong` DM, Clarke-Pearson DL (1988),
/// Biometrics 44:837 (the covariance). Newcombe RG (2006), Statistics in Medicine 25:559 (intervals). Buyse M
/// (2010), Statistics in Medicine 29:3245 (net benefit). Dong G et al. (2020), Statistics in
/// Biopharmaceutical Research 12:99 (win odds).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WinProbability<S = NetBenefit> {
    pub(super) scale: S,
    #[serde(default = "usual_level", skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

/// A scale on which a win probability is measured; among those known only at run time, [`AnyScale`], two are.
pub trait WinScale: Scale {
    /// The value of a win probability strictly between 0 and 1; `None` on a scale that it does not have.
    fn value(&self, probability: f64) -> Option<f64> {
        match self.to_any() {
            AnyScale::NetBenefit => Some(2.0 * probability - 1.0),
            AnyScale::LogWinOdds => Some(logit(probability)),
            _ => None,
        }
    }

    /// The derivative of the value.
    fn slope(&self, probability: f64) -> Option<f64> {
        match self.to_any() {
            AnyScale::NetBenefit => Some(2.0),
            AnyScale::LogWinOdds => Some(logit_slope(probability)),
            _ => None,
        }
    }
}

impl WinScale for NetBenefit {}
impl WinScale for LogWinOdds {}
impl WinScale for AnyScale {}

/// A value on a scale, or an error where a win probability does not have the scale.
pub(super) fn known(value: Option<f64>, scale: &AnyScale) -> Result<f64> {
    let name = scale.name();
    value.ok_or_else(|| {
        Error::invalid(format!("a win probability has no scale \"{name}\"; give net_benefit or log_win_odds"))
    })
}

fn logit_slope(p: f64) -> f64 {
    1.0 / (p * (1.0 - p))
}

fn logit(p: f64) -> f64 {
    p.ln() - (-p).ln_1p()
}

impl<S: WinScale> WinProbability<S> {
    /// On a scale: [`NetBenefit`] or [`LogWinOdds`]; level 0.95.
    pub fn new(scale: S) -> Self {
        Self { scale, level: 0.95 }
    }

    level_setter!();

    /// The same estimator on another scale.
    pub(super) fn on<T>(self, scale: T) -> WinProbability<T> {
        WinProbability { scale, level: self.level }
    }

    fn effects<K: OutcomeKind>(&self, comparison: &Comparison<K>) -> Result<Estimates<S>> {
        let any = self.scale.to_any();
        check_level(self.level)?;
        let people = comparison.people()?;
        let arms = comparison.arms();
        let mut values: Vec<Vec<f64>> = arms.iter().map(|_| Vec::new()).collect();
        for (&value, &arm) in people.outcome.iter().zip(&people.arm) {
            values[arm as usize].push(value);
        }
        if let Some(arm) = arms.iter().zip(&values).find(|(_, values)| values.len() < 2).map(|(arm, _)| arm) {
            let why = "only one person is analysed, and placements need two in each arm to vary; leave the arm out with \
                       compare(..).versus(..)";
            return Err(Error::from(ErrorKind::InsufficientObservations(why.to_owned())).in_arm(&arm.label));
        }
        let treatments = values.split_off(1);
        let reference = &values[0];
        let placements: Vec<Placements> = treatments
            .iter()
            .zip(comparison.treatments())
            .map(|(values, arm)| Placements::new(values, reference).map_err(|error| error.in_arm(&arm.label)))
            .collect::<Result<_>>()?;
        let k = placements.len();
        // Without overlap there is no variance to take to the scale.
        let slope = |one: &Placements| match one.probability() {
            p if p > 0.0 && p < 1.0 => known(self.scale.slope(p), &any),
            _ => known(self.scale.slope(0.5), &any),
        };
        let slopes = placements.iter().map(slope).collect::<Result<Vec<f64>>>()?;
        let mut covariance = Array2::from_shape_fn((k, k), |(i, j)| {
            slopes[i] * slopes[j] * placements[i].reference_covariance(&placements[j])
        });
        let (mut contrasts, mut without) = (Vec::with_capacity(k), Vec::new());
        for (i, (one, arm)) in placements.iter().zip(comparison.treatments()).enumerate() {
            let p = one.probability();
            if one.variance() <= 0.0 || !(p > 0.0 && p < 1.0) {
                let separated = Separated {
                    treatment: one.of_treatment().len() as u64,
                    reference: one.of_control().len() as u64,
                    treatment_above: p > 0.5,
                };
                let inference = without_overlap(p, separated, &any, self.level);
                let inference = inference.map_err(|error| error.in_arm(&arm.label))?;
                contrasts.push(Contrast::new(arm.clone(), inference));
                without.push(Notice::ZeroStandardError { treatment: arm.label.clone() });
                for j in 0..k {
                    (covariance[[i, j]], covariance[[j, i]]) = (0.0, 0.0);
                }
                continue;
            }
            covariance[[i, i]] = slopes[i].powi(2) * one.variance();
            let value = known(self.scale.value(p), &any)?;
            let df = Some(one.df());
            let se = covariance[[i, i]].sqrt();
            let curve = if any == AnyScale::NetBenefit {
                // On the logit of the win probability, the log win odds.
                let on_logit = logit_slope(p) * one.variance().sqrt();
                ConfidenceCurve::Logit { lower: -1.0, upper: 1.0, se: on_logit }
            } else {
                ConfidenceCurve::Wald
            };
            let inference = Inference::new(value, se, df, self.level, curve);
            contrasts.push(Contrast::new(arm.clone(), inference.map_err(|error| error.in_arm(&arm.label))?));
        }
        let mut method = Method::new("win probability")
            .variance(VarianceMethod::Other("Brunner-Munzel".to_owned()))
            .interval(IntervalMethod::Logit);
        if any == AnyScale::LogWinOdds {
            method = method.interval(IntervalMethod::StudentT);
        }
        let mut about = About::of(comparison, Estimand::Marginal, method, self.level)?;
        about.notices.extend(comparison.clusters_ignored().into_iter().chain(comparison.strata_ignored()));
        about.notices.extend(without);
        Estimates::new(self.scale.clone(), about, comparison.reference().clone(), contrasts, covariance)
    }
}

/// The effect of an arm that does not overlap with the reference, which has a test and an interval on the
/// scale of the net benefit alone.
fn without_overlap(p: f64, separated: Separated, scale: &AnyScale, level: f64) -> Result<Inference> {
    if p > 0.0 && p < 1.0 {
        let why = "everybody of this arm is level with everybody of the reference, so that the win probability has no standard error; check \
                   the column, or leave the arm out";
        return Err(ErrorKind::ZeroVariance(why.to_owned()).into());
    }
    let value = separated.value();
    let benefit = Inference::new(value, 0.0, None, level, ConfidenceCurve::Separated(separated))?;
    if *scale == AnyScale::NetBenefit {
        return Ok(benefit);
    }
    let why = format!(
        "everybody of this arm is {} everybody of the reference, so that the logarithm of the win odds is infinite; on NetBenefit the effect \
         is {value}, with the {}% interval {:.3} to {:.3} and p {} by the exact rank sum test",
        if separated.treatment_above { "above" } else { "below" },
        100.0 * level,
        benefit.interval().lower(),
        benefit.interval().upper(),
        words_of_p(benefit.p_value())
    );
    Err(ErrorKind::NotEstimable(why).into())
}

impl<S: WinScale> Estimator<Ordinal> for WinProbability<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<Ordinal>) -> Result<Estimates<S>> {
        self.effects(comparison)
    }
}

impl<S: WinScale> Estimator<Continuous> for WinProbability<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<Continuous>) -> Result<Estimates<S>> {
        self.effects(comparison)
    }
}
