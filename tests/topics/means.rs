//! Topic "means": two samples, summary statistics, linear regression, designs with blocks and clusters.

use super::case::{Answer, Case, json, list};
use super::pipeline::{pair, table};
use armwise::distribution::FisherF;
use armwise::mean::{
    BlockDifference, Difference, LogRatio, MeansVariance, PairedMeans, Sample, StandardizedVariance,
    TwoMeans, hedges_correction_approximate,
};
use armwise::ndarray::{Array1, Array2};
use armwise::regression::{
    Category, ClusterVariance, Coefficient, Family, Fit, Fitted, Glm, ModelMatrix, VarianceType, Weights,
};
use serde_json::{Map, Value, json as object};
use std::collections::BTreeMap;

pub fn answer(case: &Case) -> Answer {
    if case.has_input("mean_treatment") {
        let sample = |arm: &str| Sample {
            n: case.input(&format!("n_{arm}")).as_u64().expect("a number of people"),
            mean: case.number(&format!("mean_{arm}")),
            sd: case.number(&format!("sd_{arm}")),
        };
        two_means(case, TwoMeans::new(sample("treatment"), sample("control"))?)
    } else if case.has_input("treatment") {
        let (treatment, control) = (case.numbers("treatment"), case.numbers("control"));
        if case.expected.contains_key("u_statistic") {
            return super::ranks::two_samples(case, &treatment, &control);
        }
        two_means(case, TwoMeans::new(Sample::of(&treatment)?, Sample::of(&control)?)?)
    } else if case.has_input("first") {
        paired(case, &case.numbers("first"), &case.numbers("second"))
    } else if case.has_input("baseline") {
        change_scores(case)
    } else if case.has_option("design") {
        design(case)
    } else {
        match case.word("model") {
            "ols" => ols(case),
            "lin_interacted" => lin(case),
            "two_part" => super::amounts::two_part(case),
            other => panic!("{}: model {other}", case.name),
        }
    }
}

fn test(difference: Difference, level: f64) -> armwise::Result<Value> {
    Ok(object!({
        "se": json(difference.se),
        "statistic": json(difference.statistic()),
        "df": difference.df,
        "p_value": json(difference.p_value()),
        "p_greater": json(difference.test(0.0).p_values.greater),
        "p_less": json(difference.test(0.0).p_values.less),
        "ci": pair(difference.interval(level)?),
    }))
}

fn ratio(ratio: LogRatio) -> Value {
    object!({ "estimate": json(ratio.estimate), "variance": json(ratio.variance) })
}

fn two_means(case: &Case, two: TwoMeans) -> Answer {
    let level = case.level();
    let welch = two.difference(MeansVariance::Welch);
    let standardized = two.standardized();
    let variance = |variance| json(standardized.variance(variance));
    let glass = two.glass_delta().ok();
    let f = two.variance_ratio_test();
    let sample =
        |sample: Sample| object!({ "n": sample.n, "mean": json(sample.mean), "sd": json(sample.sd) });
    let mut answer = object!({
        "estimate": json(welch.estimate),
        "welch": test(welch, level)?,
        "pooled": test(two.difference(MeansVariance::Pooled), level)?,
        "z": test(two.difference(MeansVariance::Normal), level)?,
        "standardised": {
            "cohen_d": json(standardized.cohen_d),
            "j_exact": json(standardized.correction),
            "j_approximate": json(hedges_correction_approximate(standardized.df)),
            "hedges_g": json(standardized.hedges_g),
            "var_g_ls": variance(StandardizedVariance::LargeSample),
            "var_g_ls2": variance(StandardizedVariance::Borenstein),
            "var_g_unbiased": variance(StandardizedVariance::Unbiased),
            "var_d_large_sample": variance(StandardizedVariance::CohenLargeSample),
            "glass_delta_raw": glass.map(|delta| json(delta.raw)),
            "glass_delta_corrected": glass.and_then(|delta| delta.corrected),
            "var_glass_delta": glass.and_then(|delta| delta.variance),
        },
        "log_ratio_of_means": two.log_ratio().ok().map(ratio),
        "log_variability_ratio": ratio(two.log_variability_ratio()),
        "variance_ratio_f": {
            "statistic": json(f.statistic), "df1": f.df1, "df2": f.df2, "p_value": json(f.p_value),
        },
        "treatment": sample(two.treatment()),
        "control": sample(two.control()),
    });
    if let Some(margin) = case.option("margin").as_f64() {
        let noninferiority = welch.noninferiority_test(margin)?;
        let alpha = 1.0 - level;
        let equivalence = welch.equivalence_test(margin)?;
        answer["welch_noninferiority"] = object!({
            "statistic": json(noninferiority.statistic), "p_value": json(noninferiority.p_value),
        });
        answer["welch_tost"] = object!({
            "upper_statistic": json(equivalence.upper.statistic),
            "upper_p_value": json(equivalence.upper.p_values.less),
            "p_value": json(equivalence.p_value),
            "ci_1_minus_2alpha": pair(welch.interval(1.0 - 2.0 * alpha)?),
            "alpha": alpha,
        });
    }
    Ok(answer)
}

