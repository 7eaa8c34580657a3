//! Names: which are one row, which are not, and how `--span` finds them.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use crate::program::{Folder, Ran, case, run_on};

/// A log of spans with these names, each in its target.
fn log_of(names: &[(&str, &str)]) -> String {
    let mut log = String::new();
    for (id, (target, name)) in (1..).zip(names) {
        let prefix = format!("[2026-01-02T03:04:05Z TRACE {target}] {name}, span_mark");
        writeln!(
            log,
            "{prefix}=start, span_id={id}, span_at=1767323045.{id:09}, task_id=0, thread_id=1"
        )
        .unwrap();
        writeln!(
            log,
            "{prefix}=end, span_id={id}, span_elapsed=0.000000007, task_id=0, thread_id=1"
        )
        .unwrap();
    }
    log
}

fn json(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.out).expect("JSON")
}

/// The names that `stats` has rows of.
fn rows(log: &str, arguments: &[&str]) -> BTreeSet<String> {
    let said = json(&run_on(log, &[&["stats", "--json"], arguments].concat()));
    let rows = said["names"].as_array().unwrap().iter();
    rows.map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn uuids_are_one_row() {
    let folder = Folder::with(&case("uuid-names.log"));
    let said = json(&folder.run(["stats", "--json", "a.log"]));
    let rows = said["names"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{said}");
    assert_eq!(rows[0]["name"], "GET /user/#");
    assert_eq!(rows[0]["count"], 300);
    let folded = folder.run(["flame", "--folded", "a.log"]);
    assert_eq!(folded.out, "GET /user/# 150000\n");
}

/// Names with ids of all kinds, and how they are shown.
#[test]
fn ids_are_folded() {
    for (name, shown) in [
        ("load 7", "load #"),
        (
            "GET /user/CD613E30-D8F1-6ADF-91B7-584A2265B1F5/x",
            "GET /user/#/x",
        ),
        ("{cd613e30-d8f1-6adf-91b7-584a2265b1f5}", "{#}"),
        ("job_cd613e30_d8f1_6adf_91b7_584a2265b1f5", "job_#"),
        ("span 4bf92f3577b34da6a3ce929d0e0e4736", "span #"),
        (
            "trace 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "trace #-#-#-#",
        ),
        ("commit 1a2b3c4", "commit #"),
        ("commit a1b2c3d at 0xdeadbeef", "commit # at 0x#"),
        ("object 507f1f77bcf86cd799439011", "object #"),
        ("event 01ARZ3NDEKTSV4RRFFQ69G5FAV", "event #"),
        ("event 01arz3ndektsv4rrffq69g5fav!", "event #!"),
        ("ksuid 0ujtsYcgvSTl8PAuAdqWYSMnLOv", "ksuid #"),
        ("tweet 1541815603606036480", "tweet #"),
        ("order_1541815603606036480", "order_#"),
        ("worker-12", "worker-#"),
        ("10.0.0.1:8080", "#.#.#.#:#"),
        ("took 10ms", "took #ms"),
        ("at 2026-01-02T03:04:05Z", "at #-#-#T#:#:#Z"),
        ("GET /api/v2/users/42", "GET /api/v2/users/#"),
    ] {
        let found = rows(&log_of(&[("app", name)]), &[]);
        assert_eq!(found, BTreeSet::from([shown.to_owned()]), "{name}");
    }
}

#[test]
fn identifiers_keep_their_digits() {
    for name in [
        "serve_http2",
        "serve_socks5",
        "t1.rs",
        "src/t1.rs#serve_http2",
        "examples/01_hello.rs#main",
        "src/2fa.rs#login_2",
        "src/v2/mod.rs#Type2::method_3",
        "phase_1",
        "base64",
        "utf8 to utf16",
        "x25519",
        "ed25519",
        "sha3_512",
        "x86_64",
        "parse_rfc3339",
        "Vec<u8>",
        "_7",
        "decade",
        "feedback",
    ] {
        let found = rows(&log_of(&[("app", name)]), &[]);
        assert_eq!(found, BTreeSet::from([name.to_owned()]));
    }
    let two = log_of(&[
        ("app", "serve_socks4"),
        ("app", "serve_socks5"),
        ("app", "a.rs:7"),
    ]);
    assert_eq!(rows(&two, &[]).len(), 3);
    assert!(rows(&two, &[]).contains("a.rs:#"));
}

#[test]
fn a_span_may_have_no_name() {
    let log = log_of(&[("app", "load"), ("app", ""), ("app", "save"), ("app", "")]);
    let found = rows(&log, &["--sort", "name"]);
    assert_eq!(found, ["", "load", "save"].map(str::to_owned).into());
}

#[test]
fn a_name_that_is_shown_is_found() {
    let names = [
        ("app", "load 7"),
        ("app", "load 12"),
        ("app", "serve_http2"),
        ("app", "GET /user/cd613e30-d8f1-6adf-91b7-584a2265b1f5"),
        ("app", r"bell \u{7} 3"),
        ("app", "a;b 1"),
        ("app", "two\n\tlines 5"),
    ];
    let log = log_of(&names);
    for name in rows(&log, &[]) {
        let found = rows(&log, &["--span", &name]);
        assert_eq!(found, BTreeSet::from([name.clone()]), "{name:?}");
    }
    // As a table shows it, a frame, and a name that is cut.
    for (shown, row) in [
        (r"bell \u{7} #", "bell \u{7} #"),
        ("two lines #", "two\nlines #"),
        ("a,b #", "a;b #"),
        ("GET /u…er/#", "GET /user/#"),
        ("load 12", "load #"),
    ] {
        let found = rows(&log, &["--span", shown]);
        assert_eq!(found, BTreeSet::from([row.to_owned()]), "{shown:?}");
    }
    let exact = rows(&log, &["--span", "load #", "--exact"]);
    assert_eq!(
        exact,
        BTreeSet::from(["load 12".to_owned(), "load 7".to_owned()])
    );
}

#[test]
fn names_of_different_targets_are_different_rows() {
    let log = log_of(&[
        ("shop", "load 7"),
        ("bank", "load 8"),
        ("shop", "load 9"),
        ("bank", "save"),
    ]);
    let said = json(&run_on(&log, &["stats", "--json", "--sort", "name"]));
    let rows: Vec<_> = said["names"].as_array().unwrap().iter().collect();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["name"].as_str().unwrap(),
                row["target"].as_str().unwrap(),
                row["count"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("load #", "bank", 1),
            ("load #", "shop", 2),
            ("save", "bank", 1)
        ]
    );
    let table = run_on(&log, &["stats"]).out;
    assert!(
        table.contains("load # (shop)") && table.contains("load # (bank)"),
        "{table}"
    );
    assert!(!table.contains("save ("), "it stands alone:\n{table}");
    let folded = run_on(&log, &["flame", "--folded"]).out;
    assert_eq!(folded, "load # (bank) 7\nload # (shop) 14\nsave 7\n");
    let found = run_on(&log, &["flame", "--folded", "--span", "load # (bank)"]).out;
    assert_eq!(found, "load # 7\n");
}

/// More targets than are known by their marks, all with spans of one name, and time and again.
#[test]
fn a_name_in_thousands_of_targets_is_a_row_in_each() {
    let letter = |of: usize| (b'a' + (of % 26) as u8) as char;
    let targets: Vec<String> = (0..5000)
        .map(|n| format!("app::m{}{}{}x", letter(n), letter(n / 26), letter(n / 676)))
        .collect();
    let names: Vec<_> = (0..3)
        .flat_map(|_| targets.iter().map(|target| (&**target, "job")))
        .collect();
    let log = log_of(&names);
    let counted = json(&run_on(&log, &["stats", "--json", "--limit", "0"]));
    let rows = counted["names"].as_array().unwrap();
    let counts: BTreeSet<_> = rows
        .iter()
        .map(|row| {
            (
                row["target"].as_str().unwrap(),
                row["count"].as_u64().unwrap(),
            )
        })
        .collect();
    let expected = targets.iter().map(|target| (&**target, 3)).collect();
    assert_eq!(counts, expected);
}

/// The target where a logger has it as a field of its own, or in other places, or not at all.
#[test]
fn a_target_is_one_under_any_layout() {
    let log = log_of(&[
        ("shop", "load"),
        ("bank", "load"),
        ("shop", "load"),
        ("a::shop", "load"),
    ]);
    type Line = fn(&str, &str) -> String;
    let layouts: [(&str, Line); 3] = [
        ("json", |target, text| {
            format!(
                "{{\"timestamp\":1767323045000,\"level\":\"TRACE\",\"target\":\"{target}\",\"message\":\"{text}\"}}"
            )
        }),
        ("json behind", |target, text| {
            format!("{{\"message\":\"{text}\",\"target\":\"{target}\",\"level\":\"TRACE\"}}")
        }),
        ("fern", |target, text| {
            format!("[2026-01-02T03:04:05Z][{target}][TRACE] {text}")
        }),
    ];
    for (layout, line) in layouts {
        let mut written = String::new();
        for old in log.lines() {
            let (prefix, text) = old.split_once("] ").unwrap();
            let target = prefix.rsplit(' ').next().unwrap();
            writeln!(written, "{}", line(target, text)).unwrap();
        }
        let said = json(&run_on(&written, &["stats", "--json"]));
        let rows = said["names"].as_array().unwrap().iter();
        let mut rows: Vec<_> = rows
            .map(|row| {
                (
                    row["target"].as_str().unwrap(),
                    row["count"].as_u64().unwrap(),
                )
            })
            .collect();
        rows.sort();
        assert_eq!(
            rows,
            [("a::shop", 1), ("bank", 1), ("shop", 2)],
            "{layout}: {said}"
        );
    }
    let none = log
        .replace(" shop]", "]")
        .replace(" bank]", "]")
        .replace(" a::shop]", "]");
    let said = json(&run_on(&none, &["stats", "--json"]));
    assert_eq!(said["names"].as_array().unwrap().len(), 1, "{said}");
    assert_eq!(said["names"][0]["target"], Value::Null);
}
