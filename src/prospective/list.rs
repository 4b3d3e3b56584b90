use super::list_plan::{ListMethod, ListPlan};
use crate::compute::linalg::SymmetricEigen;
use crate::compute::progress::Task;
use crate::error::{Error, ErrorKind, Result, counted, number};
use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::fmt::Write;

/// One row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListRow {
    /// The unit.
    pub unit: String,
    /// Its stratum; empty where there is one for all.
    pub stratum: String,
    /// Its block, named by stratum and number; empty without blocks.
    pub block: String,
    /// The arm.
    pub arm: String,
}

/// An allocation list, drawn from its declaration.
///
/// As CSV it has the columns `number`, `unit`, `stratum`, `block`, `arm`, `seed` and `check`: a code of the
/// row and of all rows before it. [`from_csv`](Self::from_csv) draws the declaration again and holds every
/// row against it, so that no changed, missing, moved or added row is accepted. The code tells by itself
/// where a file was changed by accident; it is no protection against somebody who computes it anew, whom the
/// declaration finds.
#[derive(Debug, Clone, PartialEq)]
pub struct AllocationList {
    plan: ListPlan,
    rows: Vec<ListRow>,
    draws: u32,
}

/// Uniform numbers below `n`, by rejection.
fn below(random: &mut ChaCha8Rng, n: u32) -> u32 {
    let limit = u32::MAX - u32::MAX % n;
    loop {
        let word = random.next_u32();
        if word < limit {
            return word % n;
        }
    }
}

/// A uniform number from 0 to below 1, with 53 bits.
fn unit(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 * 2_f64.powi(-53)
}

fn shuffle<T>(random: &mut ChaCha8Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(random, u32::try_from(last + 1).unwrap_or(u32::MAX)) as usize);
    }
}

fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number);
    random
}

/// The chosen place with this probability, else another; `share` weighs the others.
fn coin(random: &mut ChaCha8Rng, best: &[usize], probability: f64, ratio: &[f64]) -> usize {
    let drawn = |random: &mut ChaCha8Rng, places: &[usize]| {
        let all: f64 = places.iter().map(|i| ratio[*i]).sum();
        let mut left = unit(random) * all;
        for &place in places {
            left -= ratio[place];
            if left < 0.0 {
                return place;
            }
        }
        places[places.len() - 1]
    };
    let others: Vec<usize> = (0..ratio.len()).filter(|place| !best.contains(place)).collect();
    // Two numbers for every unit, whatever comes out.
    let lags = unit(random) < probability;
    drawn(random, if lags || others.is_empty() { best } else { &others })
}

/// The places with the least value.
fn least(values: &[f64]) -> Vec<usize> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    (0..values.len()).filter(|i| values[*i] <= low + 1e-9 * low.abs().max(1.0)).collect()
}

impl ListPlan {
    /// Draws the list.
    ///
    /// # Errors
    /// `invalid_input` for no units, fewer units than arms, and a bound that no allocation of so many drawn
    /// keeps.
    pub fn draw(&self) -> Result<AllocationList> {
        if self.units.len() < self.arms.len() {
            return Err(Error::invalid(format!(
                "{} for {}; give at least one unit for each arm",
                counted(self.units.len(), "unit"),
                counted(self.arms.len(), "arm")
            )));
        }
        let mut blocks = vec![String::new(); self.units.len()];
        let mut draws = 1;
        let arms = match &self.method {
            ListMethod::Complete => self.complete(0),
            ListMethod::PermutedBlocks { sizes } => self.blocks(sizes, &mut blocks),
            ListMethod::BiasedCoin { probability } => self.biased(*probability),
            ListMethod::Minimisation { probability, weights } => self.minimised(*probability, weights),
            ListMethod::Rerandomised { bound, most } => {
                let (arms, drawn) = self.rerandomised(*bound, *most)?;
                draws = drawn;
                arms
            }
        };
        let rows = self.units.iter().zip(arms).zip(blocks).map(|((unit, arm), block)| ListRow {
            unit: unit.name.clone(),
            stratum: unit.stratum.clone(),
            block,
            arm: self.arms[arm].0.clone(),
        });
        Ok(AllocationList { plan: self.clone(), rows: rows.collect(), draws })
    }

    fn ratio(&self) -> Vec<f64> {
        self.arms.iter().map(|(_, ratio)| f64::from(*ratio)).collect()
    }

    /// The units of each stratum, in the order of its first unit.
    fn by_stratum(&self) -> Vec<Vec<usize>> {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut strata: Vec<Vec<usize>> = Vec::new();
        for (place, unit) in self.units.iter().enumerate() {
            let stratum = *places.entry(&unit.stratum).or_insert_with(|| {
                strata.push(Vec::new());
                strata.len() - 1
            });
            strata[stratum].push(place);
        }
        strata
    }

