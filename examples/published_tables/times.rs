//! Times to an event: published curves, tests and regressions.
//!
//! Sources that were read for the numbers: the output of Stata on Rodriguez's page, the text of the vignette
//! `compete` of the R package survival, and of survRM2's vignette the difference -0.137. The other numbers stand
//! under the name of a publication that prints this analysis of these data, but its page was not read: they were
//! recomputed with R 4.2.2 and survival 3.5.3, which agrees on Venables & Ripley's models, and on the curve and the
//! log-rank test of Kleinbaum & Klein; their weighted tests and survRM2's other numbers are ours alone.

use crate::check::Checks;
use crate::data::{Result, numbers, whole_numbers, words};
use armwise::Table;
use armwise::ndarray::Array1;
use armwise::regression::{Fitted, ModelMatrix};
use armwise::survival::{
    AalenJohansen, Cox, CoxVariance, KaplanMeier, LogRank, LogRankWeight, SurvivalData, SurvivalQuantity,
    Ties,
};

/// One column of whole numbers as codes.
fn codes(table: &Table, column: &str) -> Result<Vec<u32>> {
    Ok(whole_numbers(table, column)?.into_iter().map(u32::try_from).collect::<std::result::Result<_, _>>()?)
}

/// 1 for the rows with a label, 0 for the others.
fn is(table: &Table, column: &str, label: &str) -> Result<Vec<u32>> {
    Ok(words(table, column)?.iter().map(|word| u32::from(word == label)).collect())
}

/// Remission of acute leukaemia under 6-mercaptopurine and placebo.
pub(crate) fn leukaemia(checks: &mut Checks) -> Result<()> {
    let table = Table::from_csv_str(include_str!("data/freireich_1963.csv"))?;
    let (weeks, relapse) = (numbers(&table, "weeks")?, codes(&table, "relapse")?);
    let treated = is(&table, "arm", "6-MP")?;
    let data = SurvivalData::new(&weeks, &relapse)?;
    let treatment: Array1<f64> = treated.iter().map(|code| f64::from(*code)).collect();
    let matrix = ModelMatrix::new(weeks.len()).numeric("6-MP", treatment.view())?;
    let by_arm = KaplanMeier::by_stratum(&data.clone().strata(&treated)?)?;

    checks.publication(
        "Kleinbaum & Klein 2012, Survival Analysis: A Self-Learning Text, 3rd edition",
        "42 children with acute leukaemia (Freireich et al. 1963, Blood 21:699), weeks in remission",
    );
    checks.place("chapter 2, Kaplan-Meier estimate of the arm with 6-MP");
    for (week, survival) in [
        (6.0, "0.8571"),
        (7.0, "0.8067"),
        (10.0, "0.7529"),
        (13.0, "0.6902"),
        (16.0, "0.6275"),
        (22.0, "0.5378"),
        (23.0, "0.4482"),
    ] {
        checks.number(&format!("at {week} weeks"), survival, by_arm[1].at(week)?.survival);
    }
    checks.place("chapter 2, tests of both arms");
    let test = |weight| LogRank::new(&data, &treated, weight);
    let log_rank = test(LogRankWeight::LogRank)?;
    checks.number("expected relapses, 6-MP", "19.25", log_rank.expected[1]);
    checks.number("expected relapses, placebo", "10.75", log_rank.expected[0]);
    for (name, weight, published) in [
        ("log-rank", LogRankWeight::LogRank, "16.79"),
        ("Wilcoxon", LogRankWeight::GehanBreslow, "13.46"),
        ("Tarone-Ware", LogRankWeight::TaroneWare, "15.12"),
    ] {
        checks.number(name, published, test(weight)?.test.statistic);
    }

    checks.publication(
        "Rodriguez 2005, Survival Analysis (Pop 509, Princeton), Cox regression of the data of Cox 1972",
        "the same children; Stata's stcox, ties as Breslow has them (data.princeton.edu/pop509/cox.html)",
    );
    let breslow = Cox::new().ties(Ties::Breslow).fit(&data, &matrix)?;
    let row = &breslow.table(CoxVariance::Model, 0.95)?[0];
    checks.place("the first run, all defaults");
    checks.number("log-likelihood without the treatment", "-93.98505", breslow.null_log_likelihood());
    checks.number("log-likelihood", "-86.379622", breslow.log_likelihood().ok_or("none")?);
    checks.number("likelihood ratio", "15.21", breslow.likelihood_ratio_test(&[0])?.statistic);
    checks.number("hazard ratio", "0.2210887", row.estimate.exp());
    checks.number("its standard error", "0.0905501", row.estimate.exp() * row.se);
    checks.number("z", "-3.68", row.estimate / row.se);
    checks.number("lower limit", "0.0990706", row.interval.lower().exp());
    checks.number("upper limit", "0.4933877", row.interval.upper().exp());

    checks.publication(
        "Venables & Ripley 2002, Modern Applied Statistics with S, 4th edition, section 13.3",
        "the same children, treatment coded the other way: the hazard of placebo against 6-MP",
    );
    for (ties, place, numbers) in [
        (Ties::Efron, "ties as Efron has them", ["1.57", "4.82", "0.412"]),
        (Ties::Exact, "exact ties", ["1.63", "5.09", "0.433"]),
    ] {
        let fit = Cox::new().ties(ties).fit(&data, &matrix)?;
        let row = &fit.table(CoxVariance::Model, 0.95)?[0];
        checks.place(place);
        checks.number("log hazard ratio", numbers[0], -row.estimate);
        checks.number("hazard ratio", numbers[1], (-row.estimate).exp());
        checks.number("standard error of the log hazard ratio", numbers[2], row.se);
    }
    Ok(())
}

