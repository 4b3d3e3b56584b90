//! A network of treatments.

use crate::check::Checks;
use crate::data::{Result, numbers, words};
use armwise::Table;
use armwise::effect_size::{Contrasts, EffectSize};
use armwise::meta_analysis::{CoefficientTest, MultivariateModel, NetworkData};

/// Medicines against diabetes.
pub(crate) fn diabetes(checks: &mut Checks) -> Result<()> {
    checks.publication(
        "Senn, Gavini, Magrez & Scheen 2013, Statistical Methods in Medical Research 22:169-189",
        "26 trials of 10 treatments of diabetes, one with three arms: change of HbA1c",
    );
    let table = Table::from_csv_str(include_str!("data/senn_2013.csv"))?;
    let (trial, treatment) = (words(&table, "trial")?, words(&table, "treatment")?);
    let (n, mean, sd) = (numbers(&table, "n")?, numbers(&table, "mean")?, numbers(&table, "sd")?);
    let mut treatments = treatment.clone();
    treatments.sort();
    treatments.dedup();
    let mut trials = trial.clone();
    trials.dedup();
    let mut network = NetworkData::new(treatments);
    for name in &trials {
        let rows: Vec<usize> = (0..trial.len()).filter(|row| trial[*row] == *name).collect();
        let arms: Vec<_> = rows
            .iter()
            .map(|row| EffectSize { value: mean[*row], variance: sd[*row].powi(2) / n[*row] })
            .collect();
        let mut contrasts = Contrasts::of(&arms, 0)?;
        // The published decomposition starts from standard errors of four digits.
        if let [variance] = contrasts.covariance.as_slice_mut().ok_or("a covariance in one piece")? {
            *variance = (variance.sqrt() * 1e4).round().powi(2) / 1e8;
        }
        let others: Vec<&str> = rows[1..].iter().map(|row| treatment[*row].as_str()).collect();
        network.push(&treatment[rows[0]], &others, &contrasts.estimates, contrasts.covariance.view())?;
    }
    let normal = |model: MultivariateModel| model.test(CoefficientTest::Normal);
    checks
        .place("Krahn, Binder & König 2013, BMC Medical Research Methodology 13:35, the decomposition of Q");
    let common = network.pool("placebo", &normal(MultivariateModel::common_effect()))?;
    checks.number("Q of the network, 18 degrees of freedom", "96.99", common.model.q.statistic);
    checks.number("within designs, 11 degrees of freedom", "74.46", common.q_within_designs.statistic);
    checks.number("between designs, 7 degrees of freedom", "22.53", common.q_inconsistency.statistic);
    Ok(())
}
