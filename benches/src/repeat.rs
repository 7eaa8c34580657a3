//! `repeat` lists the hot paths, `repeat PATH N` goes one of them so many times: for a tool that counts.

use std::process::ExitCode;

use hot_paths::{HotPath, PATHS};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => PATHS
            .iter()
            .for_each(|path| println!("{}", full_name(path))),
        [name, n] => {
            let path = PATHS.iter().find(|path| full_name(path) == *name);
            let (Some(path), Ok(n)) = (path, n.parse()) else {
                eprintln!("repeat: no such path or number: {name}, {n}");
                return ExitCode::FAILURE;
            };
            hot_paths::start(path.form);
            (path.repeat)(n);
        }
        _ => {
            eprintln!("usage: repeat [PATH N]");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn full_name(path: &HotPath) -> String {
    format!("{:?}: {}", path.form, path.name)
}
