//! An estimator of your own: the difference in trimmed means (Yuen 1974), which a few very high wages do not
//! move.

use armwise::ndarray::Array2;
use armwise::prelude::*;

/// The difference in means after the lowest and the highest share of each arm are trimmed.
struct DifferenceInTrimmedMeans {
    percent_each_side: usize,
}

impl Estimator<Continuous> for DifferenceInTrimmedMeans {
    type Scale = MeanDifference;

    fn estimate(&self, comparison: &Comparison<Continuous>) -> armwise::Result<Estimates<MeanDifference>> {
        let mut arms = vec![Vec::new(); comparison.arms().len()];
        for (&outcome, &arm) in comparison.outcomes().iter().zip(comparison.arm_indices()) {
            arms[arm as usize].push(outcome);
        }
        let mut means = Vec::new();
        let mut covariance = Array2::zeros((arms.len(), arms.len()));
        for (i, arm) in arms.iter_mut().enumerate() {
            arm.sort_by(f64::total_cmp);
            let n = arm.len();
            let cut = n * self.percent_each_side / 100;
            if n < 2 * cut + 2 {
                let why = "fewer than two people are left after trimming; trim less, or leave the arm out";
                return Err(armwise::Error::invalid(why).in_arm(&comparison.arms()[i].label));
            }
            let kept = (n - 2 * cut) as f64;
            means.push(arm[cut..n - cut].iter().sum::<f64>() / kept);
            // Winsorised: a value that is cut off counts as the last value that is not.
            let winsorised: Vec<f64> = arm.iter().map(|y| y.clamp(arm[cut], arm[n - 1 - cut])).collect();
            let mean = winsorised.iter().sum::<f64>() / n as f64;
            let squares: f64 = winsorised.iter().map(|y| (y - mean).powi(2)).sum();
            covariance[[i, i]] = squares / (kept * (kept - 1.0));
        }
        ArmMeans::new(comparison, means, covariance, Method::new("difference in trimmed means"))?
            .contrast(MeanDifference)
    }
}

fn main() -> armwise::Result<()> {
    // The participants are synthetic: the design of the experiments is real, the persons are invented.
    let table = Table::from_csv_str(include_str!("data/participants.csv"))?
        .keep_category("municipality", "Utrecht")?;
    let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("control").build()?;
    let wellbeing = Measure::continuous("self_efficacy").named("self-efficacy").higher_is_better();

    println!("{}", trial.on(&wellbeing)?.estimate(&DifferenceInMeans::new())?);
    println!("{}", trial.on(&wellbeing)?.estimate(&DifferenceInTrimmedMeans { percent_each_side: 10 })?);
    Ok(())
}
