use armwise::internal::{check_arms, check_twins, combination, is_blank};

#[test]
fn twins_are_named_with_their_difference() {
    for (first, second, difference) in [
        ("Controle", "controle", "upper and lower case"),
        ("STRASSE", "straße", "upper and lower case"),
        ("controle", " controle", "space"),
        ("geen  werk", "geen werk", "space"),
        ("controle", "controle\u{a0}", "space"),
        ("geen werk", "geen\u{a0}werk", "unusual space"),
        ("controle", "con\u{200b}trole", "unusual space"),
        ("controle", "\u{feff}controle", "unusual space"),
        ("Belgi\u{eb}", "Belgie\u{308}", "Unicode composition"),
        ("BELGI\u{cb} ", "belgie\u{308}", "case, space and Unicode composition"),
    ] {
        let error = check_twins(["other", first, second, first]).expect_err(first);
        assert_eq!(error.kind().name(), "twin_labels");
        assert!(error.to_string().contains(difference), "{error}");
        assert!(check_twins([first, first, "other"]).is_ok());
    }
    assert!(check_twins(["a", "b", "a b", "ab", "a-b", "a_b", "é", "e"]).is_ok());
}

#[test]
fn combinations_are_the_same_in_any_order() {
    let refused = |first: &str, second: &str| check_arms(["control", first, second], |_| false).is_err();
    assert!(refused("earnings_guidance", "guidance_earnings"));
    assert!(refused("Guidance + earnings", "earnings and guidance"));
    assert!(refused("guidance-earnings", "guidance_earnings"));
    assert!(!refused("guidance", "guidance_earnings"));
    assert!(!refused("guidance_exemption", "guidance_earnings"));
    assert!(check_arms(["a-b", "b-a"], |label| label == "a-b").is_ok());
    assert_eq!(combination("control"), None);
}

#[test]
fn blank_labels_hold_nothing_that_is_seen() {
    assert!(["", " ", "\u{a0}", "\u{200b}\t", "\u{feff}"].into_iter().all(is_blank));
    assert!(!["0", "-", "."].into_iter().any(is_blank));
}
