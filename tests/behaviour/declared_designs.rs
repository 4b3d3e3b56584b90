//! Estimators on declared designs: clusters, strata, matched sets, clusters within strata, and Lin's
//! adjustment, against the reference values of estimatr and clubSandwich, against each other, and by hand.

use crate::support::{assert_near, labelled};
use armwise::effect::{ContrastScale, Inference, VarianceMethod};
use armwise::mean::MeansVariance;
use armwise::prelude::*;
use armwise::weighting::NuisanceVariance;

const WELL: Measure<Continuous> = Measure::continuous("well1");
const FULL: Measure<Binary> = Measure::binary("full");

fn table(name: &str) -> Table {
    Table::from_csv_path(format!("tests/reference/data/means_{name}.csv")).unwrap()
}

fn declared(name: &str, strata: &[&str], clusters: Option<&str>) -> Trial {
    let builder = labelled(table(name), "0").strata(strata.iter());
    match clusters {
        Some(column) => builder.clusters(column).build().unwrap(),
        None => builder.build().unwrap(),
    }
}

/// A trial whose clusters are in the column "office".
fn in_offices(text: &str) -> Trial {
    let builder = Trial::builder("Utrecht", Table::from_csv_str(text).unwrap());
    builder.arm_labels("arm").control("c").clusters("office").build().unwrap()
}

/// Value, standard error, degrees of freedom and p-value.
fn is<S: Scale>(estimate: &Estimate<S>, expected: [f64; 4]) {
    let found = [estimate.value(), estimate.se(), estimate.df().unwrap(), estimate.p_value()];
    for (found, expected) in found.into_iter().zip(expected) {
        assert_near(found, expected, 1e-9);
    }
}

#[test]
fn clustered_designs_of_estimatr() {
    // estimatr::difference_in_means and lm_robust; case names of tests/reference/means.json.
    let clustered = declared("cluster_trial", &[], Some("cluster")).on(&WELL).unwrap();
    let expected =
        [0.767_962_576_074_116_7, 0.305_934_841_813_073_3, 14.832_381_465_762_857, 0.024_166_314_789_816_665];
    let means = clustered.estimate(&DifferenceInMeans::new()).unwrap();
    is(&means.treatment("1").unwrap(), expected);
    assert_eq!(means.method().variance, VarianceMethod::Clustered(ClusterVariance::Cr2));
    is(&clustered.estimate(&LinearRegression::new()).unwrap().treatment("1").unwrap(), expected);
    assert!(means.notices().is_empty());

    let lin = LinearRegression::new().adjust_for(["well0"]).interacted();
    let two = declared("two_arm", &[], Some("cluster")).on(&WELL).unwrap();
    let lin_clustered = two.estimate(&lin).unwrap().treatment("1").unwrap();
    is(
        &lin_clustered,
        [
            -0.070_220_843_218_052_76,
            0.148_080_959_592_122_45,
            15.649_930_311_784_154,
            0.641_901_853_415_223_8,
        ],
    );
    let stata = two.estimate(&lin.variance(ClusterVariance::Cr1s)).unwrap().treatment("1").unwrap();
    is(&stata, [-0.070_220_843_218_052_76, 0.148_402_989_844_789_47, 17.0, 0.642_105_924_671_024_6]);
}

/// Value and standard error of estimatr, and its p-value with its degrees of freedom; ours are
/// Satterthwaite's and smaller.
fn is_but_for_df<S: Scale>(estimate: &Estimate<S>, [value, se, df, p_value]: [f64; 4]) {
    assert_near(estimate.value(), value, 1e-9);
    assert_near(estimate.se(), se, 1e-9);
    let theirs = Inference::wald(estimate.value(), estimate.se(), Some(df), 0.95).unwrap();
    assert_near(theirs.p_value(), p_value, 1e-9);
    let own = estimate.df().unwrap();
    assert!(own < df && own > 0.2 * df, "{own} {df}");
}

#[test]
fn blocked_and_matched_designs_of_estimatr() {
    let blocked = DifferenceInMeans::new().blocks(Blocks::BySize);
    let strata = declared("two_arm", &["block"], None).on(&WELL).unwrap();
    is_but_for_df(
        &strata.estimate(&blocked).unwrap().treatment("1").unwrap(),
        [0.048_395_751_477_561_74, 0.219_796_637_746_389_6, 202.0, 0.825_950_050_586_652_8],
    );
    let both = declared("cluster_trial", &["block"], Some("cluster")).on(&WELL).unwrap();
    is_but_for_df(
        &both.estimate(&blocked).unwrap().treatment("1").unwrap(),
        [0.781_927_529_926_702_7, 0.360_311_938_672_119, 14.0, 0.047_691_541_707_592_294],
    );
    let pairs = declared("pairs", &["pair"], None).on(&Measure::continuous("y")).unwrap();
    is(
        &pairs
            .estimate(&DifferenceInMeans::new().blocks(Blocks::MatchedSets))
            .unwrap()
            .treatment("1")
            .unwrap(),
        [0.807_5, 0.489_762_040_240_570_4, 11.0, 0.127_433_619_111_038_12],
    );
}

