//! Differences in means within the declared strata.

use super::clusters::{declared_clusters, degrees_of_freedom};
use crate::compute::linalg::submatrix;
use crate::compute::mean::{BlockEffects, Blocks, JointDifferences, MatchedSet, Sample};
use crate::compute::regression::{Category, ClusterVariance, Family, Glm, ModelMatrix};
use crate::design::{Comparison, Groups, Notice, OutcomeKind, People};
use crate::effect::{
    About, Contrast, Estimand, Estimates, IntervalMethod, MeanDifference, Method, VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView1};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

/// A standard error that is a smaller share of the largest outcome is rounding.
const ROUNDING: f64 = 1e-14;

/// The differences of all treatments by the declared strata, and clusters where there are any.
pub(super) fn blocked<K: OutcomeKind>(
    comparison: &Comparison<K>,
    blocks: Blocks,
    level: f64,
) -> Result<Estimates<MeanDifference>> {
    let clustered = comparison.clusters().is_some();
    let (comparison, differences) = match (blocks, clustered) {
        (Blocks::MatchedSets, _) => {
            let (comparison, sets) = matched_sets(comparison)?;
            (comparison, JointDifferences::matched(&sets))
        }
        (Blocks::Hybrid | Blocks::HybridWithinSizes, _) => {
            let (comparison, sets) = complete_sets(comparison)?;
            let (small, larger) =
                sets.into_iter().partition::<Vec<_>, _>(|(_, set)| set.units.contains(&1.0));
            let larger: BTreeSet<usize> = larger.into_iter().map(|(stratum, _)| stratum).collect();
            let small: Vec<MatchedSet> = small.into_iter().map(|(_, set)| set).collect();
            let effects = match clustered {
                _ if larger.is_empty() => Vec::new(),
                true => block_effects(&comparison, |stratum| larger.contains(&stratum))?,
                false => effects_on_people(&comparison, &larger)?,
            };
            (comparison, JointDifferences::hybrid(effects, &small, blocks))
        }
        (Blocks::BySize, true) => {
            let effects = block_effects(comparison, |_| true)?;
            (Cow::Borrowed(comparison), JointDifferences::of_blocks(&effects))
        }
        (_, true) => {
            return Err(Error::invalid(
                "weights by precision are those of people randomised one by one, but clusters were declared; use Blocks::BySize",
            ));
        }
        (_, false) => {
            let (samples, left_out) = block_samples(comparison, blocks)?;
            let mut noted = Cow::Borrowed(comparison);
            if left_out > 0 {
                let of = samples.len();
                noted.to_mut().notices.push(Notice::StrataLeftOut { strata: left_out, of });
            }
            (noted, JointDifferences::blocked(&samples, blocks))
        }
    };
    let differences = differences?;
    let variance =
        if clustered { VarianceMethod::BlockedClustered(blocks) } else { VarianceMethod::Blocked(blocks) };
    let method = Method::new("difference in means").variance(variance).interval(IntervalMethod::StudentT);
    let largest = comparison.people()?.outcome.iter().fold(0.0_f64, |most, y| most.max(y.abs()));
    let mut contrasts = Vec::with_capacity(differences.estimates.len());
    for (a, arm) in comparison.treatments().iter().enumerate() {
        let (value, variance) = (differences.estimates[a], differences.covariance[[a, a]]);
        // Means of clusters that are equal differ by rounding.
        if variance.sqrt() <= ROUNDING * largest {
            let why = "no block varies but for rounding, so the difference has no standard error; check the outcome";
            return Err(Error::from(ErrorKind::ZeroVariance(why.to_owned())).in_arm(&arm.label));
        }
        contrasts.push(Contrast::wald(arm.clone(), value, variance, Some(differences.df[a]), level)?);
    }
    let about = About::of(&comparison, Estimand::Marginal, method, level)?;
    Estimates::new(MeanDifference, about, comparison.reference().clone(), contrasts, differences.covariance)
}

pub(super) fn declared_strata(people: &People) -> Result<&Groups> {
    people.strata.as_ref().ok_or_else(|| {
        Error::invalid("this estimator needs the strata of the randomisation, but the trial declares none; name their columns with strata(..)")
    })
}

/// The participants of each stratum, by their place in the comparison.
fn members(strata: &Groups) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); strata.labels.len()];
    for (person, &stratum) in strata.codes.iter().enumerate() {
        members[stratum as usize].push(person);
    }
    members
}

