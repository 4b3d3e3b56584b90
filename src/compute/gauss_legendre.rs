//! Gauss-Legendre quadrature with 16 points (Abramowitz & Stegun 25.4.30).

/// The points and weights on -1 to 1, the half above 0.
const HALF_RULE: [(f64, f64); 8] = [
    (0.095_012_509_837_637_44, 0.189_450_610_455_068_5),
    (0.281_603_550_779_258_9, 0.182_603_415_044_923_58),
    (0.458_016_777_657_227_4, 0.169_156_519_395_002_54),
    (0.617_876_244_402_643_7, 0.149_595_988_816_576_73),
    (0.755_404_408_355_003, 0.124_628_971_255_533_87),
    (0.865_631_202_387_831_7, 0.095_158_511_682_492_78),
    (0.944_575_023_073_232_6, 0.062_253_523_938_647_89),
    (0.989_400_934_991_649_9, 0.027_152_459_411_754_095),
];

/// The number of points.
pub(crate) const POINTS: usize = 16;

/// The rule: points from -1 to 1 in ascending order, with their weights.
pub(crate) fn rule() -> impl Iterator<Item = (f64, f64)> {
    HALF_RULE.iter().rev().map(|(x, w)| (-x, *w)).chain(HALF_RULE)
}
