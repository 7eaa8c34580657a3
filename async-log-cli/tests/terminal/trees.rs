//! `tree`.

use async_log_cli::track::Selection;
use async_log_cli::write::tree::{self, Tree};

use crate::golden::{check, check_looks, log, run};

fn tree(change: impl FnOnce(&mut tree::Options)) -> Tree<Vec<u8>> {
    let mut options = tree::Options::default();
    change(&mut options);
    Tree::new(options, Vec::new())
}

#[test]
fn trees_of_a_server() {
    let of = |look| tree(|options| options.look = look);
    check_looks("server", "tree", of, Tree::into_inner);
}

#[test]
fn tasks_stand_under_what_spawned_them() {
    let of = |look| {
        tree(|options| {
            options.look = look;
            options.spawned = true;
        })
    };
    check_looks("server", "tree-spawned", of, Tree::into_inner);
}

#[test]
fn what_is_odd_says_so() {
    let of = |look| tree(|options| options.look = look);
    check_looks("odd", "tree", of, Tree::into_inner);
    check_looks("killed", "tree", of, Tree::into_inner);
}

#[test]
fn trees_as_json() {
    for name in ["server", "odd", "killed"] {
        let sink = run(
            &log(name),
            tree(|options| options.json = true),
            Selection::default(),
        );
        check(&format!("{name}.tree.json"), &sink.into_inner());
    }
}