#[test]
fn lin_of_estimatr() {
    let four = declared("trial", &[], None);
    let lin = LinearRegression::new().adjust_for(["well0", "age"]).interacted();
    let effects = four.on(&WELL).unwrap().estimate(&lin).unwrap();
    let expected = [
        [-0.053_204_598_289_651_06, 0.184_920_352_948_148_8, 408.0, 0.773_710_003_317_046_5],
        [0.024_253_178_517_205, 0.173_316_168_603_062_56, 408.0, 0.888_779_577_914_792],
        [-0.181_369_472_745_242_62, 0.183_344_338_161_499_4, 408.0, 0.323_137_568_796_651],
    ];
    for (estimate, expected) in effects.iter().zip(expected) {
        is(&estimate, expected);
    }
    assert_eq!(effects.method().estimator, "interacted linear regression");
    let binary = LinearRegression::new().adjust_for(["age", "female", "dur"]).interacted();
    let risk = four.on(&FULL).unwrap().estimate(&binary).unwrap();
    assert_near(risk.treatment("3").unwrap().value(), -0.131_009_286_122_808_82, 1e-9);
    assert_near(risk.treatment("3").unwrap().se(), 0.060_164_942_726_307_2, 1e-9);
}

#[test]
fn lin_is_additive_where_covariates_have_equal_means() {
    let text = "arm,before,after\nc,1,2\nc,2,2\nc,3,5\nt,0,1\nt,2,4\nt,4,9\ns,1,3\ns,2,1\ns,3,8\n";
    let trial = labelled(Table::from_csv_str(text).unwrap(), "c").build().unwrap();
    let after = trial.on(&Measure::continuous("after")).unwrap();
    let additive = LinearRegression::new().adjust_for(["before"]);
    let one = after.estimate(&additive).unwrap();
    let two = after.estimate(&additive.clone().interacted()).unwrap();
    let crude = after.estimate(&DifferenceInMeans::new()).unwrap();
    for ((one, two), crude) in one.values().zip(two.values()).zip(crude.values()) {
        assert_near(one, crude, 1e-12);
        assert_near(two, crude, 1e-12);
    }
    // The same as standardising the interacted model with the delta method.
    let marginal =
        LinearRegression::new().adjust_for(["before"]).interact_arm_with(["before"]).marginal(MeanDifference);
    let marginal = after.estimate(&marginal.variance(MarginalVariance::Delta(VarianceType::Hc2))).unwrap();
    for (two, marginal) in two.covariance().iter().zip(marginal.covariance()) {
        assert_near(*two, *marginal, 1e-12);
    }
}

/// Every person a cluster of one.
fn singletons() -> (Trial, Trial) {
    let full = table("trial");
    let people: Vec<String> = (0..full.rows()).map(|row| format!("p{row}")).collect();
    let full = full.with_categories("person", people.iter().map(String::as_str)).unwrap();
    let builder = labelled(full, "0");
    (builder.clone().build().unwrap(), builder.clusters("person").build().unwrap())
}

fn same<S: Scale>(one: &Estimates<S>, two: &Estimates<S>, factor: f64) {
    for (a, b) in one.values().zip(two.values()) {
        assert_near(a, b, 1e-10);
    }
    for (a, b) in one.covariance().iter().zip(two.covariance()) {
        assert_near(a * factor, *b, 1e-10);
    }
}

