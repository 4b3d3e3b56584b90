//! Topic "repeated": mixed models for repeated measures, estimating equations, difference in differences.

use super::case::{Answer, Case, list};
use super::survival::words;
use armwise::longitudinal::{
    CorrelationMoments, CovarianceStructure, DfMethod, DifferenceInDifferences, EquationsVariance,
    EstimatingEquations, LikelihoodCriterion, MixedModel, MixedModelFit, WaveMeans, Waves,
    WorkingCorrelation,
};
use armwise::mean::MeansVariance;
use armwise::ndarray::{Array1, Array2};
use armwise::prelude::*;
use armwise::regression::{ClusterVariance, Family};
use serde_json::{Map, Value, json as object};

pub fn answer(case: &Case) -> Answer {
    let rows = Rows::new(case)?;
    if case.has_option("structure") {
        mixed_model(case, &rows)
    } else if case.has_option("correlation") {
        equations(case, &rows)
    } else {
        assert!(case.has_input("treatment"), "this analysis of repeated measures is not known");
        differences(case, &rows)
    }
}

/// The rows of a case; the control is group 0, the other arms follow in ascending order.
struct Rows {
    outcome: Vec<f64>,
    unit: Vec<u32>,
    wave: Vec<u32>,
    group: Vec<u32>,
    /// The labels of the groups.
    arms: Vec<u32>,
    baseline: Option<Vec<f64>>,
}

impl Rows {
    fn new(case: &Case) -> armwise::Result<Self> {
        let table = Table::from_csv_path(case.csv())?;
        let numbers = |key: &str| -> armwise::Result<Vec<f64>> {
            let name = case.input(key).as_str().expect("a column");
            table.column(name)?.reals()?.map(|x| Ok(x.expect("a value"))).collect()
        };
        let codes = |key: &str| -> armwise::Result<Vec<u32>> {
            Ok(numbers(key)?.into_iter().map(|x| x as u32).collect())
        };
        let control = case.number("control") as u32;
        let arm = codes("arm")?;
        let mut arms = arm.clone();
        arms.sort_unstable();
        arms.dedup();
        arms.retain(|own| *own != control);
        arms.insert(0, control);
        let group = arm.iter().map(|own| arms.iter().position(|arm| arm == own).expect("an arm") as u32);
        let baseline = case.has_input("baseline").then(|| numbers("baseline")).transpose()?;
        let (outcome, unit, wave) = (numbers("outcome")?, codes("subject")?, codes("wave")?);
        Ok(Self { outcome, unit, wave, group: group.collect(), arms, baseline })
    }

    fn waves(&self) -> armwise::Result<Waves<'_>> {
        Waves::new(&self.outcome, &self.unit, &self.wave)
    }

    /// The group of a word such as `arm2`.
    fn arm(&self, word: &str) -> usize {
        let own: u32 = word.strip_prefix("arm").and_then(|n| n.parse().ok()).expect("an arm");
        self.arms.iter().position(|arm| *arm == own).expect("an arm of the data")
    }
}

fn wave_of(word: &str) -> u32 {
    word.strip_prefix("wave").and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{word} is no wave"))
}

fn grid(values: &Array2<f64>) -> Value {
    Value::Array(values.rows().into_iter().map(|row| list(row.to_vec())).collect())
}

fn structure(word: &str) -> CovarianceStructure {
    match word {
        "unstructured" => CovarianceStructure::Unstructured,
        "compound_symmetry" => CovarianceStructure::CompoundSymmetry,
        "toeplitz" => CovarianceStructure::Toeplitz,
        "ar1" => CovarianceStructure::Autoregressive,
        "heterogeneous_compound_symmetry" => CovarianceStructure::HeterogeneousCompoundSymmetry,
        "heterogeneous_toeplitz" => CovarianceStructure::HeterogeneousToeplitz,
        "heterogeneous_ar1" => CovarianceStructure::HeterogeneousAutoregressive,
        word => panic!("the structure {word} is not known"),
    }
}

/// The place of each coefficient of a case among those of the fit, by name.
fn order(case: &Case, rows: &Rows, names: &[String]) -> Vec<usize> {
    let own = |word: String| {
        let name = match word.split_once(':') {
            None => format!("wave {}", wave_of(&word)),
            Some(("baseline", wave)) => format!("baseline:wave {}", wave_of(wave)),
            Some((arm, wave)) => format!("group {}:wave {}", rows.arm(arm), wave_of(wave)),
        };
        names.iter().position(|own| *own == name).unwrap_or_else(|| panic!("no coefficient {name}"))
    };
    words(case.option("coefficient_order")).into_iter().map(own).collect()
}

