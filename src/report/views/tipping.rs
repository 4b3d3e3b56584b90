//! The conclusions of a tipping-point analysis over two arms.

use super::sentences;
use crate::compute::interval::Interval;
use crate::missing::TippingGrid;
use crate::report::base::format::{capitalised, plain_label, significant};
use crate::report::draw::axis::{Ruler, ruler_of};
use crate::report::draw::canvas::{Anchor, Ink, Label, Point};
use crate::report::draw::page::{MARGIN, MIDDLE, Page, SMALL, Texts, figure};
use crate::report::draw::points::{ABOVE, Area, Axes, Upward, room_of};
use crate::report::english::effects::{contrast_words, measure_words};
use crate::report::results::missing::{axis_words, conclusion_words, question_words};

/// A cell for every pair of departures of a [`TippingGrid`]: dark where the conclusion is another one than
/// without any.
///
/// Cells that are large enough hold their p-value.
///
/// ```
/// use armwise::missing::{TippingGrid, TippingTest};
/// use armwise::prelude::*;
/// use armwise::report::TippingPlot;
///
/// let text = "arm,works\nc,0\nc,0\nc,0\nc,0\nc,\nt,1\nt,1\nt,1\nt,0\nt,\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let works = trial.on(&Measure::binary("works"))?;
/// let grid = TippingGrid::of_events(&works, "t", TippingTest::Pooled, 0.05)?;
/// assert!(TippingPlot::of(&grid).to_svg().contains("events among the missing"));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TippingPlot {
    texts: Texts,
    width: f64,
    grid: TippingGrid,
}

const WIDTH: f64 = 640.0;

figure!(TippingPlot, WIDTH);

/// The edges of cells around values, half-way between neighbours, with the order of the values.
fn edges(values: &[f64]) -> Vec<(usize, Interval)> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let at = |place: usize| values[order[place]];
    let half = |place: usize| 0.5 * (at(place + 1) - at(place));
    let last = order.len() - 1;
    order
        .iter()
        .enumerate()
        .map(|(place, &index)| {
            let (below, above) = match (place > 0, place < last) {
                (true, true) => (half(place - 1), half(place)),
                (true, false) => (half(place - 1), half(place - 1)),
                (false, true) => (half(place), half(place)),
                (false, false) => (0.5, 0.5),
            };
            (index, Interval::between(values[index] - below, values[index] + above))
        })
        .collect()
}

fn ruler(cells: &[(usize, Interval)], length: f64) -> Ruler {
    let (first, last) = (cells[0].1, cells[cells.len() - 1].1);
    ruler_of(Interval::between(first.lower(), last.upper()), 1.0, length, SMALL)
}

impl TippingPlot {
    /// That of a grid.
    pub fn of(grid: &TippingGrid) -> Self {
        let contrast = contrast_words(&grid.treatment, &grid.reference);
        let title = format!("{}: {contrast}, {}", measure_words(&grid.measure), grid.trial);
        let dark = "Dark: another conclusion than without any departure.".to_owned();
        let texts = Texts {
            title: capitalised(&title),
            subtitle: capitalised(&format!("{}; {}", question_words(&grid.question), conclusion_words(grid))),
            footnotes: std::iter::once(dark).chain(sentences(&grid.notices)).collect(),
        };
        Self { texts, width: WIDTH, grid: grid.clone() }
    }

    /// The figure as an SVG document.
    pub fn to_svg(&self) -> String {
        let grid = &self.grid;
        let (rows, columns) = (edges(&grid.of_treatment), edges(&grid.of_reference));
        let height = 0.6 * (self.width - 2.0 * MARGIN);
        let y = ruler(&rows, height);
        let page = Page::new(&self.texts, self.width, &[]);
        let top = page.top() + ABOVE;
        let left = MARGIN + room_of(&y);
        let area = Area { left, top, right: self.width - MARGIN - 6.0, bottom: top + height };
        let x = ruler(&columns, area.right - left);
        let axes = Axes { area, x, y, upward: Upward::Rising };
        let words = axis_words(&grid.question);
        let x_label = capitalised(&format!("{}: {words}", plain_label(&grid.reference)));
        let y_label = capitalised(&format!("{}: {words}", plain_label(&grid.treatment)));
        let foot = axes.foot(&x_label);
        let mut canvas = page.begin(foot);
        axes.draw(&mut canvas, &x_label, &y_label);
        // Neighbours touch where there are too many for a gap.
        let gap = if grid.cells() > 2_500 { 0.0 } else { 0.5 };
        for (i, down) in &rows {
            for (j, across) in &columns {
                let from = axes.at(across.lower(), down.upper());
                let to = axes.at(across.upper(), down.lower());
                let changed = grid.is_changed(*i, *j);
                let fill = if changed { Ink::Dark } else { Ink::Light };
                let [from, to] =
                    [Point { x: from.x + gap, y: from.y + gap }, Point { x: to.x - gap, y: to.y - gap }];
                canvas.rectangle(from, to, fill);
                let p = significant(grid.p_values[*i][*j], 2);
                if to.x - from.x > SMALL.width(&p) + 6.0 && to.y - from.y > 14.0 {
                    let ink = if changed { Ink::White } else { Ink::Black };
                    let label = Label { shown: &p, full: None, font: SMALL, ink, anchor: Anchor::Middle };
                    let middle = Point { x: 0.5 * (from.x + to.x), y: 0.5 * (from.y + to.y) + MIDDLE };
                    canvas.text(middle, label);
                }
            }
        }
        page.end(canvas, foot, "Tipping points", &conclusion_words(grid))
    }
}
