//! Pooled effects by resampling of their trials.

use crate::design::Label;
use crate::effect::AnyScale;
use crate::error::counted;
use crate::inference::ResampledPool;
use crate::report::base::format::plain_label;
use crate::report::draw::forest::Shape;
use crate::report::english::effects::adjusted_words;
use crate::report::form::columns::{effect, label, left, p, right};
use crate::report::form::row::{Row, about, with_comma};
use crate::report::form::table::{ResultTable, Tabulate};

/// One row per treatment or component.
impl Tabulate for ResampledPool<AnyScale> {
    fn table(&self) -> ResultTable {
        let about = about!(self, Label::new(""), Some(self.estimand()), self.level());
        let method = self.method();
        let what = format!(
            "against {}, {} over {} ({}{})",
            about.reference,
            method.estimator,
            counted(self.about.trials.len(), "trial"),
            method.interval,
            with_comma(&adjusted_words(&method.adjusted_for).unwrap_or_default()),
        );
        let base = Row {
            estimator: method.estimator.clone(),
            adjusted_for: method.adjusted_for.clone(),
            ..about.row("resampled", "")
        };
        let base = base.noticed(self.notices());
        let rows = self.effects.iter().map(|one| {
            let row = Row {
                label: one.label.to_string(),
                about: base.about.of(&one.label),
                trials: self.about.trials.clone(),
                ..base.clone()
            };
            let row = row.effect(one.value(), one.interval()).tested(one.se(), None, one.p_value());
            Row { method: method.interval.to_string(), ..row.drawn(Shape::Square) }
        });
        let rows: Vec<Row> = rows.collect();
        let sentences = rows.iter().map(|row| {
            format!("{}: {}, {}", plain_label(&row.label), row.effect_words(&row.method), row.p_words())
        });
        let sentences = sentences.collect();
        let columns = [left("Effect", label), right(base.about.heading(), effect), right("p", p)];
        ResultTable { sentences, ..ResultTable::new(base.about.clone(), what, rows) }
            .shown(&columns, |_| true)
            .notices(&base.notices)
            .figure("Effect", vec![right("p", p)])
    }
}
