//! `perfetto`: Perfetto's own format, a sequence of protobuf messages.
//!
//! Written by hand: of the few fields that are needed the numbers are below, from
//! `protos/perfetto/trace/trace_packet.proto` and its neighbours in Perfetto's repository. A message
//! whose length is not known yet gets four bytes for it, which protobuf allows.
//!
//! Times are nanoseconds since 1970. A snapshot of the clocks says so, so that readers can show the time
//! of the day.

use std::io::{self, Write};

use hashbrown::HashMap;

use super::trace::{Described, Format, Options, Place, Slice, Trace, first_line};
use super::tracks::Track;
use super::value::Value;
use crate::read::{Level, View};

/// Writes a trace in Perfetto's own format.
///
/// Every lane of a task is a track of its process, every span a slice, every record an instant, every
/// spawn a flow. Fields are debug annotations.
pub type Perfetto<W> = Trace<Packets<W>>;

impl<W: Write> Perfetto<W> {
    /// A trace that is written to `out`.
    pub fn new(options: Options, out: W) -> Self {
        let packets = Packets {
            out,
            names: HashMap::new(),
            keys: HashMap::new(),
            before: Vec::new(),
            before_at: 0,
            late: Vec::new(),
            event: Vec::new(),
        };
        Trace::over(packets, options)
    }

    /// What was written to.
    pub fn into_out(self) -> W {
        self.into_format().out
    }
}

/// How a Perfetto trace is written.
#[derive(Debug)]
pub struct Packets<W> {
    out: W,
    /// The numbers of names and of keys that were said in full.
    names: HashMap<Box<str>, u64>,
    keys: HashMap<Box<str>, u64>,
    /// What is written next: tasks may still begin that a span in it spawned.
    before: Vec<u8>,
    /// The offset in the file that it begins at.
    before_at: u64,
    /// Which packets, by their offset in the file, are to have which flows.
    late: Vec<(u64, u64)>,
    /// Where a record's event is put together.
    event: Vec<u8>,
}

/// The fields that are used of each message.
mod field {
    /// `Trace`.
    pub(super) const PACKET: u32 = 1;

    pub(super) mod packet {
        pub(crate) const CLOCK_SNAPSHOT: u32 = 6;
        pub(crate) const TIMESTAMP: u32 = 8;
        pub(crate) const SEQUENCE: u32 = 10;
        pub(crate) const TRACK_EVENT: u32 = 11;
        pub(crate) const INTERNED_DATA: u32 = 12;
        pub(crate) const SEQUENCE_FLAGS: u32 = 13;
        pub(crate) const TIMESTAMP_CLOCK: u32 = 58;
        pub(crate) const DEFAULTS: u32 = 59;
        pub(crate) const TRACK_DESCRIPTOR: u32 = 60;
    }

    /// `TrackEvent`.
    pub(super) mod event {
        pub(crate) const CATEGORY: u32 = 3;
        pub(crate) const ANNOTATION: u32 = 4;
        pub(crate) const TYPE: u32 = 9;
        pub(crate) const NAME_ID: u32 = 10;
        pub(crate) const TRACK: u32 = 11;
        pub(crate) const NAME: u32 = 23;
        pub(crate) const FLOW: u32 = 47;
        pub(crate) const LAST_FLOW: u32 = 48;
    }

    /// `DebugAnnotation`.
    pub(super) mod annotation {
        pub(crate) const NAME_ID: u32 = 1;
        pub(crate) const BOOL: u32 = 2;
        pub(crate) const UINT: u32 = 3;
        pub(crate) const INT: u32 = 4;
        pub(crate) const DOUBLE: u32 = 5;
        pub(crate) const STRING: u32 = 6;
        pub(crate) const NAME: u32 = 10;
    }

    /// `InternedData`; each entry has a number and a name.
    pub(super) mod interned {
        pub(crate) const CATEGORIES: u32 = 1;
        pub(crate) const NAMES: u32 = 2;
        pub(crate) const KEYS: u32 = 3;
        pub(crate) const ID: u32 = 1;
        pub(crate) const NAME: u32 = 2;
    }

    /// `TrackDescriptor`.
    pub(super) mod track {
        pub(crate) const ID: u32 = 1;
        pub(crate) const NAME: u32 = 2;
        pub(crate) const PROCESS: u32 = 3;
        pub(crate) const PARENT: u32 = 5;
        pub(crate) const CHILD_ORDERING: u32 = 11;
        pub(crate) const RANK: u32 = 12;
    }

