// What Perfetto's trace processor makes of a trace, compared with what the program did.
//
//   node traces.mjs WEB_DIST (chrome|perfetto) TRACE TRUTH
import fs from 'node:fs';
import { open } from './trace_processor.mjs';
import { check, conclude, same } from './check.mjs';

const [folder, kind, trace, truthFile] = process.argv.slice(2);
const truth = JSON.parse(fs.readFileSync(truthFile));
const processor = await open(folder, trace);
const { sql } = processor;

const ids = (of) => `(select string_value v, int_value i, arg_set_id from args where flat_key like '%.${of}') `;
// Slices with the numbers that the log has for them, and the tracks they are on.
const track = kind === 'chrome'
  ? 'join thread_track tt on tt.id = s.track_id join thread t using (utid) join process p using (upid)'
  : 'join process_track t on t.id = s.track_id join process p using (upid)';
const slices = await sql(`
  select s.id, s.name, s.category, cast(s.ts as text) ts, s.dur, s.depth, s.parent_id as around, t.name as track, p.name as process,
    p.pid as pid, s.track_id as line, s.arg_set_id as args, span.i as span
  from slice s ${track} left join ${ids('span_id')} span on span.arg_set_id = s.arg_set_id
  order by s.id`);
const args = new Map();
for (const row of await sql('select arg_set_id a, flat_key k, string_value s, int_value i, real_value r, value_type t from args where arg_set_id in (select arg_set_id from slice)')) {
  if (!args.has(row.a)) args.set(row.a, {});
  const value = { int: row.i, uint: row.i, real: row.r, bool: row.i === null ? null : String(Boolean(row.i)) }[row.t] ?? row.s;
  args.get(row.a)[row.k.replace(/^(debug|args)\./, '')] = String(value);
}
const COUNTED = ['tokenizer_skipped_packets', 'track_event_tokenizer_errors', 'track_event_parser_errors', 'flow_no_enclosing_slice'];
const stats = await sql('select name, value, severity from stats');
const arrows = await sql('select slice_out o, slice_in i from flow');
// The tracks as Perfetto's UI orders them: threads by their numbers, tracks of a group by its order.
const tracks = kind === 'chrome'
  ? await sql("select t.name, cast(t.tid as text) as place, 0 as empty from thread_track join thread t using (utid) order by t.tid")
  : await sql(`include perfetto module viz.summary.track_event;
    with recursive shown as (
      select *, cast(track_ids as integer) as id from _track_event_tracks_ordered_groups where name is not null
    ), tree as (
      select id, name, has_data, printf('%06d', order_id) as place from shown where parent_id is null
      union all
      select s.id, s.name, s.has_data, t.place || printf('.%06d', s.order_id) from shown s join tree t on s.parent_id = t.id
    )
    select name, place, not has_data as empty from tree order by place`);
processor.close();

const bySlice = new Map(slices.map((slice) => [slice.id, slice]));
const drawn = slices.filter((slice) => slice.category === 'span');
const bySpan = new Map(drawn.map((slice) => [slice.span, slice]));
const records = slices.filter((slice) => slice.category !== 'span');
const spans = new Map(truth.spans.map((span) => [span.id, span]));
// Chrome's times begin at a midnight, Perfetto's in 1970.
const DAY = 86_400_000_000_000n;
const first = BigInt(truth.spans[0].start);
const since = kind === 'chrome' ? first - (first % DAY) - DAY : 0n;
const tasks = Object.values(truth.names);
const count = (name) => tasks.filter((of) => of === name).length.toLocaleString('en');
const owner = (span) => {
  if (span.task === 0) return span.thread === 1 ? 'main' : `thread ${span.thread}`;
  return truth.names[span.task];
};
const lane = (track, name) => (track.startsWith(`${name} (`) ? Number(/^\((\d+)\)$/.exec(track.slice(name.length + 1))?.[1]) : NaN);
const isLane = (track, name) => [name, `${name} (${count(name)} tasks)`].includes(track) || lane(track, name) > 0;
// This version reads no escape of JSON in a string without a quote, and leaves them there.
const read = (text) => (kind === 'chrome' && !text.includes('"') ? JSON.stringify(text).slice(1, -1) : text);
const texts = (args) => Object.fromEntries(Object.entries(args).map(([key, value]) => [key, read(String(value))]).sort());
const plain = (args) => Object.fromEntries(Object.entries(args).sort());

