//! Tiny and degenerate trials through every estimator, and random counts through every pool.

use crate::support::data::{Counts, comparisons};
use crate::support::pools::{Visit, all, all_joint, analyses, counts};
use crate::support::{Numbers, survives};
use crate::tiny_trials;
use armwise::prelude::*;

pub(crate) fn attack(numbers: &mut Numbers) -> u64 {
    if numbers.chance(0.3) { tiny(numbers) } else { pools(numbers) }
}

/// An answer that is one, or a sentence, whatever the order of the rows and the names of the arms.
fn tiny(numbers: &mut Numbers) -> u64 {
    let list = tiny_trials::list();
    let mut faults = Vec::new();
    let seed = (numbers.next() * 2_f64.powi(52)) as u64;
    let [answers, refusals] = tiny_trials::check(seed, &list, &mut faults);
    assert!(faults.is_empty(), "{faults:#?}");
    (answers + refusals) as u64
}

/// Counts of any size, zeros and full arms among them.
fn draw(numbers: &mut Numbers) -> Vec<Counts> {
    let k = 1 + numbers.below(7);
    let arm = |numbers: &mut Numbers| {
        let most = [3, 40, 400, 1_000_000][numbers.below(4)];
        let n = 1 + numbers.below(most) as u64;
        let events = match numbers.below(6) {
            0 => 0,
            1 => n,
            _ => numbers.below(n as usize + 1) as u64,
        };
        (events, n)
    };
    (0..k).map(|_| [arm(numbers), arm(numbers), arm(numbers)]).collect()
}

fn pools(numbers: &mut Numbers) -> u64 {
    let trials = draw(numbers);
    let comparisons = comparisons(&trials);
    let mut sound = Sound(0);
    counts(&comparisons, "guidance", &mut sound);
    let random = numbers.below(2) == 0;
    let model = if random { OneStageLogistic::random() } else { OneStageLogistic::common() };
    sound.see("one stage", model.treatment("guidance").pool(&comparisons));
    if let Ok(effects) = comparisons.estimate(&DifferenceInProportions::new()) {
        each(&effects, &mut sound);
    }
    if let Ok(effects) = comparisons.estimate(&RatioOfProportions::new()) {
        each(&effects, &mut sound);
    }
    sound.0
}

fn each<S: Scale>(effects: &Effects<S>, sound: &mut Sound) {
    let Ok(guidance) = effects.treatment("guidance") else { return };
    analyses(effects, "guidance", sound);
    for pool in all() {
        sound.see(&format!("{pool:?}"), pool.pool(&guidance));
    }
    for pool in all_joint() {
        sound.see(&format!("{pool:?}"), pool.pool(effects));
    }
}

/// Sees that a result survives JSON, holds no NaN and says none.
pub(crate) struct Sound(pub(crate) u64);

impl Visit for Sound {
    fn see<T>(&mut self, name: &str, result: armwise::Result<T>)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug + std::fmt::Display,
    {
        self.0 += 1;
        let text = match result {
            Ok(result) => {
                survives(&result);
                result.to_string()
            }
            Err(error) => error.to_string(),
        };
        assert!(!text.is_empty() && !text.contains("NaN") && !text.contains("inf "), "{name}: {text}");
    }
}
