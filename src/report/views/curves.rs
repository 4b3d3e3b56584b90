//! Curves over time: survival and cumulative incidence of arms.

use super::curves_drawing::draw;
use crate::compute::interval::Interval;
use crate::compute::survival::{
    AalenJohansen, CurveInterval, KaplanMeier, RiskCount, SurvivalData, SurvivalQuantity,
};
use crate::error::{Error, Result};
use crate::report::draw::page::{Texts, figure};

/// Survival curves (Kaplan-Meier) or cumulative incidences of a cause (Aalen-Johansen) of each arm, with
/// bands, and the numbers at risk below the time axis.
///
/// Arms differ by the pattern of their lines, never by colour alone; each has its name at the end of its
/// curve, and a sample of its line beside its numbers at risk. A band holds a confidence interval for each
/// time by itself. Where events of other causes end the follow-up of people, draw the cumulative incidence:
/// one minus Kaplan-Meier with other causes as censored is too high.
///
/// ```
/// use armwise::report::CurvePlot;
/// use armwise::survival::SurvivalData;
///
/// // Months until people left benefit for work (1) or otherwise (2), in two arms.
/// let months = [2.0, 3.0, 3.0, 5.0, 8.0, 12.0, 12.0, 1.0, 4.0, 6.0, 6.0, 9.0, 11.0, 12.0];
/// let reason = [1, 0, 2, 1, 1, 0, 0, 2, 1, 1, 0, 1, 1, 0];
/// let arm = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1];
/// let data = SurvivalData::new(&months, &reason)?.strata(&arm)?;
/// let on_benefit = CurvePlot::survival(&data, ["control", "guidance"])?
///     .title("Months on benefit")
///     .time_label("Months since the start")
///     .ticks_every(3.0)
///     .horizon(9.0);
/// assert!(on_benefit.to_svg().contains("Number at risk"));
/// let to_work = CurvePlot::incidence(&data, 1, ["control", "guidance"])?;
/// assert!(to_work.to_svg().contains("guidance"));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Pocock SJ, Clayton TC, Altman DG (2002), Lancet 359:1686 (numbers at risk below the axis, how far to
/// draw). Choudhury JB (2002), Statistics in Medicine 21:1129 (bands of cumulative incidences).
#[derive(Debug, Clone, PartialEq)]
pub struct CurvePlot {
    pub(super) texts: Texts,
    pub(super) width: f64,
    pub(super) kind: Kind,
    pub(super) arms: Vec<Arm>,
    pub(super) weighted: bool,
    interval: CurveInterval,
    pub(super) level: f64,
    pub(super) bands: bool,
    pub(super) horizons: Vec<f64>,
    pub(super) every: Option<f64>,
    pub(super) time_label: String,
    pub(super) value_label: String,
}

/// The probability that is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Survival,
    Incidence,
}

/// The curve of an arm.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arm {
    pub(super) name: String,
    /// From time 0.
    pub(super) steps: Vec<Step>,
    /// The last time at which anyone was seen.
    pub(super) last_time: f64,
    /// Whether everybody has had an event.
    all_gone: bool,
    pub(super) at_risk: RiskCount,
}

/// A probability from a time on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) time: f64,
    pub(super) value: f64,
    se: Option<f64>,
}

const WIDTH: f64 = 640.0;
const LEVEL: f64 = 0.95;
/// More steps than a figure of the greatest width shows.
const MOST_STEPS: usize = 8000;

figure!(CurvePlot, WIDTH);

impl CurvePlot {
    /// The probability to be without any event, of each stratum of the data by the name of its code.
    ///
    /// # Errors
    /// `invalid_input` for another number of names than strata; as [`KaplanMeier::by_stratum`].
    pub fn survival<N: Into<String>>(
        data: &SurvivalData<'_>,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self> {
        let curves = KaplanMeier::by_stratum(data)?;
        let arms = curves.into_iter().map(|curve| {
            let mut steps = vec![Step { time: 0.0, value: 1.0, se: Some(0.0) }];
            let seen = |point: &crate::compute::survival::SurvivalPoint| Step {
                time: point.time,
                value: point.survival,
                se: point.se,
            };
            steps.extend(thinned(&curve.points, |point| point.time).map(seen));
            Ok((steps, curve.last_time))
        });
        Self::new(Kind::Survival, arms.collect::<Result<_>>()?, data, names)
    }

