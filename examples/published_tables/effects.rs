//! Analyses of published effects with their variances.

use crate::check::Checks;
use crate::data::{Result, numbers};
use armwise::Table;
use armwise::meta_analysis::{
    BetweenStructure, CoefficientTest, MetaRegression, Moderators, MultivariateData, MultivariateModel,
    RandomEffects, Tau2, Test,
};
use armwise::ndarray::{Array1, Array2, array};

/// The expectations of teachers about pupils.
pub(crate) fn expectancy(checks: &mut Checks) -> Result<()> {
    checks.publication(
        "Raudenbush & Bryk 1985, Journal of Educational Statistics 10:75-98",
        "19 experiments on what teachers expect of pupils (Raudenbush 1984), standardised mean differences; variances rounded to 4 digits\n\
         (digits beyond the paper's: metafor-project.org, analyses:raudenbush1985)",
    );
    let table = Table::from_csv_str(include_str!("data/raudenbush_1985.csv"))?;
    let (yi, vi) = (numbers(&table, "effect")?, numbers(&table, "variance")?);
    checks.place("pp. 83, 85 and 86, random effects, restricted maximum likelihood");
    let pool = RandomEffects::new().test(Test::Normal).pool(&yi, &vi)?;
    checks.number("variance between experiments", "0.0188", pool.tau2);
    checks.number("mean effect", "0.0837", pool.estimate);
    checks.number("its z", "1.6208", pool.statistic);
    checks.misprint("Q, 18 degrees of freedom", "35.85", "35.83", pool.q.statistic);
    checks.place("pp. 90 and 92, regression on weeks of prior contact, at most 3");
    let weeks: Vec<f64> = numbers(&table, "weeks")?.into_iter().map(|weeks| weeks.min(3.0)).collect();
    let fit =
        MetaRegression::new().test(Test::Normal).fit(&yi, &vi, &Moderators::new().number("weeks", &weeks))?;
    checks.number("residual variance between experiments", "0.0000", fit.tau2);
    checks.number("intercept", "0.4072", fit.coefficients[0].estimate);
    checks.number("slope of weeks", "-0.1572", fit.coefficients[1].estimate);
    checks.number("z of the slope", "-4.388", fit.coefficients[1].statistic);
    checks.misprint("residual Q, 17 degrees of freedom", "16.58", "16.57", fit.q_residual.statistic);
    Ok(())
}

/// School calendars: schools within districts.
pub(crate) fn school_calendars(checks: &mut Checks) -> Result<()> {
    checks.publication(
        "Konstantopoulos 2011, Research Synthesis Methods 2:61-76",
        "56 schools in 11 districts with modified calendars (Cooper et al. 2003), standardised mean differences\n\
         (digits beyond the paper's: metafor-project.org, analyses:konstantopoulos2011)",
    );
    let table = Table::from_csv_str(include_str!("data/konstantopoulos_2011.csv"))?;
    let (yi, vi) = (numbers(&table, "effect")?, numbers(&table, "variance")?);
    let (district, year) = (numbers(&table, "district")?, numbers(&table, "year")?);
    let mean_year = year.iter().sum::<f64>() / year.len() as f64;
    let year: Vec<f64> = year.iter().map(|year| year - mean_year).collect();

    checks.place("p. 70, table 4, two levels, restricted maximum likelihood");
    let pool = RandomEffects::new().test(Test::Normal).pool(&yi, &vi)?;
    checks.number("mean effect", "0.1279", pool.estimate);
    checks.number("its standard error", "0.0439", pool.se);
    checks.number("variance between schools", "0.0884", pool.tau2);
    checks.number("its standard error", "0.0202", pool.se_tau2.ok_or("no standard error")?);
    let moderators = Moderators::new().number("year", &year);
    let fit = MetaRegression::new().test(Test::Normal).fit(&yi, &vi, &moderators)?;
    checks.number("with the year: intercept", "0.1258", fit.coefficients[0].estimate);
    checks.misprint("its standard error", "0.043", "0.044", fit.coefficients[0].se);
    checks.number("slope of the year", "0.0052", fit.coefficients[1].estimate);
    checks.number("its standard error", "0.0044", fit.coefficients[1].se);

    checks.place("p. 71, table 5, three levels, maximum likelihood");
    let three_levels = |design: &Array2<f64>, names: &[&str]| -> Result<_> {
        let mut data = MultivariateData::new(names.iter().copied());
        let mut districts = district.clone();
        districts.dedup();
        for name in districts {
            let rows: Vec<usize> = (0..yi.len()).filter(|row| district[*row] == name).collect();
            let own: Vec<f64> = rows.iter().map(|row| yi[*row]).collect();
            let variances = Array2::from_diag(&rows.iter().map(|row| vi[*row]).collect::<Array1<f64>>());
            data.push(&own, variances.view(), design.select(armwise::ndarray::Axis(0), &rows).view())?;
        }
        let model = MultivariateModel::random_effects().tau2(Tau2::Ml).structure(BetweenStructure::Nested);
        let pool = model.test(CoefficientTest::Normal).pool(&data)?;
        let share = pool.correlation.unwrap_or(0.0);
        Ok((pool.tau2 * share, pool.tau2 * (1.0 - share), pool))
    };
    let n = yi.len();
    let (districts, schools, pool) = three_levels(&Array2::ones((n, 1)), &["mean"])?;
    checks.number("mean effect", "0.1845", pool.coefficients[0].estimate);
    checks.number("its standard error", "0.0805", pool.coefficients[0].se);
    checks.number("variance between districts", "0.0577", districts);
    checks.number("variance between schools of a district", "0.0329", schools);
    let design = Array2::from_shape_fn((n, 2), |(row, column)| if column == 0 { 1.0 } else { year[row] });
    let (districts, schools, pool) = three_levels(&design, &["intercept", "year"])?;
    checks.misprint("with the year: intercept", "0.183", "0.178", pool.coefficients[0].estimate);
    checks.number("its standard error", "0.0805", pool.coefficients[0].se);
    checks.number("slope of the year", "0.0051", pool.coefficients[1].estimate);
    checks.number("its standard error", "0.0085", pool.coefficients[1].se);
    checks.number("variance between districts", "0.0565", districts);
    checks.number("variance between schools of a district", "0.0329", schools);
    Ok(())
}