/// Primary biliary cirrhosis: the restricted mean of survival.
pub(crate) fn cirrhosis(checks: &mut Checks) -> Result<()> {
    checks.publication(
        "Uno 2017, Vignette for survRM2 package: comparing two survival curves using the restricted mean",
        "312 patients with primary biliary cirrhosis, randomised (Fleming & Harrington 1991), years to death",
    );
    let table = Table::from_csv_str(include_str!("data/fleming_1991.csv"))?;
    let years: Vec<f64> = numbers(&table, "days")?.into_iter().map(|days| days / 365.25).collect();
    let (death, treated) = (codes(&table, "death")?, is(&table, "arm", "D-penicillamine")?);
    let data = SurvivalData::new(&years, &death)?.strata(&treated)?;
    let by_arm = AalenJohansen::by_stratum(&data)?;
    let wanted = [
        SurvivalQuantity::RestrictedMean { until: 10.0 },
        SurvivalQuantity::TimeLost { cause: 1, until: 10.0 },
    ];
    let (control, treatment) = (by_arm[0].estimate(&wanted)?, by_arm[1].estimate(&wanted)?);
    checks.place("section 3.2, unadjusted analysis, until 10 years");
    for (name, arm, [value, se, lost]) in [
        ("D-penicillamine", &treatment, ["7.146", "0.283", "2.854"]),
        ("placebo", &control, ["7.283", "0.295", "2.717"]),
    ] {
        checks.number(&format!("restricted mean, {name}"), value, arm.values[0]);
        checks.number("its standard error", se, arm.se()[0]);
        checks.number("mean time lost", lost, arm.values[1]);
    }
    let difference = treatment.difference(&control, 0, 0.95)?;
    let ratio = treatment.log_ratio(&control, 0, 0.95)?;
    let lost = treatment.log_ratio(&control, 1, 0.95)?;
    for (name, [estimate, lower, upper, p], row, of) in [
        (
            "difference",
            ["-0.137", "-0.939", "0.665", "0.738"],
            &difference,
            (|value: f64| value) as fn(f64) -> f64,
        ),
        ("ratio", ["0.981", "0.878", "1.096", "0.738"], &ratio, f64::exp),
        ("ratio of times lost", ["1.050", "0.787", "1.402", "0.738"], &lost, f64::exp),
    ] {
        checks.number(name, estimate, of(row.estimate));
        checks.number("lower limit", lower, of(row.interval.lower()));
        checks.number("upper limit", upper, of(row.interval.upper()));
        checks.number("p", p, row.p_value);
    }
    Ok(())
}

/// Monoclonal gammopathy: progression to a malignancy, with death before it as a competing way out.
pub(crate) fn gammopathy(checks: &mut Checks) -> Result<()> {
    checks.publication(
        "Therneau, Multi-state models and competing risks, vignette compete of the R package survival",
        "1384 patients with monoclonal gammopathy (Kyle et al. 2002, New England Journal of Medicine 346:564), months to \
         a malignancy of plasma cells or to death without one (github.com/therneau/survival, vignettes/compete.Rnw)",
    );
    let table = Table::from_csv_str(include_str!("data/kyle_2002.csv"))?;
    let (months, male) = (numbers(&table, "months")?, is(&table, "sex", "male")?);
    let code = |word: &String| ["none", "progression", "death"].iter().position(|known| known == word);
    let cause: Vec<u32> = words(&table, "event")?
        .iter()
        .map(|word| code(word).and_then(|place| u32::try_from(place).ok()).ok_or("an event"))
        .collect::<std::result::Result<_, _>>()?;
    let data = SurvivalData::new(&months, &cause)?.strata(&male)?;
    let until = 240.0;
    let wanted = [
        SurvivalQuantity::RestrictedMean { until },
        SurvivalQuantity::TimeLost { cause: 1, until },
        SurvivalQuantity::TimeLost { cause: 2, until },
    ];
    let men = AalenJohansen::by_stratum(&data)?[1].estimate(&wanted)?;
    checks.place(
        "section 2.2, a man's first 20 years after diagnosis (text below the first competing risks fit)",
    );
    for (name, years, value) in [
        ("years without either", "8.7", men.values[0]),
        ("years since progression", "1.1", men.values[1]),
        ("years since death without progression", "10.3", men.values[2]),
    ] {
        checks.number(name, years, value / 12.0);
    }
    Ok(())
}