fn mixed_model(case: &Case, rows: &Rows) -> Answer {
    let waves = rows.waves()?;
    let mut means = WaveMeans::new(&waves, rows.arms.len(), &rows.group)?;
    if let Some(baseline) = &rows.baseline {
        means = means.covariate_by_wave("baseline", baseline)?;
    }
    let constrained = case.has_input("baseline_wave").then(|| case.number("baseline_wave") as u32);
    if let Some(wave) = constrained {
        means = means.alike_in(wave)?;
    }
    let criterion = match case.word("estimation") {
        "reml" => LikelihoodCriterion::Restricted,
        "ml" => LikelihoodCriterion::Full,
        word => panic!("the estimation {word} is not known"),
    };
    let structure = structure(case.word("structure"));
    let fit = MixedModel::new(structure).criterion(criterion).fit(&means)?;
    let (df, none) = (case.word("degrees_of_freedom"), "none (z)");
    assert_eq!(df == none, criterion == LikelihoodCriterion::Full);
    assert!(df == none || df.starts_with("df = 2 v^2 / (g' A g)"));
    assert_eq!(words(case.option("parameter_order")), fit.parameter_names);
    let order = order(case, rows, &fit.names);
    let kenward_roger = structure.is_linear() && criterion == LikelihoodCriterion::Restricted;
    let chosen = |matrix: &Array2<f64>| {
        grid(&Array2::from_shape_fn((order.len(), order.len()), |(i, j)| matrix[[order[i], order[j]]]))
    };
    let after: Vec<u32> =
        fit.waves.iter().copied().filter(|wave| constrained.is_none_or(|base| *wave > base)).collect();
    let mut contrasts = Vec::new();
    let mut answer = object!({
        "coefficients": list(order.iter().map(|&i| fit.coefficients[i])),
        "vcov": chosen(&fit.covariance),
        "covariance": grid(&fit.sigma),
        "parameters": list(fit.parameters.to_vec()),
        "log_likelihood": fit.log_likelihood,
        "n_observations": fit.n,
        "n_subjects": fit.units,
        "observed_information": grid(&fit.observed_information),
        "expected_information": grid(&fit.expected_information),
    });
    for (group, arm) in rows.arms.iter().enumerate().skip(1) {
        for &wave in &after {
            let name = format!("arm {arm} - control, wave {wave}");
            contrasts.push(contrast(&fit, &name, &fit.effect(group, wave)?, kenward_roger)?);
        }
        let name = format!("arm {arm} - control, average of the waves");
        contrasts.push(contrast(&fit, &name, &fit.average(group, &after)?, kenward_roger)?);
        let all: Vec<Array1<f64>> =
            after.iter().map(|wave| fit.effect(group, *wave)).collect::<armwise::Result<_>>()?;
        let all = Array2::from_shape_fn((all.len(), fit.names.len()), |(i, j)| all[i][j]);
        answer[format!("joint_arm{arm}")] = joint(&fit, &all, kenward_roger)?;
    }
    answer["contrasts"] = Value::Array(contrasts);
    if kenward_roger {
        answer["vcov_kenward_roger"] = chosen(&fit.kenward_roger_covariance()?);
    }
    Ok(answer)
}

fn contrast(fit: &MixedModelFit, name: &str, row: &Array1<f64>, kenward_roger: bool) -> Answer {
    let row = row.to_vec();
    let normal = fit.coefficient(&row, DfMethod::Normal, 0.95)?;
    let mut answer = object!({
        "contrast": name,
        "estimate": normal.estimate,
        "se": normal.se,
        "z": normal.statistic,
    });
    if fit.criterion == LikelihoodCriterion::Full {
        return Ok(answer);
    }
    let own = fit.coefficient(&row, DfMethod::Satterthwaite, 0.95)?;
    answer["df_satterthwaite"] = own.df.into();
    answer["t"] = own.statistic.into();
    answer["p_value"] = own.p_value.into();
    answer["ci"] = list([own.interval.lower(), own.interval.upper()]);
    if kenward_roger {
        let own = fit.coefficient(&row, DfMethod::KenwardRoger, 0.95)?;
        answer["se_kenward_roger"] = own.se.into();
        answer["df_kenward_roger"] = own.df.into();
        answer["t_kenward_roger"] = own.statistic.into();
        answer["p_value_kenward_roger"] = own.p_value.into();
    }
    Ok(answer)
}

