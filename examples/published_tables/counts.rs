//! Analyses of counts of events.

use crate::check::Checks;
use crate::data::{Result, log_odds_ratios, numbers, two_by_two, whole_numbers, words};
use armwise::Table;
use armwise::effect_size::{ProportionEffect, ZeroCells, proportion_effect};
use armwise::meta_analysis::{
    BetweenStructure, CoefficientTest, CommonEffect, MetaRegression, Moderators, MultivariateData,
    MultivariateModel, RandomEffects, Tau2, Test, TwoByTwo, peto,
};
use armwise::ndarray::{Array2, array};
use armwise::one_stage::{ConditionalDistribution, ConditionalLogistic, SiteArm, SiteCounts};

/// Vaccination against tuberculosis.
pub(crate) fn tuberculosis(checks: &mut Checks) -> Result<()> {
    checks.publication(
        "van Houwelingen, Arends & Stijnen 2002, Statistics in Medicine 21:589-624",
        "13 trials of the BCG vaccine (Colditz et al. 1994, JAMA 271:698), log odds ratios",
    );
    let table = Table::from_csv_str(include_str!("data/colditz_1994.csv"))?;
    let tables = two_by_two(&table, ["cases_vaccinated", "n_vaccinated", "cases_control", "n_control"])?;
    let latitude = numbers(&table, "latitude")?;
    let (yi, vi) = log_odds_ratios(&tables)?;

    checks.place("p. 596, common effect");
    let common = CommonEffect::new().pool(&yi, &vi)?;
    checks.number("odds ratio", "0.647", common.estimate.exp());
    checks.number("lower limit", "0.595", common.interval.lower().exp());
    checks.misprint("upper limit", "0.703", "0.702", common.interval.upper().exp());

    checks.place("p. 597, random effects, maximum likelihood");
    let random = RandomEffects::new().tau2(Tau2::Ml).test(Test::Normal).pool(&yi, &vi)?;
    checks.number("odds ratio", "0.476", random.estimate.exp());
    checks.number("lower limit", "0.336", random.interval.lower().exp());
    checks.number("upper limit", "0.675", random.interval.upper().exp());
    checks.number("variance between trials", "0.302", random.tau2);
    let profile = RandomEffects::new().tau2(Tau2::Ml).profile_likelihood(&yi, &vi)?;
    checks.number("profile likelihood interval of it, lower", "0.12", profile.interval.lower());
    checks.number("the same, upper", "0.89", profile.interval.upper());

    checks.place("p. 599, range of 95% of the trials' effects, the mean taken as known");
    let half = 1.96 * random.tau2.sqrt();
    checks.number("lower", "-1.820", random.estimate - half);
    checks.number("upper", "0.336", random.estimate + half);

    bivariate(checks, &tables)?;

    checks.place("pp. 608-609, regression on latitude, maximum likelihood");
    let model = MetaRegression::new().tau2(Tau2::Ml).test(Test::Normal);
    let fit = model.fit(&yi, &vi, &Moderators::new().number("latitude", &latitude))?;
    checks.number("intercept", "0.371", fit.coefficients[0].estimate);
    checks.number("its standard error", "0.106", fit.coefficients[0].se);
    checks.number("slope of latitude", "-0.033", fit.coefficients[1].estimate);
    checks.number("its standard error", "0.003", fit.coefficients[1].se);
    checks.number("residual variance between trials", "0.004", fit.tau2);
    Ok(())
}

