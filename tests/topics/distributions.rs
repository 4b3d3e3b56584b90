//! Distribution functions, quantiles and special functions.

use super::case::{Answer, Case, list};
use armwise::distribution::special;
use armwise::distribution::{
    Beta, Binomial, ChiSquared, FisherF, Hypergeometric, NoncentralChiSquared, NoncentralF, NoncentralT,
    Normal, Poisson, StudentT, StudentizedRange,
};
use serde_json::{Map, Value};

/// The functions of a distribution at the inputs `x` or `p`.
macro_rules! values {
    ($case:expr, $distribution:expr, continuous) => {{
        let distribution = $distribution;
        if $case.has_input("p") {
            let p = $case.numbers("p");
            object([
                ("quantile_lower_tail", list(p.iter().map(|p| distribution.quantile(*p)))),
                ("quantile_upper_tail", list(p.iter().map(|p| distribution.upper_quantile(*p)))),
            ])
        } else {
            let x = $case.numbers("x");
            let mut object = values!(tails distribution, x);
            object.insert("density".into(), list(x.iter().map(|x| distribution.pdf(*x))));
            object.insert("log_density".into(), list(x.iter().map(|x| distribution.ln_pdf(*x))));
            object
        }
    }};
    ($case:expr, $distribution:expr, discrete) => {{
        let distribution = $distribution;
        let x = counts($case, "x");
        let mut object = values!(tails distribution, x);
        object.insert("density".into(), list(x.iter().map(|x| distribution.pmf(*x))));
        object.insert("pmf".into(), list(x.iter().map(|x| distribution.pmf(*x))));
        object.insert("log_density".into(), list(x.iter().map(|x| distribution.ln_pmf(*x))));
        object
    }};
    ($case:expr, $distribution:expr, tails) => {{
        let distribution = $distribution;
        let x = $case.numbers("x");
        values!(tails distribution, x)
    }};
    (tails $distribution:expr, $x:expr) => {
        object([
            ("cdf", list($x.iter().map(|x| $distribution.cdf(*x)))),
            ("sf", list($x.iter().map(|x| $distribution.sf(*x)))),
            ("log_cdf", list($x.iter().map(|x| $distribution.ln_cdf(*x)))),
            ("log_sf", list($x.iter().map(|x| $distribution.ln_sf(*x)))),
        ])
    };
}

pub(super) fn answer(case: &Case) -> Answer {
    let number = |key| case.number(key);
    let about = |word: &str| case.what.contains(word) || case.input("distribution").as_str() == Some(word);
    let values = if about("studentised range") {
        let range = StudentizedRange::new(count(case, "n_means"), number("df"))?;
        let at = |key, f: &dyn Fn(f64) -> f64| list(case.numbers(key).into_iter().map(f));
        object([("cdf", at("q", &|q| range.cdf(q))), ("quantile", at("p", &|p| range.quantile(p)))])
    } else if case.has_input("noncentrality") {
        let shift = number("noncentrality");
        if case.has_input("df1") {
            values!(case, NoncentralF::new(number("df1"), number("df2"), shift)?, tails)
        } else if about("chi-square") {
            values!(case, NoncentralChiSquared::new(number("df"), shift)?, tails)
        } else {
            values!(case, NoncentralT::new(number("df"), shift)?, tails)
        }
    } else if about("normal") {
        values!(case, Normal, continuous)
    } else if about("chi-square") || about("chi_square") {
        values!(case, ChiSquared::new(number("df"))?, continuous)
    } else if case.has_input("df") {
        values!(case, StudentT::new(number("df"))?, continuous)
    } else if case.has_input("df1") {
        values!(case, FisherF::new(number("df1"), number("df2"))?, continuous)
    } else if case.has_input("n_treated") {
        let of = |key| count(case, key);
        let table = Hypergeometric::new(of("n_treated"), of("n_control"), of("total_events"))?;
        values!(case, table, discrete)
    } else if case.has_input("mean") {
        values!(case, Poisson::new(number("mean"))?, discrete)
    } else if case.has_input("n") && case.has_input("p") {
        values!(case, Binomial::new(count(case, "n"), number("p"))?, discrete)
    } else if case.has_input("n") {
        let pairs = counts(case, "n").into_iter().zip(counts(case, "k"));
        object([("log_choose", list(pairs.map(|(n, k)| special::ln_choose(n, k))))])
    } else if case.expected.contains_key("log_beta") {
        let pairs = case.numbers("a").into_iter().zip(case.numbers("b"));
        object([("log_beta", list(pairs.map(|(a, b)| special::ln_beta(a, b))))])
    } else if case.has_input("a") {
        values!(case, Beta::new(number("a"), number("b"))?, continuous)
    } else {
        let at = |f: fn(f64) -> f64| list(case.numbers("x").into_iter().map(f));
        object([
            ("log_gamma", at(special::ln_gamma)),
            ("digamma", at(special::digamma)),
            ("trigamma", at(special::trigamma)),
            ("erf", at(special::erf)),
            ("erfc", at(special::erfc)),
        ])
    };
    Ok(Value::Object(values))
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn count(case: &Case, key: &str) -> u64 {
    case.input(key).as_u64().unwrap_or_else(|| panic!("{}: input {key} is no count", case.name))
}

fn counts(case: &Case, key: &str) -> Vec<u64> {
    let values =
        case.input(key).as_array().unwrap_or_else(|| panic!("{}: input {key} is no list", case.name));
    values.iter().map(|value| value.as_u64().expect("a count")).collect()
}
