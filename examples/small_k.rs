//! Six cities are few: one treatment pooled in every customary way, the sensitivity of the answer, and all
//! arms as a network.

use armwise::bayes::TauPrior;
use armwise::meta_analysis::SubgroupTau2;
use armwise::pool::{Approach, CumulativeOrder, EffectOf, Priors};
use armwise::prelude::*;

/// Part-time work is an aim here.
const PART_TIME: Measure<Binary> = Outflow::part_time("hours_per_week").higher_is_better();

/// The arms that combine measures; every other arm is a measure of its own.
const COMBINATIONS: [(&str, &[&str]); 6] = [
    ("earnings_free_choice", &["earnings", "free_choice"]),
    ("earnings_guidance", &["earnings", "guidance"]),
    ("exemption_earnings", &["exemption", "earnings"]),
    ("guidance_earnings", &["guidance", "earnings"]),
    ("exemption_remote", &["exemption", "remote"]),
    ("exemption_on_demand", &["exemption", "free_choice"]),
];

fn main() -> armwise::Result<()> {
    // The participants are synthetic: the design of the experiments is real, the persons are invented.
    let table = Table::from_csv_str(include_str!("data/participants.csv"))?;
    let mut builder = Trials::builder(table, "municipality").arm_labels("arm").control("control");
    for (arm, components) in COMBINATIONS {
        builder = builder.components(arm, components);
    }
    let cities = builder.build()?.on(&PART_TIME)?;
    let effects = cities.estimate(&DifferenceInProportions::new())?;
    let guidance = effects.treatment("guidance")?;

    println!("{}\n", SideBySide::new().prespecified(Approach::WiderOfBoth).pool(&guidance)?);

    let model = BayesianRandomEffects::new().tau_prior(TauPrior::HalfNormal { scale: 0.05 });
    let posterior = model.pool(&guidance)?;
    println!("{posterior}");
    let no_harm = posterior.probability_of_no_harm(EffectOf::NewTrial, 0.02)?;
    println!("  no harm beyond two points in a new city: {:.0}%\n", 100.0 * no_harm);
    println!("{}\n", model.prior_sensitivity(&guidance, &Priors::Customary)?);

    let sensitivity = RandomEffects::new().sensitivity(&guidance)?;
    println!("{}\n", sensitivity.cumulative(&CumulativeOrder::Precision)?);
    println!("{}\n", sensitivity.influence()?);
    println!("{}\n", sensitivity.henmi_copas()?);
    println!("{}\n", ParticipantWeighted::new().pool(&guidance)?);
    println!("{}\n", MantelHaenszel::new(RiskDifference).pool(&cities, "guidance")?);

    let sizes = guidance.iter().map(|effect| {
        let people = effect.treatment_counts().analysed + effect.reference_counts().analysed;
        (effect.trial().clone(), if people > 300 { "large" } else { "small" })
    });
    println!("{}\n", Subgroups::by("size of the trial", sizes).tau2(SubgroupTau2::Common).pool(&guidance)?);

    let network = NetworkMetaAnalysis::random().pool(&effects)?;
    println!("{network}");
    let additivity = network.additivity(&ComponentModel::random().pool(&effects)?)?;
    if additivity.df > 0.0 {
        println!(
            "  arms as sums of their components: statistic {:.2}, df {}, p = {:.2}",
            additivity.statistic, additivity.df, additivity.p_value
        );
    } else {
        println!("  arms as sums of their components: the network fits no better");
    }
    Ok(())
}
