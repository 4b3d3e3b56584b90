//! The bootstrap of pools: by trial, and from the fitted model.

use super::bootstrap::{Answer, Bootstrap, without_a_unit};
use super::bootstrap_sample::Unit;
use super::resample::{Draw, Redrawable, Resample, ResampledEffect, ResampledPool, ResampledPoolRecord};
use crate::compute::distribution::Normal;
use crate::compute::resampling::{
    Acceleration, BootstrapCurve, BootstrapInterval, LeftOut, Resamples, check_replicates, each, stream,
};
use crate::effect::{
    ConfidenceCurve, Inference, IntervalMethod, On, ResampledUnit, ResampledWithin, Scale, VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result};
use rand::RngExt;
use std::sync::Arc;

impl<P> Bootstrap<'_, P> {
    /// Draws effects from the fitted model instead of trials: around the pooled effects, with the variances of
    /// the trials and `tau2` (a parametric bootstrap). For pools; default: trials are drawn.
    #[must_use]
    pub fn from_model(mut self) -> Self {
        self.unit = Unit::Model;
        self
    }

    /// The pooled effects of a [`RandomEffects`](crate::pool::RandomEffects) model,
    /// [`JointModel`](crate::pool::JointModel) or another pool, with intervals from resamples of its trials.
    /// Up to ten trials have at most 92,378 different resamples, all of which are enumerated.
    ///
    /// # Errors
    /// Those of the pool; fewer than two trials; as listed for [`Bootstrap`].
    ///
    /// ```
    /// use armwise::inference::Bootstrap;
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow");
    /// let cities = [("A", 20, 30), ("B", 15, 31), ("C", 22, 24), ("D", 18, 29), ("E", 20, 33)];
    /// let cities = cities.map(|(city, control, treated)| {
    ///     let arms = [("control", control, 100), ("help", treated, 100)];
    ///     Comparison::from_counts(city, &outflow, arms).unwrap()
    /// });
    /// let effects = Comparisons::new(cities)?.estimate(&DifferenceInProportions::new())?;
    /// let pool = Bootstrap::of(&RandomEffects::new()).pool(&effects.treatment("help")?)?;
    /// let help = pool.effect("help")?;
    /// assert!(help.interval().lower() > 0.0 && help.p_value() < 0.05);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn pool<S: Scale>(&self, effects: &P::Effects) -> Result<ResampledPool<S>>
    where
        P: Resample<S>,
    {
        let pool = self.estimator.redrawable(effects)?;
        self.of_pool(&pool).map_err(|error| pool.about.locate(error)).map(On::of)
    }

    fn of_pool(&self, pool: &Redrawable<'_>) -> Result<ResampledPoolRecord> {
        let t = pool.values.len();
        let studentized = self.is_studentized();
        let answer = |draw: Draw<'_>| -> Answer {
            let mut values = (pool.again)(draw).map_err(|error| error.kind().name())?;
            let whole = values.len() == 2 * t && values.iter().all(|value| value.is_finite());
            if !whole || (studentized && values[t..].iter().any(|se| *se <= 0.0)) {
                return Err("not_estimable");
            }
            if !studentized {
                values.truncate(t);
            }
            Ok(values)
        };
        let few = |_| {
            let why = "one trial does not show how trials vary; a bootstrap by trial needs two or more, so draw from_model() or take the pool's \
                       own interval";
            Error::from(ErrorKind::InsufficientStudies(why.to_owned()))
        };
        let by_trial = self.unit != Unit::Model;
        let units = if by_trial { Some(Resamples::of(pool.trials).map_err(few)?) } else { None };
        let replicates = match &units {
            Some(units) => self.replicate(
                (ResampledUnit::Trials, ResampledWithin::Nothing),
                units.different(),
                || units.enumerated(self.enumerate_up_to, |counts| answer(Draw::Trials(counts))),
                |seed| units.drawn_so_far(self.replicates, seed, |counts| answer(Draw::Trials(counts))),
            ),
            None => self.replicate(
                (ResampledUnit::ModelDraws, ResampledWithin::Nothing),
                f64::INFINITY,
                || Ok(Vec::new()),
                |seed| {
                    check_replicates(self.replicates)?;
                    Ok(each(
                        "replicates",
                        self.replicates,
                        || (),
                        |(), replicate| {
                            let mut numbers = stream(seed, replicate as u64);
                            // Strictly between 0 and 1.
                            let mut normal =
                                || Normal.quantile(numbers.random::<f64>().max(0.5_f64.powi(54)));
                            answer(Draw::Model(&mut normal))
                        },
                    ))
                },
            ),
        }?;
        let notices = replicates.notices(self.replicates)?;
        let bca = matches!(self.interval, BootstrapInterval::Bca | BootstrapInterval::BcaHalfTies);
        let left_out = match (&units, bca) {
            (Some(units), true) => {
                let all = units.left_out(|counts| answer(Draw::Trials(counts)))?;
                let all: std::result::Result<Vec<_>, _> = all.into_iter().collect();
                Some((units, all.map_err(without_a_unit)?))
            }
            (None, true) => {
                return Err(Error::invalid(
                    "BCa takes its acceleration from the trials, which a model does not draw; take the percentile interval, or draw trials",
                ));
            }
            _ => None,
        };
        let mut covariance = replicates.covariance(t);
        let mut effects = Vec::with_capacity(t);
        for (i, label) in pool.labels.iter().enumerate() {
            let (value, se) = (pool.values[i], pool.ses[i]);
            let of_arm = |error: Error| error.in_arm(label);
            let curve = if studentized {
                let statistics = replicates.distribution(0.0, |answer| (answer[i] - value) / answer[t + i]);
                BootstrapCurve::studentized(value, se, statistics.map_err(of_arm)?, self.quantiles)
            } else {
                let acceleration = match &left_out {
                    None => 0.0,
                    Some((units, values)) => {
                        let values = values.iter().map(|values| values[i]).collect();
                        LeftOut::new(units, value, values)?.acceleration(Acceleration::Stratified)
                    }
                };
                let distribution = replicates.distribution(value, |answer| answer[i]).map_err(of_arm)?;
                distribution.curve(self.interval, self.quantiles, acceleration)
            };
            let curve = curve.map_err(of_arm)?;
            let se = curve.se();
            covariance[[i, i]] = se * se;
            let curve = ConfidenceCurve::Bootstrap(Arc::new(curve));
            let inference = Inference::new(value, se, None, self.level, curve).map_err(of_arm)?;
            effects.push(ResampledEffect { label: label.clone(), inference });
        }
        let mut about = pool.about.clone();
        about.level = self.level;
        about.notices.extend(notices);
        about.method.interval = IntervalMethod::Bootstrap { interval: self.interval, by: replicates.by };
        if !studentized {
            about.method.variance = VarianceMethod::Bootstrap(replicates.by);
        }
        let record = ResampledPoolRecord { about: Arc::new(about), effects, covariance };
        crate::effect::Checked::check(&record)?;
        Ok(record)
    }
}
