//! One published number beside ours, to the digits that were published.

/// The numbers of one publication, and the number of them that agree.
#[derive(Default)]
pub(crate) struct Checks {
    met: usize,
    misprints: usize,
    failed: Vec<String>,
    publication: String,
    place: String,
}

impl Checks {
    /// The heading of a publication.
    pub(crate) fn publication(&mut self, citation: &str, what: &str) {
        citation.clone_into(&mut self.publication);
        println!("\n{citation}\n{what}");
    }

    /// A table or page of it.
    pub(crate) fn place(&mut self, place: &str) {
        place.clone_into(&mut self.place);
        println!("  {place}");
        println!("    {:<52} {:>10} {:>10}", "", "published", "armwise");
    }

    /// Our number must round to the published one.
    pub(crate) fn number(&mut self, name: &str, published: &str, ours: f64) {
        let shown = rounded(ours, published);
        if shown == published {
            self.met += 1;
            println!("    {name:<52} {published:>10} {shown:>10}");
        } else {
            self.fail(format!("{name}: published {published}, computed {ours}"));
            println!("    {name:<52} {published:>10} {shown:>10}  DIFFERS");
        }
    }

    /// A published number whose last digits others found to be wrong too: the number of the others, and ours.
    pub(crate) fn misprint(&mut self, name: &str, published: &str, others: &str, ours: f64) {
        let shown = rounded(ours, others);
        if shown == others {
            self.misprints += 1;
            println!("    {name:<52} {published:>10} {shown:>10}  (others, too, get {others})");
        } else {
            self.fail(format!("{name}: others get {others}, computed {ours}"));
            println!("    {name:<52} {published:>10} {shown:>10}  DIFFERS");
        }
    }

    fn fail(&mut self, what: String) {
        self.failed.push(format!("{}, {}: {what}", self.publication, self.place));
    }

    /// The count of numbers that agree; an error names those that do not.
    pub(crate) fn finish(self) -> Result<(), String> {
        println!(
            "\n{} published numbers reproduced to their last digit; {} more as others reproduce them.",
            self.met, self.misprints
        );
        if self.failed.is_empty() { Ok(()) } else { Err(self.failed.join("; ")) }
    }
}

/// To as many decimals as the published number has.
fn rounded(ours: f64, published: &str) -> String {
    let decimals = published.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let shown = format!("{ours:.decimals$}");
    let zero = shown.trim_start_matches('-').chars().all(|digit| digit == '0' || digit == '.');
    if zero { shown.trim_start_matches('-').to_owned() } else { shown }
}
