//! Scales.

use armwise::effect::ContrastScale;
use armwise::internal::all_scales;
use armwise::prelude::*;

#[test]
fn gradients_are_finite_differences() {
    let contrasts: Vec<AnyScale> =
        all_scales().into_iter().filter(|scale| scale.contrast(0.2, 0.3).is_some()).collect();
    assert_eq!(contrasts.len(), 7);
    for scale in contrasts {
        for (t, r) in [(0.2, 0.3), (0.04, 0.9), (0.5, 0.5)] {
            let h = 1e-6;
            let slope = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()) / (2.0 * h);
            let gradient = scale.gradient(t, r).unwrap();
            let by_treatment = slope(scale.contrast(t + h, r), scale.contrast(t - h, r));
            let by_reference = slope(scale.contrast(t, r + h), scale.contrast(t, r - h));
            approx::assert_relative_eq!(gradient[0], by_treatment, max_relative = 1e-6);
            approx::assert_relative_eq!(gradient[1], by_reference, max_relative = 1e-6);
        }
    }
}

#[test]
fn words_come_back() {
    for scale in all_scales().into_iter().chain([AnyScale::Other("phi".into())]) {
        assert_eq!(serde_json::from_value::<AnyScale>(scale.name().into()).unwrap(), scale);
    }
}
