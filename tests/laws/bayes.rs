//! Laws that Bayesian random effects obey whatever the data.

use crate::support::methods::{studies, unzip};
use crate::support::near;
use armwise::bayes::{MuPrior, NormalNormal, Posterior, TauPrior, prior_sensitivity};
use proptest::prelude::*;

fn priors() -> Vec<TauPrior> {
    vec![
        TauPrior::HalfNormal { scale: 0.5 },
        TauPrior::HalfCauchy { scale: 0.3 },
        TauPrior::HalfStudent { scale: 0.4, df: 3.0 },
        TauPrior::Exponential { rate: 2.0 },
        TauPrior::Uniform { upper: 2.0 },
        TauPrior::ImproperUniform,
    ]
}

fn half_normal(scale: f64) -> NormalNormal {
    NormalNormal::new(TauPrior::HalfNormal { scale })
}

/// The random-effects mean with weights 1/(v + tau²), and its standard error.
fn weighted(yi: &[f64], vi: &[f64], tau: f64) -> (f64, f64) {
    let w: Vec<f64> = vi.iter().map(|v| 1.0 / (v + tau * tau)).collect();
    let total: f64 = w.iter().sum();
    (w.iter().zip(yi).map(|(w, y)| w * y).sum::<f64>() / total, total.recip().sqrt())
}

