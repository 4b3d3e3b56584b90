//! GitHub's Markdown: a table and a list of notes per result.

use super::text::one_line;
use crate::error::visible;
use crate::report::base::grid::{Align, Grid};
use crate::report::form::table::{Document, ResultTable};

pub(crate) fn report(document: &Document<'_>) -> String {
    let line = |marks: &'static str| move |words: &str| format!("{marks} {}", escaped(words));
    document.blocks(line("#"), line("##"), |words| marked(&visible(words)), result)
}

fn result(table: &ResultTable) -> String {
    let heading = table.heading();
    let heading = if heading.is_empty() { heading } else { format!("**{}**\n\n", escaped(&heading)) };
    let sentences = table.sentences.iter().map(|line| line.replace("\n  note:", "; note:"));
    let sentences = sentences.filter(|_| table.grids.is_empty());
    let bullets: Vec<String> =
        sentences.chain(table.notes()).map(|line| format!("- {}", escaped(&line))).collect();
    let grids: String = table.grids.iter().map(|grid| grid.to_markdown() + "\n").collect();
    heading + &grids + &bullets.join("\n")
}

fn escaped(text: &str) -> String {
    marked(&one_line(text))
}

/// What would be a link, a tag or the edge of a cell is a character.
fn marked(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('[', "\\[").replace('<', "&lt;")
}

impl Grid {
    /// The table in GitHub's Markdown. Pipes, backslashes and opening brackets in cells are
    /// escaped, so that a label is no link and no tag.
    ///
    /// ```
    /// use armwise::report::{Align, Cell, Grid};
    ///
    /// let mut grid = Grid::new("Arms").column("Arm", Align::Left).column("n", Align::Right);
    /// grid.push([Cell::text("a|b"), Cell::count(172)]);
    /// assert_eq!(
    ///     grid.to_markdown(),
    ///     "\
    ///     **Arms**\n\n| Arm | n |\n| :--- | ---: |\n| a\\|b | 172 |\n"
    /// );
    /// ```
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let rule = |align: &Align| if *align == Align::Left { ":---".to_owned() } else { "---:".to_owned() };
        let title = if self.title.is_empty() {
            String::new()
        } else {
            ["**", &escaped(&self.title), "**\n\n"].concat()
        };
        let rows: String =
            self.rows.iter().map(|row| line(row.iter().map(|cell| escaped(&cell.text)).collect())).collect();
        title
            + &line(self.columns.iter().map(|(name, _)| escaped(name)).collect())
            + &line(self.columns.iter().map(|(_, align)| rule(align)).collect())
            + &rows
    }
}
