//! Trials that count events.

use super::binary::{PER_ARM, assignment, labels, sizes};
use super::draw::Stream;
use super::study::{Answer, Band, Study, Truth};
use armwise::prelude::*;

const SPELLS: Measure<Count> = Measure::count("spells").exposure("months");
/// Events per month under control.
const RATES: [f64; 3] = [0.03, 0.08, 0.15];
/// Half the variance of the covariate's part of the log rate.
const HALF_VARIANCE: f64 = 0.5 * 0.4 * 0.4;

pub(crate) fn counts() -> Study {
    let replicate = |size: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let (rate, overdispersed) = (RATES[setting % 3], setting >= 3);
        let ratio: f64 = if truth == Truth::Effect { 1.5 } else { 1.0 };
        let treated = assignment(PER_ARM[size], stream);
        let x: Vec<f64> = treated.iter().map(|_| stream.normal()).collect();
        let months: Vec<f64> = treated.iter().map(|_| 6.0 + 12.0 * stream.uniform()).collect();
        let spells = treated.iter().zip(&x).zip(&months).map(|((treated, x), months)| {
            // An exponential frailty makes the variance mu + mu^2.
            let frailty = if overdispersed { stream.exponential() } else { 1.0 };
            let mean = rate * months * (0.4 * x - HALF_VARIANCE).exp() * if *treated { ratio } else { 1.0 };
            stream.poisson(frailty * mean)
        });
        let spells: Vec<f64> = spells.collect();
        let table = Table::new()
            .with_categories("arm", labels(&treated))
            .and_then(|table| table.with_counts("spells", spells))
            .and_then(|table| table.with_reals("x", x))
            .and_then(|table| table.with_reals("months", months))
            .unwrap();
        let trial = Trial::builder("city", table).arm_labels("arm").control("c").build().unwrap();
        let comparison = trial.on(&SPELLS).unwrap();
        let (difference, log_ratio) = ((ratio - 1.0) * rate, ratio.ln());
        let poisson = PoissonRegression::new().adjust_for(["x"]);
        vec![
            Answer::of(difference, comparison.estimate(&DifferenceInRates::new())),
            Answer::of(log_ratio, comparison.estimate(&RatioOfRates::new())),
            Answer::of(log_ratio, comparison.estimate(&poisson)),
            Answer::of(difference, comparison.estimate(&poisson.marginal(RateDifference))),
            Answer::of(log_ratio, comparison.estimate(&NegativeBinomialRegression::new().adjust_for(["x"]))),
        ]
    };
    let settings = ["Poisson", "overdispersed"]
        .iter()
        .flat_map(|kind| RATES.map(|rate| format!("{:.0}%, {kind}", 100.0 * rate)));
    Study {
        number: 6,
        title: "Counts over months",
        about: "Columns: events per 100 months under control; 1.5 times as many under treatment; 6 to 18 months per person. A normal covariate multiplies the rate \
                by 1.5 per standard deviation. Overdispersed: an exponential frailty (variance mu + mu^2). Widths of ratios are on the log scale.",
        sizes: sizes(),
        settings: settings.collect(),
        methods: vec![
            "`DifferenceInRates`",
            "`RatioOfRates`",
            "`PoissonRegression`, adjusted",
            "Poisson, marginal difference",
            "`NegativeBinomialRegression`, adjusted",
        ],
        divisor: 4,
        replicate: Box::new(replicate),
        bands: vec![
            Band::new("`DifferenceInRates`", |size, _| size >= 1, [92.0, 97.5]),
            Band::new("`RatioOfRates`", |size, _| size >= 1, [92.0, 97.5]),
            Band::new("`PoissonRegression`, adjusted", |size, _| size >= 1, [92.0, 97.5]),
            Band::new("Poisson, marginal difference", |size, _| size >= 1, [92.0, 97.5]),
            Band::new("`NegativeBinomialRegression`, adjusted", |size, _| size >= 1, [92.0, 97.5]),
        ],
    }
}
