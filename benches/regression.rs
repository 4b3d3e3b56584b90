//! Regressions of the numeric layer: n, p and the number of arms are in the names.

mod data;

use armwise::categorical::{CategoryVariance, CumulativeRegression, MultinomialRegression};
use armwise::regression::{
    Category, Family, Firth, Fit, Fitted, Glm, MarginalVariance, ModelMatrix, NegativeBinomial, VarianceType,
};
use data::{People, SIZES, Size};
use divan::{Bencher, black_box};

fn main() {
    data::run();
}

fn logistic(people: &People) -> Fit<'_> {
    Glm::new(Family::Binomial).fit(&people.matrix(), &people.works).expect("a fit")
}

fn fits(bencher: Bencher, size: Size, family: Family) {
    let people = People::new(size);
    let matrix = people.matrix();
    let response = match family {
        Family::Binomial => &people.works,
        Family::Gaussian => &people.hours,
        _ => &people.spells,
    };
    bencher.bench_local(|| black_box(Glm::new(family).fit(&matrix, response).map(|fit| fit.deviance())));
}

#[divan::bench(args = SIZES)]
fn logistic_fit(bencher: Bencher, size: Size) {
    fits(bencher, size, Family::Binomial);
}

#[divan::bench(args = SIZES)]
fn linear_fit(bencher: Bencher, size: Size) {
    fits(bencher, size, Family::Gaussian);
}

#[divan::bench(args = SIZES)]
fn poisson_fit(bencher: Bencher, size: Size) {
    fits(bencher, size, Family::Poisson);
}

#[divan::bench(args = SIZES)]
fn negative_binomial_fit(bencher: Bencher, size: Size) {
    let people = People::new(size);
    let matrix = people.matrix();
    bencher.bench_local(|| black_box(NegativeBinomial::new().fit(&matrix, &people.spells).is_ok()));
}

#[divan::bench(args = SIZES)]
fn firth_fit(bencher: Bencher, size: Size) {
    let people = People::new(size);
    let matrix = people.matrix();
    bencher.bench_local(|| black_box(Firth::new().fit(&matrix, &people.works).is_ok()));
}

#[divan::bench(args = SIZES)]
fn multinomial_fit_of_four_categories(bencher: Bencher, size: Size) {
    let people = People::new(size);
    let matrix = people.matrix();
    bencher.bench_local(|| {
        let outcome = Category::new(&people.contract, ["none", "temporary", "fixed", "permanent"]);
        black_box(
            MultinomialRegression::new()
                .fit(&matrix, outcome)
                .and_then(|fit| fit.covariance(CategoryVariance::Model)),
        )
    });
}

#[divan::bench(args = SIZES)]
fn proportional_odds_of_four_categories(bencher: Bencher, size: Size) {
    let people = People::new(size);
    let matrix = people.columns(ModelMatrix::new(size.n));
    bencher.bench_local(|| {
        let outcome = Category::new(&people.contract, ["none", "temporary", "fixed", "permanent"]);
        black_box(
            CumulativeRegression::new()
                .fit(&matrix, outcome)
                .and_then(|fit| fit.covariance(CategoryVariance::Model)),
        )
    });
}

#[divan::bench(args = SIZES)]
fn hc1_covariance(bencher: Bencher, size: Size) {
    let people = People::new(size);
    let fit = logistic(&people);
    bencher.bench_local(|| black_box(fit.covariance(VarianceType::Hc1)));
}

#[divan::bench(args = SIZES)]
fn hc3_covariance(bencher: Bencher, size: Size) {
    let people = People::new(size);
    let fit = logistic(&people);
    bencher.bench_local(|| black_box(fit.covariance(VarianceType::Hc3)));
}

#[divan::bench(args = SIZES)]
fn standardised_delta(bencher: Bencher, size: Size) {
    let people = People::new(size);
    let fit = logistic(&people);
    bencher.bench_local(|| {
        let standardized = fit.standardize("arm").expect("arms");
        black_box(standardized.covariance(MarginalVariance::Delta(VarianceType::Model)))
    });
}

#[divan::bench(args = SIZES)]
fn standardised_ye(bencher: Bencher, size: Size) {
    let people = People::new(size);
    let fit = logistic(&people);
    bencher.bench_local(|| {
        let standardized = fit.standardize("arm").expect("arms");
        black_box(standardized.covariance(MarginalVariance::Ye2023))
    });
}