fn paired(case: &Case, first: &[f64], second: &[f64]) -> Answer {
    let paired = PairedMeans::of(first, second)?;
    let difference = paired.difference()?;
    let mut answer = test(difference, case.level())?;
    answer["estimate"] = json(difference.estimate);
    answer["cohen_dz"] = json(paired.cohen_dz()?);
    answer["correlation"] = paired.correlation.into();
    super::ranks::pairs(case, first, second, &mut answer)?;
    Ok(answer)
}

/// Columns of a CSV file as numbers.
pub(super) struct Columns<'c, 'a> {
    case: &'c Case<'a>,
    table: armwise::Table,
}

impl<'c, 'a> Columns<'c, 'a> {
    pub(super) fn new(case: &'c Case<'a>) -> armwise::Result<Self> {
        Ok(Self { case, table: table(case)? })
    }

    pub(super) fn column(&self, name: &str) -> armwise::Result<Array1<f64>> {
        Ok(self.table.column(name)?.reals()?.map(|value| value.expect("a complete column")).collect())
    }

    /// The column that an input names.
    pub(super) fn input(&self, key: &str) -> armwise::Result<Array1<f64>> {
        self.column(
            self.case.input(key).as_str().unwrap_or_else(|| panic!("{}: input {key}", self.case.name)),
        )
    }

    fn codes(&self, key: &str) -> armwise::Result<Vec<u32>> {
        let name = self.case.input(key).as_str().expect("a column");
        let codes = self.table.column(name)?.counts()?;
        Ok(codes.map(|code| code.and_then(|code| u32::try_from(code).ok()).expect("a code")).collect())
    }

    pub(super) fn covariates(&self) -> armwise::Result<Vec<(&'a str, Array1<f64>)>> {
        let names = self.case.input("covariates").as_array().expect("covariates").iter();
        names.map(|name| name.as_str().expect("a name")).map(|name| Ok((name, self.column(name)?))).collect()
    }
}

/// The arms of a case as codes, the reference first.
pub(super) struct Arms {
    pub(super) codes: Vec<u32>,
    pub(super) labels: Vec<String>,
}

impl Arms {
    pub(super) fn new(columns: &Columns) -> armwise::Result<Self> {
        let values = columns.codes("arm")?;
        let reference = columns.case.input("reference_arm").as_u64().expect("an arm");
        let mut levels = values.clone();
        levels.sort_unstable();
        levels.dedup();
        levels.sort_by_key(|&level| (u64::from(level) != reference, level));
        let code = |value: &u32| (0..).zip(&levels).find(|(_, level)| *level == value).expect("an arm").0;
        Ok(Self {
            codes: values.iter().map(code).collect(),
            labels: levels.iter().map(ToString::to_string).collect(),
        })
    }
}