/// Log odds of both arms with an unstructured covariance between trials.
fn bivariate(checks: &mut Checks, tables: &[TwoByTwo]) -> Result<()> {
    checks.place("pp. 604-605, bivariate model of the log odds of both arms, maximum likelihood");
    let mut data = MultivariateData::new(["vaccinated", "control"]);
    for table in tables {
        let arms = [table.treatment, table.control];
        let odds = arms.map(|arm| (arm.events / (arm.n - arm.events)).ln());
        let variance = arms.map(|arm| 1.0 / arm.events + 1.0 / (arm.n - arm.events));
        let covariance = array![[variance[0], 0.0], [0.0, variance[1]]];
        data.push(&odds, covariance.view(), Array2::eye(2).view())?;
    }
    let model = MultivariateModel::random_effects()
        .tau2(Tau2::Ml)
        .structure(BetweenStructure::Unstructured)
        .test(CoefficientTest::Normal);
    let pool = model.pool(&data)?;
    checks.number("mean log odds, vaccinated", "-4.834", pool.coefficient("vaccinated")?.estimate);
    checks.number("mean log odds, not vaccinated", "-4.096", pool.coefficient("control")?.estimate);
    checks.number("standard error of the latter", "0.435", pool.coefficient("control")?.se);
    let between = pool.between_covariance.as_ref().ok_or("no matrix between trials")?;
    checks.number("variance between trials, vaccinated", "1.431", between[[0, 0]]);
    checks.number("variance between trials, not vaccinated", "2.407", between[[1, 1]]);
    checks.number("correlation between trials", "0.947", pool.correlation.ok_or("no correlation")?);
    let difference = pool.difference("vaccinated", "control")?;
    checks.number("log odds ratio", "-0.738", difference.estimate);
    checks.number("its standard error", "0.180", difference.se);
    checks.number("odds ratio", "0.478", difference.estimate.exp());
    checks.number("lower limit", "0.336", difference.interval.lower().exp());
    checks.number("upper limit", "0.680", difference.interval.upper().exp());
    let heterogeneity = between[[0, 0]] + between[[1, 1]] - 2.0 * between[[0, 1]];
    checks.number("variance of the log odds ratio between trials", "0.324", heterogeneity);
    Ok(())
}

/// Diuretics against pre-eclampsia.
pub(crate) fn diuretics(checks: &mut Checks) -> Result<()> {
    checks.publication(
        "Viechtbauer 2007, Statistics in Medicine 26:37-52",
        "9 trials of diuretics in pregnancy (Collins, Yusuf & Peto 1985, BMJ 290:17), log odds ratios of pre-eclampsia",
    );
    let table = Table::from_csv_str(include_str!("data/collins_1985.csv"))?;
    let tables = two_by_two(&table, ["cases_diuretic", "n_diuretic", "cases_control", "n_control"])?;
    let (yi, vi) = log_odds_ratios(&tables)?;
    checks.place("p. 44, table II, the variance between trials and its intervals");
    let pool = |tau2: Tau2| RandomEffects::new().tau2(tau2).test(Test::Normal).pool(&yi, &vi);
    checks.number("DerSimonian-Laird", "0.230", pool(Tau2::DerSimonianLaird)?.tau2);
    checks.number("maximum likelihood", "0.239", pool(Tau2::Ml)?.tau2);
    checks.number("restricted maximum likelihood", "0.301", pool(Tau2::Reml)?.tau2);
    checks.number("Sidik-Jonkman", "0.456", pool(Tau2::SidikJonkman)?.tau2);
    let q_profile = pool(Tau2::DerSimonianLaird)?.tau2_interval.ok_or("no interval of tau2")?;
    checks.number("Q-profile, lower", "0.072", q_profile.lower());
    checks.number("Q-profile, upper", "2.203", q_profile.upper());
    for (name, method, lower, upper) in
        [("full", Tau2::Ml, "0.027", "1.131"), ("restricted", Tau2::Reml, "0.043", "1.475")]
    {
        let interval = RandomEffects::new().tau2(method).profile_likelihood(&yi, &vi)?.interval;
        checks.number(&format!("profile of the {name} likelihood, lower"), lower, interval.lower());
        checks.number(&format!("profile of the {name} likelihood, upper"), upper, interval.upper());
    }
    Ok(())
}

/// Beta blockers after a myocardial infarction.
pub(crate) fn beta_blockers(checks: &mut Checks) -> Result<()> {
    checks.publication(
        "Yusuf, Peto, Lewis, Collins & Sleight 1985, Progress in Cardiovascular Diseases 27:335-371",
        "21 trials of oral beta blockers begun early (table 6), deaths, Peto's method",
    );
    let table = Table::from_csv_str(include_str!("data/yusuf_1985.csv"))?;
    let tables = two_by_two(&table, ["deaths_treated", "n_treated", "deaths_control", "n_control"])?;
    let pool = peto(&tables, 0.95)?;
    checks.place("table 6, the typical odds ratio");
    checks.number("odds ratio", "0.93", pool.ratio());
    checks.number("lower limit", "0.74", pool.ratio_interval().lower());
    checks.number("upper limit", "1.18", pool.ratio_interval().upper());
    Ok(())
}

