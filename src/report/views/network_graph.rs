//! Graphs of networks.

use crate::effect::Scale;
use crate::error::{agreeing, counted};
use crate::pool::{NetworkPooled, NetworkTrial};
use crate::report::base::format::{capitalised, plain_label};
use crate::report::draw::canvas::{Anchor, Canvas, Ink, Label, Point, Stroke};
use crate::report::draw::page::{Block, LINE, MARGIN, Page, SMALL, STRONG, Texts, figure};
use crate::report::draw::points::{Area, text_area};
use crate::report::english::effects::{measure_words, model_words};

/// What the width of a line of a [`NetworkGraph`] stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EdgeWidth {
    /// The number of trials that had both arms. The default.
    #[default]
    Trials,
    /// The participants of both arms in those trials.
    Participants,
}

/// The graph of a network: its arms on a circle, and a line between two arms that some trial compared.
///
/// The area of an arm is proportional to its participants, the width of a line to its trials, whose number
/// stands on it where there is room. The reference is black.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::report::NetworkGraph;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts(
///         "A",
///         &outflow,
///         [("control", 10, 100), ("guidance", 15, 100), ("exemption", 12, 90)],
///     )?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 17, 95)])?,
/// ])?;
/// let network = NetworkMetaAnalysis::common()
///     .pool(&cities.estimate(&DifferenceInProportions::new())?)?;
/// let svg = NetworkGraph::of(&network).title("Who was compared with whom").to_svg();
/// assert!(svg.contains("exemption") && svg.contains("n = 195"));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkGraph {
    texts: Texts,
    arms: Vec<Node>,
    edges: Vec<Edge>,
    edge_width: EdgeWidth,
}

#[derive(Debug, Clone, PartialEq)]
struct Node {
    name: String,
    participants: u64,
    trials: usize,
}

/// A comparison that some trial made, by the places of its arms.
#[derive(Debug, Clone, PartialEq)]
struct Edge {
    ends: [usize; 2],
    trials: Vec<String>,
    participants: u64,
}

const LARGEST_NODE: f64 = 24.0;
const SMALLEST_NODE: f64 = 3.5;
const WIDEST_EDGE: f64 = 9.0;
const THINNEST_EDGE: f64 = 1.0;
const NAME_WIDTH: f64 = 150.0;
const SMALLEST_CIRCLE: f64 = 150.0;

figure!(NetworkGraph);

impl NetworkGraph {
    /// The arms and comparisons of a network, the reference on top.
    pub fn of<S: Scale>(network: &NetworkPooled<S>) -> Self {
        let arms = network.arms.iter().map(|arm| {
            let own = network.trials.iter().flat_map(|trial| &trial.arms).filter(|own| own.arm == *arm);
            let (participants, trials) = own.fold((0, 0), |(n, k), own| (n + own.participants, k + 1));
            Node { name: plain_label(arm), participants, trials }
        });
        let place = |arm: &str| network.arms.iter().position(|own| *own == arm);
        let edges = network.comparisons.iter().filter(|comparison| !comparison.direct.is_empty());
        let edges = edges.filter_map(|comparison| {
            let in_trial = |trial: &&NetworkTrial| comparison.direct.contains(&trial.trial);
            let own = network.trials.iter().filter(in_trial).flat_map(|trial| &trial.arms);
            let own = own.filter(|own| own.arm == comparison.arm || own.arm == comparison.other);
            Some(Edge {
                ends: [place(&comparison.arm)?, place(&comparison.other)?],
                trials: comparison.direct.iter().map(ToString::to_string).collect(),
                participants: own.map(|own| own.participants).sum(),
            })
        });
        let (arms, edges): (Vec<Node>, Vec<Edge>) = (arms.collect(), edges.collect());
        let mut footnotes = vec![
            "Areas: participants analysed; black: the reference. Lines: comparisons within trials, with the number of \
             trials."
                .to_owned(),
        ];
        let several = network.trials.iter().filter(|trial| trial.arms.len() > 2).count();
        if several > 0 {
            let words = agreeing(several, "trial", ["has", "have"]);
            footnotes.push(format!("{words} more than two arms, and a line for every two of them."));
        }
        let texts = Texts {
            title: capitalised(&measure_words(network.measure())),
            subtitle: format!(
                "{} in {}, {} of {} made directly; {}",
                counted(arms.len(), "arm"),
                counted(network.trials.len(), "trial"),
                edges.len(),
                counted(network.comparisons.len(), "comparison"),
                model_words(network.pool.model.tau2_estimator)
            ),
            footnotes,
        };
        Self { texts, arms, edges, edge_width: EdgeWidth::default() }
    }

