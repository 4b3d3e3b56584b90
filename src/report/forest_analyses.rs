//! Forest plots of what is not one pool: subgroups, ways of pooling side by side, networks, one stage beside two.

use super::analysis_structure::wald_words;
use super::analysis_ways::approach_words;
use super::display::chi_squared_words;
use super::forest::{ForestGroup, ForestPlot, ForestRow, PooledRow, StudyRow};
use super::forest_of::{
    arm_counts, axis_on, captioned, counts_words, effect_heading, forest_interval, p_words, totals, trial_row,
};
use super::margin_words::joint_test_words;
use super::format::{Limits, decimal, p_value, percent, significant};
use super::outcome_table::capitalised;
use super::pool_words::{model_words, pool_model, prediction_name};
use super::words::{Words, contrast_words, interval_name, measure_words, reference_words};
use crate::design::{Label, Notice};
use crate::effect::{Estimand, Estimate, Scale, SubgroupEffects};
use crate::error::{ErrorKind, Result};
use crate::pool::{
    Approach, EffectOf, NetworkPooled, NetworkTrial, OneStageComparison, PooledSideBySide, PooledSubgroups,
};

impl ForestPlot {
    /// The figure of subgroups of trials: the trials of each subgroup with its pooled effect, all trials together, and the comparison of the
    /// subgroups. Weights are those in the pool of all trials.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow");
    /// let city = |name, control, guidance| {
    ///     Comparison::from_counts(name, &outflow, [("control", control, 100), ("guidance", guidance, 100)])
    /// };
    /// let cities = Comparisons::new([city("A", 10, 15)?, city("B", 8, 7)?, city("C", 12, 19)?, city("D", 9, 22)?])?;
    /// let guidance = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
    /// let sizes = [("A", "small"), ("B", "small"), ("C", "large"), ("D", "large")];
    /// let svg = ForestPlot::of_subgroups(&Subgroups::by("size", sizes).pool(&guidance)?).to_svg();
    /// assert!(svg.contains("Size: large") && svg.contains("Between subgroups"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn of_subgroups<S: Scale>(subgroups: &PooledSubgroups<S>) -> Self {
        let pooled = subgroups.pooled();
        let mut plot = Self::of(pooled);
        let all = std::mem::take(&mut plot.groups);
        for subgroup in subgroups.groups() {
            let of = &subgroup.pool;
            let mut group = ForestGroup::new(capitalised(&format!("{}: {}", subgroups.name(), of.label)));
            let members =
                || pooled.trials.iter().filter(|trial| subgroup.trials.contains(trial.estimate.trial()));
            for trial in members() {
                group = group.row(trial_row(pooled, trial));
            }
            if of.k > 1 {
                let share = members().map(|trial| trial.weight).sum();
                let row = PooledRow::new(
                    capitalised(&pool_model(pooled)),
                    forest_interval(of.estimate, of.interval.into()),
                )
                .columns(totals(pooled, members()))
                .weight(share);
                let tau2 = match pooled.summary.tau2_estimator {
                    Some(_) => format!("tau2 = {}, ", significant(of.tau2, 3)),
                    None => String::new(),
                };
                let heterogeneity = format!("{tau2}I2 = {}, {}", percent(of.i2), chi_squared_words(&of.q));
                group = group.row(row).note(heterogeneity);
            }
            plot = plot.group(group);
        }
        let mut last = ForestGroup::new("All trials");
        for row in all.into_iter().flat_map(|group| group.rows) {
            if !matches!(row, ForestRow::Study(_)) {
                last = last.row(row);
            }
        }
        let tau2 = if subgroups.common_tau2().is_some() { ", one tau2 for all subgroups" } else { "" };
        last = last.note(format!("Between subgroups: {}{tau2}", wald_words(&subgroups.between())));
        let own = subgroups.notices().iter().filter(|notice| !pooled.notices().contains(notice));
        plot.group(noted(last, own))
    }

    /// The figure of the effects within the levels of a column of one trial: a group of rows for each treatment, with its test of interaction.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let text = "arm,female,score\nc,no,1\nc,no,3\nt,no,6\nt,no,8\nc,yes,2\nc,yes,4\nt,yes,3\nt,yes,5\n";
    /// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?).arm_labels("arm").control("c").build()?;
    /// let effects = trial.on(&Measure::continuous("score"))?.by_subgroup("female")?.estimate(&DifferenceInMeans::new())?;
    /// let svg = ForestPlot::of_subgroup_effects(&effects).to_svg();
    /// assert!(svg.contains("Female: yes") && svg.contains("Interaction"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn of_subgroup_effects<S: Scale>(subgroups: &SubgroupEffects<S>) -> Self {
        let first = &subgroups.effects[0];
        let (scale, measure, reference) = (first.scale().to_any(), first.measure(), first.reference());
        let estimates = || subgroups.effects.iter().flat_map(crate::effect::Estimates::iter);
        let words =
            Words::new(&scale, measure, estimates().map(|estimate| estimate.se()).fold(0.0, f64::max));
        let treatments: Vec<&Label> = first.treatments().collect();
        let one = if let [one] = treatments.as_slice() { Some(*one) } else { None };
        let with_events = estimates().all(|estimate| {
            estimate.treatment_counts().events.is_some() && estimate.reference_counts().events.is_some()
        });
        let counts = if with_events { "n/N" } else { "N" };
        let axis = captioned(axis_on(&scale, measure, first.estimand(), &words), measure, reference, one);
        // The trial of a level is called "Utrecht, female yes".
        let level = subgroups.levels.first().map_or("", Label::as_str);
        let trial = first.trial().as_str();
        let trial = trial.strip_suffix(&format!(", {} {level}", subgroups.column)).unwrap_or(trial);
        let treated = one.map_or("Treatment".to_owned(), |label| capitalised(label));
        let mut plot = Self::new(axis)
            .title(capitalised(&measure_words(measure)))
            .subtitle(format!("{trial}, against {reference}; by {}", subgroups.column))
            .label_heading("Subgroup")
            .columns([format!("{treated} {counts}"), format!("{} {counts}", capitalised(reference))])
            .effect_heading(effect_heading(&scale, measure, first.level()));
        for treatment in treatments {
            let mut group =
                ForestGroup::new(if one.is_some() { String::new() } else { capitalised(treatment) });
            for (level, effects) in subgroups.levels.iter().zip(&subgroups.effects) {
                for estimate in effects.iter().filter(|estimate| estimate.treatment() == treatment) {
                    let label = capitalised(&format!("{}: {level}", subgroups.column));
                    group = group.row(subgroup_row(label, &estimate, with_events, &words));
                }
            }
            if let Ok(test) = subgroups.interaction_of(treatment) {
                group = group.note(format!("Interaction: {}", joint_test_words(&test)));
            }
            plot = plot.group(group);
        }
        if one.is_none()
            && let Ok(test) = subgroups.interaction()
        {
            plot = plot.footnote(format!("Interaction of all treatments: {}.", joint_test_words(&test)));
        }
        let method = first.method();
        plot = plot.footnote(format!("{}: {}.", interval_name(first.level()), method.interval));
        footnoted(plot, subgroups.notices())
    }

    /// The figure of few trials pooled in every customary way: the trials, and a row for each way. The pre-specified way is the diamond,
    /// with its prediction interval as a thin bar; the others are open to comparison as squares.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let city = |name, control, guidance| {
    ///     Comparison::from_counts(name, &outflow, [("control", control, 100), ("guidance", guidance, 100)])
    /// };
    /// let cities = Comparisons::new([city("A", 10, 15)?, city("B", 8, 7)?, city("C", 12, 19)?])?;
    /// let guidance = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
    /// let svg = ForestPlot::of_side_by_side(&SideBySide::new().pool(&guidance)?).to_svg();
    /// assert!(svg.contains("wider of both (pre-specified)") && svg.contains("Bayesian"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn of_side_by_side<S: Scale>(ways: &PooledSideBySide<S>) -> Self {
        let (random, bayesian) = (&ways.random, &ways.bayesian);
        let level = random.summary.level;
        let mut plot = Self::of(random);
        plot.groups.clear();
        let mut trials = ForestGroup::new("Trials");
        for trial in &random.trials {
            trials = trials.row(trial_row(random, &trial));
        }
        let mut pools = ForestGroup::new("Pooled");
        for row in &ways.rows {
            let interval = forest_interval(row.value(), row.interval().into());
            let name = approach_words(row.approach);
            if row.approach != ways.prespecified {
                pools = pools.row(StudyRow::new(name, interval));
                continue;
            }
            let mut drawn = PooledRow::new(format!("{name} (pre-specified)"), interval);
            let prediction = match row.approach {
                Approach::CommonEffect => None,
                Approach::Bayesian => Some(bayesian.new_trial.interval()),
                _ => ways.prediction(),
            };
            if let Some(prediction) = prediction {
                drawn = drawn.prediction(prediction_name(level), prediction.into());
            }
            pools = pools.row(drawn);
        }
        let tau = |approach: Approach| ways.row(approach).map_or(0.0, |row| row.tau);
        let tests = ways.rows.iter().filter(|row| row.approach != Approach::Bayesian);
        let tests = tests.map(|row| format!("{}: {}", short(row.approach), p_value(row.p_value())));
        let benefit = bayesian.probability_of_benefit(EffectOf::Mean);
        let benefit =
            benefit.ok().map(|probability| format!("Bayesian: benefit with probability {}", percent(probability)));
        pools = pools.note(tests.chain(benefit).collect::<Vec<_>>().join("; ")).note(format!(
            "tau2 = {} (REML), {} (square of the posterior median of tau)",
            significant(random.summary.tau2, 3),
            significant(tau(Approach::Bayesian) * tau(Approach::Bayesian), 3)
        ));
        let told = |notice: &&Notice| !matches!(notice, Notice::BoundaryTau2 | Notice::HartungKnappNarrower);
        let pools = noted(pools, ways.notices().iter().filter(told));
        plot.subtitle(format!(
            "{}; pooled in every customary way",
            contrast_words(random.treatment(), random.reference())
        ))
        .group(trials)
        .group(pools)
        .footnote("Weights: random effects. Diamond: the way that was chosen before the data were seen.")
    }

    /// The figure of a network: each arm against the reference, the best first where the measure says which way is better.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let cities = Comparisons::new([
    ///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100), ("exemption", 12, 90)])?,
    ///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 17, 95)])?,
    /// ])?;
    /// let network = NetworkMetaAnalysis::common().pool(&cities.estimate(&DifferenceInProportions::new())?)?;
    /// assert!(ForestPlot::of_network(&network).to_svg().contains("P-score"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn of_network<S: Scale>(network: &NetworkPooled<S>) -> Self {
        let (scale, measure, reference) = (network.scale().to_any(), network.measure(), network.reference());
        let model = &network.numbers().model;
        let against = network.comparisons().iter().filter(|comparison| comparison.other == *reference);
        let mut rows: Vec<_> = against.collect();
        let place = |arm: &Label| network.ranking().iter().position(|ranked| ranked.arm == *arm);
        rows.sort_by_key(|comparison| place(&comparison.arm));
        let words = Words::new(&scale, measure, rows.iter().map(|row| row.se).fold(0.0, f64::max));
        let axis = captioned(axis_on(&scale, measure, network.estimand(), &words), measure, reference, None);
        let ranked = !network.ranking().is_empty();
        let mut group = ForestGroup::new("");
        for row in rows {
            let had = |trial: &&NetworkTrial| trial.arms.iter().any(|own| own.arm == row.arm);
            let mut cells = vec![
                network.trials().iter().filter(had).count().to_string(),
                row.direct.len().to_string(),
                p_words(row.p_value),
            ];
            let score = network.ranking().iter().find(|ranked| ranked.arm == row.arm);
            cells.extend(score.map(|ranked| decimal(ranked.p_score, 2)));
            let interval = forest_interval(row.value, row.interval.into());
            group = group.row(StudyRow::new(row.arm.as_str(), interval).columns(cells));
        }
        let tau2 = match model.tau2_estimator {
            Some(_) => format!("tau2 = {}; ", significant(network.tau2(), 3)),
            None => String::new(),
        };
        group = group
            .note(format!("{tau2}within designs: {}", chi_squared_words(&network.q_within_designs())))
            .note(format!(
                "Inconsistency between designs: {}",
                chi_squared_words(&network.q_inconsistency())
            ));
        let told = network.notices().iter().filter(|notice| **notice != Notice::BoundaryTau2);
        let mut columns = vec!["Trials", "Direct", "p"];
        if ranked {
            columns.push("P-score");
        }
        let mut plot = Self::new(axis)
            .title(capitalised(&measure_words(measure)))
            .subtitle(format!(
                "against {reference}; network of all arms; {}",
                model_words(model.tau2_estimator)
            ))
            .label_heading("Arm")
            .columns(columns)
            .effect_heading(effect_heading(&scale, measure, model.level))
            .group(noted(group, told))
            .footnote(format!("Trials: with the arm. Direct: with the arm and {reference}."));
        if ranked {
            plot = plot.footnote("P-score: the mean certainty that the arm is better than another one.");
        }
        plot
    }

    /// The figure of one stage beside two: a row for each analysis of the same effect.
    ///
    /// # Errors
    /// There is no analysis yet.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let city = |name, control, guidance| {
    ///     Comparison::from_counts(name, &outflow, [("control", control, 100), ("guidance", guidance, 100)])
    /// };
    /// let cities = Comparisons::new([city("A", 10, 15)?, city("B", 8, 7)?, city("C", 12, 19)?])?;
    /// let two = CommonEffect::new().pool(&cities.estimate(&OddsRatio::new())?.treatment("guidance")?)?;
    /// let one = OneStageLogistic::common().pool(&cities)?;
    /// let table = OneStageComparison::new("guidance").two_stage("inverse variance", &two)?.one_stage("logistic", &one)?;
    /// assert!(ForestPlot::of_one_stage(&table)?.to_svg().contains("inverse variance"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn of_one_stage<S: Scale>(comparison: &OneStageComparison<S>) -> Result<Self> {
        let (Some(subject), Some(first)) = (comparison.subject(), comparison.rows().first()) else {
            return Err(ErrorKind::NoStudies.into());
        };
        let (scale, measure) = (subject.scale.to_any(), &subject.measure);
        let se = comparison.rows().iter().map(|row| row.se()).fold(0.0, f64::max);
        let words = Words::new(&scale, measure, se);
        // Rows need not be marginal or conditional alike: the names of the analyses tell.
        let axis = axis_on(&scale, measure, Estimand::Marginal, &words);
        let axis = captioned(axis, measure, &subject.reference, Some(comparison.treatment()));
        let mut group = ForestGroup::new("");
        for row in comparison.rows() {
            let mut label = row.name.clone();
            if row.level() != first.level() {
                label = format!("{label} ({})", interval_name(row.level()));
            }
            let tau2 = row.tau2.map_or_else(String::new, |tau2| significant(tau2, 3));
            let cells = [row.trials.to_string(), reference_words(row.df()), tau2, p_words(row.p_value())];
            let interval = forest_interval(row.value(), row.interval().into());
            group = group.row(StudyRow::new(label, interval).columns(cells));
        }
        Ok(Self::new(axis)
            .title(capitalised(&measure_words(measure)))
            .subtitle(format!(
                "{}; one stage beside two",
                contrast_words(comparison.treatment(), &subject.reference)
            ))
            .label_heading("Analysis")
            .columns(["Trials", "Test", "tau2", "p"])
            .effect_heading(effect_heading(&scale, measure, first.level()))
            .group(group))
    }
}

fn short(approach: Approach) -> &'static str {
    match approach {
        Approach::CommonEffect => "Common effect",
        Approach::Wald => "Wald",
        Approach::HartungKnapp => "Hartung-Knapp",
        Approach::WiderOfBoth => "wider of both",
        Approach::Bayesian => "Bayesian",
    }
}

fn subgroup_row<S: Scale>(
    label: String,
    estimate: &Estimate<S>,
    with_events: bool,
    words: &Words,
) -> StudyRow {
    let limits: Limits = estimate.interval().into();
    let row = StudyRow::new(label, forest_interval(estimate.value(), limits))
        .columns(arm_counts(estimate).map(|arm| counts_words(arm, with_events)));
    if limits.lower.is_infinite() || limits.upper.is_infinite() {
        return row.text(words.cell(estimate.value(), limits));
    }
    row
}

fn noted<'a>(group: ForestGroup, notices: impl Iterator<Item = &'a Notice>) -> ForestGroup {
    notices.fold(group, |group, notice| group.note(capitalised(&notice.to_string())))
}

fn footnoted(plot: ForestPlot, notices: &[Notice]) -> ForestPlot {
    notices.iter().fold(plot, |plot, notice| plot.footnote(capitalised(&format!("{notice}."))))
}
