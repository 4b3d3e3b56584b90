use armwise::internal::ClusterShares;

/// Two levels of three equal clusters each: Welch's problem with equal variances.
#[test]
fn equal_clusters_have_the_degrees_of_freedom_of_a_t_test() {
    let clusters: Vec<u32> = (0..24).map(|row| row / 4).collect();
    let levels: Vec<u32> = (0..24).map(|row| row / 12).collect();
    let shares = ClusterShares::new(&clusters, &levels, 2, |_| 1.0).expect("shares");
    let df = shares.df();
    assert!((df.of(&[(0, -1.0), (1, 1.0)]) - 4.0).abs() < 1e-12);
    assert!((df.of(&[(1, 2.0)]) - 2.0).abs() < 1e-12);
}
