//! The power of a planned trial by the number of people, as a figure and as a table.

use crate::error::counted;
use crate::prospective::PowerGrid;
use crate::report::base::format::significant;
use crate::report::base::grid::{Align, Cell, Grid};
use crate::report::draw::axis::ruler_from_zero;
use crate::report::draw::canvas::{Anchor, Ink, Label, Point, Stroke};
use crate::report::draw::page::{MARGIN, Page, SMALL, Texts, figure};
use crate::report::draw::points::{ABOVE, Area, Axes, Upward, room_of};

/// Curves of power over all people of a planned trial, one for each effect; the dashed line is a power of
/// 80%.
///
/// ```
/// use armwise::prospective::{ExpectedOutcome, PlannedTrial};
/// use armwise::report::PowerCurvePlot;
///
/// let trial = PlannedTrial::new(ExpectedOutcome::proportions(0.23, 0.20))?;
/// let grid = trial.grid(&[250, 500, 1000, 2000, 4000], &[1.0, 1.5, 2.0])?;
/// let plot = PowerCurvePlot::of(&grid).title("Outflow to work");
/// assert!(plot.to_svg().contains("0.045"));
/// assert!(PowerCurvePlot::table(&grid).to_text().contains("People"));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PowerCurvePlot {
    texts: Texts,
    width: f64,
    grid: PowerGrid,
}

const WIDTH: f64 = 640.0;
const X_LABEL: &str = "All people of the trial";
const Y_LABEL: &str = "Power (%)";
/// The power that designs are usually asked for.
const USUAL: f64 = 0.8;

figure!(PowerCurvePlot, WIDTH);

impl PowerCurvePlot {
    /// The curves of a grid.
    pub fn of(grid: &PowerGrid) -> Self {
        let scale = grid.trial.scale();
        let texts = Texts {
            title: "Power of the planned trial".to_owned(),
            subtitle: format!("One comparison with the control arm; each curve is a {scale}"),
            footnotes: grid.trial.assumptions().unwrap_or_default(),
        };
        Self { texts, width: WIDTH, grid: grid.clone() }
    }

    /// The same numbers as a table: people by effects, the power in percent.
    pub fn table(grid: &PowerGrid) -> Grid {
        let mut table = Grid::new(format!("Power (%) by {}", grid.trial.scale()))
            .column("People", Align::Right)
            .column("In the control arm", Align::Right);
        for effect in &grid.effects {
            table = table.column(significant(*effect, 3), Align::Right);
        }
        for ((total, control), row) in grid.total.iter().zip(&grid.control).zip(&grid.power) {
            let people = [Cell::count(*total), Cell::count(*control)];
            table.push(people.into_iter().chain(row.iter().map(|power| Cell::number(100.0 * power, 1))));
        }
        table
    }

    /// The figure as an SVG document.
    pub fn to_svg(&self) -> String {
        let height = 0.5 * (self.width - 2.0 * MARGIN);
        let y = ruler_from_zero(1.0, 100.0, height, SMALL);
        let page = Page::new(&self.texts, self.width, &[]);
        let top = page.top() + ABOVE;
        let left = MARGIN + room_of(&y);
        // The names of the curves stand at their ends.
        let area = Area { left, top, right: self.width - MARGIN - 60.0, bottom: top + height };
        let most = self.grid.total.iter().copied().max().unwrap_or(1) as f64;
        let x = ruler_from_zero(most, 1.0, area.right - area.left, SMALL);
        let axes = Axes { area, x, y, upward: Upward::Rising };
        let foot = axes.foot(X_LABEL);
        let mut canvas = page.begin(foot);
        axes.draw(&mut canvas, X_LABEL, Y_LABEL);
        let usual = axes.at(0.0, USUAL).y;
        let dashed = Stroke { dash: Some(4.0), ..Stroke::solid(Ink::Middle, 1.0) };
        canvas.line(Point { x: area.left, y: usual }, Point { x: area.right, y: usual }, dashed);
        let mut below = f64::NEG_INFINITY;
        let mut names: Vec<(f64, f64, String)> = Vec::new();
        for (column, effect) in self.grid.effects.iter().enumerate() {
            let points: Vec<Point> = self
                .grid
                .total
                .iter()
                .zip(&self.grid.power)
                .map(|(total, row)| axes.at(*total as f64, row[column]))
                .collect();
            canvas.path(&points, Ink::Black, 1.4, &[]);
            if let Some(end) = points.last() {
                names.push((end.y, end.x, significant(*effect, 3)));
            }
        }
        names.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (y, x, name) in names {
            // Names that would lie on each other step down.
            let y = (y + 4.0).max(below + 12.0);
            below = y;
            let label =
                Label { shown: &name, full: None, font: SMALL, ink: Ink::Black, anchor: Anchor::Start };
            canvas.text(Point { x: x + 6.0, y }, label);
        }
        let words = format!("power of {}", counted(self.grid.effects.len(), "effect"));
        page.end(canvas, foot, "Power curves", &words)
    }
}
