//! Widths of text without a font: the advance widths of Helvetica, and columns of a terminal.
//!
//! The figures name a font stack and leave the choice of the font to the viewer. Helvetica, Arial, Liberation
//! Sans and Nimbus Sans share these advance widths, so that a layout computed from them holds in all of them.

/// The face and size of a piece of text, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Font {
    pub(crate) size: f64,
    pub(crate) face: Face,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    Regular,
    Bold,
}

impl Font {
    /// The regular face.
    pub const fn regular(size: f64) -> Self {
        Self { size, face: Face::Regular }
    }

    /// The bold face.
    pub const fn bold(size: f64) -> Self {
        Self { size, face: Face::Bold }
    }

    /// The width of one line of text in pixels.
    pub fn width(self, text: &str) -> f64 {
        let thousandths: u64 = text.chars().map(|c| u64::from(advance(c, self.face))).sum();
        thousandths as f64 * self.size / 1000.0
    }

    /// The text in at most `max_lines` lines of at most `max_width` pixels; words that are too long are
    /// broken.
    pub fn wrap(self, text: &str, max_width: f64, max_lines: usize) -> Wrapped {
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        for word in words(text) {
            let word = word.as_str();
            let gap = if line.is_empty() { "" } else { " " };
            if self.width(&line) + self.width(gap) + self.width(word) <= max_width {
                line += gap;
                line += word;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            let mut used = 0.0;
            for c in word.chars() {
                let width = f64::from(advance(c, self.face)) * self.size / 1000.0;
                if used + width > max_width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                line.push(c);
                used += width;
            }
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(line);
        }
        let shortened = lines.len() > max_lines;
        if shortened {
            lines.truncate(max_lines);
            if let Some(last) = lines.last_mut() {
                while !last.is_empty() && self.width(last) + self.width("…") > max_width {
                    last.pop();
                }
                last.truncate(last.trim_end().len());
                last.push('…');
            }
        }
        Wrapped { lines, shortened }
    }
}

/// Text broken into lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrapped {
    /// The lines.
    pub lines: Vec<String>,
    /// Whether some of the text was left out, which the last line's ellipsis shows.
    pub shortened: bool,
}

impl Wrapped {
    /// The width of the widest line in pixels.
    pub fn width(&self, font: Font) -> f64 {
        self.lines.iter().map(|line| font.width(line)).fold(0.0, f64::max)
    }
}

/// How many columns of a fixed-width display the text takes (combining marks none, East Asian wide characters
/// two).
pub fn display_columns(text: &str) -> usize {
    text.chars()
        .map(|c| match class(c) {
            Class::Zero => 0,
            Class::Wide | Class::Emoji => 2,
            Class::Narrow => 1,
        })
        .sum()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Zero,
    Narrow,
    Wide,
    Emoji,
}

fn class(c: char) -> Class {
    match u32::from(c) {
        0x00..=0x1F
        | 0x7F..=0x9F
        | 0x0300..=0x036F
        | 0x0483..=0x0489
        | 0x0591..=0x05BD
        | 0x064B..=0x065F
        | 0x1AB0..=0x1AFF
        | 0x1DC0..=0x1DFF
        | 0x200B..=0x200F
        | 0x202A..=0x202E
        | 0x2060..=0x2064
        | 0x20D0..=0x20FF
        | 0xFE00..=0xFE0F
        | 0xFE20..=0xFE2F
        | 0xFEFF => Class::Zero,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE4F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x20000..=0x3FFFD => Class::Wide,
        0x1F300..=0x1FAFF => Class::Emoji,
        _ => Class::Narrow,
    }
}

/// The advance width of a character in thousandths of the font size.
fn advance(c: char, face: Face) -> u16 {
    let code = u32::from(c) as usize;
    let (ascii, latin) = match face {
        Face::Regular => (&ASCII_REGULAR, &LATIN_REGULAR),
        Face::Bold => (&ASCII_BOLD, &LATIN_BOLD),
    };
    if let Some(width) = code.checked_sub(0x20).and_then(|index| ascii.get(index)) {
        return *width;
    }
    if let Some(width) = code.checked_sub(0xA0).and_then(|index| latin.get(index)) {
        return *width;
    }
    match class(c) {
        Class::Zero => 0,
        Class::Wide => 1000,
        // Colour emoji are wider than their font size in most fonts.
        Class::Emoji => 1370,
        Class::Narrow => match c {
            '\u{2010}'..='\u{2013}' | '€' | '\u{2018}'..='\u{201F}' => 556,
            '\u{2212}' | '≤' | '≥' | '≠' | '≈' => 584,
            // The rest is rounded up: too much room is better than an overlap.
            '\u{0100}'..='\u{024F}' | '\u{0370}'..='\u{03FF}' if c.is_lowercase() => 630,
            '\u{0100}'..='\u{024F}' | '\u{0370}'..='\u{03FF}' => 780,
            '\u{0400}'..='\u{052F}' if c.is_lowercase() => 680,
            '\u{0400}'..='\u{052F}' => 820,
            '\u{0590}'..='\u{06FF}' => 650,
            _ => 1000,
        },
    }
}

/// Regular, U+0020 to U+007E.
const ASCII_REGULAR: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// Regular, U+00A0 to U+00FF.
const LATIN_REGULAR: [u16; 96] = [
    278, 333, 556, 556, 556, 556, 260, 556, 333, 737, 370, 556, 584, 333, 737, 552, 400, 549, 333, 333, 333,
    576, 537, 278, 333, 333, 365, 556, 834, 834, 834, 611, 667, 667, 667, 667, 667, 667, 1000, 722, 667, 667,
    667, 667, 278, 278, 278, 278, 722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667,
    611, 556, 556, 556, 556, 556, 556, 889, 500, 556, 556, 556, 556, 278, 278, 278, 278, 556, 556, 556, 556,
    556, 556, 556, 549, 611, 556, 556, 556, 556, 500, 556, 500,
];

/// Bold, U+0020 to U+007E.
const ASCII_BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278,
    556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584,
    556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556,
    333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];

/// Bold, U+00A0 to U+00FF.
const LATIN_BOLD: [u16; 96] = [
    278, 333, 556, 556, 556, 556, 280, 556, 333, 737, 370, 556, 584, 333, 737, 552, 400, 549, 333, 333, 333,
    576, 556, 278, 333, 333, 365, 556, 834, 834, 834, 611, 722, 722, 722, 722, 722, 722, 1000, 722, 667, 667,
    667, 667, 278, 278, 278, 278, 722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667,
    611, 556, 556, 556, 556, 556, 556, 889, 556, 556, 556, 556, 556, 278, 278, 278, 278, 611, 611, 611, 611,
    611, 611, 611, 549, 611, 611, 611, 611, 611, 556, 611, 556,
];

/// The words of a text; what stands in short parentheses, such as `(95% CI)`, is one word.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if last.starts_with('(') && !last.ends_with(')') && last.len() + word.len() < 24 => {
                *last += " ";
                *last += word;
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}
