//! The cases of tracing's and fastrace's own tests of their attributes, as assertions on our records. Each module has
//! the name of one of their files, each test that of a case in it, and its first line says how we compare:
//!
//! * `Alike.`: the same options give the same span. `names` may be added, which logs arguments under their own names.
//! * `Alike, written …`: the same span, but with other options.
//! * `Different: …`: the reason is in `docs/coming-from-tracing.md`.
//!
//! The last test counts them for the table in that document.

mod async_fn;
mod capture;
mod destructuring;
mod err;
mod fastrace;
mod fields;
mod instrument;
mod levels;
mod names;
mod parents;
mod replacements;
mod ret;
mod targets;

const FILES: [(&str, &str); 11] = [
    ("async_fn", include_str!("async_fn.rs")),
    ("destructuring", include_str!("destructuring.rs")),
    ("err", include_str!("err.rs")),
    ("fields", include_str!("fields.rs")),
    ("instrument", include_str!("instrument.rs")),
    ("levels", include_str!("levels.rs")),
    ("names", include_str!("names.rs")),
    ("parents", include_str!("parents.rs")),
    ("ret", include_str!("ret.rs")),
    ("targets", include_str!("targets.rs")),
    ("fastrace", include_str!("fastrace.rs")),
];

fn count(source: &str, start: &str) -> usize {
    let lines = source.lines().map(str::trim);
    lines.filter(|line| line.starts_with(start)).count()
}

#[test]
fn the_table_in_the_document_has_the_counts_of_these_cases() {
    let document = include_str!("../../docs/coming-from-tracing.md");
    let mut totals = [0; 4];
    let mut assert_row = |name: &str, counts: [usize; 4]| {
        let [cases, alike, respelled, different] = counts;
        let row = format!("| {name} | {cases} | {alike} | {respelled} | {different} |");
        assert!(document.contains(&row), "the document has no row {row}");
        assert_eq!(cases, alike + respelled + different, "{name}");
        (0..4).for_each(|n| totals[n] += counts[n]);
    };
    for (name, source) in FILES {
        let starts = [
            "#[test]",
            "/// Alike.",
            "/// Alike, written",
            "/// Different: ",
        ];
        let name = match name {
            "fastrace" => "fastrace's `ui/ok`".to_owned(),
            name => format!("`{name}`"),
        };
        assert_row(&name, starts.map(|start| count(source, start)));
    }
    let [cases, alike, respelled, different] = totals;
    let row = format!("| **all** | {cases} | {alike} | {respelled} | {different} |");
    assert!(document.contains(&row), "the document has no row {row}");
}