    /// One block in which the ratio holds `times` times.
    fn block(&self, times: usize) -> Vec<usize> {
        let arms = self.arms.iter().enumerate();
        arms.flat_map(|(arm, (_, ratio))| std::iter::repeat_n(arm, *ratio as usize * times)).collect()
    }

    fn complete(&self, draw: u64) -> Vec<usize> {
        let cycle = self.cycle() as usize;
        let mut arms = vec![0; self.units.len()];
        let strata = self.by_stratum();
        for (number, members) in strata.iter().enumerate() {
            let mut random = stream(self.seed, draw * strata.len() as u64 + number as u64);
            let mut drawn = self.block(members.len() / cycle);
            let mut rest = self.block(1);
            shuffle(&mut random, &mut rest);
            drawn.extend(&rest[..members.len() % cycle]);
            shuffle(&mut random, &mut drawn);
            members.iter().zip(drawn).for_each(|(place, arm)| arms[*place] = arm);
        }
        arms
    }

    fn blocks(&self, sizes: &[u32], names: &mut [String]) -> Vec<usize> {
        let mut arms = vec![0; self.units.len()];
        for (number, members) in self.by_stratum().into_iter().enumerate() {
            let mut random = stream(self.seed, number as u64);
            let (mut left, mut block) = (&members[..], 0);
            while !left.is_empty() {
                block += 1;
                let size = sizes[below(&mut random, u32::try_from(sizes.len()).unwrap_or(u32::MAX)) as usize];
                let mut drawn = self.block((size / self.cycle()) as usize);
                shuffle(&mut random, &mut drawn);
                let here = left.len().min(drawn.len());
                for (&place, arm) in left[..here].iter().zip(drawn) {
                    arms[place] = arm;
                    let stratum = &self.units[place].stratum;
                    names[place] =
                        if stratum.is_empty() { block.to_string() } else { format!("{stratum} {block}") };
                }
                left = &left[here..];
            }
        }
        arms
    }

    fn biased(&self, probability: f64) -> Vec<usize> {
        let ratio = self.ratio();
        let mut arms = vec![0; self.units.len()];
        for (number, members) in self.by_stratum().into_iter().enumerate() {
            let mut random = stream(self.seed, number as u64);
            let mut counts = vec![0.0; ratio.len()];
            for place in members {
                let lag: Vec<f64> = counts.iter().zip(&ratio).map(|(n, r): (&f64, _)| n / r).collect();
                let arm = coin(&mut random, &least(&lag), probability, &ratio);
                counts[arm] += 1.0;
                arms[place] = arm;
            }
        }
        arms
    }

    fn minimised(&self, probability: f64, weights: &[f64]) -> Vec<usize> {
        let ratio = self.ratio();
        let mut random = stream(self.seed, 0);
        let mut counts: BTreeMap<(usize, &str), Vec<f64>> = BTreeMap::new();
        let mut arms = Vec::with_capacity(self.units.len());
        for unit in &self.units {
            let mut imbalance = vec![0.0; ratio.len()];
            for (factor, (level, weight)) in unit.factors.iter().zip(weights).enumerate() {
                let here = counts.entry((factor, level)).or_insert_with(|| vec![0.0; ratio.len()]);
                for (arm, sum) in imbalance.iter_mut().enumerate() {
                    let scaled = |(i, n): (usize, &f64)| (n + f64::from(u8::from(i == arm))) / ratio[i];
                    let all = || here.iter().enumerate().map(scaled);
                    let range = all().fold(f64::MIN, f64::max) - all().fold(f64::MAX, f64::min);
                    *sum += weight * range;
                }
            }
            let arm = coin(&mut random, &least(&imbalance), probability, &ratio);
            for (factor, level) in unit.factors.iter().enumerate() {
                if let Some(here) = counts.get_mut(&(factor, level.as_str())) {
                    here[arm] += 1.0;
                }
            }
            arms.push(arm);
        }
        arms
    }

    fn rerandomised(&self, bound: f64, most: u32) -> Result<(Vec<usize>, u32)> {
        let white = self.whitened();
        let task = Task::start("draws", u64::from(most));
        let mut best = f64::INFINITY;
        for draw in 0..most {
            let arms = self.complete(u64::from(draw));
            let distance = self.distance(&white, &arms);
            if distance <= bound {
                return Ok((arms, draw + 1));
            }
            best = best.min(distance);
            task.advance(1)?;
        }
        Err(Error::invalid(format!(
            "none of the {most} allocations that were drawn keeps the bound {}, the closest has {}; give a larger bound, or \
             allow more draws",
            number(bound),
            number((best * 1e4).round() / 1e4)
        )))
    }

