//! Models of all treatments together: joint, component and one-stage models, and one stage beside two.

use super::pools::variation_words;
use crate::design::Label;
use crate::effect::{AnyScale, Scale};
use crate::error::counted;
use crate::pool::{JointlyPooled, OneStageComparison, OneStagePooled, PooledCoefficient};
use crate::report::base::format::{listed, plain_label, significant};
use crate::report::base::grid::{Cell, Grid};
use crate::report::draw::forest::Shape;
use crate::report::english::effects::{
    adjusted_words, estimand_words, interval_name, model_words, test_words, wald_words,
};
use crate::report::form::columns::{
    effect, label, left, method, own0, own1, own2, p, p_cell, right, tau, trials,
};
use crate::report::form::row::{About, Heterogeneity, Row, about, with_comma};
use crate::report::form::table::{ResultTable, Tabulate};

/// The table of a model with a coefficient per treatment or component, and the trials that tell about each.
fn model(base: &Row, what: String, coefficients: &[PooledCoefficient], of_all: usize) -> ResultTable {
    let rows = coefficients.iter().map(|one| {
        let row = Row {
            label: one.label.to_string(),
            about: base.about.of(&one.label),
            trials: one.trials.clone(),
            cells: vec![Cell::text(format!("{} of {of_all}", one.trials.len()))],
            ..base.clone()
        };
        let row = row.effect(one.value(), one.interval());
        row.tested(one.se(), one.df(), one.p_value()).drawn(Shape::Square)
    });
    let rows: Vec<Row> = rows.collect();
    let sentences = rows.iter().map(|row| {
        let effect = row.effect_words(&row.method);
        format!("{}: {effect}, {}, from {}", plain_label(&row.label), row.p_words(), listed(&row.trials))
    });
    let sentences = sentences.collect();
    let columns = [
        left("Effect", label),
        right(base.about.heading(), effect),
        right("p", p),
        left("", method),
        left("Trials", trials),
    ];
    ResultTable { sentences, ..ResultTable::new(base.about.clone(), what, rows) }
        .shown(&columns, |_| true)
        .notices(&base.notices)
}

/// The forest plot of such a model, and which trials tell about each coefficient.
fn drawn(table: ResultTable) -> ResultTable {
    let footnotes =
        table.rows.iter().map(|row| format!("{}: {}", plain_label(&row.label), listed(&row.trials)));
    let footnotes: Vec<String> = footnotes.collect();
    table.figure("Effect", vec![right("Trials", own0), right("p", p)]).footnotes(footnotes)
}

impl Tabulate for JointlyPooled<AnyScale> {
    fn table(&self) -> ResultTable {
        let fit = &self.model;
        let model_words = model_words(fit.tau2_estimator);
        let about = about!(self, Label::new(""), Some(self.estimand()), fit.level);
        let tau2 = fit.tau2_estimator.map(|_| fit.tau2);
        let heterogeneity = Heterogeneity {
            tau2,
            tau2_interval: fit.tau2_interval,
            q: Some(fit.q),
            ..Heterogeneity::default()
        };
        let adjusted_for = self.method().adjusted_for.clone();
        let estimand = estimand_words(&about.scale, self.estimand(), !adjusted_for.is_empty());
        let of = self.coefficients().len();
        let model_of = if self.arms.is_empty() {
            format!("joint model of {}", counted(of, "treatment"))
        } else {
            format!("component model of {} whose effects add up", counted(of, "component"))
        };
        let what = format!(
            "{}against {}, {model_of}, over {} ({model_words}{})",
            estimand.map_or_else(String::new, |word| word + ", "),
            about.reference,
            counted(self.trials().len(), "trial"),
            with_comma(&adjusted_words(&adjusted_for).unwrap_or_default()),
        );
        let additivity = (!self.arms.is_empty()).then(|| match &self.additivity {
            Some(test) => format!("that components add up: {}", wald_words(test)),
            None => {
                "that components add up cannot be tested: no more arms than components, or too few trials"
                    .to_owned()
            }
        });
        let base =
            Row { estimator: model_words, adjusted_for, heterogeneity, ..about.row("pooled_jointly", "") };
        let base = base.noticed(self.notices());
        let table = model(&base, what, self.coefficients(), self.trials().len());
        let variation = variation_words(&base.about, &heterogeneity);
        drawn(table.lines([variation].into_iter().chain(additivity)))
    }
}