/// Coated catheters against infections of the bloodstream.
pub(crate) fn catheters(checks: &mut Checks) -> Result<()> {
    checks.publication(
        "Stijnen, Hamza & Ozdemir 2010, Statistics in Medicine 29:3046-3067",
        "18 trials of coated catheters (Niel-Weise, Stijnen & van den Broek 2007, Intensive Care Medicine 33:2058), infections",
    );
    let table = Table::from_csv_str(include_str!("data/niel_weise_2007.csv"))?;
    let tables = two_by_two(&table, ["infected_coated", "n_coated", "infected_control", "n_control"])?;
    let random = RandomEffects::new().test(Test::Normal);
    let logits = |coated: bool| -> Result<(Vec<f64>, Vec<f64>)> {
        let arms = tables.iter().map(|table| if coated { table.treatment } else { table.control });
        let effects =
            arms.map(|arm| proportion_effect(arm, ProportionEffect::Logit, ZeroCells::HALF_WHERE_ZERO));
        let effects = effects.collect::<armwise::Result<Vec<_>>>()?;
        Ok(effects.iter().map(|effect| (effect.value, effect.variance)).unzip())
    };
    checks.place("p. 3050, table II, log odds of infection, normal-normal model");
    for (name, coated, mean, se, tau2) in
        [("control", false, "-3.30", "0.24", "0.663"), ("coated", true, "-4.26", "0.26", "0.393")]
    {
        let (yi, vi) = logits(coated)?;
        let pool = random.pool(&yi, &vi)?;
        checks.number(&format!("mean log odds, {name}"), mean, pool.estimate);
        checks.number("its standard error", se, pool.se);
        checks.number("variance between trials", tau2, pool.tau2);
    }
    checks.place("p. 3052, table III, log odds ratio, normal-normal model");
    let (yi, vi) = log_odds_ratios(&tables)?;
    let pool = random.pool(&yi, &vi)?;
    checks.number("log odds ratio", "-0.980", pool.estimate);
    checks.misprint("its standard error", "0.244", "0.243", pool.se);
    checks.number("standard deviation between trials", "0.19", pool.tau2.sqrt());
    checks.number("odds ratio", "0.38", pool.estimate.exp());
    checks.number("lower limit", "0.23", pool.interval.lower().exp());
    checks.misprint("upper limit", "0.62", "0.60", pool.interval.upper().exp());
    conditional(checks, &table)
}

/// The log odds ratio given the events of each trial.
fn conditional(checks: &mut Checks, table: &Table) -> Result<()> {
    let column = |name: &str| whole_numbers(table, name);
    let arms = [
        (column("infected_control")?, column("n_control")?),
        (column("infected_coated")?, column("n_coated")?),
    ];
    let mut counts = SiteCounts::new(words(table, "trial")?, ["control", "coated"])?;
    for (arm, (events, n)) in arms.iter().enumerate() {
        for (site, (&events, &n)) in events.iter().zip(n).enumerate() {
            counts.add(SiteArm { site, arm, events, n })?;
        }
    }
    checks.place("p. 3052, table III, log odds ratio, hypergeometric-normal model");
    let model = ConditionalLogistic::new().points(25);
    let exact = model.distribution(ConditionalDistribution::Hypergeometric).fit(&counts)?;
    checks.number("log odds ratio", "-1.353", exact.effect.estimate);
    checks.number("its standard error", "0.351", exact.effect.se);
    checks.number("standard deviation between trials", "0.83", exact.random_sd.ok_or("no random effect")?);
    checks.number("lower limit of the odds ratio", "0.13", exact.effect.interval.lower().exp());
    checks.number("upper limit of the odds ratio", "0.51", exact.effect.interval.upper().exp());
    checks.place("p. 3052, table III, log odds ratio, binomial-normal approximation of it");
    let near = model.distribution(ConditionalDistribution::Binomial).fit(&counts)?;
    checks.number("log odds ratio", "-1.303", near.effect.estimate);
    checks.number("its standard error", "0.339", near.effect.se);
    checks.misprint(
        "standard deviation between trials",
        "0.77",
        "0.78",
        near.random_sd.ok_or("no random effect")?,
    );
    checks.number("odds ratio", "0.27", near.odds_ratio);
    checks.number("lower limit", "0.14", near.effect.interval.lower().exp());
    checks.number("upper limit", "0.53", near.effect.interval.upper().exp());
    Ok(())
}
