//! Misuse: what the compiler says of it. `TRYBUILD=overwrite` writes the snapshots anew.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("*.rs");
}