fn marginals(posterior: &Posterior) -> [armwise::bayes::NormalMixture; 3] {
    [posterior.mu(), posterior.predictive(), posterior.study_effect(0).unwrap()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn with_tau_fixed_mu_is_the_random_effects_mean(studies in studies(1..10, -7.0), tau in 0.0..3.0_f64) {
        let (yi, vi) = unzip(&studies);
        let (mean, se) = weighted(&yi, &vi, tau);
        let given = half_normal(0.5).posterior(&yi, &vi).unwrap().given_tau(tau).unwrap();
        prop_assert!(near(given.mean, mean, 1e-12) && near(given.sd, se, 1e-12));
        // A prior that leaves tau no room is the common effect.
        let tiny = half_normal(1e-9).posterior(&yi, &vi).unwrap().mu();
        let (mean, se) = weighted(&yi, &vi, 0.0);
        prop_assert!(near(tiny.mean().unwrap(), mean, 1e-10) && near(tiny.sd().unwrap(), se, 1e-10));
        prop_assert!(near(tiny.quantile(0.9), mean + 1.281_551_565_544_600_4 * se, 1e-10));
    }

    #[test]
    fn quantiles_invert_both_tails(studies in studies(3..10, -7.0), p in 1e-6..0.999_999_f64) {
        let (yi, vi) = unzip(&studies);
        for prior in priors() {
            for mu_prior in [MuPrior::Flat, MuPrior::Normal { mean: 0.1, sd: 0.7 }] {
                let posterior = NormalNormal::new(prior).mu_prior(mu_prior).posterior(&yi, &vi).unwrap();
                let tau = posterior.tau();
                prop_assert!(near(tau.cdf(tau.quantile(p)), p, 1e-11), "{prior:?}");
                prop_assert!(near(tau.sf(tau.upper_quantile(p)), p, 1e-11), "{prior:?}");
                for marginal in marginals(&posterior) {
                    prop_assert!(near(marginal.cdf(marginal.quantile(p)), p, 1e-12), "{prior:?}");
                    prop_assert!(near(marginal.sf(marginal.upper_quantile(p)), p, 1e-12), "{prior:?}");
                    prop_assert!(near(marginal.cdf(0.3) + marginal.sf(0.3), 1.0, 1e-12));
                }
            }
        }
    }

    #[test]
    fn the_shortest_interval_has_its_probability_and_is_no_longer(studies in studies(3..10, -7.0), level in 0.5..0.99_f64) {
        let (yi, vi) = unzip(&studies);
        for prior in priors() {
            let posterior = NormalNormal::new(prior).posterior(&yi, &vi).unwrap();
            let (tau, mu) = (posterior.tau(), posterior.mu());
            for (shortest, equal, probability) in [
                (tau.shortest_interval(level), tau.interval(level), &(|x| tau.cdf(x)) as &dyn Fn(f64) -> f64),
                (mu.shortest_interval(level), mu.interval(level), &|x| mu.cdf(x)),
            ] {
                let (shortest, equal) = (shortest.unwrap(), equal.unwrap());
                let width = |interval: armwise::Interval| interval.upper() - interval.lower();
                prop_assert!(width(shortest) <= width(equal) * (1.0 + 1e-9), "{prior:?}");
                let inside = probability(shortest.upper()) - probability(shortest.lower());
                prop_assert!(near(inside, level, 1e-10), "{prior:?}: {inside} not {level}");
            }
        }
    }

    #[test]
    fn the_order_of_the_studies_does_not_matter(studies in studies(3..10, -7.0), turn in 0_usize..10) {
        let mut turned = studies.clone();
        turned.rotate_left(turn % studies.len());
        let ((yi, vi), (yj, vj)) = (unzip(&studies), unzip(&turned));
        for prior in priors() {
            let model = NormalNormal::new(prior);
            let (a, b) = (model.posterior(&yi, &vi).unwrap(), model.posterior(&yj, &vj).unwrap());
            prop_assert!(near(a.tau().median(), b.tau().median(), 1e-10));
            prop_assert!(near(a.mu().quantile(0.025), b.mu().quantile(0.025), 1e-10));
            prop_assert!(near(a.log_evidence().unwrap_or(0.0), b.log_evidence().unwrap_or(0.0), 1e-10));
        }
    }

    #[test]
    fn swapping_the_groups_mirrors_and_units_scale(studies in studies(3..10, -7.0), factor in 0.01..100.0_f64) {
        let (yi, vi) = unzip(&studies);
        let mirrored: Vec<f64> = yi.iter().map(|y| -factor * y).collect();
        let scaled: Vec<f64> = vi.iter().map(|v| factor * factor * v).collect();
        let a = half_normal(0.5).posterior(&yi, &vi).unwrap();
        let b = half_normal(0.5 * factor).posterior(&mirrored, &scaled).unwrap();
        for (a, b) in marginals(&a).iter().zip(marginals(&b)) {
            prop_assert!(near(b.quantile(0.2), -factor * a.upper_quantile(0.2), 1e-9));
            prop_assert!(near(b.sf(0.0), a.cdf(0.0), 1e-10));
        }
        prop_assert!(near(b.tau().median(), factor * a.tau().median(), 1e-9));
    }

    #[test]
    fn the_posterior_of_tau_is_a_distribution(studies in studies(3..10, -7.0)) {
        let (yi, vi) = unzip(&studies);
        for prior in priors() {
            let posterior = NormalNormal::new(prior).posterior(&yi, &vi).unwrap();
            let tau = posterior.tau();
            let steps: Vec<f64> = (0..=400).map(|i| 0.005 * f64::from(i)).collect();
            let trapezoid: f64 = steps.windows(2).map(|w| 0.5 * (w[1] - w[0]) * (tau.pdf(w[0]) + tau.pdf(w[1]))).sum();
            prop_assert!((trapezoid - tau.cdf(2.0)).abs() < 2e-3, "{prior:?}: {trapezoid}");
            prop_assert!(near(tau.cdf(0.4) + tau.sf(0.4), 1.0, 1e-12));
        }
    }

    #[test]
    fn effects_lie_between_their_estimate_and_the_mean(studies in studies(3..10, -7.0)) {
        let (yi, vi) = unzip(&studies);
        let posterior = half_normal(0.5).posterior(&yi, &vi).unwrap();
        let (least, most) = (yi.iter().copied().fold(f64::MAX, f64::min), yi.iter().copied().fold(f64::MIN, f64::max));
        for study in 0..yi.len() {
            let mean = posterior.study_effect(study).unwrap().mean().unwrap();
            prop_assert!(mean >= least - 1e-12 && mean <= most + 1e-12);
        }
    }
}

#[test]
fn more_heterogeneous_estimates_move_tau_up() {
    let vi = [0.01, 0.02, 0.015, 0.03, 0.012, 0.02];
    for prior in priors() {
        let medians: Vec<f64> = [0.0, 0.1, 0.2, 0.4, 0.8]
            .iter()
            .map(|spread| {
                let yi: Vec<f64> = [-1.0, 0.5, 1.0, -0.5, 0.8, -0.8].iter().map(|y| spread * y).collect();
                NormalNormal::new(prior).posterior(&yi, &vi).unwrap().tau().median()
            })
            .collect();
        assert!(medians.windows(2).all(|pair| pair[0] < pair[1]), "{prior:?}: {medians:?}");
    }
}

#[test]
fn one_study_without_information_on_tau_returns_its_prior() {
    let posterior = half_normal(0.5).posterior(&[0.3], &[0.02]).unwrap();
    assert!((posterior.tau().median() - 0.5 * 0.674_489_750_196_081_7).abs() < 1e-12);
    let posterior =
        NormalNormal::new(TauPrior::HalfCauchy { scale: 0.5 }).posterior(&[0.3], &[0.02]).unwrap();
    assert!((posterior.tau().median() - 0.5).abs() < 1e-11);
    assert!((posterior.tau().upper_quantile(1e-3) - 0.5 / (std::f64::consts::PI * 5e-4).tan()).abs() < 1e-6);
    assert_eq!((posterior.tau().mean(), posterior.mu().mean()), (None, None));
}

#[test]
fn moments_exist_or_not() {
    let (yi, vi) = ([0.1, 0.5, 0.2, 0.4], [0.01, 0.02, 0.015, 0.01]);
    let tau = |prior: TauPrior, k: usize| {
        let posterior = NormalNormal::new(prior).posterior(&yi[..k], &vi[..k]).unwrap();
        (posterior.tau().mean().is_some(), posterior.tau().sd().is_some())
    };
    assert_eq!(tau(TauPrior::ImproperUniform, 3), (false, false));
    assert_eq!(tau(TauPrior::ImproperUniform, 4), (true, false));
    assert_eq!(tau(TauPrior::HalfCauchy { scale: 1.0 }, 2), (true, false));
    assert_eq!(tau(TauPrior::Uniform { upper: 1.0 }, 1), (true, true));
    let two = NormalNormal::new(TauPrior::ImproperUniform);
    assert_eq!(two.posterior(&yi[..2], &vi[..2]).unwrap_err().kind().name(), "improper_posterior");
    // A normal prior of mu is one study more.
    let normal = two.mu_prior(MuPrior::Normal { mean: 0.0, sd: 1.0 });
    assert!(normal.posterior(&yi[..2], &vi[..2]).is_ok());
    assert!(normal.posterior(&yi[..1], &vi[..1]).is_err());
}

#[test]
fn survives_serde_and_refuses_nonsense() {
    let model = half_normal(0.5);
    let posterior = model.posterior(&[0.12, 0.47, 0.30], &[0.011, 0.024, 0.015]).unwrap();
    let text = serde_json::to_string(&posterior).unwrap();
    assert_eq!(serde_json::from_str::<Posterior>(&text).unwrap(), posterior);
    assert_eq!(model.posterior(&[], &[]).unwrap_err().kind().name(), "no_studies");
    assert_eq!(model.posterior(&[0.1], &[0.0]).unwrap_err().kind().name(), "invalid_variance");
    assert!(half_normal(0.0).posterior(&[0.1], &[0.1]).is_err());
    assert!(half_normal(f64::NAN).posterior(&[0.1], &[0.1]).is_err());
    assert!(posterior.summary(1.0).is_err() && posterior.study_effect(3).is_err());
    assert!(prior_sensitivity(&[model, half_normal(-1.0)], &[0.1], &[0.1], 0.95).is_err());
}

#[test]
fn of_no_number_there_is_no_probability() {
    let posterior = half_normal(0.5).posterior(&[0.12, 0.47], &[0.011, 0.024]).unwrap();
    let (mu, tau) = (posterior.mu(), posterior.tau());
    for nothing in [mu.sf(f64::NAN), mu.cdf(f64::NAN), tau.sf(f64::NAN), tau.cdf(f64::NAN)] {
        assert!(nothing.is_nan(), "{nothing}");
    }
    assert_eq!((mu.sf(f64::INFINITY), tau.cdf(f64::INFINITY).round()), (0.0, 1.0));
}

/// A prior in points beside data in fractions once gave a mean effect of minus infinity.
#[test]
fn a_prior_far_from_the_data_has_an_answer_or_a_sentence() {
    let (mut answers, mut refusals) = (0, 0);
    for power in 0..60 {
        let far = 10_f64.powf(0.25 * f64::from(power));
        for (mean, sd) in [(far, 0.17), (-far, 0.17), (far, 0.01 * far), (-far, 1e-6)] {
            for tau in [
                TauPrior::Uniform { upper: 0.5 },
                TauPrior::HalfNormal { scale: 0.3 },
                TauPrior::HalfCauchy { scale: 0.3 },
            ] {
                let model = NormalNormal::new(tau).mu_prior(MuPrior::Normal { mean, sd });
                match model.posterior(&[-1.0, 0.001], &[0.027, 0.131]) {
                    Ok(posterior) => {
                        let (mu, tau) = (posterior.mu(), posterior.tau());
                        let (m, t) = (mu.median(), tau.median());
                        assert!(m.is_finite() && t.is_finite(), "{model:?}: {m} {t}");
                        assert!(
                            (mu.cdf(m) - 0.5).abs() < 1e-6 && (tau.cdf(t) - 0.5).abs() < 1e-6,
                            "{model:?}: {m} {t}"
                        );
                        assert!(tau.pdf(t).is_finite() && mu.sd().is_none_or(f64::is_finite), "{model:?}");
                        answers += 1;
                    }
                    Err(error) => {
                        assert!(error.to_string().contains("units of the effects"), "{error}");
                        refusals += 1;
                    }
                }
            }
        }
    }
    assert!(answers > 300 && refusals > 10, "{answers} {refusals}");
}
