"""What a reader of protocol buffers finds in a Perfetto trace, compared with what the program did.

    python native.py TRACE TRUTH
"""
import json
import sys
from collections import Counter, defaultdict

from google.protobuf.unknown_fields import UnknownFieldSet
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TracePacket, TrackEvent

trace = Trace()
with open(sys.argv[1], "rb") as file:
    trace.ParseFromString(file.read())
with open(sys.argv[2], encoding="utf-8") as file:
    truth = json.load(file)
packets = trace.packet
counts = {"passed": 0, "failed": 0}


def check(name, found, wanted):
    is_right = found == wanted
    counts["passed" if is_right else "failed"] += 1
    if not is_right and isinstance(found, dict):
        at = next(key for key in {**wanted, **found} if found.get(key) != wanted.get(key))
        found, wanted = (f"{of.get(at)} of {at}" for of in (found, wanted))
    differ = "" if is_right else f": {str(found)[:300]} should be {str(wanted)[:300]}"
    print(f"{'ok     ' if is_right else 'FAILED '} native: {name}{differ}")


def interned(field):
    return {entry.iid: entry.name for packet in packets for entry in getattr(packet.interned_data, field)}


names, keys, categories = (interned(f"{of}s") for of in ("event_name", "debug_annotation_name", "event_categorie"))
begins, ends, instants, dangling = {}, {}, [], []
inside = defaultdict(list)
# What stands where in the file follows from when it was known; of one time, it is the order of events.
for packet in sorted((p for p in packets if p.HasField("track_event")), key=lambda packet: packet.timestamp):
    event = packet.track_event
    stack = inside[event.track_uuid]
    if event.type == TrackEvent.TYPE_SLICE_END:
        ends[stack.pop() if stack else None] = packet.timestamp
        continue
    name = event.name or names.get(event.name_iid)
    values = {a.name or keys.get(a.name_iid): a for a in event.debug_annotations}
    if event.type == TrackEvent.TYPE_INSTANT:
        instants.append((packet.timestamp, name))
        continue
    span = values["span_id"].uint_value
    around = stack[-1] if stack else 0
    begins[span] = (name, packet.timestamp, around, [categories[iid] for iid in event.category_iids])
    stack.append(span)
    dangling += [(flow, "out") for flow in event.flow_ids] + [(flow, "in") for flow in event.terminating_flow_ids]



def around(span):
    is_root = span.get("isTask") or span["beside"]
    return 0 if is_root else span.get("stays", span["parent"])


spans = truth["spans"]
ended = [span for span in spans if span["end"] is not None]
kinds = Counter(packet.WhichOneof("data") or "interned data alone" for packet in packets)
print("        " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
check("no packet has a field that is not known", sum(len(UnknownFieldSet(p)) for p in packets) + len(UnknownFieldSet(trace)), 0)
check("an event for each start, end and record", kinds["track_event"], len(spans) + len(ended) + len(truth["events"]))
check("every packet is of the sequence that the first one begins",
      ({p.trusted_packet_sequence_id for p in packets}, packets[0].sequence_flags),
      ({1}, TracePacket.SEQ_INCREMENTAL_STATE_CLEARED))
check("every slice has the name, the start and the category of its span, and is in the right one", begins,
      {s["id"]: (s["name"], int(s["start"]), around(s), ["span"]) for s in spans})
check("on a track, what began last ends first, when its span did", ends, {s["id"]: int(s["end"]) for s in ended})
check("an instant for each record", sorted(instants), sorted((int(e["at"]), e["message"]) for e in truth["events"]))
check("each arrow has two ends", sorted(dangling),
      sorted((task, end) for _, task in truth["flows"] for end in ("out", "in")))
print(f"{counts['passed']} passed, {counts['failed']} failed")
sys.exit(counts["failed"] != 0)