#[test]
fn clusters_of_one_person_are_no_clusters() {
    let (plain, clustered) = singletons();
    let (well, well_of_clusters) = (plain.on(&WELL).unwrap(), clustered.on(&WELL).unwrap());
    let linear = LinearRegression::new().adjust_for(["well0", "age"]);
    for (variance, cluster) in [
        (VarianceType::Hc0, ClusterVariance::Cr0),
        (VarianceType::Hc1, ClusterVariance::Cr1s),
        (VarianceType::Hc2, ClusterVariance::Cr2),
    ] {
        let one = well.estimate(&linear.clone().variance(variance)).unwrap();
        same(&one, &well_of_clusters.estimate(&linear.clone().variance(cluster)).unwrap(), 1.0);
        // An explicit variance for independent people is obeyed, with a notice.
        let told = well_of_clusters.estimate(&linear.clone().variance(variance)).unwrap();
        same(&one, &told, 1.0);
        assert!(told.notices().contains(&Notice::ClustersIgnored { clusters: 420 }));
    }
    same(
        &well.estimate(&DifferenceInMeans::new()).unwrap(),
        &well_of_clusters.estimate(&DifferenceInMeans::new()).unwrap(),
        1.0,
    );
    let (full, full_of_clusters) = (plain.on(&FULL).unwrap(), clustered.on(&FULL).unwrap());
    let logistic = LogisticRegression::new().adjust_for(["age"]);
    same(
        &full.estimate(&logistic.clone().variance(VarianceType::Hc2)).unwrap(),
        &full_of_clusters.estimate(&logistic).unwrap(),
        1.0,
    );
    // Unbiased variances of means of arms, on every scale.
    let arms: Vec<f64> = full.arms().iter().map(|arm| arm.counts.analysed as f64).collect();
    assert!(arms.iter().all(|n| *n == arms[0]));
    let unbiased = arms[0] / (arms[0] - 1.0);
    marginal(&full, &full_of_clusters, LogRiskRatio, unbiased);
    marginal(&full, &full_of_clusters, RiskDifference, unbiased);
    // Weights differ a little, and with them the shares of people in their arms.
    let robust = DoublyRobust::new(RiskDifference).adjust_for(["age"]).variance(NuisanceVariance::Known);
    let weighting = InverseProbabilityWeighting::new(RiskDifference).adjust_for(["age"]);
    for (one, two) in [
        (full.estimate(&weighting).unwrap(), full_of_clusters.estimate(&weighting).unwrap()),
        (full.estimate(&robust).unwrap(), full_of_clusters.estimate(&robust).unwrap()),
    ] {
        for (one, two) in one.iter().zip(two.iter()) {
            assert!((two.variance() / one.variance() - unbiased).abs() < 1e-3);
        }
    }
    same(
        &full.estimate(&DifferenceInProportions::new()).unwrap(),
        &full_of_clusters.estimate(&DifferenceInProportions::new()).unwrap(),
        unbiased,
    );
    same(
        &full.estimate(&RatioOfProportions::new()).unwrap(),
        &full_of_clusters.estimate(&RatioOfProportions::new()).unwrap(),
        unbiased,
    );
    same(
        &full.estimate(&OddsRatio::new()).unwrap(),
        &full_of_clusters.estimate(&OddsRatio::new()).unwrap(),
        unbiased,
    );
    let applications = Measure::count("apps").exposure("age");
    let (rates, of_clusters) = (plain.on(&applications).unwrap(), clustered.on(&applications).unwrap());
    same(
        &rates.estimate(&RatioOfRates::new()).unwrap(),
        &of_clusters.estimate(&RatioOfRates::new()).unwrap(),
        1.0,
    );
    let poisson = PoissonRegression::new().adjust_for(["female"]);
    let hc2 = poisson.clone().variance(VarianceType::Hc2);
    same(&rates.estimate(&hc2).unwrap(), &of_clusters.estimate(&poisson).unwrap(), 1.0);
    // Without covariates, the robust variance of rates: exposures differ, and with them the shares of people
    // in their arms.
    let standardised = PoissonRegression::new().marginal(RateDifference);
    same(
        &rates.estimate(&DifferenceInRates::new()).unwrap(),
        &of_clusters.estimate(&standardised).unwrap(),
        1.0,
    );
    let counts = Measure::count("apps");
    same(
        &plain.on(&counts).unwrap().estimate(&DifferenceInRates::new()).unwrap(),
        &clustered.on(&counts).unwrap().estimate(&DifferenceInRates::new()).unwrap(),
        1.0,
    );
}

fn marginal<S: ContrastScale>(one: &Comparison<Binary>, two: &Comparison<Binary>, scale: S, factor: f64) {
    let marginal = LogisticRegression::new().adjust_for(["age"]).marginal(scale);
    let independent = one.estimate(&marginal.clone().variance(MarginalVariance::Superpopulation)).unwrap();
    let clustered = two.estimate(&marginal).unwrap();
    same(&independent, &clustered, factor);
    // 105 people in each arm: 208 of two equal parts, and at least those of the smaller arm.
    let df = clustered.treatment("1").unwrap().df().unwrap();
    assert!(df > 104.0 && df < 208.0 + 1e-6, "{df}");
}

