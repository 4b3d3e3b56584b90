//! States of units in consecutive periods, such as the labour market state of people in each month.
//!
//! [`StatePanel`] holds the states of each unit from period 1 on; all units are in one state in period 0. A unit
//! ends where it was last seen. Everything else starts from it.
//!
//! | question | method |
//! |---|---|
//! | what share is in each state, by period? | [`StatePanel::occupation`] (Aalen-Johansen), [`StatePanel::observed`] |
//! | how many periods are spent in a state? | [`PanelQuantity::Time`] |
//! | how does one state follow another? | [`StatePanel::transitions`] |
//! | who left for good, and when? | [`StatePanel::sustained`] |
//! | how do groups differ, period by period? | [`PeriodModel`] |
//!
//! ```
//! use armwise::multistate::{PanelQuantity, StatePanel};
//!
//! // 0: benefit, 1: part-time, 2: work. The last unit is not seen after its second month.
//! let people: [&[u8]; 4] = [&[0, 1, 2, 2], &[0, 0, 0, 0], &[1, 1, 0, 1], &[0, 2]];
//! let panel = StatePanel::new(3, 0, people)?;
//! let occupation = panel.occupation()?;
//! assert!((occupation.probability.row(3).sum() - 1.0).abs() < 1e-12);
//! let months = PanelQuantity::Time { states: vec![1, 2], until: 4 };
//! assert!(occupation.value(&months)? > 2.0);
//! assert_eq!(occupation.influence(&panel, &months)?.len(), 4);
//! # Ok::<(), armwise::Error>(())
//! ```

mod occupation;
mod panel;
mod period_model;
mod transitions;

pub use occupation::{Occupation, PanelQuantity};
pub use panel::{Spell, StatePanel};
pub use period_model::{PeriodAverage, PeriodEffects, PeriodModel};
pub use transitions::Transitions;