fn columns_of(table: &[Coefficient], at: impl Iterator<Item = usize>) -> Value {
    let rows: Vec<&Coefficient> = at.map(|j| &table[j]).collect();
    let of = |value: fn(&Coefficient) -> f64| list(rows.iter().map(|row| value(row)));
    object!({
        "se": of(|row| row.se),
        "df": of(|row| row.df.unwrap_or(f64::INFINITY)),
        "statistic": of(|row| row.statistic),
        "p_value": of(|row| row.p_value),
        "ci_lower": of(|row| row.interval.lower()),
        "ci_upper": of(|row| row.interval.upper()),
    })
}

/// The tables of coefficients under every variance.
fn tables(
    fit: &Fit,
    clusters: Option<&[u32]>,
    level: f64,
) -> armwise::Result<Vec<(&'static str, Vec<Coefficient>)>> {
    let mut tables = Vec::new();
    for (key, variance) in [
        ("classical", VarianceType::Model),
        ("hc0", VarianceType::Hc0),
        ("hc1", VarianceType::Hc1),
        ("hc2", VarianceType::Hc2),
        ("hc3", VarianceType::Hc3),
    ] {
        tables.push((key, fit.table(variance, level)?));
    }
    if let Some(codes) = clusters {
        let clustered = fit.clustered(codes)?;
        let between = vec![Some(clustered.n_clusters() as f64 - 1.0); fit.rank()];
        let satterthwaite = clustered.satterthwaite()?;
        for (key, variance, df) in [
            ("cr0", ClusterVariance::Cr0, &between),
            ("cr1_stata", ClusterVariance::Cr1s, &between),
            ("cr2", ClusterVariance::Cr2, &satterthwaite),
        ] {
            let covariance: Array2<f64> = clustered.covariance(variance)?;
            tables.push((key, fit.table_from(covariance.view(), df, level)?));
        }
    }
    Ok(tables)
}

fn ols(case: &Case) -> Answer {
    let columns = Columns::new(case)?;
    let (arms, y, covariates) = (Arms::new(&columns)?, columns.input("outcome")?, columns.covariates()?);
    let given: Vec<String> =
        case.input("arms").as_array().expect("arms").iter().map(ToString::to_string).collect();
    assert_eq!(given, arms.labels, "{}: the arms", case.name);
    let mut matrix = ModelMatrix::new(y.len())
        .intercept()?
        .category("arm", Category::new(&arms.codes, arms.labels.clone()))?;
    for (name, values) in &covariates {
        matrix = matrix.numeric(*name, values.view())?;
    }
    let weights = case.has_input("weights").then(|| columns.input("weights")).transpose()?;
    let clusters = case.has_input("cluster").then(|| columns.codes("cluster")).transpose()?;
    let mut model = Glm::new(Family::Gaussian);
    if let Some(weights) = &weights {
        model = model.weights(Weights::Precision(weights.view()));
    }
    let fit = model.fit(&matrix, &y)?;
    let mut out = Map::new();
    let names: Vec<String> = fit.names().iter().map(|name| name.replace(['[', ']'], "")).collect();
    out.insert("names".into(), names.into());
    out.insert("coefficients".into(), list(fit.coefficients().iter().copied()));
    let unexplained = fit.deviance() / fit.null_deviance()?;
    out.insert("r_squared".into(), json(1.0 - unexplained));
    out.insert("adjusted_r_squared".into(), json(1.0 - unexplained * fit.df_null() / fit.df_residual()));
    out.insert("residual_sd".into(), json(fit.dispersion()?.sqrt()));
    out.insert("df_residual".into(), json(fit.df_residual()));
    let slopes: Vec<usize> = (1..fit.rank()).collect();
    out.insert("f_statistic".into(), json(fit.without(&slopes)?.f_test()?.statistic));
    for (key, table) in tables(&fit, clusters.as_deref(), case.level())? {
        let key = if key == "cr2" { "cr2_satterthwaite" } else { key };
        out.insert(key.into(), columns_of(&table, 0..table.len()));
    }
    let tested: Vec<usize> = matrix.columns_of("arm")?.collect();
    let f = |test: armwise::regression::FTest| {
        object!({
            "f_statistic": json(test.statistic), "df1": json(test.df1), "df2": json(test.df2), "p_value": json(test.p_value),
        })
    };
    out.insert("arm_f_test".into(), f(fit.without(&tested)?.f_test()?));
    if let Some(codes) = &clusters {
        let clustered = fit.clustered(codes)?;
        out.insert("n_clusters".into(), clustered.n_clusters().into());
        out.insert("cr2_arm_wald_htz".into(), f(clustered.hotelling_test(&tested)?));
    }
    let wald = fit.wald_test(&tested, VarianceType::Hc2)?;
    let statistic = wald.statistic / wald.df;
    let p_value = FisherF::new(wald.df, fit.df_residual())?.sf(statistic);
    out.insert(
        "arm_wald_hc2".into(),
        object!({ "f_statistic": json(statistic), "p_value_f": json(p_value) }),
    );
    // "at the sample mean of the covariates, classical vcov"
    assert!(case.word("adjusted_means").starts_with("at the sample mean"), "{}", case.name);
    let mut at = Array1::zeros(fit.rank());
    at[0] = 1.0;
    for (name, values) in &covariates {
        at[matrix.column(name)?] = values.mean().expect("people");
    }
    let mut adjusted = Vec::new();
    for arm in 0..arms.labels.len() {
        let mut row = at.clone();
        if arm > 0 {
            row[tested[arm - 1]] = 1.0;
        }
        adjusted.push(fit.combination(
            &arms.labels[arm],
            &row.to_vec(),
            VarianceType::Model,
            case.level(),
        )?);
    }
    out.insert(
        "adjusted_means".into(),
        object!({
            "estimate": list(adjusted.iter().map(|mean| mean.estimate)),
            "se": list(adjusted.iter().map(|mean| mean.se)),
        }),
    );
    Ok(Value::Object(out))
}