#[test]
fn proportions_of_clusters_by_hand() {
    // Two clusters in each arm, so that CR2 of a mean of equal clusters is the variance of the cluster means
    // over 2.
    let text = "arm,office,works\nc,a,1\nc,a,0\nc,b,1\nc,b,1\nt,d,0\nt,d,0\nt,e,1\nt,e,0\n";
    let trial = in_offices(text);
    let works = trial.on(&Measure::binary("works")).unwrap();
    let difference = works.estimate(&DifferenceInProportions::new()).unwrap().treatment("t").unwrap();
    // Cluster means 0.5 and 1 against 0 and 0.5: variances of the means 0.125 / 2 each.
    assert_near(difference.value(), 0.25 - 0.75, 1e-14);
    assert_near(difference.variance(), 0.0625 + 0.0625, 1e-12);
    assert_near(difference.df().unwrap(), 2.0, 1e-9);
    let ratio = works.estimate(&RatioOfProportions::new()).unwrap().treatment("t").unwrap();
    assert_near(ratio.variance(), 0.0625 / 0.25_f64.powi(2) + 0.0625 / 0.75_f64.powi(2), 1e-12);
    let interval = armwise::proportion::DifferenceInterval::Newcombe;
    let refused = works.estimate(&DifferenceInProportions::new().interval(interval)).unwrap_err();
    assert!(refused.to_string().contains("clusters were declared"), "{refused}");
    let firth = works.estimate(&FirthLogisticRegression::new()).unwrap();
    assert!(firth.notices().contains(&Notice::ClustersIgnored { clusters: 4 }));
}

#[test]
fn an_arm_in_one_cluster_has_no_variance() {
    let text = "arm,office,works,score\nc,a,1,1\nc,a,0,2\nc,b,1,4\nc,b,1,5\nt,d,0,3\nt,d,1,7\n";
    let trial = in_offices(text);
    let (works, score) =
        (trial.on(&Measure::binary("works")).unwrap(), trial.on(&Measure::continuous("score")).unwrap());
    for error in [
        works.estimate(&DifferenceInProportions::new()).unwrap_err(),
        works.estimate(&LogisticRegression::new()).unwrap_err(),
        works.estimate(&LogisticRegression::new().marginal(RiskDifference)).unwrap_err(),
        score.estimate(&DifferenceInMeans::new()).unwrap_err(),
        score.estimate(&LinearRegression::new()).unwrap_err(),
    ] {
        assert_eq!(error.kind().name(), "insufficient_observations");
        assert!(error.to_string().contains("arm \"t\""), "{error}");
    }
    let undeclared = labelled(trial.table().clone(), "c").build().unwrap();
    let model = LinearRegression::new().variance(ClusterVariance::Cr2);
    let error = undeclared.on(&Measure::continuous("score")).unwrap().estimate(&model).unwrap_err();
    assert!(error.to_string().contains("clusters(..)"), "{error}");
}

#[test]
fn one_block_is_no_block() {
    let full = table("trial");
    let rows = full.rows();
    let full = full.with_categories("everybody", vec!["all"; rows]).unwrap();
    let build = |strata: &[&str]| labelled(full.clone(), "0").strata(strata).build().unwrap();
    let crude = build(&[]).on(&WELL).unwrap().estimate(&DifferenceInMeans::new()).unwrap();
    for blocks in [Blocks::BySize, Blocks::ByPrecision] {
        let one = build(&["everybody"]).on(&WELL).unwrap();
        same(&crude, &one.estimate(&DifferenceInMeans::new().blocks(blocks)).unwrap(), 1.0);
    }
}