    /// `ProcessDescriptor`.
    pub(super) mod process {
        pub(crate) const PID: u32 = 1;
        pub(crate) const NAME: u32 = 6;
    }

    /// `ClockSnapshot` and its `Clock`.
    pub(super) mod clock {
        pub(crate) const CLOCKS: u32 = 1;
        pub(crate) const PRIMARY: u32 = 2;
        pub(crate) const ID: u32 = 1;
        pub(crate) const TIMESTAMP: u32 = 2;
    }
}

const SLICE_BEGIN: u64 = 1;
const SLICE_END: u64 = 2;
const INSTANT: u64 = 3;

/// `SEQ_INCREMENTAL_STATE_CLEARED`, `SEQ_NEEDS_INCREMENTAL_STATE`.
const CLEARED: u64 = 1;
const NEEDED: u64 = 2;

/// `BUILTIN_CLOCK_REALTIME`, `BUILTIN_CLOCK_BOOTTIME`.
const REALTIME: u64 = 1;
const BOOTTIME: u64 = 6;

/// `TrackDescriptor.ChildTracksOrdering.EXPLICIT`.
const EXPLICIT: u64 = 3;

/// Our own keys have fixed numbers.
const OWN_KEYS: [&str; 11] = [
    "span_id",
    "span_parent",
    "task_id",
    "thread_id",
    "task_parent_id",
    "spawn_line",
    "span_outcome",
    "start_missing",
    "level",
    "target",
    "message",
];
const SPAN_ID: u64 = 1;
const SPAN_PARENT: u64 = 2;
const TASK_ID: u64 = 3;
const THREAD_ID: u64 = 4;
const TASK_PARENT_ID: u64 = 5;
const SPAWN_LINE: u64 = 6;
const OUTCOME: u64 = 7;
const START_MISSING: u64 = 8;
const LEVEL: u64 = 9;
const TARGET: u64 = 10;
const MESSAGE: u64 = 11;

