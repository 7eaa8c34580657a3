//! Reads what `Chrome` writes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::drawing::{Args, Drawing, Drawn, Place, nest};

/// Reads a trace, and checks that it is whole.
pub(crate) fn read(json: &[u8]) -> Drawing {
    let text = std::str::from_utf8(json).expect("it is UTF-8");
    let whole: Value = serde_json::from_str(text).expect("it is JSON");
    assert_eq!(whole["displayTimeUnit"], "ns");
    let mut reader = Reader {
        since: since(&whole["otherData"]["times_count_from"]),
        drawing: Drawing::default(),
        ranks: BTreeMap::new(),
        begun: BTreeMap::new(),
    };
    let events = whole["traceEvents"].as_array().expect("there are events");
    // Each event is on its own line, which has its times as written.
    let lines: Vec<&str> = text.lines().collect();
    let (_, lines) = lines.split_first().expect("there is a first line");
    let lines = match lines.split_last().expect("there is a last line") {
        (&"]}", [""]) => &[],
        (&"]}", lines) => lines,
        (last, _) => panic!("{last:?} is last"),
    };
    assert_eq!(lines.len(), events.len());
    for (event, line) in events.iter().zip(lines) {
        reader.event(event, line);
    }
    reader.finish()
}

/// The nanoseconds in `N s since 1970-01-01T00:00:00Z`.
fn since(text: &Value) -> u64 {
    let text = text.as_str().expect("it says what times are counted from");
    let seconds = text.strip_suffix(" s since 1970-01-01T00:00:00Z");
    let seconds: u64 = seconds.and_then(|of| of.parse().ok()).expect(text);
    assert_eq!(seconds % 86_400, 0, "it is a midnight");
    seconds * 1_000_000_000
}

struct Reader {
    since: u64,
    drawing: Drawing,
    ranks: BTreeMap<(u64, u64), u64>,
    /// The arrows of which the end is still to come.
    begun: BTreeMap<u64, Place>,
}

impl Reader {
    fn event(&mut self, event: &Value, line: &str) {
        let pid = event["pid"].as_u64().expect("a pid");
        let tid = event["tid"].as_u64().expect("a tid");
        match event["ph"].as_str() {
            Some("M") => return self.metadata(event, pid, tid),
            Some("X" | "B" | "i") => {
                assert_ne!(tid, pid, "no lane is the main thread of its process")
            }
            Some("s" | "f") => {}
            ph => panic!("{ph:?}"),
        }
        let place = Place {
            pid,
            track: tid,
            at: self.since + nanos(number(line, "ts").expect("a time")),
        };
        let drawing = &mut self.drawing;
        match event["ph"].as_str() {
            Some("X") => {
                let end = self.since + end(event, line);
                drawing.slices.push(drawn(event, place, Some(end)));
            }
            Some("B") => drawing.slices.push(drawn(event, place, None)),
            Some("i") => {
                assert_eq!(event["s"], "t");
                drawing.instants.push(drawn(event, place, None));
            }
            Some("s") => {
                let other = self.begun.insert(flow(event), place);
                assert_eq!(other, None, "an arrow begins twice");
            }
            _ => {
                assert_eq!(event["bp"], "e");
                let from = self.begun.remove(&flow(event));
                let from = from.expect("an arrow that ends has begun");
                let other = drawing.flows.insert(flow(event), (from, place));
                assert_eq!(other, None, "an arrow ends twice");
            }
        }
    }

    fn metadata(&mut self, event: &Value, pid: u64, tid: u64) {
        let name = || event["args"]["name"].as_str().expect("a name").to_owned();
        let rank = || event["args"]["sort_index"].as_u64().expect("a rank");
        let key = (pid, tid);
        match event["name"].as_str() {
            Some("process_name") => {
                self.drawing.processes.insert(pid, name());
            }
            Some("thread_name") => {
                let other = self.drawing.tracks.insert(key, (name(), 0));
                assert_eq!(other, None, "a track has one name");
            }
            Some("thread_sort_index") => {
                let other = self.ranks.insert(key, rank());
                assert_eq!(other, None, "a track has one place");
            }
            Some("process_sort_index") => drop(rank()),
            name => panic!("{name:?}"),
        }
    }

    fn finish(self) -> Drawing {
        let mut drawing = self.drawing;
        assert_eq!(self.begun, BTreeMap::new(), "arrows without an end");
        assert!(self.ranks.keys().eq(drawing.tracks.keys()));
        for (track, rank) in self.ranks {
            drawing.tracks.get_mut(&track).expect("it has a name").1 = rank;
        }
        drawing.slices.sort_by_key(|slice| slice.place.at);
        nest(&mut drawing.slices);
        drawing.check_names();
        drawing
    }
}

fn flow(event: &Value) -> u64 {
    assert_eq!(
        (&event["name"], &event["cat"]),
        (&"spawn".into(), &"spawn".into())
    );
    let id = event["id"].as_str().expect("an arrow has a number");
    id.parse().expect("it is one")
}

fn drawn(event: &Value, place: Place, end: Option<u64>) -> Drawn {
    let text = |key: &str| event[key].as_str().expect(key).to_owned();
    let args = event["args"].as_object().expect("arguments");
    Drawn {
        place,
        end,
        name: text("name"),
        category: text("cat"),
        args: args.clone().into_iter().collect::<Args>(),
        inside: None,
    }
}

/// A number of an event, as it is written. No text holds such a key: its quotes have a backslash.
fn number<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (_, behind) = line.rsplit_once(&format!(",\"{key}\":"))?;
    let end = behind.find([',', '}'])?;
    Some(&behind[..end])
}

/// Microseconds with three decimals.
fn nanos(micros: &str) -> u64 {
    let (whole, rest) = micros.split_once('.').expect("there are decimals");
    assert_eq!(rest.len(), 3, "{micros}");
    let whole: u64 = whole.parse().expect(micros);
    whole * 1000 + rest.parse::<u64>().expect(micros)
}

/// Readers take doubles: two ends of the same nanosecond have to be the same to them.
fn end(event: &Value, line: &str) -> u64 {
    let number = |key| event[key].as_f64().expect(key);
    let start = nanos(self::number(line, "ts").expect("a time"));
    let end = start + (number("dur") * 1000.0).round() as u64;
    assert_eq!(number("ts") + number("dur"), end as f64 / 1000.0, "{line}");
    end
}
