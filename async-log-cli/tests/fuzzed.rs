//! Inputs that once were read wrongly, or that reach what few others do, through the functions that the
//! fuzz targets are.

use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
mod checks;

/// Calls a target with the files in `tests/fuzzed/NAME` and the logs of real loggers.
fn check(name: &str, target: fn(&[u8])) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut inputs = 0;
    let own = tests.join("fuzzed").join(name);
    for directory in [own, tests.join("logs"), tests.join("cases")] {
        for entry in std::fs::read_dir(&directory).expect("it is there") {
            let path = entry.expect("it is there").path();
            println!("{}", path.display());
            target(&std::fs::read(&path).expect("it can be read"));
            inputs += 1;
        }
    }
    assert!(inputs > 50);
    target(b"");
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name), checks::$name);
            }
        )*
    };
}

targets! { text key_value json legacy prefix time input chain }