/// The sample of every arm in every stratum that has anybody, and how many of these strata lack an arm.
fn block_samples<K: OutcomeKind>(
    comparison: &Comparison<K>,
    blocks: Blocks,
) -> Result<(Vec<Vec<Option<Sample>>>, usize)> {
    let people = comparison.people()?;
    let (strata, arms) = (declared_strata(people)?, comparison.arms());
    let mut samples = Vec::new();
    let mut left_out = 0;
    for (label, members) in strata.labels.iter().zip(members(strata)) {
        if members.is_empty() {
            continue;
        }
        let mut values = vec![Vec::new(); arms.len()];
        for &i in &members {
            values[people.arm[i] as usize].push(people.outcome[i]);
        }
        let lacks = values.iter().any(Vec::is_empty);
        left_out += usize::from(lacks);
        // People who have nobody to be compared with do not count here.
        let useful = |arm: usize| match arm {
            0 => values[1..].iter().any(|others| !others.is_empty()),
            _ => !values[0].is_empty(),
        };
        let mut block = Vec::with_capacity(arms.len());
        for (i, (arm, values)) in arms.iter().zip(&values).enumerate() {
            let by_precision = blocks == Blocks::ByPrecision;
            block.push(match values.len() {
                0 if by_precision => None,
                _ if by_precision && !useful(i) => None,
                n @ (0 | 1) => return Err(too_few(n, label).in_arm(&arm.label)),
                _ => Some(Sample::of(values).map_err(|error| error.in_arm(&arm.label))?),
            });
        }
        samples.push(block);
    }
    Ok((samples, left_out))
}

fn too_few(n: usize, stratum: &str) -> Error {
    let found = if n == 0 { "nobody" } else { "only one person" };
    let why = format!(
        "{found} in stratum \"{stratum}\" is analysed in this arm, and the variance within strata needs two; merge small strata, use \
         Blocks::MatchedSets if they are pairs, Blocks::Hybrid if some are, or Blocks::Ignored"
    );
    ErrorKind::InsufficientObservations(why).into()
}

/// The effects within these strata, of people who were randomised one by one; every arm has two in each.
fn effects_on_people<K: OutcomeKind>(
    comparison: &Comparison<K>,
    strata: &BTreeSet<usize>,
) -> Result<Vec<BlockEffects>> {
    let people = comparison.people()?;
    let members = members(declared_strata(people)?);
    let (outcome, k) = (&people.outcome, comparison.arms().len());
    let effects = |&stratum: &usize| {
        let arm = |a: usize| -> Result<Sample> {
            let of_arm = members[stratum].iter().filter(|&&i| people.arm[i] as usize == a);
            Sample::of(&of_arm.map(|&i| outcome[i]).collect::<Vec<_>>())
        };
        Ok(BlockEffects::of_people(&(0..k).map(arm).collect::<Result<Vec<_>>>()?))
    };
    strata.iter().map(effects).collect()
}

/// The regression on the arms within every stratum that counts, with CR2.
fn block_effects<K: OutcomeKind>(
    comparison: &Comparison<K>,
    counts_stratum: impl Fn(usize) -> bool,
) -> Result<Vec<BlockEffects>> {
    let people = comparison.people()?;
    let (strata, arms) = (declared_strata(people)?, comparison.arms());
    let clusters = declared_clusters(comparison)?;
    let mut home = vec![None; clusters.labels.len()];
    for (&cluster, &stratum) in clusters.codes.iter().zip(&strata.codes) {
        if *home[cluster as usize].get_or_insert(stratum) != stratum {
            let why = format!(
                "the cluster \"{}\" has people in several strata, so that strata were not randomised apart; declare strata of clusters",
                clusters.labels[cluster as usize]
            );
            return Err(Error::invalid(why));
        }
    }
    let mut effects = Vec::new();
    for (stratum, (label, members)) in strata.labels.iter().zip(members(strata)).enumerate() {
        if members.is_empty() || !counts_stratum(stratum) {
            continue;
        }
        let mut of_arm = vec![BTreeSet::new(); arms.len()];
        for &i in &members {
            of_arm[people.arm[i] as usize].insert(clusters.codes[i]);
        }
        let counts: Vec<usize> = of_arm.iter().map(BTreeSet::len).collect();
        if let Some(arm) = counts.iter().position(|n| *n < 2) {
            let why = format!(
                "{} of this arm in stratum \"{label}\", and the variance within strata needs two; merge small strata, use \
                 Blocks::MatchedSets if they are pairs, Blocks::Hybrid if some are, or Blocks::Ignored",
                if counts[arm] == 0 { "there is no cluster" } else { "there is only one cluster" }
            );
            let error = Error::from(ErrorKind::InsufficientObservations(why));
            return Err(error.in_arm(&arms[arm].label));
        }
        let pick = |codes: &[u32]| -> Vec<u32> { members.iter().map(|&i| codes[i]).collect() };
        let (arm, cluster) = (pick(&people.arm), pick(&clusters.codes));
        let outcome: Vec<f64> = members.iter().map(|&i| people.outcome[i]).collect();
        let labels = arms.iter().map(|arm| arm.label.to_string());
        let matrix =
            ModelMatrix::new(outcome.len()).intercept()?.category("arm", Category::new(&arm, labels))?;
        let fit = Glm::new(Family::Gaussian)
            .fit(&matrix, ArrayView1::from(&outcome))
            .map_err(|error| error.without_column("response"))?;
        let clustered = fit.clustered(&cluster)?;
        let covariance = clustered.covariance(ClusterVariance::Cr2)?;
        let df = degrees_of_freedom(&clustered, ClusterVariance::Cr2, Array2::eye(arms.len()).view())?;
        effects.push(BlockEffects {
            n: members.len() as f64,
            estimates: fit.coefficients().iter().skip(1).copied().collect(),
            covariance: submatrix(covariance.view(), &(1..arms.len()).collect::<Vec<_>>()),
            df: df[1..].to_vec(),
        });
    }
    Ok(effects)
}