/// What is drawn has a category: what it is, or how grave.
const CATEGORIES: [&str; 7] = ["span", "record", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"];
const SPAN: u64 = 1;

/// How many names get a number; others are said in full each time.
const NUMBERED: usize = 1 << 14;

/// A longer name gets none.
const SHORT: usize = 256;

fn category(level: Option<Level>) -> u64 {
    match level {
        None => 2,
        Some(Level::Error) => 3,
        Some(Level::Warn) => 4,
        Some(Level::Info) => 5,
        Some(Level::Debug) => 6,
        Some(Level::Trace) => 7,
    }
}

impl<W> Packets<W> {
    fn key(&mut self, key: &str, to: &mut Vec<u8>) -> Option<u64> {
        let first = OWN_KEYS.len() as u64 + 1;
        number(&mut self.keys, first, field::interned::KEYS, key, to)
    }

    /// Writes an event's name. What it may have to say first goes to `to`.
    fn name(&mut self, name: &str, event: &mut Vec<u8>, to: &mut Vec<u8>) {
        match number(&mut self.names, 1, field::interned::NAMES, name, to) {
            Some(id) => push_uint(event, field::event::NAME_ID, id),
            None => push_bytes(event, field::event::NAME, name.as_bytes()),
        }
    }

    fn annotate(&mut self, key: &str, value: &str, event: &mut Vec<u8>, to: &mut Vec<u8>) {
        let id = self.key(key, to);
        push_annotation(event, |annotation| {
            match id {
                Some(id) => push_uint(annotation, field::annotation::NAME_ID, id),
                None => push_bytes(annotation, field::annotation::NAME, key.as_bytes()),
            }
            push_value(annotation, value);
        });
    }
}

/// The number of a name. The first time it is said in full, in a packet of its own.
fn number(
    known: &mut HashMap<Box<str>, u64>,
    first: u64,
    kind: u32,
    name: &str,
    to: &mut Vec<u8>,
) -> Option<u64> {
    if let Some(id) = known.get(name) {
        return Some(*id);
    }
    if known.len() >= NUMBERED || name.len() > SHORT {
        return None;
    }
    let id = first + known.len() as u64;
    known.insert(name.into(), id);
    push_packet(to, NEEDED, |packet| {
        push_message(packet, field::packet::INTERNED_DATA, |data| {
            push_interned(data, kind, id, name);
        });
    });
    Some(id)
}

impl<W: Write> Format for Packets<W> {
    const OPEN_EARLIER: u64 = 0;

    fn begin(&mut self, at: u64, to: &mut Vec<u8>) {
        push_packet(to, CLEARED, |packet| {
            push_message(packet, field::packet::DEFAULTS, |defaults| {
                push_uint(defaults, field::packet::TIMESTAMP_CLOCK, REALTIME);
            });
            push_message(packet, field::packet::INTERNED_DATA, |data| {
                for (id, category) in (1..).zip(CATEGORIES) {
                    push_interned(data, field::interned::CATEGORIES, id, category);
                }
                for (id, key) in (1..).zip(OWN_KEYS) {
                    push_interned(data, field::interned::KEYS, id, key);
                }
            });
        });
        push_packet(to, 0, |packet| {
            push_message(packet, field::packet::CLOCK_SNAPSHOT, |snapshot| {
                for id in [BOOTTIME, REALTIME] {
                    push_message(snapshot, field::clock::CLOCKS, |clock| {
                        push_uint(clock, field::clock::ID, id);
                        push_uint(clock, field::clock::TIMESTAMP, at);
                    });
                }
                push_uint(snapshot, field::clock::PRIMARY, REALTIME);
            });
        });
    }

    fn end(&mut self, _: &mut Vec<u8>) {}

    fn process(&mut self, index: usize, pid: u64, name: &str, to: &mut Vec<u8>) {
        push_packet(to, 0, |packet| {
            push_message(packet, field::packet::TRACK_DESCRIPTOR, |track| {
                push_uint(track, field::track::ID, process_track(pid));
                push_message(track, field::track::PROCESS, |process| {
                    push_uint(process, field::process::PID, pid);
                    push_bytes(process, field::process::NAME, name.as_bytes());
                });
                push_uint(track, field::track::CHILD_ORDERING, EXPLICIT);
                push_uint(track, field::track::RANK, index as u64);
            });
        });
    }

    fn track(&mut self, _: u32, _: u32) {}

    /// Perfetto's UI orders the tracks of a group as that says, but those of a process by their names.
    fn name(&mut self, pid: u64, track: &Track<'_>, to: &mut Vec<u8>) {
        let parent = match track.group {
            0 => process_track(pid),
            group => group.into(),
        };
        push_packet(to, 0, |packet| {
            push_message(packet, field::packet::TRACK_DESCRIPTOR, |descriptor| {
                push_uint(descriptor, field::track::ID, track.number.into());
                push_uint(descriptor, field::track::PARENT, parent);
                push_bytes(descriptor, field::track::NAME, track.name.as_bytes());
                if track.is_group {
                    push_uint(descriptor, field::track::CHILD_ORDERING, EXPLICIT);
                }
                push_uint(descriptor, field::track::RANK, track.order.into());
            });
        });
    }

    fn describe(&mut self, span: Described<'_>, text: &mut Vec<u8>, to: &mut Vec<u8>) {
        let record = span.view.record;
        push_uint(text, field::event::CATEGORY, SPAN);
        self.name(&span.view.message(), text, to);
        span.view
            .pairs(|key, value| self.annotate(key, &value, text, to));
        push_own_uint(text, SPAN_ID, span.id);
        if span.parent != 0 {
            push_own_uint(text, SPAN_PARENT, span.parent);
        }
        if let Some(parent) = record.task_parent_id {
            push_own_uint(text, TASK_PARENT_ID, parent);
        }
        push_own_uint(text, TASK_ID, record.task_id);
        push_own_uint(text, THREAD_ID, record.thread_id);
        if let Some(line) = span.view.spawn_line() {
            push_own_text(text, SPAWN_LINE, &line);
        }
        if span.end_alone {
            push_annotation(text, |annotation| {
                push_uint(annotation, field::annotation::NAME_ID, START_MISSING);
                push_uint(annotation, field::annotation::BOOL, 1);
            });
        }
    }

    fn slice(&mut self, slice: &Slice<'_>, to: &mut Vec<u8>) -> usize {
        push_event(to, slice.place.at, |event| {
            push_uint(event, field::event::TYPE, SLICE_BEGIN);
            push_uint(event, field::event::TRACK, slice.place.track.into());
            event.extend_from_slice(slice.text);
            if let Some(word) = slice.outcome.word() {
                push_own_text(event, OUTCOME, word);
            }
            if let Some(flow) = slice.flow_in {
                push_fixed(event, field::event::LAST_FLOW, flow);
            }
            for spawned in slice.flows_out {
                push_fixed(event, field::event::FLOW, spawned.flow);
            }
        })
    }

    fn close(&mut self, slice: &Slice<'_>, to: &mut Vec<u8>) {
        if let Some(end) = slice.end {
            push_event(to, end, |event| {
                push_uint(event, field::event::TYPE, SLICE_END);
                push_uint(event, field::event::TRACK, slice.place.track.into());
            });
        }
    }

    fn instant(&mut self, _: u64, place: Place, view: View<'_>, to: &mut Vec<u8>) {
        let level = view.level();
        let message = view.message();
        let name = first_line(&message);
        let mut event = std::mem::take(&mut self.event);
        event.clear();
        push_uint(&mut event, field::event::TYPE, INSTANT);
        push_uint(&mut event, field::event::TRACK, place.track.into());
        push_uint(&mut event, field::event::CATEGORY, category(level));
        self.name(name, &mut event, to);
        if let Some(level) = level {
            push_own_text(&mut event, LEVEL, level.word());
        }
        if let Some(target) = view.target() {
            push_own_text(&mut event, TARGET, &target);
        }
        if name.len() < message.len() {
            push_own_text(&mut event, MESSAGE, &message);
        }
        view.pairs(|key, value| {
            let renamed = match key {
                "level" => "level_",
                "target" => "target_",
                "message" => "message_",
                key => key,
            };
            self.annotate(renamed, &value, &mut event, to);
        });
        if view.record.span_id != 0 {
            push_own_uint(&mut event, SPAN_ID, view.record.span_id);
        }
        push_own_uint(&mut event, TASK_ID, view.record.task_id);
        push_own_uint(&mut event, THREAD_ID, view.record.thread_id);
        push_event(to, place.at, |to| to.extend_from_slice(&event));
        self.event = event;
    }

    /// Flows stand in the events of both spans.
    fn flow(&mut self, _: u64, _: (u64, Place), _: (u64, Place), _: &mut Vec<u8>) {}

    fn spawned(&mut self, at: u64, flow: u64) -> bool {
        let is_here = at >= self.before_at;
        if is_here {
            self.late.push((at, flow));
        }
        is_here
    }

    fn write(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        self.write_before()?;
        std::mem::swap(&mut self.before, bytes);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write_before()?;
        self.out.flush()
    }
}

impl<W: Write> Packets<W> {
    /// Writes what was to be written next, with the flows of tasks that began since.
    fn write_before(&mut self) -> io::Result<()> {
        let until = self.before_at + self.before.len() as u64;
        self.late.sort_unstable();
        let here = self.late.partition_point(|(at, _)| *at < until);
        let mut from = 0;
        let mut flows = Vec::new();
        let late: Vec<_> = self.late.drain(..here).collect();
        for of_packet in late.chunk_by(|one, other| one.0 == other.0) {
            let packet = (of_packet[0].0 - self.before_at) as usize;
            flows.clear();
            for (_, flow) in of_packet {
                push_fixed(&mut flows, field::event::FLOW, *flow);
            }
            let end = lengthen(&mut self.before, packet, flows.len());
            self.out.write_all(&self.before[from..end])?;
            self.out.write_all(&flows)?;
            from = end;
        }
        self.out.write_all(&self.before[from..])?;
        self.before_at = until;
        self.before.clear();
        Ok(())
    }
}

/// The track of a process. Those of its lanes have their numbers below.
fn process_track(pid: u64) -> u64 {
    1 << 32 | pid
}

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;

fn push_varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn push_uint(to: &mut Vec<u8>, field: u32, value: u64) {
    push_varint(to, (field << 3 | VARINT).into());
    push_varint(to, value);
}

fn push_fixed(to: &mut Vec<u8>, field: u32, value: u64) {
    push_varint(to, (field << 3 | FIXED64).into());
    to.extend_from_slice(&value.to_le_bytes());
}

fn push_bytes(to: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    push_varint(to, (field << 3 | BYTES).into());
    push_varint(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

/// A varint of so many bytes, whatever the value.
fn padded<const LEN: usize>(value: u64) -> [u8; LEN] {
    let mut bytes: [u8; LEN] = std::array::from_fn(|at| (value >> (7 * at)) as u8 | 0x80);
    bytes[LEN - 1] &= 0x7f;
    bytes
}

/// How many bytes a length has that is written before it is known.
const LENGTH: usize = 4;

/// Writes a message that `content` writes.
fn push_message(to: &mut Vec<u8>, field: u32, content: impl FnOnce(&mut Vec<u8>)) {
    push_varint(to, (field << 3 | BYTES).into());
    let at = to.len();
    to.extend_from_slice(&[0; LENGTH]);
    content(to);
    let len = (to.len() - at - LENGTH) as u64;
    to[at..at + LENGTH].copy_from_slice(&padded::<LENGTH>(len));
}

fn push_packet(to: &mut Vec<u8>, flags: u64, content: impl FnOnce(&mut Vec<u8>)) {
    push_message(to, field::PACKET, |packet| {
        push_uint(packet, field::packet::SEQUENCE, 1);
        if flags != 0 {
            push_uint(packet, field::packet::SEQUENCE_FLAGS, flags);
        }
        content(packet);
    });
}

/// The bytes of an event's packet before the length of the event.
const EVENT_HEAD: usize = 1 + LENGTH + 2 + 2 + 1 + TIMESTAMP + 1;

/// The bytes of a time below 2⁶³.
const TIMESTAMP: usize = 9;

/// Writes a packet with an event, which is the last of it. Gives where it begins.
fn push_event(to: &mut Vec<u8>, at: u64, content: impl FnOnce(&mut Vec<u8>)) -> usize {
    let offset = to.len();
    push_packet(to, NEEDED, |packet| {
        push_varint(packet, (field::packet::TIMESTAMP << 3 | VARINT).into());
        packet.extend_from_slice(&padded::<TIMESTAMP>(at.min(i64::MAX as u64)));
        push_message(packet, field::packet::TRACK_EVENT, content);
    });
    offset
}

/// Says of an event's packet that it is so much longer. Gives where it ends now.
fn lengthen(bytes: &mut [u8], packet: usize, by: usize) -> usize {
    let mut end = packet;
    for at in [packet + 1, packet + EVENT_HEAD] {
        let field = &mut bytes[at..at + LENGTH];
        let len = (0..LENGTH).fold(0, |len, byte| {
            len | u64::from(field[byte] & 0x7f) << (7 * byte)
        });
        field.copy_from_slice(&padded::<LENGTH>(len + by as u64));
        end = at + LENGTH + len as usize;
    }
    end
}

fn push_annotation(event: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    push_message(event, field::event::ANNOTATION, content);
}

fn push_own_uint(event: &mut Vec<u8>, key: u64, value: u64) {
    push_annotation(event, |annotation| {
        push_uint(annotation, field::annotation::NAME_ID, key);
        push_uint(annotation, field::annotation::UINT, value);
    });
}

fn push_own_text(event: &mut Vec<u8>, key: u64, value: &str) {
    push_annotation(event, |annotation| {
        push_uint(annotation, field::annotation::NAME_ID, key);
        push_bytes(annotation, field::annotation::STRING, value.as_bytes());
    });
}

fn push_value(annotation: &mut Vec<u8>, text: &str) {
    match Value::of(text) {
        Value::Bool(value) => push_uint(annotation, field::annotation::BOOL, value.into()),
        Value::Integer(value) => push_uint(annotation, field::annotation::INT, value as u64),
        Value::Float(digits) => match digits.parse::<f64>() {
            Ok(value) => push_fixed(annotation, field::annotation::DOUBLE, value.to_bits()),
            Err(_) => push_bytes(annotation, field::annotation::STRING, text.as_bytes()),
        },
        Value::Text(text) => push_bytes(annotation, field::annotation::STRING, text.as_bytes()),
    }
}

fn push_interned(data: &mut Vec<u8>, kind: u32, id: u64, name: &str) {
    push_message(data, kind, |entry| {
        push_uint(entry, field::interned::ID, id);
        push_bytes(entry, field::interned::NAME, name.as_bytes());
    });
}
