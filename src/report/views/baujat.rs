//! Baujat's plots.

use super::sentences;
use crate::compute::meta_analysis::BaujatPoint;
use crate::effect::Scale;
use crate::pool::Influence;
use crate::report::base::format::{capitalised, significant};
use crate::report::draw::axis::ruler_from_zero;
use crate::report::draw::canvas::Ink;
use crate::report::draw::page::{MARGIN, Page, SMALL, Texts, figure};
use crate::report::draw::points::{ABOVE, Area, Axes, Named, Names, Upward, room_of};
use crate::report::english::effects::measure_words;
use crate::report::results::pools::pool_line;

/// Baujat's plot: what each trial contributes to Cochran's Q, against how far it moves the pooled effect.
///
/// Trials at the right disagree with the others, trials at the top decide the result; those in the upper
/// right corner do both.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::report::BaujatPlot;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let city = |name, control, guidance| {
///     Comparison::from_counts(
///         name,
///         &outflow,
///         [("control", control, 100), ("guidance", guidance, 100)],
///     )
/// };
/// let cities = Comparisons::new([
///     city("A", 10, 15)?,
///     city("B", 8, 7)?,
///     city("C", 12, 19)?,
///     city("Deventer", 9, 30)?,
/// ])?;
/// let guidance = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// let influence = RandomEffects::new().sensitivity(&guidance)?.influence()?;
/// assert!(BaujatPlot::of(&influence).to_svg().contains("Deventer"));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Baujat B et al. (2002), Statistics in Medicine 21:2641, doi:10.1002/sim.1221.
#[derive(Debug, Clone, PartialEq)]
pub struct BaujatPlot {
    texts: Texts,
    width: f64,
    points: Vec<Trial>,
}

#[derive(Debug, Clone, PartialEq)]
struct Trial {
    name: String,
    place: BaujatPoint,
    influential: bool,
}

const WIDTH: f64 = 640.0;
const X_LABEL: &str = "Contribution to Cochran's Q";
const Y_LABEL: &str =
    "Influence: squared shift of the common effect without the trial, in units of its variance";

figure!(BaujatPlot, WIDTH);

impl BaujatPlot {
    /// The trials of an analysis of influence; those that it calls influential are black.
    pub fn of<S: Scale>(influence: &Influence<S>) -> Self {
        let pooled = &influence.pooled;
        let points = influence.rows.iter().map(|row| Trial {
            name: row.trial.to_string(),
            place: row.baujat,
            influential: row.measures.influential,
        });
        let points: Vec<Trial> = points.collect();
        let mut footnotes = vec!["Both axes are of the common effect (Baujat et al. 2002).".to_owned()];
        if points.iter().any(|point| point.influential) {
            let thresholds = "Black: influential by the thresholds of Viechtbauer & Cheung (2010).";
            footnotes.push(thresholds.to_owned());
        }
        footnotes.extend(sentences(influence.notices()));
        let texts = Texts {
            title: capitalised(&measure_words(pooled.measure())),
            subtitle: pool_line(&pooled.to_any()),
            footnotes,
        };
        Self { texts, width: WIDTH, points }
    }

    /// The figure as an SVG document.
    pub fn to_svg(&self) -> String {
        let most = |of: &dyn Fn(&BaujatPoint) -> f64| {
            self.points.iter().map(|point| of(&point.place)).filter(|x| x.is_finite()).fold(0.0, f64::max)
        };
        let height = 0.58 * (self.width - 2.0 * MARGIN);
        let y = ruler_from_zero(most(&|place| place.influence), 1.0, height, SMALL);
        let top = Page::new(&self.texts, self.width, &[]).top() + ABOVE;
        let left = MARGIN + room_of(&y);
        let area = Area { left, top, right: self.width - MARGIN - 6.0, bottom: top + height };
        let x = ruler_from_zero(most(&|place| place.heterogeneity), 1.0, area.right - left, SMALL);
        let axes = Axes { area, x, y, upward: Upward::Rising };
        let points: Vec<Named> = self
            .points
            .iter()
            .map(|point| Named {
                at: axes.at(point.place.heterogeneity, point.place.influence),
                name: point.name.clone(),
                tooltip: point.words(),
                fill: if point.influential { Ink::Black } else { Ink::Middle },
            })
            .collect();
        let names = Names::place(&points, area, &[]);

        let more: Vec<String> = names.left_out().into_iter().collect();
        let page = Page::new(&self.texts, self.width, &more);
        let foot = axes.foot(X_LABEL);
        let mut canvas = page.begin(foot);
        axes.draw(&mut canvas, X_LABEL, Y_LABEL);
        names.draw(&mut canvas);
        let mut words = vec!["Baujat's plot".to_owned()];
        words.extend(self.points.iter().map(Trial::words));
        page.end(canvas, foot, "Baujat's plot", &words.join(". "))
    }
}

impl Trial {
    fn words(&self) -> String {
        let BaujatPoint { heterogeneity, influence } = self.place;
        format!(
            "{}: {} of Q, influence {}",
            self.name,
            significant(heterogeneity, 3),
            significant(influence, 3)
        )
    }
}