#[test]
fn blocks_of_three_arms_by_hand() {
    let text = "arm,stratum,score\nc,a,1\nc,a,3\nt,a,4\nt,a,8\ns,a,2\ns,a,4\nc,b,5\nc,b,6\nc,b,10\nt,b,9\nt,b,7\ns,b,8\ns,b,14\n";
    let trial = labelled(Table::from_csv_str(text).unwrap(), "c").strata(["stratum"]).build().unwrap();
    let score = trial.on(&Measure::continuous("score")).unwrap();
    // Stratum a: means 2, t 6, s 3, variances of means 1, 4, 1. Stratum b: 7, 8, 11 and 7/3, 1, 9. Sizes 6
    // and 7.
    let by_size = score.estimate(&DifferenceInMeans::new().blocks(Blocks::BySize)).unwrap();
    let (a, b) = (6.0 / 13.0, 7.0 / 13.0);
    let t = by_size.treatment("t").unwrap();
    assert_near(t.value(), a * 4.0 + b * 1.0, 1e-14);
    assert_near(t.variance(), a * a * 5.0 + b * b * (7.0 / 3.0 + 1.0), 1e-13);
    // Satterthwaite, from the four parts of the variance.
    let parts = [(a * a, 1.0), (a * a * 4.0, 1.0), (b * b * 7.0 / 3.0, 2.0), (b * b, 1.0)];
    let df = t.variance() * t.variance() / parts.iter().map(|(c, df)| c * c / df).sum::<f64>();
    assert_near(t.df().unwrap(), df, 1e-12);
    let place = |label: &str| by_size.treatments().position(|other| *other == label).unwrap();
    assert_near(by_size.covariance()[[place("t"), place("s")]], a * a + b * b * 7.0 / 3.0, 1e-13);
    let by_precision = score.estimate(&DifferenceInMeans::new().blocks(Blocks::ByPrecision)).unwrap();
    let (a, b) = (1.0 / 2.2, 1.2 / 2.2);
    assert_near(by_precision.treatment("s").unwrap().value(), a * 1.0 + b * 4.0, 1e-14);
    assert_near(
        by_precision.treatment("s").unwrap().variance(),
        a * a * 2.0 + b * b * (7.0 / 3.0 + 9.0),
        1e-13,
    );
    assert_near(by_precision.covariance()[[0, 1]], a * a + b * b * 7.0 / 3.0, 1e-13);
    // The point estimate of a regression on block indicators with two arms.
    let two = trial.compare("t").on(&Measure::continuous("score")).unwrap();
    let indicators = two.estimate(&LinearRegression::new().adjust_for(["stratum"])).unwrap();
    let precise = two.estimate(&DifferenceInMeans::new().blocks(Blocks::ByPrecision)).unwrap();
    assert_near(indicators.treatment("t").unwrap().value(), precise.treatment("t").unwrap().value(), 1e-12);
}

#[test]
fn matched_clusters_by_hand() {
    // Two matched sets of two clusters and one whose treated cluster has no outcome.
    let text = "pair,arm,office,score\n1,c,a,1\n1,c,a,3\n1,t,b,5\n2,c,d,4\n2,t,e,5\n2,t,e,9\n2,t,e,10\n3,c,f,1\n3,t,g,\n4,c,h,2\n4,t,i,3\n";
    let trial = labelled(Table::from_csv_str(text).unwrap(), "c")
        .strata(["pair"])
        .clusters("office")
        .build()
        .unwrap();
    let score = trial.on(&Measure::continuous("score")).unwrap();
    let matched = score.estimate(&DifferenceInMeans::new().blocks(Blocks::MatchedSets)).unwrap();
    // Differences 3, 4, 1 with 3, 4, 2 people: 27 / 9; deviations of n d from 9: 0, 7, -7.
    let effect = matched.treatment("t").unwrap();
    assert_near(effect.value(), (9.0 + 16.0 + 2.0) / 9.0, 1e-14);
    assert_near(effect.variance(), 3.0 / 2.0 * (0.0 + 49.0 + 49.0) / 81.0, 1e-13);
    assert_eq!(effect.df(), Some(2.0));
    assert!(matched.notices().contains(&Notice::StrataLeftOut { strata: 1, of: 4 }));
    assert_eq!(effect.reference_counts().analysed, 4);
    let not_pairs = declared("two_arm", &["block"], None).on(&WELL).unwrap();
    let error = not_pairs.estimate(&DifferenceInMeans::new().blocks(Blocks::MatchedSets)).unwrap_err();
    assert!(error.to_string().contains("several people"), "{error}");
    let error = not_pairs
        .estimate(&DifferenceInMeans::new().blocks(Blocks::BySize).variance(MeansVariance::Pooled))
        .unwrap_err();
    assert!(error.to_string().contains("leave variance(..) out"), "{error}");
    let strata = declared("two_arm", &[], None).on(&WELL).unwrap();
    let error = strata.estimate(&DifferenceInMeans::new().blocks(Blocks::BySize)).unwrap_err();
    assert!(error.to_string().contains("strata(..)"), "{error}");
}

/// Strata of a hundred people or so, and pairs with both arms in some only.
fn stratified(csv: &str) -> Comparison<Binary> {
    let table = Table::from_csv_str(csv).unwrap();
    let builder = labelled(table, "c").strata(["sex"]);
    builder.build().unwrap().on(&Measure::binary("works")).unwrap()
}