check('the import has no errors', () => {
  same(COUNTED.filter((name) => !stats.some((stat) => stat.name === name)), []);
  const isError = ({ name, severity }) => ['error', 'data_loss'].includes(severity) || COUNTED.includes(name);
  same(stats.filter((stat) => stat.value > 0 && isError(stat)), []);
});
check('every span is one slice', () => {
  same(drawn.length, truth.spans.length);
  same(bySpan.size, truth.spans.length);
});
check('every slice has its name', () => truth.spans.forEach((span) => same(bySpan.get(span.id).name, read(span.name))));
check('times are right to the nanosecond', () => truth.spans.forEach((span) => {
  same(BigInt(bySpan.get(span.id).ts) + since, BigInt(span.start), span);
  if (span.end !== null) same(BigInt(bySpan.get(span.id).dur), BigInt(span.end) - BigInt(span.start), span);
}));
check('open is what never ended, and nothing else', () => truth.spans.forEach((span) => {
  same(bySpan.get(span.id).dur === -1, span.end === null, span);
}));
check('every slice is in the slice of the span around it', () => truth.spans.forEach((span) => {
  const slice = bySpan.get(span.id);
  const around = slice.around === null ? 0 : bySlice.get(slice.around).span;
  const isRoot = span.isTask || span.beside || span.parent === 0;
  const wanted = isRoot ? 0 : span.stays ?? span.parent;
  same(around, wanted, span);
}));
check('depths follow from that', () => slices.forEach((slice) => {
  same(slice.depth, slice.around === null ? 0 : bySlice.get(slice.around).depth + 1);
}));
check('every slice is on a track of its task or thread', () => truth.spans.forEach((span) => {
  const slice = bySpan.get(span.id);
  same(isLane(slice.track, owner(span)), true, `${slice.track} for ${owner(span)}`);
  same([slice.process, slice.pid], [`process ${truth.pid}`, truth.pid]);
  if (!span.isTask && !span.beside && span.parent !== 0) same(slice.line, bySpan.get(span.stays ?? span.parent).line, span);
}));
check('what overlaps is on another track than the span around it', () => truth.spans.forEach((span) => {
  if (span.beside) same(bySpan.get(span.id).line === bySpan.get(span.parent).line, false, span);
}));
check('no two tracks have one name, none is empty but groups', () => {
  same(new Set(tracks.map((track) => track.name)).size, tracks.length);
  const used = new Set(slices.map((slice) => slice.track));
  same(tracks.filter((track) => !track.empty && !used.has(track.name)), []);
});
check('tasks of one name share lanes, and those are in their order', () => {
  const named = new Map();
  for (const { name } of tracks) {
    const of = [...new Set(tasks)].find((task) => isLane(name, task));
    if (of) named.set(of, [...(named.get(of) ?? []), name]);
  }
  same([...named.keys()].sort(), [...new Set(tasks)].sort());
  // Groups are in the order of the numbers of the first tasks in them.
  const first = new Map(truth.spans.filter((span) => span.isTask).reverse().map((span) => [span.name, span.task]));
  same([...named.keys()], [...first.keys()].sort((one, other) => first.get(one) - first.get(other)));
  for (const [name, shown] of named) {
    const [title, ...lanes] = shown;
    same(title, `${name} (${count(name)} tasks)`);
    const numbers = lanes.map((track) => lane(track, name));
    same(numbers, [...numbers].sort((one, other) => one - other));
    same(lanes.length * 2 < tasks.length, true, `${lanes.length} lanes of ${tasks.length} tasks`);
  }
});
check('arguments, fields, outcomes and ids are those of the span', () => truth.spans.forEach((span) => {
  const wanted = { ...span.args, span_id: span.id, task_id: span.task, thread_id: span.thread };
  if (span.parent) wanted.span_parent = span.parent;
  if (span.outcome) wanted.span_outcome = span.outcome;
  same(plain(args.get(bySpan.get(span.id).args)), texts(wanted), span);
}));
check('an arrow goes from each span to each task that it spawned', () => {
  const found = arrows.map(({ o, i }) => `${bySlice.get(o).span} ${bySlice.get(i).span}`).sort();
  same(found, truth.flows.map((flow) => flow.join(' ')).sort());
});
check('every record is an instant in the slice of its span', () => {
  same(records.length, truth.events.length);
  const rows = [...records].sort((a, b) => (BigInt(a.ts) < BigInt(b.ts) ? -1 : 1));
  const events = truth.events;
  rows.forEach((row, n) => {
    const event = events[n];
    same([row.name, row.dur, row.category, row.span], [read(event.message), 0, event.level, event.span], event);
    same(BigInt(row.ts) + since, BigInt(event.at), event);
    same(bySlice.get(row.around)?.span, event.span, event);
    const { level, ...rest } = event.args;
    const wanted = { ...rest, level: event.level, target: 'shop', span_id: event.span, task_id: event.task, thread_id: spans.get(event.span).thread };
    if (level) wanted.level_ = level;
    same(plain(args.get(row.args)), texts(wanted), event);
  });
});
conclude();