    /// The covariates, rotated and scaled so that their covariance is the unit matrix; directions without
    /// variance are left out.
    fn whitened(&self) -> Array2<f64> {
        let (n, p) = (self.units.len(), self.units[0].covariates.len());
        let mut values = Array2::from_shape_fn((n, p), |(i, j)| self.units[i].covariates[j]);
        for mut column in values.columns_mut() {
            let mean = column.sum() / n as f64;
            column.mapv_inplace(|x| x - mean);
            let sd = (column.mapv(|x| x * x).sum() / (n as f64 - 1.0)).sqrt();
            if sd > 0.0 {
                column.mapv_inplace(|x| x / sd);
            }
        }
        let covariance = values.t().dot(&values) / (n as f64 - 1.0);
        let eigen = SymmetricEigen::new(covariance.view());
        let kept: Vec<usize> = (0..p).filter(|j| eigen.values[*j] > 1e-9).collect();
        let turn = Array2::from_shape_fn((p, kept.len()), |(i, j)| {
            eigen.vectors[[i, kept[j]]] / eigen.values[kept[j]].sqrt()
        });
        values.dot(&turn)
    }

    /// The largest distance of a treated arm from the control arm.
    fn distance(&self, white: &Array2<f64>, arms: &[usize]) -> f64 {
        let k = self.arms.len();
        let (mut counts, mut sums) = (vec![0.0; k], Array2::<f64>::zeros((k, white.ncols())));
        for (row, &arm) in white.rows().into_iter().zip(arms) {
            counts[arm] += 1.0;
            let mut sum = sums.row_mut(arm);
            sum += &row;
        }
        let n0: f64 = counts[0];
        (1..k)
            .map(|arm| {
                let n1 = counts[arm];
                if n1 == 0.0 || n0 == 0.0 {
                    return f64::INFINITY;
                }
                let gap = &sums.row(arm) / n1 - &sums.row(0) / n0;
                n1 * n0 / (n1 + n0) * gap.mapv(|x| x * x).sum()
            })
            .fold(0.0, f64::max)
    }
}

/// A code of 64 bits (Fowler-Noll-Vo, with the finalizer of `SplitMix64`).
fn code(before: u64, text: &str) -> u64 {
    let mut hash = before ^ 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// A field of CSV, in quotes where it needs them, and after an apostrophe where a spreadsheet would run it.
fn field(text: &str) -> String {
    let runs = text.starts_with(['=', '+', '-', '@']) && text.parse::<f64>().is_err();
    let text = if runs { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r', ';']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

impl AllocationList {
    /// The declaration.
    pub fn plan(&self) -> &ListPlan {
        &self.plan
    }

    /// The rows, in the order of the units.
    pub fn rows(&self) -> &[ListRow] {
        &self.rows
    }

    /// The allocations that were drawn until one kept the bound: 1 but for rerandomisation.
    pub fn draws(&self) -> u32 {
        self.draws
    }

    /// The units of each arm, in the order of the declaration.
    pub fn counts(&self) -> Vec<u64> {
        let of = |(arm, _): &(String, u32)| self.rows.iter().filter(|row| row.arm == *arm).count() as u64;
        self.plan.arms.iter().map(of).collect()
    }

    /// The code of the whole list: that of its last row.
    pub fn check_code(&self) -> String {
        self.to_csv().trim_end().rsplit(',').next().unwrap_or_default().to_owned()
    }

    /// The list as CSV, with the seed and a check code in every row.
    pub fn to_csv(&self) -> String {
        let mut text = "number,unit,stratum,block,arm,seed,check\n".to_owned();
        let mut before = self.plan.seed;
        for (place, row) in self.rows.iter().enumerate() {
            let fields: Vec<String> =
                [&row.unit, &row.stratum, &row.block, &row.arm].map(|text| field(text)).into();
            let line = format!("{},{},{}", place + 1, fields.join(","), self.plan.seed);
            before = code(before, &line);
            let _ = writeln!(text, "{line},{before:016x}");
        }
        text
    }

    /// A list as it was written, verified against its declaration: it is drawn again, and every row must be
    /// the same.
    ///
    /// # Errors
    /// `incompatible` with the first line that differs and what the declaration gives there.
    pub fn from_csv(text: &str, plan: &ListPlan) -> Result<Self> {
        let list = plan.draw()?;
        let expected = list.to_csv();
        let mut found = text.trim_start_matches('\u{feff}').lines();
        for (place, line) in expected.lines().enumerate() {
            let Some(own) = found.next() else {
                return Err(differs(place + 1, "missing", line));
            };
            if own.trim_end_matches('\r') != line {
                return Err(differs(place + 1, &format!("\"{own}\""), line));
            }
        }
        match found.find(|line| !line.trim().is_empty()) {
            None => Ok(list),
            Some(more) => Err(ErrorKind::Incompatible(format!(
                "the list goes on with \"{more}\" after the {} units of its declaration; take out what was added",
                plan.units.len()
            ))
            .into()),
        }
    }
}

fn differs(line: usize, found: &str, expected: &str) -> Error {
    ErrorKind::Incompatible(format!(
        "line {line} of the list is {found}, and its declaration gives \"{expected}\"; take the list as it was drawn, or the \
         declaration with which it was"
    ))
    .into()
}