    setters! {
        /// What the width of a line stands for; default the number of trials.
        edge_width: EdgeWidth;
    }

    /// The figure as an SVG document. The circle is as large as the names around it need.
    pub fn to_svg(&self) -> String {
        let names: Vec<Name> = self.arms.iter().map(Name::new).collect();
        let ring = Ring::holding(&names);
        let extents: Vec<Area> = (0..names.len()).map(|i| ring.extent(i, &names[i])).collect();
        let reach =
            |of: &dyn Fn(&Area) -> f64| extents.iter().map(of).fold(ring.radius + LARGEST_NODE, f64::max);
        let (left, right) = (reach(&|area| -area.left), reach(&|area| area.right));
        let (above, below) = (reach(&|area| -area.top), reach(&|area| area.bottom));
        // The words above and below need some width too.
        let short = (0.5 * (480.0 - left - right)).max(0.0);
        let width = left + right + 2.0 * (short + MARGIN);
        let page = Page::new(&self.texts, width, &[]);
        let centre = Point { x: MARGIN + short + left, y: page.top() + 6.0 + above };
        let foot = centre.y + below + 6.0;

        let mut canvas = page.begin(foot);
        let at = |i: usize| {
            let Point { x, y } = ring.at(i);
            Point { x: centre.x + x, y: centre.y + y }
        };
        self.draw_edges(&mut canvas, &at);
        for (i, (arm, name)) in self.arms.iter().zip(&names).enumerate() {
            let fill = if i == 0 { Ink::Black } else { Ink::Middle };
            canvas.circle(at(i), self.radius(arm), fill, Stroke::solid(Ink::White, 1.5), &arm.words());
            let shift = |point: Point| Point { x: centre.x + point.x, y: centre.y + point.y };
            name.draw(&mut canvas, shift(ring.baseline(i, name)), ring.anchor(i));
        }
        page.end(canvas, foot, "Network of arms", &self.description())
    }

    fn radius(&self, arm: &Node) -> f64 {
        let most = self.arms.iter().map(|arm| arm.participants).max().unwrap_or(0).max(1);
        (LARGEST_NODE * libm::sqrt(arm.participants as f64 / most as f64)).max(SMALLEST_NODE)
    }

    fn draw_edges(&self, canvas: &mut Canvas, at: &dyn Fn(usize) -> Point) {
        let size = |edge: &Edge| match self.edge_width {
            EdgeWidth::Trials => edge.trials.len() as f64,
            EdgeWidth::Participants => edge.participants as f64,
        };
        let most = self.edges.iter().map(size).fold(1.0, f64::max);
        for edge in &self.edges {
            let width = (WIDEST_EDGE * size(edge) / most).max(THINNEST_EDGE);
            let [from, to] = edge.ends.map(at);
            canvas.line(from, to, Stroke::solid(Ink::Light, width + 1.2));
            canvas.line(from, to, Stroke::solid(Ink::Middle, width));
        }
        let nodes = self.arms.iter().enumerate();
        let mut taken: Vec<Area> =
            nodes.map(|(i, arm)| Area::around(at(i), self.radius(arm) + 2.0)).collect();
        for edge in &self.edges {
            let [from, to] = edge.ends.map(at);
            let shown = edge.trials.len().to_string();
            let room = SMALL.width(&shown) + 4.0;
            let places = [0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73, 0.2, 0.8].map(|share| {
                let middle =
                    Point { x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) };
                let baseline = Point { x: middle.x, y: middle.y + 4.0 };
                (baseline, text_area(baseline, Anchor::Middle, room))
            });
            let free = |extent: &Area| !taken.iter().any(|other| other.meets(extent));
            if let Some((baseline, extent)) = places.into_iter().find(|(_, extent)| free(extent)) {
                taken.push(extent);
                let (corner, end) =
                    (Point { x: extent.left, y: extent.top }, Point { x: extent.right, y: extent.bottom });
                canvas.rectangle(corner, end, Ink::White);
                let (full, anchor) = (None, Anchor::Middle);
                let label = Label { shown: &shown, full, font: SMALL, ink: Ink::Black, anchor };
                canvas.text(baseline, label);
            }
        }
    }

    fn description(&self) -> String {
        let mut words = vec!["Network of arms".to_owned()];
        words.extend(self.arms.iter().map(Node::words));
        words.extend(self.edges.iter().map(|edge| {
            let [one, two] = edge.ends.map(|i| self.arms.get(i).map_or("", |arm| arm.name.as_str()));
            format!("{one} and {two}: {}", edge.trials.join(", "))
        }));
        words.join(". ")
    }
}