/// The matched sets, and the comparison of their members.
fn matched_sets<K: OutcomeKind>(
    comparison: &Comparison<K>,
) -> Result<(Cow<'_, Comparison<K>>, Vec<MatchedSet>)> {
    let (comparison, sets) = complete_sets(comparison)?;
    let (people, arms) = (comparison.people()?, comparison.arms());
    for (stratum, set) in &sets {
        if let Some(arm) = set.units.iter().position(|units| *units > 1.0) {
            let why = format!(
                "the matched set \"{}\" has several {} in this arm; a matched set has one in each arm, so use Blocks::BySize, or \
                 Blocks::Hybrid where other strata are matched sets",
                declared_strata(people)?.labels[*stratum],
                if people.clusters.is_some() { "clusters" } else { "people" }
            );
            return Err(Error::invalid(why).in_arm(&arms[arm].label));
        }
    }
    Ok((comparison, sets.into_iter().map(|(_, set)| set).collect()))
}

type CompleteSets<'c, K> = (Cow<'c, Comparison<K>>, Vec<(usize, MatchedSet)>);

/// The strata that have every arm by their places, and the comparison of their members.
fn complete_sets<K: OutcomeKind>(comparison: &Comparison<K>) -> Result<CompleteSets<'_, K>> {
    let people = comparison.people()?;
    let (strata, arms) = (declared_strata(people)?, comparison.arms());
    let mut sets = Vec::new();
    let mut keep = vec![true; people.arm.len()];
    let (mut incomplete, mut all) = (0, 0);
    for (stratum, members) in members(strata).into_iter().enumerate() {
        if members.is_empty() {
            continue;
        }
        all += 1;
        let mut n = vec![0.0; arms.len()];
        let mut means = vec![0.0; arms.len()];
        let mut units = vec![HashSet::new(); arms.len()];
        for &i in &members {
            let arm = people.arm[i] as usize;
            // Without clusters everybody is a unit, also in several rows.
            units[arm].insert(match &people.clusters {
                Some(clusters) => clusters.codes[i],
                None => people.rows[i],
            });
            n[arm] += 1.0;
            means[arm] += (people.outcome[i] - means[arm]) / n[arm];
        }
        if units.iter().any(HashSet::is_empty) {
            incomplete += 1;
            for &i in &members {
                keep[i] = false;
            }
        } else {
            let units = units.iter().map(|units| units.len() as f64).collect();
            sets.push((stratum, MatchedSet { n: n.iter().sum(), units, means }));
        }
    }
    if incomplete == 0 {
        return Ok((Cow::Borrowed(comparison), sets));
    }
    if sets.is_empty() {
        let why = format!(
            "none of the {all} matched sets or blocks has people with an outcome in every arm; leave an arm out with \
             compare(..).versus(..), or use Blocks::ByPrecision"
        );
        return Err(ErrorKind::InsufficientObservations(why).into());
    }
    let mut complete = comparison.keeping(&keep)?;
    complete.notices.push(Notice::StrataLeftOut { strata: incomplete, of: all });
    Ok((Cow::Owned(complete), sets))
}