fn rows(arm: &str, sex: &str, events: usize, n: usize) -> String {
    let rows: Vec<String> = (0..n).map(|i| format!("{arm},{sex},{}\n", u8::from(i < events))).collect();
    rows.concat()
}

#[test]
fn mantel_haenszel_with_one_stratum_is_crude() {
    let csv =
        ["arm,sex,works\n".to_owned(), rows("c", "f", 7, 20), rows("t", "f", 12, 25), rows("s", "f", 5, 16)]
            .concat();
    let works = stratified(&csv);
    let risk = works.estimate(&DifferenceInProportions::new()).unwrap();
    for variance in [MantelHaenszelVariance::Sato, MantelHaenszelVariance::GreenlandRobins] {
        same(&risk, &works.estimate(&DifferenceInProportions::new().mantel_haenszel(variance)).unwrap(), 1.0);
    }
    let (ratio, odds) = (RatioOfProportions::new(), OddsRatio::new());
    same(&works.estimate(&ratio).unwrap(), &works.estimate(&ratio.mantel_haenszel()).unwrap(), 1.0);
    let stratified = works.estimate(&odds.clone().mantel_haenszel()).unwrap();
    same(&works.estimate(&odds).unwrap(), &stratified, 1.0);
    assert_eq!(stratified.estimand(), Estimand::Conditional);
}

#[test]
fn mantel_haenszel_by_hand() {
    let csv = [
        "arm,sex,works\n".to_owned(),
        rows("c", "f", 7, 20),
        rows("t", "f", 12, 25),
        rows("s", "f", 5, 16),
        rows("c", "m", 3, 30),
        rows("t", "m", 6, 24),
        rows("s", "m", 8, 40),
        rows("c", "x", 1, 2),
    ]
    .concat();
    let works = stratified(&csv);
    let large = DifferenceInProportions::new().mantel_haenszel(MantelHaenszelVariance::GreenlandRobins);
    let effects = works.estimate(&large).unwrap();
    assert!(effects.notices().contains(&Notice::StrataLeftOut { strata: 1, of: 3 }));
    let place = |label: &str| effects.treatments().position(|other| *other == label).unwrap();
    let (t, s) = (place("t"), place("s"));
    let weights = |n1: [f64; 2]| [n1[0] * 20.0 / (n1[0] + 20.0), n1[1] * 30.0 / (n1[1] + 30.0)];
    let (wt, ws) = (weights([25.0, 24.0]), weights([16.0, 40.0]));
    let value = (wt[0] * (12.0 / 25.0 - 0.35) + wt[1] * (6.0 / 24.0 - 0.1)) / (wt[0] + wt[1]);
    assert_near(effects.treatment("t").unwrap().value(), value, 1e-13);
    let control = [0.35 * 0.65 / 20.0, 0.1 * 0.9 / 30.0];
    let covariance =
        (wt[0] * ws[0] * control[0] + wt[1] * ws[1] * control[1]) / ((wt[0] + wt[1]) * (ws[0] + ws[1]));
    assert_near(effects.covariance()[[t, s]], covariance, 1e-13);
    let treated = wt[0].powi(2) * 0.48 * 0.52 / 25.0 + wt[1].powi(2) * 0.25 * 0.75 / 24.0;
    let own = wt[0].powi(2) * control[0] + wt[1].powi(2) * control[1];
    assert_near(effects.treatment("t").unwrap().variance(), (treated + own) / (wt[0] + wt[1]).powi(2), 1e-13);
    // Few large strata: Sato's is near.
    let sparse = works
        .estimate(&DifferenceInProportions::new().mantel_haenszel(MantelHaenszelVariance::Sato))
        .unwrap();
    assert!((sparse.covariance()[[t, s]] / covariance - 1.0).abs() < 0.2);
    // Ratios, by the formulas of the counts.
    let [n1, n2, m1, m2] = [25.0 + 20.0, 24.0 + 30.0, 16.0 + 20.0, 40.0 + 30.0];
    let odds = works.estimate(&OddsRatio::new().mantel_haenszel()).unwrap();
    let (rt, st) = (12.0 * 13.0 / n1 + 6.0 * 27.0 / n2, 7.0 * 13.0 / n1 + 3.0 * 18.0 / n2);
    let (rs, ss) = (5.0 * 13.0 / m1 + 8.0 * 27.0 / m2, 7.0 * 11.0 / m1 + 3.0 * 32.0 / m2);
    assert_near(odds.treatment("t").unwrap().ratio().unwrap(), rt / st, 1e-13);
    let (pt, ps) = (rt / st, rs / ss);
    let first = 20.0 * (pt * 13.0 * 5.0 + ps * 11.0 * 12.0) / (n1 * m1);
    let second = 30.0 * (pt * 18.0 * 8.0 + ps * 32.0 * 6.0) / (n2 * m2);
    assert_near(odds.covariance()[[t, s]], 0.5 * (first + second) / (rt * rs), 1e-13);
    let ratio = works.estimate(&RatioOfProportions::new().mantel_haenszel()).unwrap();
    let (rt, st) = (12.0 * 20.0 / n1 + 6.0 * 30.0 / n2, 7.0 * 25.0 / n1 + 3.0 * 24.0 / n2);
    let (rs, ss) = (5.0 * 20.0 / m1 + 8.0 * 30.0 / m2, 7.0 * 16.0 / m1 + 3.0 * 40.0 / m2);
    let (pt, ps) = (rt / st, rs / ss);
    let first = 13.0 * (16.0 * 12.0 / pt + 25.0 * 5.0 / ps) / (n1 * m1);
    let second = 27.0 * (40.0 * 6.0 / pt + 24.0 * 8.0 / ps) / (n2 * m2);
    assert_near(ratio.covariance()[[t, s]], 0.5 * (first + second) / (st * ss), 1e-13);
    assert!(ratio.between("t", "s").is_ok() && odds.between("t", "s").is_ok());
}

