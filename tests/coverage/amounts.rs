//! Trials with scores, and with amounts that are zero for many.

use super::binary::{PER_ARM, assignment, labels, sizes};
use super::draw::{Person, Stream, logistic};
use super::study::{Answer, Band, Study, Truth};
use armwise::prelude::*;

const SCORE: Measure<Continuous> = Measure::continuous("score");

fn comparison(treated: &[bool], x: &[f64], y: Vec<f64>) -> Comparison<Continuous> {
    let table = Table::new()
        .with_categories("arm", labels(treated))
        .and_then(|table| table.with_reals("score", y))
        .and_then(|table| table.with_reals("x", x.iter().copied()))
        .unwrap();
    Trial::builder("city", table).arm_labels("arm").control("c").build().unwrap().on(&SCORE).unwrap()
}

/// The effect in standard deviations of the score under control.
const SHIFT: f64 = 0.3;

pub(crate) fn scores() -> Study {
    let replicate = |size: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let shift = if truth == Truth::Effect { SHIFT } else { 0.0 };
        let mut treated = assignment(PER_ARM[size], stream);
        if setting == 3 {
            // One in five is treated: the smaller arm varies more.
            treated = treated.iter().map(|_| stream.uniform() < 0.2).collect();
        }
        let x: Vec<f64> = treated.iter().map(|_| stream.normal()).collect();
        let scores = treated.iter().zip(&x).map(|(treated, x)| {
            let noise = 0.6 * x + 0.8 * stream.normal();
            let spread = if *treated && setting >= 2 { 2.0 } else { 1.0 };
            // Log-normal with mean 0 and standard deviation 1.
            let skewed =
                || ((0.8 * noise).exp() - 0.32_f64.exp()) / (0.64_f64.exp() * (0.64_f64.exp() - 1.0)).sqrt();
            spread * if setting == 1 { skewed() } else { noise } + if *treated { shift } else { 0.0 }
        });
        let scores = scores.collect();
        let comparison = comparison(&treated, &x, scores);
        let regression = LinearRegression::new().adjust_for(["x"]);
        vec![
            Answer::of(shift, comparison.estimate(&DifferenceInMeans::new())),
            Answer::of(shift, comparison.estimate(&regression)),
            Answer::of(shift, comparison.estimate(&regression.marginal(MeanDifference))),
            Answer::of(shift, comparison.estimate(&DoublyRobust::new(MeanDifference).adjust_for(["x"]))),
        ]
    };
    Study {
        number: 4,
        title: "Continuous",
        about: "Columns: normal scores; log-normal ones (skewness 3.7); normal with twice the standard deviation under treatment; the same with one person \
                in five treated at random (the arms then share twice the number of people). The covariate correlates 0.6 with the score; the effect is 0.3 standard deviations.",
        sizes: sizes(),
        settings: ["normal", "log-normal", "unequal", "unequal, 1 in 5"].map(String::from).to_vec(),
        methods: vec![
            "`DifferenceInMeans`",
            "`LinearRegression` (ANCOVA)",
            "linear, marginal",
            "`DoublyRobust`",
        ],
        divisor: 2,
        replicate: Box::new(replicate),
        bands: vec![
            Band::new("`DifferenceInMeans`", |_, _| true, [93.0, 97.0]),
            Band::new("`LinearRegression` (ANCOVA)", |_, _| true, [93.0, 97.0]),
        ],
    }
}

const SHARES: [f64; 3] = [0.03, 0.08, 0.15];

pub(crate) fn with_zeros() -> Study {
    let intercept = SHARES.map(|share| [share, 1.5 * share].map(Person::intercept));
    let amount =
        |person: Person, treated: bool| 900.0 * (0.2 * person.x + if treated { 0.2 } else { 0.0 }).exp();
    let mean = move |b: f64, treated: bool| {
        Person::mean(|person| logistic(b + person.log_odds()) * amount(person, treated))
    };
    let effects = intercept.map(|[b0, b1]| mean(b1, true) - mean(b0, false));
    let replicate = move |size: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let works = truth == Truth::Effect;
        let effect = if works { effects[setting] } else { 0.0 };
        let treated = assignment(PER_ARM[size], stream);
        let people: Vec<Person> = treated.iter().map(|_| Person::draw(stream)).collect();
        let earned = treated.iter().zip(&people).map(|(treated, person)| {
            let treated = *treated && works;
            let some =
                stream.uniform() < logistic(intercept[setting][usize::from(treated)] + person.log_odds());
            // Gamma of shape 2.
            let share = 0.5 * (stream.exponential() + stream.exponential());
            if some { share * amount(*person, treated) } else { 0.0 }
        });
        let earned = earned.collect();
        let x: Vec<f64> = people.iter().map(|person| person.x).collect();
        let comparison = comparison(&treated, &x, earned);
        vec![
            Answer::of(effect, comparison.estimate(&DifferenceInMeans::new())),
            Answer::of(effect, comparison.estimate(&LinearRegression::new().adjust_for(["x"]))),
            Answer::of(effect, comparison.estimate(&TwoPartRegression::new())),
            Answer::of(effect, comparison.estimate(&TwoPartRegression::new().adjust_for(["x"]))),
        ]
    };
    Study {
        number: 5,
        title: "Amounts with zeros",
        about: "Columns: the share under control that has an amount; under treatment it is 1.5 times as large and amounts are 22% higher. Amounts are gamma with \
                shape 2 and a mean of 900. The effect is the difference in means, zeros included.",
        sizes: sizes(),
        settings: SHARES.iter().map(|share| format!("{:.0}%", 100.0 * share)).collect(),
        methods: vec![
            "`DifferenceInMeans`",
            "`LinearRegression`, adjusted",
            "`TwoPartRegression`",
            "`TwoPartRegression`, adjusted",
        ],
        divisor: 4,
        replicate: Box::new(replicate),
        bands: vec![
            Band::new("`DifferenceInMeans`", |size, _| size == 2, [92.5, 97.0]),
            Band::new("`TwoPartRegression`, adjusted", |size, _| size == 2, [92.5, 97.0]),
        ],
    }
}
