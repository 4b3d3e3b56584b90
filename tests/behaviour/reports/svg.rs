//! Figures read back from their text, with a small parser, and where their texts stand.

use armwise::internal::Font;
use armwise::report::ForestPlot;

/// An element of the read document.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    pub(super) text: String,
}

impl Element {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn number(&self, name: &str) -> f64 {
        self.get(name).unwrap().parse().unwrap()
    }
}

fn unescape(text: &str) -> String {
    assert!(!text.contains('<'), "unescaped: {text}");
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    assert!(plain.matches('&').count() == plain.matches("&amp;").count(), "unescaped: {text}");
    plain.replace("&amp;", "&")
}

/// Reads well-formed XML of the kind that is written here; panics on anything else.
pub(super) fn parse(svg: &str) -> Vec<Element> {
    let mut rest = svg.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
    let mut open: Vec<usize> = Vec::new();
    let mut elements: Vec<Element> = Vec::new();
    while let Some(start) = rest.find('<') {
        let text = unescape(&rest[..start]);
        match open.last() {
            Some(&parent) => elements[parent].text += &text,
            None => assert!(text.trim().is_empty() && elements.is_empty()),
        }
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(elements[open.pop().unwrap()].name, name);
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut list) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = Vec::new();
        while !list.is_empty() {
            let (key, after) = list.split_once("=\"").unwrap();
            let (value, after) = after.split_once('"').unwrap();
            attributes.push((key.trim().to_owned(), unescape(value)));
            list = after.trim_start();
        }
        if !closed {
            open.push(elements.len());
        }
        elements.push(Element { name: name.to_owned(), attributes, text: String::new() });
    }
    assert!(open.is_empty() && rest.trim().is_empty());
    elements
}

#[derive(Debug, Clone)]
pub(super) struct TextBox {
    pub(super) text: String,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

pub(super) fn text_boxes(elements: &[Element]) -> Vec<TextBox> {
    let texts = elements.iter().filter(|element| element.name == "text");
    texts
        .map(|element| {
            let size = element.number("font-size");
            let font =
                if element.get("font-weight").is_some() { Font::bold(size) } else { Font::regular(size) };
            let (x, y, width) = (element.number("x"), element.number("y"), font.width(&element.text));
            let left = match element.get("text-anchor") {
                None => x,
                Some("middle") => x - 0.5 * width,
                Some(_) => x - width,
            };
            let text = element.text.clone();
            TextBox { text, left, right: left + width, top: y - 0.75 * size, bottom: y + 0.22 * size }
        })
        .collect()
}

pub(super) fn check_texts(name: &str, plot: &ForestPlot) {
    check_svg(name, &plot.to_svg());
}

/// The texts of a figure lie inside it and apart from each other.
pub(super) fn check_svg(name: &str, svg: &str) {
    let elements = parse(svg);
    let (width, height) = (elements[0].number("width"), elements[0].number("height"));
    let boxes = text_boxes(&elements);
    for (i, a) in boxes.iter().enumerate() {
        let inside = a.left >= 0.0 && a.right <= width && a.top >= 0.0 && a.bottom <= height;
        assert!(inside, "{name}: {a:?} outside {width} x {height}");
        for b in &boxes[..i] {
            let apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
            assert!(apart, "{name}: {a:?} over {b:?}");
        }
    }
}
