//! Reads what `Perfetto` writes: of protobuf so much as that needs. The numbers are from Perfetto's
//! `protos/perfetto/trace/trace_packet.proto` and its neighbours.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;

use serde_json::Value;

use crate::drawing::{Args, Drawing, Drawn, Place};

/// A field's value.
#[derive(Clone, Copy, Debug)]
enum Field<'a> {
    Varint(u64),
    Fixed(u64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn varint(self) -> u64 {
        match self {
            Field::Varint(value) => value,
            of => panic!("{of:?} is no varint"),
        }
    }

    fn fixed(self) -> u64 {
        match self {
            Field::Fixed(value) => value,
            of => panic!("{of:?} has no eight bytes"),
        }
    }

    fn bytes(self) -> &'a [u8] {
        match self {
            Field::Bytes(value) => value,
            of => panic!("{of:?} has no length"),
        }
    }

    fn text(self) -> &'a str {
        std::str::from_utf8(self.bytes()).expect("it is UTF-8")
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().expect("a varint ends");
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
    }
    panic!("a varint has ten bytes at most");
}

fn take<'a>(bytes: &mut &'a [u8], len: u64) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(usize::try_from(len).expect("a length"));
    *bytes = rest;
    taken
}

/// The fields of a message, in their order.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let field = match tag & 7 {
            0 => Field::Varint(varint(&mut bytes)),
            1 => Field::Fixed(u64::from_le_bytes(
                take(&mut bytes, 8).try_into().expect("eight"),
            )),
            2 => {
                let len = varint(&mut bytes);
                Field::Bytes(take(&mut bytes, len))
            }
            of => panic!("wire type {of}"),
        };
        fields.push((tag >> 3, field));
    }
    fields
}

/// The only field of that number.
fn one<'a>(fields: &[(u64, Field<'a>)], number: u64) -> Option<Field<'a>> {
    let mut of = fields.iter().filter(|(of, _)| *of == number);
    let field = of.next().map(|(_, field)| *field);
    assert!(of.next().is_none(), "field {number} is there twice");
    field
}

const BEGIN: u64 = 1;
const END: u64 = 2;
const INSTANT: u64 = 3;

/// A packet with an event.
#[derive(Debug, Default)]
struct Event {
    at: u64,
    kind: u64,
    track: u64,
    name: Option<String>,
    category: Option<String>,
    annotations: Vec<(String, Value)>,
    /// Those that go on, and those that end here.
    flows: Vec<u64>,
    last_flows: Vec<u64>,
}

#[derive(Debug, PartialEq)]
enum Track {
    Process {
        pid: u64,
        name: String,
        rank: u64,
    },
    /// What is in it is ordered by rank.
    Group {
        parent: u64,
        name: String,
        rank: u64,
    },
    Lane {
        parent: u64,
        name: String,
        rank: u64,
    },
}

/// A trace, as it is in the file.
#[derive(Debug, Default)]
struct Trace {
    tracks: BTreeMap<u64, Track>,
    /// The tracks in the order in which they are named.
    named: Vec<u64>,
    events: Vec<Event>,
    /// By the field of `InternedData`, and by number.
    interned: HashMap<(u64, u64), String>,
    clock_is_known: bool,
}

impl Trace {
    fn read(bytes: &[u8]) -> Trace {
        let mut trace = Trace::default();
        for (at, (number, packet)) in fields(bytes).into_iter().enumerate() {
            assert_eq!(number, 1, "a trace has packets alone");
            trace.packet(at, &fields(packet.bytes()));
        }
        trace
    }

