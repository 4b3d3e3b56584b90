use armwise::internal::{Font, display_columns};

#[test]
fn widths_are_those_of_helvetica() {
    assert_eq!(Font::regular(1000.0).width("0.5"), 556.0 + 278.0 + 556.0);
    assert_eq!(Font::bold(1000.0).width("Wm"), 944.0 + 889.0);
    assert_eq!(Font::regular(1000.0).width("~\u{e9}"), 584.0 + 556.0);
    assert_eq!(Font::regular(1000.0).width("漢e\u{301}"), 1000.0 + 556.0);
    assert_eq!(Font::regular(10.0).width(""), 0.0);
}

#[test]
fn lines_fit_and_lose_nothing_until_the_last() {
    let font = Font::regular(12.0);
    let text = "The quick brown fox jumps over the lazy dog and Donaudampfschifffahrtsgesellschaftskapitän";
    let all = font.wrap(text, 90.0, 20);
    assert!(!all.shortened);
    assert!(all.width(font) <= 90.0);
    assert_eq!(all.lines.concat().replace(' ', ""), text.replace(' ', ""));
    let two = font.wrap(text, 90.0, 2);
    assert!(two.shortened && two.lines.len() == 2 && two.lines[1].ends_with('…'));
    assert!(two.width(font) <= 90.0);
    assert_eq!(font.wrap(" \n ", 90.0, 2).lines, [""]);
}

#[test]
fn display_columns_count_wide_characters_twice() {
    assert_eq!(display_columns("Ünïcode"), 7);
    assert_eq!(display_columns("e\u{301}"), 1);
    assert_eq!(display_columns("東京"), 4);
}