impl Node {
    fn words(&self) -> String {
        format!("{}: n = {} in {}", self.name, self.participants, counted(self.trials, "trial"))
    }
}

/// The name of an arm and its participants, in lines.
struct Name {
    name: Block,
    participants: Block,
}

impl Name {
    fn new(arm: &Node) -> Self {
        let name = Block::new(&arm.name, STRONG, NAME_WIDTH, 3);
        Self { name, participants: Block::new(&format!("n = {}", arm.participants), SMALL, NAME_WIDTH, 1) }
    }

    fn width(&self) -> f64 {
        self.name.width().max(self.participants.width())
    }

    fn height(&self) -> f64 {
        (self.name.lines() + 1.0) * LINE
    }

    fn draw(&self, canvas: &mut Canvas, at: Point, anchor: Anchor) {
        self.name.draw(canvas, at, Ink::Black, anchor);
        let below = Point { x: at.x, y: at.y + self.name.lines() * LINE };
        self.participants.draw(canvas, below, Ink::Dark, anchor);
    }
}

/// The circle of the arms, around the origin.
struct Ring {
    radius: f64,
    arms: usize,
}

impl Ring {
    /// The smallest circle on which neither names nor arms overlap.
    fn holding(names: &[Name]) -> Self {
        let mut ring = Self { radius: SMALLEST_CIRCLE, arms: names.len() };
        // The circumference grows with every step, so that there is room at last; the bound is for thousands
        // of arms.
        for _ in 0..2000 {
            let extents: Vec<Area> = names.iter().enumerate().map(|(i, name)| ring.extent(i, name)).collect();
            let nodes: Vec<Area> =
                (0..names.len()).map(|i| Area::around(ring.at(i), LARGEST_NODE + 2.0)).collect();
            // Names that meet are near each other on the circle.
            let near = |i: usize| (1..=3).map(move |step| (i + step) % names.len()).filter(move |&j| j != i);
            let meets = |i: usize| {
                near(i).any(|j| {
                    extents[i].meets(&extents[j])
                        || nodes[i].meets(&nodes[j])
                        || extents[i].meets(&nodes[j])
                        || nodes[i].meets(&extents[j])
                })
            };
            if !(0..names.len()).any(meets) {
                break;
            }
            ring.radius *= 1.06;
        }
        ring
    }

    fn angle(&self, i: usize) -> f64 {
        std::f64::consts::TAU * i as f64 / self.arms.max(1) as f64
    }

    /// The first arm is on top, the others follow clockwise.
    fn at(&self, i: usize) -> Point {
        self.away(i, self.radius)
    }

    fn away(&self, i: usize, distance: f64) -> Point {
        let angle = self.angle(i);
        Point { x: distance * libm::sin(angle), y: -distance * libm::cos(angle) }
    }

    fn anchor(&self, i: usize) -> Anchor {
        let sine = libm::sin(self.angle(i));
        if sine > 0.2 {
            Anchor::Start
        } else if sine < -0.2 {
            Anchor::End
        } else {
            Anchor::Middle
        }
    }

    /// The baseline of the first line of a name, outside the circle.
    fn baseline(&self, i: usize, name: &Name) -> Point {
        let gap = LARGEST_NODE + 8.0;
        let Point { x, y } = self.away(i, self.radius + gap);
        // From above the point at the top of the circle to below it at the bottom.
        let share = 0.5 * (1.0 + libm::cos(self.angle(i)));
        Point { x, y: y - share * name.height() + 11.0 }
    }

    fn extent(&self, i: usize, name: &Name) -> Area {
        let at = self.baseline(i, name);
        let width = name.width();
        let left = match self.anchor(i) {
            Anchor::Start => at.x,
            Anchor::Middle => at.x - 0.5 * width,
            Anchor::End => at.x - width,
        };
        Area {
            left: left - 2.0,
            top: at.y - 12.0,
            right: left + width + 2.0,
            bottom: at.y - 11.0 + name.height(),
        }
    }
}
