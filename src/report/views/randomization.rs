//! The distribution of a statistic over the assignments that could have happened.

use super::sentences;
use crate::compute::interval::Interval;
use crate::design::Notice;
use crate::error::Result;
use crate::inference::{RandomizationDistribution, RandomizationResult};
use crate::pool::PooledRandomizationResult;
use crate::report::base::format::{capitalised, p_value};
use crate::report::draw::axis::{Effect, ForestAxis, ruler_from_zero};
use crate::report::draw::canvas::{Anchor, Ink, Label, Point, Stroke};
use crate::report::draw::page::{MARGIN, Page, SMALL, Texts, figure};
use crate::report::draw::points::{ABOVE, Area, Axes, Upward, room_of};
use crate::report::english::effects::{contrast_words, measure_words};
use crate::report::results::randomization::{replays_words, statistic_words, value_words};

/// The randomisation distribution of a statistic, with the observed value and its mirror image.
///
/// Bars as extreme as the observed value are black: their share is the two-sided p-value.
///
/// ```
/// use armwise::inference::RandomizationTest;
/// use armwise::prelude::*;
/// use armwise::report::RandomizationPlot;
///
/// let text = "arm,score\nc,1\nc,2\nc,2.5\nc,3\nt,4\nt,4.5\nt,5\nt,7\n";
/// let table = Table::from_csv_str(text)?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let test = RandomizationTest::new().on(&trial.on(&Measure::continuous("score"))?)?;
/// assert!(RandomizationPlot::of(&test, "t")?.to_svg().contains("p = 0.029"));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RandomizationPlot {
    texts: Texts,
    width: f64,
    distribution: RandomizationDistribution,
    observed: f64,
    p_value: f64,
}

const WIDTH: f64 = 640.0;
const Y_LABEL: &str = "Share of assignments (%)";

figure!(RandomizationPlot, WIDTH);

impl RandomizationPlot {
    /// That of one treatment of a test.
    ///
    /// # Errors
    /// No such treatment.
    pub fn of(test: &RandomizationResult, treatment: impl AsRef<str>) -> Result<Self> {
        let own = test.treatment(treatment)?;
        let contrast = contrast_words(&own.treatment, &test.reference);
        let title = format!("{}: {contrast}, {}", measure_words(&test.measure), test.trial);
        let subtitle = format!(
            "{}; allocation {}; {}",
            statistic_words(&test.statistic),
            test.allocation,
            replays_words(own.replays)
        );
        let arms = [&own.treatment, &test.reference];
        let notices: Vec<Notice> =
            test.notices.iter().filter(|notice| notice.concerns(arms)).cloned().collect();
        let p_value = own.p_values.two_sided;
        Ok(Self::new(title, subtitle, &notices, own.distribution.clone(), own.statistic, p_value))
    }

    /// That of a pooled effect.
    pub fn of_pool(test: &PooledRandomizationResult) -> Self {
        let contrast = contrast_words(&test.treatment, &test.reference);
        let title = format!("{}: {contrast}", measure_words(&test.measure));
        let subtitle = format!("pooled effect, {}; {}", test.pool, replays_words(test.replays));
        let p_value = test.p_values.two_sided;
        Self::new(title, subtitle, &test.notices, test.distribution.clone(), test.statistic, p_value)
    }

    fn new(
        title: String,
        subtitle: String,
        notices: &[Notice],
        distribution: RandomizationDistribution,
        observed: f64,
        p_value: f64,
    ) -> Self {
        let black =
            "Black: at least as far from zero as the observed value (line) and its mirror image (dashed).";
        let footnotes = std::iter::once(black.to_owned()).chain(sentences(notices)).collect();
        let texts = Texts { title: capitalised(&title), subtitle: capitalised(&subtitle), footnotes };
        Self { texts, width: WIDTH, distribution, observed, p_value }
    }

    /// The figure as an SVG document.
    pub fn to_svg(&self) -> String {
        let RandomizationDistribution { low, high, shares } = &self.distribution;
        let height = 0.5 * (self.width - 2.0 * MARGIN);
        let y = ruler_from_zero(shares.iter().copied().fold(0.0, f64::max), 100.0, height, SMALL);
        let top = Page::new(&self.texts, self.width, &[]).top() + ABOVE;
        let left = MARGIN + room_of(&y);
        let area = Area { left, top, right: self.width - MARGIN - 6.0, bottom: top + height };
        let range = Effect { estimate: 0.0, interval: Interval::between(*low, *high) };
        let x = ForestAxis::difference("Statistic").place(&[range], &[], area.right - left, SMALL);
        let axes = Axes { area, x, y, upward: Upward::Rising };
        let page = Page::new(&self.texts, self.width, &[]);
        let words = format!("observed {}, {}", value_words(self.observed), p_value(self.p_value));
        let label = "Statistic of an assignment";
        let foot = axes.foot(label);
        let mut canvas = page.begin(foot);
        axes.draw(&mut canvas, label, Y_LABEL);
        let bin = (high - low) / shares.len() as f64;
        for (place, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let start = low + place as f64 * bin;
            // A bin that the observed value parts is as extreme as its outer end.
            let outer = start.abs().max((start + bin).abs());
            let extreme = outer >= self.observed.abs();
            let [from, to] = [axes.at(start, 0.0), axes.at(start + bin, *share)];
            let inner = 0.5;
            canvas.rectangle(
                Point { x: from.x + inner, y: to.y },
                Point { x: to.x - inner, y: from.y },
                if extreme { Ink::Black } else { Ink::Middle },
            );
        }
        if self.observed.is_finite() {
            for (value, dash) in [(self.observed, None), (-self.observed, Some(4.0))] {
                let x = axes.at(value, 0.0).x;
                let ends = [Point { x, y: area.top }, Point { x, y: area.bottom }];
                // White beside it, where it crosses black.
                canvas.line(ends[0], ends[1], Stroke::solid(Ink::White, 3.2));
                canvas.line(ends[0], ends[1], Stroke { dash, ..Stroke::solid(Ink::Black, 1.4) });
            }
        }
        // Above the area, so that no line crosses it.
        let end = Anchor::End;
        let text = Label { shown: &words, full: None, font: SMALL, ink: Ink::Black, anchor: end };
        canvas.text(Point { x: area.right, y: area.top - 8.0 }, text);
        page.end(canvas, foot, "Randomisation distribution", &words)
    }
}