/// Two outcomes of each trial.
pub(crate) fn periodontal(checks: &mut Checks) -> Result<()> {
    checks.publication(
        "Berkey, Hoaglin, Antczak-Bouckoms, Mosteller & Colditz 1998, Statistics in Medicine 17:2537-2550",
        "5 trials of surgery against periodontal disease: probing depth and attachment level, their covariance known\n\
         (digits beyond the paper's: metafor-project.org, analyses:berkey1998)",
    );
    // Year; probing depth, attachment level; their variances and covariance.
    let trials: [(f64, [f64; 2], [f64; 3]); 5] = [
        (1983.0, [0.47, -0.32], [0.0075, 0.0077, 0.0030]),
        (1982.0, [0.20, -0.60], [0.0057, 0.0008, 0.0009]),
        (1979.0, [0.40, -0.12], [0.0021, 0.0014, 0.0007]),
        (1987.0, [0.26, -0.31], [0.0029, 0.0015, 0.0009]),
        (1988.0, [0.56, -0.39], [0.0148, 0.0304, 0.0072]),
    ];
    let mut data = MultivariateData::new(["depth", "attachment", "depth by year", "attachment by year"]);
    for (year, yi, [depth, attachment, both]) in trials {
        let year = year - 1983.0;
        let design = array![[1.0, 0.0, year, 0.0], [0.0, 1.0, 0.0, year]];
        data.push(&yi, array![[depth, both], [both, attachment]].view(), design.view())?;
    }
    let data = data.outcomes(&["depth", "attachment"].repeat(trials.len()))?;
    let model = MultivariateModel::random_effects()
        .tau2(Tau2::Ml)
        .structure(BetweenStructure::Unstructured)
        .test(CoefficientTest::Normal);
    let pool = model.pool(&data)?;
    checks.place("p. 2545, table II, regression on the year of publication (1983 = 0), maximum likelihood");
    for (name, estimate, se) in [
        ("attachment", "-0.3351", "0.0787"),
        ("depth", "0.3479", "0.0520"),
        ("attachment by year", "-0.0108", "0.0243"),
        ("depth by year", "0.0010", "0.0154"),
    ] {
        checks.number(name, estimate, pool.coefficient(name)?.estimate);
        checks.number("its standard error", se, pool.coefficient(name)?.se);
    }
    let between = pool.between_covariance.as_ref().ok_or("no matrix between trials")?;
    checks.number("variance between trials, attachment", "0.0250", between[[1, 1]]);
    checks.number("variance between trials, depth", "0.0080", between[[0, 0]]);
    checks.number("covariance between trials", "0.0093", between[[0, 1]]);
    Ok(())
}
