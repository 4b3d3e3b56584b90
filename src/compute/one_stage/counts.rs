//! Events by site and arm.

use crate::compute::counts::ArmTotal;
use crate::error::{Error, ErrorKind, Result, counted};
use serde::{Deserialize, Serialize};

/// Events among participants in one arm of one site; both positions count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteArm {
    /// The position of the site among the names of [`SiteCounts`].
    pub site: usize,
    /// The position of the arm.
    pub arm: usize,
    /// Participants with the event.
    pub events: u64,
    /// Participants.
    pub n: u64,
}

/// Events and participants of every arm at every site: all that a logistic model without covariates needs of
/// the participants.
///
/// Counts of the same arm at the same site add up, so that participants can be added one by one. A site need
/// not have every arm.
///
/// ```
/// use armwise::one_stage::{SiteArm, SiteCounts};
///
/// let mut counts = SiteCounts::new(["Utrecht", "Tilburg"], ["control", "guidance"])?;
/// counts.add(SiteArm { site: 0, arm: 0, events: 6, n: 176 })?;
/// counts.add(SiteArm { site: 0, arm: 1, events: 7, n: 172 })?;
/// counts.add(SiteArm { site: 1, arm: 1, events: 9, n: 95 })?;
/// counts.add(SiteArm { site: 1, arm: 1, events: 1, n: 1 })?;
/// assert_eq!(counts.arm(1, 1).unwrap().events, 10);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteCounts {
    sites: Vec<String>,
    arms: Vec<String>,
    cells: Vec<ArmTotal>,
}

/// More people than an `f64` counts one by one.
const TOO_MANY: u64 = 1 << 53;

impl SiteCounts {
    /// No counts yet; the names of the sites, and of the arms, the reference first.
    ///
    /// # Errors
    /// `invalid_input` without sites, with fewer than two arms, or with a name that occurs twice.
    pub fn new<S: Into<String>, A: Into<String>>(
        sites: impl IntoIterator<Item = S>,
        arms: impl IntoIterator<Item = A>,
    ) -> Result<Self> {
        let sites: Vec<String> = sites.into_iter().map(Into::into).collect();
        let arms: Vec<String> = arms.into_iter().map(Into::into).collect();
        if sites.is_empty() || arms.len() < 2 {
            return Err(Error::invalid(format!(
                "a one-stage analysis needs at least one site and two arms, the reference first, not {} and {}",
                counted(sites.len(), "site"),
                counted(arms.len(), "arm")
            )));
        }
        for names in [&sites, &arms] {
            let mut sorted: Vec<&String> = names.iter().collect();
            sorted.sort_unstable();
            if let Some(place) = (1..sorted.len()).find(|&place| sorted[place] == sorted[place - 1]) {
                return Err(Error::invalid(format!(
                    "\"{}\" is named twice; give each its own name",
                    sorted[place]
                )));
            }
        }
        let cells = vec![ArmTotal::default(); sites.len() * arms.len()];
        Ok(Self { sites, arms, cells })
    }

    /// Adds events and participants.
    ///
    /// # Errors
    /// `invalid_input` for a site or arm that there is not, for more events than participants, and beyond
    /// 2^53 participants.
    pub fn add(&mut self, counts: SiteArm) -> Result<()> {
        let SiteArm { site, arm, events, n } = counts;
        if site >= self.sites.len() || arm >= self.arms.len() {
            return Err(Error::invalid(format!(
                "there is no arm {arm} at site {site}; positions count from 0, and there are {} and {}",
                counted(self.sites.len(), "site"),
                counted(self.arms.len(), "arm")
            )));
        }
        let cell = self.cells[site * self.arms.len() + arm];
        let total = ArmTotal { events: cell.events.saturating_add(events), n: cell.n.saturating_add(n) };
        if events > n || total.n > TOO_MANY {
            return Err(Error::invalid(format!(
                "{events} among {participants}; give events, then participants, at most 2^53",
                events = counted(events, "event"),
                participants = counted(n, "participant")
            ))
            .in_trial(&self.sites[site])
            .in_arm(&self.arms[arm]));
        }
        self.cells[site * self.arms.len() + arm] = total;
        Ok(())
    }

    /// The names of the sites.
    pub fn sites(&self) -> &[String] {
        &self.sites
    }

    /// The names of the arms, the reference first.
    pub fn arms(&self) -> &[String] {
        &self.arms
    }

    /// The counts of an arm at a site, both by position; `None` where nobody is.
    pub fn arm(&self, site: usize, arm: usize) -> Option<ArmTotal> {
        if arm >= self.arms.len() {
            return None;
        }
        self.cells.get(site * self.arms.len() + arm).copied().filter(|cell| cell.n > 0)
    }

    /// The arms of a site where somebody is, with their positions.
    pub(super) fn cells(&self, site: usize) -> impl Iterator<Item = (usize, ArmTotal)> + Clone + '_ {
        (0..self.arms.len()).filter_map(move |arm| Some((arm, self.arm(site, arm)?)))
    }

    /// All participants of a site.
    pub(super) fn total(&self, site: usize) -> ArmTotal {
        sum(self.cells(site).map(|(_, cell)| cell))
    }

    /// Whether the outcomes at a site say something about effects common to sites: not all are the same.
    pub(super) fn varies(&self, site: usize) -> bool {
        let ArmTotal { events, n } = self.total(site);
        events > 0 && events < n
    }

    /// The two arms of a model of one treatment, by site.
    pub(super) fn pairs(&self) -> Result<Vec<Pair>> {
        if self.arms.len() != 2 {
            return Err(Error::invalid(format!(
                "the counts have {}, but this model compares two; give the counts of one treatment and the reference",
                counted(self.arms.len(), "arm")
            )));
        }
        for (arm, name) in self.arms.iter().enumerate() {
            if (0..self.sites.len()).all(|site| self.arm(site, arm).is_none()) {
                let why = "nobody is in this arm at any site; check the labels of the arms";
                return Err(Error::from(ErrorKind::EmptyArm(why.to_owned())).in_arm(name));
            }
        }
        let pair = |site| Pair {
            treated: self.arm(site, 1).unwrap_or_default(),
            control: self.arm(site, 0).unwrap_or_default(),
        };
        Ok((0..self.sites.len()).map(pair).collect())
    }
}

/// The arms of a site in a model of one treatment; an arm may be empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) treated: ArmTotal,
    pub(super) control: ArmTotal,
}

impl Pair {
    pub(super) fn events(&self) -> u64 {
        self.treated.events + self.control.events
    }

    pub(super) fn n(&self) -> u64 {
        self.treated.n + self.control.n
    }

    /// Whether the treated events vary, given all events of the site.
    pub(super) fn is_informative(&self) -> bool {
        self.treated.n > 0 && self.control.n > 0 && self.events() > 0 && self.events() < self.n()
    }
}

pub(super) fn sum(totals: impl Iterator<Item = ArmTotal>) -> ArmTotal {
    totals.fold(ArmTotal::default(), |a, b| ArmTotal { events: a.events + b.events, n: a.n + b.n })
}
