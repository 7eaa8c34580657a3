//! Nothing is unused, and nothing is of another type, because of the one error.

#![deny(warnings)]

use std::collections::BTreeMap;

fn main() {
    let key = 1;
    let map: BTreeMap<u8, u8> = async_log::span!(name, {
        let mut map = BTreeMap::new();
        map.insert(key, 2);
        map
    });
    assert_eq!(map[&1], 2);
}