/// Every estimator that counts clusters, on the binary outcome.
fn of_clusters(trial: &Trial) -> Vec<Estimates<AnyScale>> {
    let full = trial.on(&FULL).unwrap();
    let logistic = LogisticRegression::new().adjust_for(["age"]);
    vec![
        full.estimate(&DifferenceInProportions::new()).unwrap().to_any(),
        full.estimate(&RatioOfProportions::new()).unwrap().to_any(),
        full.estimate(&OddsRatio::new()).unwrap().to_any(),
        full.estimate(&LinearRegression::new().adjust_for(["age"])).unwrap().to_any(),
        full.estimate(&LinearRegression::new().adjust_for(["age"]).interacted()).unwrap().to_any(),
        full.estimate(&logistic).unwrap().to_any(),
        full.estimate(&logistic.marginal(LogOddsRatio)).unwrap().to_any(),
        full.estimate(&InverseProbabilityWeighting::new(RiskDifference).adjust_for(["age"]))
            .unwrap()
            .to_any(),
        full.estimate(&DoublyRobust::new(LogRiskRatio).adjust_for(["age"])).unwrap().to_any(),
    ]
}

#[test]
fn laws_of_clustered_estimators() {
    let full = table("trial");
    let build = |table: Table, control: &str| labelled(table, control).clusters("cluster").build().unwrap();
    // The rows of arms 2 and 3 first: another order of rows and of clusters.
    let mut text = String::from("arm,cluster,age,full\n");
    for wanted in [3.0, 2.0, 1.0, 0.0] {
        let columns = ["arm", "cluster", "age", "full"]
            .map(|name| full.column(name).unwrap().reals().unwrap().collect::<Vec<_>>());
        for row in (0..full.rows()).rev().filter(|&row| columns[0][row] == Some(wanted)) {
            let cells = columns.iter().map(|column| column[row].unwrap().to_string());
            text.push_str(&(cells.collect::<Vec<_>>().join(",") + "\n"));
        }
    }
    let one = of_clusters(&build(full.clone(), "0"));
    let shuffled = of_clusters(&build(Table::from_csv_str(&text).unwrap(), "0"));
    let turned = of_clusters(&build(full, "2"));
    for ((one, shuffled), turned) in one.iter().zip(&shuffled).zip(&turned) {
        for label in ["1", "2", "3"] {
            let (one, two) = (one.treatment(label).unwrap(), shuffled.treatment(label).unwrap());
            is(&one, [two.value(), two.se(), two.df().unwrap(), two.p_value()]);
            assert!(one.notices().is_empty(), "{one}");
        }
        let (forward, backward) = (one.treatment("2").unwrap(), turned.treatment("0").unwrap());
        is(&forward, [-backward.value(), backward.se(), backward.df().unwrap(), backward.p_value()]);
        assert_near(one.between("1", "2").unwrap().se(), turned.treatment("1").unwrap().se(), 1e-9);
        let text = serde_json::to_string(one).unwrap();
        assert_eq!(*one, serde_json::from_str::<Estimates<AnyScale>>(&text).unwrap());
    }
}