fn joint(fit: &MixedModelFit, rows: &Array2<f64>, kenward_roger: bool) -> Answer {
    let wald = fit.joint_test(rows, DfMethod::Normal)?;
    let mut answer = object!({"wald_chi2": wald.statistic, "df": wald.df, "p_value_chi2": wald.p_value});
    if kenward_roger {
        let test = fit.kenward_roger_test(rows)?;
        answer["f_kenward_roger"] = test.f.into();
        answer["scale_kenward_roger"] = test.scale.into();
        answer["df_denominator_kenward_roger"] = test.denominator_df.into();
        answer["p_value_kenward_roger"] = test.p_value.into();
    }
    Ok(answer)
}

fn equations(case: &Case, rows: &Rows) -> Answer {
    let waves = rows.waves()?;
    let family = match (case.word("family"), case.word("link")) {
        ("gaussian", "identity") => Family::Gaussian,
        ("binomial", "logit") => Family::Binomial,
        ("poisson", "log") => Family::Poisson,
        words => panic!("family and link {words:?} are not known"),
    };
    let correlation = match case.word("correlation") {
        "independence" => WorkingCorrelation::Independence,
        "exchangeable" => WorkingCorrelation::Exchangeable,
        "ar1" => WorkingCorrelation::Autoregressive,
        "unstructured" => WorkingCorrelation::Unstructured,
        word => panic!("the working correlation {word} is not known"),
    };
    let names = words(case.option("coefficient_order"));
    let of = |(row, j): (usize, usize)| {
        let flag = |on: bool| f64::from(u8::from(on));
        match names[j].as_str() {
            "intercept" => 1.0,
            "baseline" => rows.baseline.as_ref().expect("a baseline")[row],
            word if word.starts_with("wave") => flag(rows.wave[row] == wave_of(word)),
            word => flag(rows.group[row] as usize == rows.arm(word)),
        }
    };
    let design = Array2::from_shape_fn((rows.outcome.len(), names.len()), of);
    let mut answer = Map::new();
    for (key, moments) in [
        ("moments_n", CorrelationMoments::Counts),
        ("moments_n_minus_p", CorrelationMoments::CountsLessCoefficients),
        ("moments_all_pairs", CorrelationMoments::AllPairs),
    ] {
        if moments == CorrelationMoments::AllPairs && correlation != WorkingCorrelation::Autoregressive {
            continue;
        }
        let fit = EstimatingEquations::new(family, correlation).moments(moments).fit(
            &waves,
            design.view(),
            &names,
        )?;
        let se = |variance| -> Answer {
            Ok(list(fit.covariance(variance)?.diag().iter().map(|variance| variance.sqrt())))
        };
        let own = object!({
            "coefficients": list(fit.coefficients.to_vec()),
            "scale": fit.scale,
            "correlation": list(fit.correlation.clone()),
            "se_model": se(EquationsVariance::Model)?,
            "se_robust": se(EquationsVariance::Robust)?,
            "se_mancl_derouen": se(EquationsVariance::ManclDeRouen)?,
            "se_kauermann_carroll": se(EquationsVariance::KauermannCarroll)?,
            "vcov_robust": grid(&fit.covariance(EquationsVariance::Robust)?),
        });
        answer.insert(key.to_owned(), own);
    }
    Ok(Value::Object(answer))
}

fn differences(case: &Case, rows: &Rows) -> Answer {
    let waves = rows.waves()?;
    let treatment = rows.arm(&format!("arm{}", case.number("treatment") as u32));
    assert_eq!((treatment, rows.arms.len()), (1, 2), "a difference of two arms");
    let both = DifferenceInDifferences::new(&waves, &rows.group)?;
    let pooled = |variance| both.pooled(variance);
    let changes = both.changes()?;
    let (welch, equal) =
        (changes.difference(MeansVariance::Welch)?, changes.difference(MeansVariance::Pooled)?);
    Ok(object!({
        "means": grid(&both.means()),
        "pooled": {
            "estimate": pooled(ClusterVariance::Cr0)?.estimate,
            "se_cr0": pooled(ClusterVariance::Cr0)?.se,
            "se_cr1": pooled(ClusterVariance::Cr1s)?.se,
            "se_cr2": pooled(ClusterVariance::Cr2)?.se,
        },
        "changes": {
            "estimate": welch.estimate,
            "n_treatment": changes.treatment.n,
            "n_control": changes.control.n,
            "se_welch": welch.se,
            "df_welch": welch.df,
            "se_pooled_variance": equal.se,
            "df_pooled_variance": equal.df,
        },
    }))
}