/// One row per treatment with the trials that tell about it, the test of treatment by trial or `tau2`.
impl Tabulate for OneStagePooled<AnyScale> {
    fn table(&self) -> ResultTable {
        let summary = &self.summary;
        let estimator = format!("{}, {}", summary.model, summary.effects);
        let about = about!(self, Label::new(""), Some(self.estimand()), summary.level);
        let adjusted_for = summary.adjusted_for.clone();
        let what = format!(
            "against {}, one stage over {} ({estimator}{}, n {})",
            about.reference,
            counted(self.about.trials.len(), "trial"),
            with_comma(&adjusted_words(&adjusted_for).unwrap_or_default()),
            summary.participants
        );
        let heterogeneity = Heterogeneity { tau2: self.tau2(), ..Heterogeneity::default() };
        let tau2 = self.tau2().map(|_| variation_words(&about, &heterogeneity));
        let test = self.interaction().map(|test| {
            let df = [Some(test.df), test.denominator_df];
            let words = test_words(&test.test.to_string(), test.statistic, df, Some(test.p_value));
            format!("treatment by trial: {words}")
        });
        let base = Row { estimator, adjusted_for, heterogeneity, ..about.row("one_stage", "") };
        let base = base.noticed(self.notices());
        let table = model(&base, what, self.coefficients(), self.about.trials.len());
        drawn(table.lines(tau2.into_iter().chain(test)))
    }
}

/// A row for each analysis of the same effect.
impl Tabulate for OneStageComparison<AnyScale> {
    fn table(&self) -> ResultTable {
        let Some(subject) = self.subject() else {
            let about = About::nothing(self.treatment());
            return ResultTable::new(about, "no analysis", Vec::new());
        };
        let level = self.rows().first().map_or(f64::NAN, |row| row.level());
        let about = About {
            measure: subject.measure.clone(),
            scale: subject.scale.clone(),
            // Marginal or conditional: the names of the analyses tell.
            estimand: None,
            treatment: self.treatment().clone(),
            reference: subject.reference.clone(),
            level,
        };
        let rows = self.rows().iter().map(|of| {
            let about = About { level: of.level(), ..about.clone() };
            let other_level = if of.level() == level { String::new() } else { interval_name(of.level()) };
            let label =
                if other_level.is_empty() { of.name.clone() } else { format!("{} ({other_level})", of.name) };
            let row = about.row("analysis", label).effect(of.value(), of.interval());
            let number = |x: f64| Cell::worded(x, significant(x, 3));
            Row {
                estimator: of.name.clone(),
                heterogeneity: Heterogeneity { tau2: of.tau2, ..Heterogeneity::default() },
                cells: vec![
                    Cell::count(of.trials as u64),
                    number(of.se()),
                    of.heterogeneity_p_value.map_or_else(Cell::missing, p_cell),
                ],
                ..row.tested(of.se(), of.df(), of.p_value()).drawn(Shape::Square)
            }
        });
        let rows = rows.collect();
        let columns = [
            left("Analysis", label),
            right("Trials", own0),
            right(about.heading(), effect),
            right("SE", own1),
            right("p", p),
            left("", method),
            right(about.amount_heading("tau"), tau),
            right("p of heterogeneity", own2),
        ];
        let figure = vec![
            right("Trials", own0),
            right("Test", method),
            right(about.amount_heading("tau"), tau),
            right("p", p),
        ];
        let what = format!("{}, one stage beside two", about.contrast());
        ResultTable::new(about, what, rows).shown(&columns, |_| true).figure("Analysis", figure)
    }
}

impl<S: Scale> OneStageComparison<S> {
    /// The comparison as a table: analysis, trials, effect with interval, standard error, p-value, reference
    /// distribution, tau, p-value of heterogeneity. Without columns where there is no analysis yet.
    pub fn to_grid(&self) -> Grid {
        self.to_any().table().grids.pop().unwrap_or_default()
    }
}