#[test]
fn weights_of_observation() {
    use armwise::ndarray::Array1;
    use armwise::regression::{Category, Family, Glm, ModelMatrix};
    use armwise::weighting::{InverseProbability, Normalization};
    let mut csv = String::from("arm,age,works\n");
    let (mut arms, mut ages, mut seen, mut outcomes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for i in 0..90_u32 {
        let (arm, age, works) = (i % 3, 20.0 + f64::from(i * 37 % 41), i * 31 % 17 < 8);
        let observed = (i * 13 % 29) > 2 + i % 3 * 3;
        let cell = if observed { u8::from(works).to_string() } else { String::new() };
        csv.push_str(&format!("{},{age},{cell}\n", ["c", "s", "t"][arm as usize]));
        arms.push(arm);
        ages.push(age);
        seen.push(f64::from(u8::from(observed)));
        outcomes.push(f64::from(u8::from(works)));
    }
    let build = |csv: &str| {
        let table = Table::from_csv_str(csv).unwrap();
        let trial = labelled(table, "c").build().unwrap();
        trial.on(&Measure::binary("works")).unwrap()
    };
    let works = build(&csv);
    let weighting = InverseProbabilityWeighting::new(RiskDifference).of_observation();
    // Without covariates everybody observed in an arm has the same weight.
    same(
        &works.estimate(&DifferenceInProportions::new()).unwrap(),
        &works.estimate(&weighting).unwrap(),
        1.0,
    );
    // By the numeric layer.
    let adjusted = works.estimate(&weighting.clone().adjust_for(["age"])).unwrap();
    let (age, seen, y) = (Array1::from(ages), Array1::from(seen), Array1::from(outcomes));
    let matrix = ModelMatrix::new(90)
        .intercept()
        .and_then(|m| m.category("arm", Category::new(&arms, ["c", "s", "t"])))
        .and_then(|m| m.numeric("age", age.view()))
        .unwrap();
    let fit = Glm::new(Family::Binomial).fit(&matrix, seen.view()).unwrap();
    let means =
        InverseProbability::of_response(&fit, "arm").unwrap().means(y.view(), Normalization::Hajek).unwrap();
    let v = means.covariance(NuisanceVariance::Stacked);
    let t = adjusted.treatment("t").unwrap();
    assert_near(t.value(), means.values()[2] - means.values()[0], 1e-12);
    assert_near(t.variance(), v[[2, 2]] + v[[0, 0]] - 2.0 * v[[0, 2]], 1e-12);
    assert_eq!(t.treatment_counts().randomised, 30);
    assert!(adjusted.notices().iter().any(|notice| matches!(notice, Notice::OutcomeByWeights { .. })));
    // Nobody missing: the crude effect.
    let rows: Vec<&str> = csv.lines().filter(|line| !line.ends_with(',')).collect();
    let complete = build(&rows.join("\n"));
    same(
        &complete.estimate(&DifferenceInProportions::new()).unwrap(),
        &complete.estimate(&weighting.adjust_for(["age"])).unwrap(),
        1.0,
    );
}

#[test]
fn estimators_of_categories_say_that_clusters_are_ignored() {
    const LEVELS: [&str; 3] = ["none", "temporary", "permanent"];
    let mut csv = String::from("arm,office,contract\n");
    for i in 0..60 {
        let (arm, office) = (["control", "guidance"][i % 2], i % 12);
        csv += &format!("{arm},{office},{}\n", LEVELS[(i / 2 + i / 7) % 3]);
    }
    let table = Table::from_csv_str(&csv).unwrap();
    let trial = labelled(table, "control").clusters("office");
    let comparison = trial.build().unwrap().on(&Measure::ordinal("contract", &LEVELS)).unwrap();
    let told = |notices: &[Notice]| {
        notices.iter().any(|notice| matches!(notice, Notice::ClustersIgnored { clusters: 12 }))
    };
    let win = comparison.estimate(&WinProbability::new(NetBenefit)).unwrap();
    assert!(told(win.notices()), "{win}");
    let odds = comparison.estimate(&ProportionalOddsRegression::new()).unwrap();
    assert!(told(odds.notices()), "{odds}");
    let permanent = comparison.estimate(&DifferenceInCategories::new().in_category("permanent")).unwrap();
    assert!(told(permanent.notices()), "{permanent}");
    let model = ProportionalOddsRegression::new().marginal(RiskDifference).in_category("permanent");
    let standardised = comparison.estimate(&model).unwrap();
    assert!(told(standardised.notices()), "{standardised}");
}
