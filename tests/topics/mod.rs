//! One module per topic: each turns a case into calls of the public API.

mod amounts;
mod balance;
mod bayes_pool;
pub(crate) mod case;
mod categorical;
mod covariate_adjusted_time;
mod design;
mod disputed;
mod distributions;
mod effect_sizes;
mod exits;
mod glm;
mod golden_designs;
mod marginal;
mod marginal_strata;
mod means;
mod metaregression;
mod missing_outcomes;
mod multiplicity;
mod multivariate;
mod one_stage;
mod pending;
mod pipeline;
mod pooled;
mod proportions;
mod pseudo_values;
mod randomization;
mod ranks;
mod registry_panel;
mod repeated;
mod resampling;
mod sensitivity;
mod stepdown;
mod survival;
mod survival_models;
mod time_to_exit;
mod time_to_exit_models;
mod time_to_exit_pools;
mod weighted;

use case::{Case, Tally};

/// Runs a case, or counts it as pending.
pub(crate) fn run(case: &Case, tally: &mut Tally) {
    if is_pending(case) {
        tally.cases += 1;
        tally.pending += case.expected.len();
        return;
    }
    let answer = match case.topic {
        "balance" => balance::answer(case),
        "bayes_pool" => bayes_pool::answer(case),
        "categorical" => categorical::answer(case),
        "covariate_adjusted_time" => covariate_adjusted_time::answer(case),
        "design" => design::answer(case),
        "distributions" => distributions::answer(case),
        "effect_sizes" => effect_sizes::answer(case),
        "glm" => glm::answer(case),
        "golden_designs" => golden_designs::answer(case),
        "marginal" => marginal::answer(case),
        "marginal_strata" => marginal_strata::answer(case),
        "metaregression" => metaregression::answer(case),
        "means" => means::answer(case),
        "missing_outcomes" => missing_outcomes::answer(case),
        "multiplicity" => multiplicity::answer(case),
        "multivariate" => multivariate::answer(case),
        "one_stage" => one_stage::answer(case),
        "pipeline" => pipeline::answer(case),
        "pipeline_time" => time_to_exit::pipeline(case),
        "pooled" => pooled::answer(case),
        "proportions" => proportions::answer(case),
        "pseudo_values" => pseudo_values::answer(case),
        "registry_panel" => registry_panel::answer(case),
        "randomization" => randomization::answer(case),
        "repeated" => repeated::answer(case),
        "resampling" => resampling::answer(case),
        "sensitivity" => sensitivity::answer(case),
        "stepdown" => stepdown::answer(case),
        "survival" => survival::answer(case),
        "time_to_exit" => time_to_exit::answer(case),
        topic => {
            tally.cases += 1;
            tally.failures.push(format!("{}: the topic {topic} is not known", case.name));
            return;
        }
    };
    case.compare(answer, |key| pending::KEYS.contains(&(case.topic, key)), tally);
}

fn is_pending(case: &Case) -> bool {
    pending::TOPICS.contains(&case.topic)
        || pending::INPUTS.iter().any(|(topic, key)| *topic == case.topic && case.has_input(key))
        || pending::OPTIONS.iter().any(|(topic, key, value)| {
            *topic == case.topic
                && case
                    .options()
                    .get(*key)
                    .is_some_and(|given| given == &serde_json::Value::from(value.trim_matches('"')))
        })
}