/// Lin (2013): covariates centred at their means, and their products with the arms.
fn lin(case: &Case) -> Answer {
    case.option("coefficients");
    let columns = Columns::new(case)?;
    let (arms, y, mut covariates) = (Arms::new(&columns)?, columns.input("outcome")?, columns.covariates()?);
    for (_, values) in &mut covariates {
        *values -= values.mean().expect("people");
    }
    let mut matrix = ModelMatrix::new(y.len())
        .intercept()?
        .category("arm", Category::new(&arms.codes, arms.labels.clone()))?;
    for (name, values) in &covariates {
        matrix = matrix.numeric(*name, values.view())?;
    }
    for (name, _) in &covariates {
        matrix = matrix.product("arm", name)?;
    }
    let fit = Glm::new(Family::Gaussian).fit(&matrix, &y)?;
    let effects = matrix.columns_of("arm")?;
    let clusters = case.has_input("cluster").then(|| columns.codes("cluster")).transpose()?;
    let mut answer = object!({
        "arms": arms.labels[1..],
        "estimate": list(effects.clone().map(|j| fit.coefficients()[j])),
        "all_coefficients": list(fit.coefficients().iter().copied()),
    });
    for (key, table) in tables(&fit, clusters.as_deref(), case.level())? {
        answer[key] = columns_of(&table, effects.clone());
    }
    Ok(answer)
}

fn change_scores(case: &Case) -> Answer {
    let columns = Columns::new(case)?;
    let (arm, change) = (columns.codes("arm")?, columns.input("outcome")? - columns.input("baseline")?);
    let sample = |key: &str| {
        let wanted = case.input(key).as_u64().expect("an arm");
        let values: Vec<f64> =
            change.iter().zip(&arm).filter(|(_, arm)| u64::from(**arm) == wanted).map(|(y, _)| *y).collect();
        Sample::of(&values)
    };
    let welch =
        TwoMeans::new(sample("treatment_arm")?, sample("reference_arm")?)?.difference(MeansVariance::Welch);
    let mut answer = test(welch, case.level())?;
    answer["estimate"] = json(welch.estimate);
    Ok(answer)
}

