//! The published data, as tables.

use armwise::Table;
use armwise::effect_size::{CellCorrection, CountEffect, DoubleZeros, EffectSize, count_effects};
use armwise::meta_analysis::{Counts, TwoByTwo};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub(crate) fn numbers(table: &Table, column: &str) -> Result<Vec<f64>> {
    let cells: Option<Vec<f64>> = table.column(column)?.reals()?.collect();
    cells.ok_or_else(|| format!("{column} has missing cells").into())
}

pub(crate) fn whole_numbers(table: &Table, column: &str) -> Result<Vec<u64>> {
    let cells: Option<Vec<u64>> = table.column(column)?.counts()?.collect();
    cells.ok_or_else(|| format!("{column} has missing cells").into())
}

pub(crate) fn words(table: &Table, column: &str) -> Result<Vec<String>> {
    let cells: Option<Vec<&str>> = table.column(column)?.categories()?.collect();
    Ok(cells.ok_or_else(|| format!("{column} has missing cells"))?.into_iter().map(str::to_owned).collect())
}

/// The columns events, n of the treatment, events, n of the control.
pub(crate) fn two_by_two(table: &Table, columns: [&str; 4]) -> Result<Vec<TwoByTwo>> {
    let cells = columns.map(|column| numbers(table, column));
    let [events1, n1, events0, n0] = cells;
    let (events1, n1, events0, n0) = (events1?, n1?, events0?, n0?);
    let arm = |events: &[f64], n: &[f64], row: usize| Counts { events: events[row], n: n[row] };
    Ok((0..events1.len())
        .map(|row| TwoByTwo { treatment: arm(&events1, &n1, row), control: arm(&events0, &n0, row) })
        .collect())
}

/// Log odds ratios and variances; 1/2 is added where a cell is zero, and trials without events are dropped.
pub(crate) fn log_odds_ratios(tables: &[TwoByTwo]) -> Result<(Vec<f64>, Vec<f64>)> {
    let zero_cells = CellCorrection::HALF_WHERE_ZERO.double_zeros(DoubleZeros::Drop);
    let effects = count_effects(tables, CountEffect::LogOddsRatio, zero_cells)?;
    let effects: Vec<EffectSize> = effects.into_iter().filter_map(std::result::Result::ok).collect();
    Ok(effects.iter().map(|effect| (effect.value, effect.variance)).unzip())
}
