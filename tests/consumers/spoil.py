"""Writes a trace or folded stacks anew, with one thing wrong.

    python spoil.py (length|name|arrow|parent|order) IN OUT
"""
import sys

from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

what, source, target = sys.argv[1:]
CHILD = '"span_parent":'


def spoil_json(lines):
    """What stands in the middle of the file is as good as any."""
    def nth(*words):
        fits = [n for n, line in enumerate(lines) if all(word in line for word in words)]
        return fits[len(fits) // 2]

    if what == "length":
        at = nth('"ph":"X"', CHILD)
        lines[at] = lines[at].replace('"dur":', '"dur":1')
    elif what == "name":
        at = nth('"ph":"X"', CHILD)
        lines[at] = lines[at].replace('"name":"', '"name":"x')
    elif what == "arrow":
        del lines[nth('"ph":"s"')]
    elif what == "parent":
        at = nth('"ph":"X"', CHILD)
        head, tail = lines[at].rsplit('"tid":', 1)
        lines[at] = f'{head}"tid":1{tail}'
    return lines


def spoil_packets(trace):
    events = [p for p in trace.packet if p.HasField("track_event")]

    def middle(fits):
        found = [packet for packet in events if fits(packet.track_event)]
        return found[len(found) // 2]

    def begin(event):
        return event.type == TrackEvent.TYPE_SLICE_BEGIN and event.name_iid

    if what == "length":
        middle(lambda event: event.type == TrackEvent.TYPE_SLICE_END).timestamp -= 1
    elif what == "name":
        middle(begin).track_event.name_iid += 1
    elif what == "arrow":
        middle(lambda event: event.flow_ids).track_event.ClearField("flow_ids")
    elif what == "parent":
        middle(begin).track_event.track_uuid += 1


if what == "order":
    with open(source, "rb") as file:
        lines = file.readlines()
    lines.append(lines.pop(len(lines) // 2))
    content = b"".join(lines)
elif source.endswith(".json"):
    with open(source, encoding="utf-8") as file:
        content = "".join(spoil_json(file.readlines())).encode()
else:
    trace = Trace()
    with open(source, "rb") as file:
        trace.ParseFromString(file.read())
    spoil_packets(trace)
    content = trace.SerializeToString()
with open(target, "wb") as file:
    file.write(content)
