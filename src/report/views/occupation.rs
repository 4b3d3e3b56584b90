//! The states of people by month and arm, on top of each other.

use super::panels::Panels;
use crate::compute::multistate::Occupation;
use crate::design::{Comparison, MonthlyStates};
use crate::error::{Error, Result, counted};
use crate::report::base::format::{decimal, plain_label};
use crate::report::draw::axis::ruler_from_zero;
use crate::report::draw::canvas::{Anchor, Canvas, Ink, Point, Stroke};
use crate::report::draw::page::{Block, LINE, MARGIN, MIDDLE, Page, SMALL, Texts, figure};
use crate::report::draw::points::Axes;

/// The share of people in each state by month, stacked, in a panel for each arm.
///
/// The shares are the probabilities of [`StateOccupation`](crate::estimator::StateOccupation), which count those who
/// are no longer followed like the others in their state. The first state, in which everybody begins, is at the bottom;
/// states differ by their shade, and the order of the legend is theirs.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::report::OccupationPlot;
///
/// let people = Table::from_csv_path("examples/data/participants.csv")?
///     .keep_category("municipality", "Wageningen")?;
/// let trial = Trial::builder("Wageningen", people)
///     .arm_labels("arm")
///     .control("control")
///     .build()?;
/// let table = Table::from_csv_path("examples/data/registry_panel.csv")?
///     .keep_category("municipality", "Wageningen")?;
/// let states = Register::from_long(table, "participant", "month", "state")
///     .states(["benefit", "part_time", "full_time", "other"])
///     .months(24)
///     .measure()?;
/// let figure = OccupationPlot::of(&trial.on(&states)?)?.title("Where people are");
/// assert!(figure.to_svg().contains("guidance"));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct OccupationPlot {
    texts: Texts,
    width: f64,
    states: Vec<String>,
    arms: Vec<Arm>,
    every: f64,
    time_label: String,
}

/// The states of an arm.
#[derive(Debug, Clone, PartialEq)]
struct Arm {
    name: String,
    /// The people who are ever seen, and those who are in the last month.
    people: u64,
    last: f64,
    curve: Occupation,
}

const WIDTH: f64 = 640.0;
/// The shades of states from the first on: neighbours are far apart.
const SHADES: [Ink; 6] = [Ink::Light, Ink::Middle, Ink::White, Ink::Dark, Ink::Pale, Ink::Black];

figure!(OccupationPlot, WIDTH);

impl OccupationPlot {
    /// The states of all arms of a comparison; the title is the trial.
    ///
    /// # Errors
    /// More than 6 states, which nobody tells apart; an arm of which nobody is seen in any month.
    pub fn of(comparison: &Comparison<MonthlyStates>) -> Result<Self> {
        let states: Vec<String> = comparison.states().iter().map(|state| plain_label(state)).collect();
        if states.len() > SHADES.len() {
            let why = format!(
                "{} cannot be told apart by shades; merge states in the table until there are at most {}",
                counted(states.len(), "state"),
                SHADES.len()
            );
            return Err(Error::invalid(why).in_trial(comparison.trial()));
        }
        let panels = comparison.panels()?;
        let mut arms = Vec::new();
        for ((curve, panel), arm) in comparison.occupation()?.into_iter().zip(&panels).zip(comparison.arms())
        {
            let last = panel.observed(panel.periods())?.sum();
            arms.push(Arm { name: plain_label(&arm.label), people: arm.counts.analysed, last, curve });
        }
        let texts = Texts { title: comparison.trial().to_string(), ..Texts::default() };
        Ok(Self { texts, width: WIDTH, states, arms, every: 6.0, time_label: "Month".to_owned() })
    }

    /// The months between ticks of the time axis; default 6. 0 counts as the default.
    #[must_use]
    pub fn ticks_every(mut self, months: usize) -> Self {
        self.every = if months > 0 { months as f64 } else { 6.0 };
        self
    }

    /// The words below the time axis. Default: `Month`.
    #[must_use]
    pub fn time_label(mut self, label: impl Into<String>) -> Self {
        self.time_label = label.into();
        self
    }