/// One block of a trial with two arms.
#[derive(Default)]
struct Block {
    y: Vec<f64>,
    arm: Vec<u32>,
    cluster: Vec<u32>,
}

impl Block {
    fn arm(&self, arm: u32) -> Vec<f64> {
        self.y.iter().zip(&self.arm).filter(|(_, of)| **of == arm).map(|(y, _)| *y).collect()
    }

    /// The arm's coefficient with CR2 and Satterthwaite's degrees of freedom.
    fn clustered(&self, level: f64) -> armwise::Result<Coefficient> {
        let matrix = ModelMatrix::new(self.y.len())
            .intercept()?
            .category("arm", Category::new(&self.arm, ["control", "treatment"]))?;
        let fit = Glm::new(Family::Gaussian).fit(&matrix, self.y.as_slice())?;
        let clustered = fit.clustered(&self.cluster)?;
        let covariance = clustered.covariance(ClusterVariance::Cr2)?;
        Ok(fit.table_from(covariance.view(), &clustered.satterthwaite()?, level)?.swap_remove(1))
    }
}

fn design(case: &Case) -> Answer {
    let columns = Columns::new(case)?;
    let (arms, y) = (Arms::new(&columns)?, columns.input("outcome")?);
    let codes = |key: &str| {
        if case.has_input(key) { columns.codes(key) } else { Ok(vec![0; y.len()]) }
    };
    let (block, cluster) = (codes("blocks")?, codes("cluster")?);
    let mut blocks: BTreeMap<u32, Block> = BTreeMap::new();
    for i in 0..y.len() {
        let block = blocks.entry(block[i]).or_default();
        block.y.push(y[i]);
        block.arm.push(arms.codes[i]);
        block.cluster.push(cluster[i]);
    }
    let level = case.level();
    let (n, count) = (y.len() as f64, blocks.len() as f64);
    let word = case.word("design");
    let difference = match word {
        "Standard" => {
            let all = &blocks[&0];
            TwoMeans::new(Sample::of(&all.arm(1))?, Sample::of(&all.arm(0))?)?
                .difference(MeansVariance::Welch)
        }
        "Blocked" => {
            let of = |block: &Block| {
                Ok(BlockDifference::of(Sample::of(&block.arm(1))?, Sample::of(&block.arm(0))?))
            };
            let blocks: Vec<BlockDifference> = blocks.values().map(of).collect::<armwise::Result<_>>()?;
            Difference::over_blocks(&blocks, n - 2.0 * count)?
        }
        "Matched-pair" => {
            let of = |arm| -> Vec<f64> { blocks.values().map(|block| block.arm(arm)[0]).collect() };
            PairedMeans::of(&of(1), &of(0))?.difference()?
        }
        "Clustered" => {
            let one = blocks[&0].clustered(level)?;
            return Ok(object!({
                "estimate": json(one.estimate),
                "se": json(one.se),
                "df": columns_of(std::slice::from_ref(&one), 0..1)["df"][0],
                "statistic": json(one.statistic),
                "p_value": json(one.p_value),
                "ci": list([one.interval.lower(), one.interval.upper()]),
                "design": word,
            }));
        }
        "Block-clustered" => {
            let of = |block: &Block| {
                let one = block.clustered(level)?;
                Ok(BlockDifference { n: block.y.len() as u64, estimate: one.estimate, se: one.se })
            };
            let parts: Vec<BlockDifference> = blocks.values().map(of).collect::<armwise::Result<_>>()?;
            let mut clusters: Vec<(u32, u32)> = block.into_iter().zip(cluster).collect();
            clusters.sort_unstable();
            clusters.dedup();
            Difference::over_blocks(&parts, clusters.len() as f64 - 2.0 * count)?
        }
        other => panic!("{}: design {other}", case.name),
    };
    let mut answer = test(difference, level)?;
    answer["estimate"] = json(difference.estimate);
    answer["design"] = word.into();
    Ok(answer)
}