    /// The cumulative incidence of a cause (counted from 1) beside competing ones, of each stratum of the
    /// data by the name of its code.
    ///
    /// # Errors
    /// `invalid_input` for another number of names than strata, and the cause 0; as
    /// [`AalenJohansen::by_stratum`].
    pub fn incidence<N: Into<String>>(
        data: &SurvivalData<'_>,
        cause: u32,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self> {
        let curves = AalenJohansen::by_stratum(data)?;
        let arms = curves.iter().map(|curve| {
            let mut steps = vec![Step { time: 0.0, value: 0.0, se: Some(0.0) }];
            let places: Vec<usize> = (0..curve.time.len()).collect();
            for &place in thinned(&places, |place| curve.time[*place]) {
                let at = curve.time[place];
                let found = curve.estimate(&[SurvivalQuantity::CumulativeIncidence { cause, at }])?;
                steps.push(Step { time: at, value: found.values[0], se: Some(found.se()[0]) });
            }
            Ok((steps, curve.last_time))
        });
        Self::new(Kind::Incidence, arms.collect::<Result<_>>()?, data, names)
    }

    fn new<N: Into<String>>(
        kind: Kind,
        curves: Vec<(Vec<Step>, f64)>,
        data: &SurvivalData<'_>,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != curves.len() {
            return Err(Error::invalid(format!(
                "the names are {}, the strata {}; give one name for each stratum, in the order of the codes",
                names.len(),
                curves.len()
            )));
        }
        let all_gone = KaplanMeier::by_stratum(data)?;
        let all_gone = all_gone.iter().map(|curve| curve.points.last().is_some_and(|p| p.survival == 0.0));
        let arms = names.into_iter().zip(curves).zip(data.risk_counts().into_iter().zip(all_gone));
        let arms = arms.map(|((name, (steps, last_time)), (at_risk, all_gone))| Arm {
            name,
            steps,
            last_time,
            all_gone,
            at_risk,
        });
        let value_label = match kind {
            Kind::Survival => "Without the event (%)",
            Kind::Incidence => "Cumulative incidence (%)",
        };
        Ok(Self {
            texts: Texts::default(),
            width: WIDTH,
            kind,
            arms: arms.collect(),
            weighted: data.is_weighted(),
            interval: CurveInterval::LogLog,
            level: LEVEL,
            bands: true,
            horizons: Vec::new(),
            every: None,
            time_label: "Time".to_owned(),
            value_label: value_label.to_owned(),
        })
    }

    setters! {
        /// The scale of the intervals of the bands. Default: [`CurveInterval::LogLog`] of the probability
        /// that is drawn.
        interval: CurveInterval;
    }

    /// The confidence level of the bands; default 0.95. A number that is not between 0 and 1 counts as the
    /// default.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = if level > 0.0 && level < 1.0 { level } else { LEVEL };
        self
    }

    /// Curves alone.
    #[must_use]
    pub fn without_bands(mut self) -> Self {
        self.bands = false;
        self
    }

    /// Marks a horizon: a line at it, and points on the curves whose tooltips and description hold the
    /// numbers. Several calls mark several. A number that is not positive and finite is not marked.
    #[must_use]
    pub fn horizon(mut self, horizon: f64) -> Self {
        if horizon > 0.0 && horizon.is_finite() && !self.horizons.contains(&horizon) {
            self.horizons.push(horizon);
            self.horizons.sort_by(f64::total_cmp);
        }
        self
    }

    /// The distance between ticks of the time axis, at which numbers at risk stand: 6 or 12 for months.
    /// Default: multiples of 1, 2 or 5 times a power of ten. A number that is not positive and finite counts
    /// as the default.
    #[must_use]
    pub fn ticks_every(mut self, step: f64) -> Self {
        self.every = (step > 0.0 && step.is_finite()).then_some(step);
        self
    }

    /// The words below the time axis, with the unit. Default: `Time`.
    #[must_use]
    pub fn time_label(mut self, label: impl Into<String>) -> Self {
        self.time_label = label.into();
        self
    }

    /// The words above the vertical axis, such as `On benefit (%)`.
    #[must_use]
    pub fn value_label(mut self, label: impl Into<String>) -> Self {
        self.value_label = label.into();
        self
    }

    /// The figure as an SVG document.
    pub fn to_svg(&self) -> String {
        draw(self)
    }

    /// The interval of a step: its own value where nothing varies, `None` where the scale is infinite.
    pub(super) fn limits(&self, step: &Step) -> Option<Interval> {
        let se = step.se?;
        if se == 0.0 {
            return Some(Interval::between(step.value, step.value));
        }
        // The level lies between 0 and 1, so that there is no error to lose.
        let found = self.interval.interval(step.value, se, self.level).ok().flatten()?;
        Some(found.map(|limit| limit.clamp(0.0, 1.0)))
    }

    pub(super) fn band_words(&self) -> String {
        let percent = crate::report::base::format::significant(100.0 * self.level, 4);
        format!("Bands: {percent}% confidence intervals, for each time by itself ({}).", self.interval)
    }

    /// The last time that is drawn.
    pub(super) fn end(&self) -> f64 {
        let last = self.arms.iter().map(|arm| arm.last_time).fold(0.0, f64::max);
        if last > 0.0 { last } else { 1.0 }
    }
}

impl Arm {
    /// The step at a time; `None` beyond the follow-up while some are still there.
    pub(super) fn at(&self, time: f64) -> Option<&Step> {
        if time > self.last_time && !self.all_gone {
            return None;
        }
        self.steps[..self.steps.partition_point(|step| step.time <= time)].last()
    }
}

/// The last of what falls into each of many small stretches of time, the very last included.
fn thinned<T>(list: &[T], time: impl Fn(&T) -> f64) -> impl Iterator<Item = &T> {
    let end = list.last().map_or(0.0, &time);
    let bin = move |value: f64| if end > 0.0 { (value / end * MOST_STEPS as f64).floor() } else { 0.0 };
    let few = list.len() <= MOST_STEPS;
    list.iter().enumerate().filter_map(move |(i, one)| {
        let last = list.get(i + 1).is_none_or(|next| bin(time(next)) > bin(time(one)));
        (few || last).then_some(one)
    })
}