    /// The figure as an SVG document.
    pub fn to_svg(&self) -> String {
        let seen = |arm: &Arm| format!("{} {}", arm.name, decimal(arm.last, 0));
        let followed: Vec<String> = self.arms.iter().map(seen).collect();
        let lasts: Vec<usize> = self.arms.iter().map(Arm::months).collect();
        let end = lasts.iter().copied().max().unwrap_or(1);
        let same = lasts.iter().all(|last| *last == end);
        let when = if same { format!("month {end}") } else { "the last month of each".to_owned() };
        let notes = [format!(
            "Aalen-Johansen probabilities, from month 0, in which everybody is in \"{}\". People seen in {when}: {}.",
            self.states[0],
            followed.join(", ")
        )];
        let page = Page::new(&self.texts, self.width, &notes);
        let legend = Legend::new(&self.states, self.width);
        let top = page.top() + LINE + 6.0 + legend.height();
        let headings: Vec<String> =
            self.arms.iter().map(|arm| format!("{} (n = {})", arm.name, arm.people)).collect();
        let percent = |height: f64| ruler_from_zero(1.0, 100.0, height, SMALL);
        let end = end as f64;
        let panels = Panels::new(&headings, (self.width, top), (end, self.every), &self.time_label, percent);
        let foot = panels.foot();
        let mut canvas = page.begin(foot);
        let words = Block::new("Share of people (%)", SMALL, self.width - 2.0 * MARGIN, 1);
        words.draw(&mut canvas, Point { x: MARGIN, y: page.top() + 11.0 }, Ink::Black, Anchor::Start);
        legend.draw(&mut canvas, page.top() + LINE + 6.0);
        for (i, arm) in self.arms.iter().enumerate() {
            panels.draw(&mut canvas, i);
            arm.draw(&mut canvas, &panels.axes(i), self.states.len());
        }
        page.end(canvas, foot, "States by month and arm", &self.description())
    }

    fn description(&self) -> String {
        let of_arm = |arm: &Arm| {
            let months = arm.months();
            let share = |(j, state): (usize, &String)| {
                format!("{state} {}%", decimal(100.0 * arm.curve.probability[[months - 1, j]], 1))
            };
            let shares: Vec<String> = self.states.iter().enumerate().map(share).collect();
            format!("{} in month {months}: {}", arm.name, shares.join(", "))
        };
        let arms: Vec<String> = self.arms.iter().map(of_arm).collect();
        format!("States by month and arm. {}", arms.join(". "))
    }
}

impl Arm {
    fn months(&self) -> usize {
        self.curve.probability.nrows()
    }

    /// The states from the bottom, each up to the sum of those below it.
    fn draw(&self, canvas: &mut Canvas, axes: &Axes, states: usize) {
        let upper = |state: Option<usize>| {
            let at = |month: usize| {
                let sum = match (state, month) {
                    (None, _) => 0.0,
                    (Some(_), 0) => 1.0,
                    (Some(state), month) => {
                        self.curve.probability.row(month - 1).iter().take(state + 1).sum::<f64>()
                    }
                };
                axes.at(month as f64, sum.min(1.0))
            };
            (0..=self.months()).map(at).collect::<Vec<Point>>()
        };
        let mut below = upper(None);
        for (state, shade) in SHADES.into_iter().enumerate().take(states) {
            let own = upper(Some(state));
            let area: Vec<Point> = own.iter().copied().chain(below.iter().rev().copied()).collect();
            canvas.polygon(&area, shade);
            below = own;
        }
        // Borders come last, so that no area covers them.
        for state in 0..states {
            canvas.path(&upper(Some(state)), Ink::Black, 0.8, &[]);
        }
        let (bottom, last) = (axes.at(0.0, 0.0), self.months() as f64);
        let edge = Stroke::solid(Ink::Black, 0.8);
        canvas.line(axes.at(last, 0.0), axes.at(last, 1.0), edge);
        canvas.line(bottom, axes.at(last, 0.0), edge);
    }
}

/// A sample of each shade with its state, in lines.
struct Legend {
    /// The words with their places, lines counted from 0.
    entries: Vec<(Block, f64, usize)>,
    lines: usize,
}

/// The side of a sample.
const SAMPLE: f64 = 11.0;

impl Legend {
    fn new(states: &[String], width: f64) -> Self {
        let (mut x, mut line) = (MARGIN, 0);
        let mut entries = Vec::new();
        for state in states {
            let block = Block::new(state, SMALL, 0.4 * width, 1);
            let room = SAMPLE + 5.0 + block.width() + 18.0;
            if x > MARGIN && x + room > width - MARGIN {
                (x, line) = (MARGIN, line + 1);
            }
            entries.push((block, x, line));
            x += room;
        }
        Self { entries, lines: line + 1 }
    }

    fn height(&self) -> f64 {
        self.lines as f64 * (LINE + 2.0) + 6.0
    }

    fn draw(&self, canvas: &mut Canvas, top: f64) {
        for ((block, x, line), shade) in self.entries.iter().zip(SHADES) {
            let y = top + *line as f64 * (LINE + 2.0);
            let (from, to) = (Point { x: *x, y }, Point { x: x + SAMPLE, y: y + SAMPLE });
            canvas.rectangle(from, to, shade);
            let corners = [from, Point { x: to.x, y }, to, Point { x: *x, y: to.y }, from];
            canvas.path(&corners, Ink::Black, 0.8, &[]);
            let at = Point { x: to.x + 5.0, y: y + 0.5 * SAMPLE + MIDDLE };
            block.draw(canvas, at, Ink::Black, Anchor::Start);
        }
    }
}