    fn packet(&mut self, at: usize, packet: &[(u64, Field<'_>)]) {
        let known = [6, 8, 10, 11, 12, 13, 59, 60];
        assert!(packet.iter().all(|(of, _)| known.contains(of)));
        assert_eq!(one(packet, 10).map(Field::varint), Some(1), "the sequence");
        let flags = one(packet, 13).map_or(0, Field::varint);
        assert_eq!(flags & 1 != 0, at == 0, "the first begins the numbers anew");
        if let Some(defaults) = one(packet, 59) {
            let defaults = fields(defaults.bytes());
            assert_eq!(one(&defaults, 58).map(Field::varint), Some(1), "real time");
        }
        if let Some(data) = one(packet, 12) {
            for (kind, entry) in fields(data.bytes()) {
                let entry = fields(entry.bytes());
                let id = one(&entry, 1).expect("a number").varint();
                let name = one(&entry, 2).expect("a name").text();
                let other = self.interned.insert((kind, id), name.into());
                assert_eq!(other, None, "a number stands for one name");
            }
        }
        if let Some(track) = one(packet, 60) {
            self.descriptor(&fields(track.bytes()));
        }
        self.clock_is_known |= one(packet, 6).is_some();
        if let Some(event) = one(packet, 11) {
            assert!(self.clock_is_known, "a time needs a clock");
            assert_eq!(flags, 2, "it needs the numbers before it");
            let at = one(packet, 8).expect("an event has a time").varint();
            self.event(at, &fields(event.bytes()));
        }
    }

    fn descriptor(&mut self, track: &[(u64, Field<'_>)]) {
        let id = one(track, 1).expect("a track has a number").varint();
        let rank = one(track, 12).map_or(0, Field::varint);
        let new = match one(track, 3) {
            Some(process) => {
                let process = fields(process.bytes());
                assert_eq!(one(track, 11).map(Field::varint), Some(3), "by rank");
                Track::Process {
                    pid: one(&process, 1).expect("a pid").varint(),
                    name: one(&process, 6).expect("a name").text().into(),
                    rank,
                }
            }
            None => {
                let parent = one(track, 5).expect("a lane is in something").varint();
                let name = one(track, 2).expect("a lane has a name").text().into();
                match one(track, 11).map(Field::varint) {
                    None => Track::Lane { parent, name, rank },
                    Some(3) => Track::Group { parent, name, rank },
                    of => panic!("{name} is ordered by {of:?}"),
                }
            }
        };
        if let Track::Lane { parent, .. } | Track::Group { parent, .. } = &new {
            let is_first = !matches!(self.tracks.get(parent), None | Some(Track::Lane { .. }));
            assert!(is_first, "a process or group comes first");
        }
        self.named.push(id);
        let other = self.tracks.insert(id, new);
        assert!(
            !matches!(other, Some(Track::Lane { .. } | Track::Group { .. })),
            "a lane is named once"
        );
    }

    fn event(&mut self, at: u64, event: &[(u64, Field<'_>)]) {
        let mut read = Event {
            at,
            ..Event::default()
        };
        for &(number, field) in event {
            match number {
                3 => read.category = Some(self.name(1, field)),
                4 => {
                    let annotation = self.annotation(&fields(field.bytes()));
                    read.annotations.push(annotation);
                }
                9 => read.kind = field.varint(),
                10 => read.name = Some(self.name(2, field)),
                11 => read.track = field.varint(),
                23 => read.name = Some(field.text().into()),
                47 => read.flows.push(field.fixed()),
                48 => read.last_flows.push(field.fixed()),
                of => panic!("field {of} of an event"),
            }
        }
        assert_eq!(read.kind == END, read.name.is_none(), "{read:?}");
        assert_eq!(read.kind == END, read.category.is_none(), "{read:?}");
        self.events.push(read);
    }

    fn name(&self, kind: u64, id: Field<'_>) -> String {
        let name = self.interned.get(&(kind, id.varint()));
        name.unwrap_or_else(|| panic!("{id:?} stands for nothing"))
            .clone()
    }

    fn annotation(&self, annotation: &[(u64, Field<'_>)]) -> (String, Value) {
        let (mut key, mut value) = (None, None);
        for &(number, field) in annotation {
            let new = match number {
                1 => {
                    key = Some(self.name(3, field));
                    continue;
                }
                10 => {
                    key = Some(field.text().into());
                    continue;
                }
                2 => (field.varint() == 1).into(),
                3 => exact(field.varint(), field.varint().into()),
                4 => {
                    let value = field.varint() as i64;
                    exact(value.unsigned_abs(), value.into())
                }
                5 => f64::from_bits(field.fixed()).into(),
                6 => field.text().into(),
                of => panic!("field {of} of an annotation"),
            };
            assert!(value.replace(new).is_none(), "there is one value");
        }
        (key.expect("a key"), value.expect("a value"))
    }

    /// The process, the name and the rank of a lane. In a group, the first lane has the name of that.
    fn lane(&self, id: u64) -> (u64, &str, u64) {
        match &self.tracks[&id] {
            Track::Lane { parent, name, rank } => {
                // Perfetto's UI orders what is in a process by name, whatever that says.
                let group = match &self.tracks[parent] {
                    Track::Group { name, rank: of, .. } if of == rank => name,
                    Track::Group { .. } => name,
                    of => panic!("{name} is in {of:?}"),
                };
                (self.process(*parent), group, *rank)
            }
            of => panic!("{of:?} is no lane"),
        }
    }

    fn process(&self, of: u64) -> u64 {
        match &self.tracks[&of] {
            Track::Process { pid, .. } => *pid,
            Track::Group { parent, .. } => self.process(*parent),
            of => panic!("{of:?} has no tracks in it"),
        }
    }
}

/// As JSON has it, where doubles have no room for all integers.
fn exact(size: u64, value: Value) -> Value {
    match size > 1 << 53 {
        true => value.to_string().into(),
        false => value,
    }
}

/// Reads a trace, and checks that it is whole.
pub(crate) fn read(bytes: &[u8]) -> Drawing {
    let mut trace = Trace::read(bytes);
    trace.events.sort_by_key(|event| event.at);
    let mut drawing = Drawing::default();
    let mut stacks: HashMap<u64, Vec<usize>> = HashMap::new();
    let (mut begun, mut ended) = (BTreeMap::new(), BTreeMap::new());
    for event in &trace.events {
        let place = Place {
            pid: trace.lane(event.track).0,
            track: trace.lane(event.track).2,
            at: event.at,
        };
        let stack = stacks.entry(event.track).or_default();
        if event.kind == END {
            let top = stack.pop().expect("what ends has begun");
            drawing.slices[top].end = Some(event.at);
            continue;
        }
        for (flows, places) in [(&event.flows, &mut begun), (&event.last_flows, &mut ended)] {
            for flow in flows {
                let other = places.insert(*flow, place);
                assert_eq!(other, None, "an arrow begins and ends once");
            }
        }
        let mut drawn = Drawn {
            place,
            end: None,
            name: event.name.clone().expect("it has a name"),
            category: event.category.clone().expect("it has a category"),
            args: event.annotations.iter().cloned().collect::<Args>(),
            inside: None,
        };
        match event.kind {
            BEGIN => {
                drawn.inside = stack.last().map(|&top| drawing.slices[top].id());
                stack.push(drawing.slices.len());
                drawing.slices.push(drawn);
            }
            INSTANT => drawing.instants.push(drawn),
            of => panic!("{of} is no kind of an event"),
        }
    }
    check_order(&drawing, &stacks);
    assert!(begun.keys().eq(ended.keys()), "arrows have both ends");
    for (flow, from) in begun {
        drawing.flows.insert(flow, (from, ended[&flow]));
    }
    for (&id, track) in &trace.tracks {
        match track {
            Track::Process { pid, name, .. } => {
                let other = drawing.processes.insert(*pid, name.clone());
                assert_eq!(other, None, "a process has one track");
            }
            Track::Lane { .. } => {
                let (pid, name, rank) = trace.lane(id);
                let other = drawing.tracks.insert((pid, rank), (name.into(), rank));
                assert_eq!(other, None, "a track has a place of its own");
            }
            Track::Group { .. } => {}
        }
    }
    drawing.check_names();
    drawing
}

/// What never ends has nothing around it that does.
fn check_order(drawing: &Drawing, stacks: &HashMap<u64, Vec<usize>>) {
    let open: BTreeSet<usize> = stacks.values().flatten().copied().collect();
    for (at, slice) in drawing.slices.iter().enumerate() {
        assert_eq!(slice.end.is_none(), open.contains(&at), "{slice:?}");
        assert!(slice.end.is_none_or(|end| end >= slice.place.at));
    }
}

/// The trace as text, a packet a line.
pub(crate) fn text(bytes: &[u8]) -> String {
    let trace = Trace::read(bytes);
    let mut text = String::new();
    let mut line = |of: std::fmt::Arguments<'_>| writeln!(text, "{of}").expect("it takes all");
    for id in &trace.named {
        match &trace.tracks[id] {
            Track::Process { pid, name, rank } => {
                line(format_args!("process {pid} {name:?}, rank {rank}"));
            }
            Track::Group { parent, name, rank } => {
                line(format_args!("group {id} in {parent} {name:?}, rank {rank}"));
            }
            Track::Lane { parent, name, rank } => {
                line(format_args!("track {id} in {parent} {name:?}, rank {rank}"));
            }
        }
    }
    for event in &trace.events {
        let (seconds, nanos) = (event.at / 1_000_000_000, event.at % 1_000_000_000);
        let kind = ["", "begin", "end", "instant"][event.kind as usize];
        let mut said = format!("{seconds}.{nanos:09} track {} {kind}", event.track);
        if let (Some(name), Some(category)) = (&event.name, &event.category) {
            said += &format!(" {category} {name:?}");
        }
        for (key, value) in &event.annotations {
            said += &format!(", {key}={value}");
        }
        for flow in &event.flows {
            said += &format!(", flow {flow}");
        }
        for flow in &event.last_flows {
            said += &format!(", last flow {flow}");
        }
        line(format_args!("{said}"));
    }
    text
}
