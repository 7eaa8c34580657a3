// A program that never ran: writes the log of 100,000 spans, and what is true of them.
//
// Tasks are generators. Whoever is stepped writes some lines; the clock goes on between them, but
// where spans are to begin or end at the same nanosecond.
import fs from 'node:fs';

const SPANS = 100_000;
const PID = 720;

/** Numbers that are the same each time. */
function numbers(seed) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return { below: (n) => Math.floor(next() * n), chance: (p) => next() < p };
}

const random = numbers(7);
let now = 1795355154557459142n;
const since = `${PID}-${now}`;
let nextSpan = 1;
let nextTask = 1;
const lines = [];
const spans = [];
const events = [];
const flows = [];
const tasks = [];

const NAMES = ['read_frame', 'decode', 'db::query', 'render', 'examples/server.rs#load', 'cache lookup',
  'a "quoted" name', 'back\\slash', '<b>&amp; é 漢 😀', 'one; two'];
const TEXTS = ['', ' edge ', 'say "hi"', 'a, b=c', 'C:\\users\\n', 'tab\there', 'two\nlines', '</script>', 'é漢😀', '\u001b[31m',
  '\u2028', '007', '1e5', 'x'.repeat(300)];
const NUMBERS = ['0', '7', '-12', '4096', '9007199254740991', '1.5', '-0.25', '1234567.875'];
const OUTCOMES = [null, null, null, null, null, null, 'error', 'cancelled', 'panicked'];

const tick = () => { now += BigInt(1 + random.below(3000)); };
const pick = (list) => list[random.below(list.length)];
const seconds = (n) => `${n / 1_000_000_000n}.${String(n % 1_000_000_000n).padStart(9, '0')}`;
const quoted = (text) => JSON.stringify(text).replace(/\u2028/g, '\\u2028');
const pairs = (fields) => Object.entries(fields).map(([k, v]) => `, ${k}=${v.plain ?? quoted(v.text)}`).join('');
const valueOf = (fields) => Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, v.plain ?? v.text]));

function stamp() {
  const date = new Date(Number(now / 1_000_000n)).toISOString().slice(0, 19);
  return `${date}.${String(now % 1_000_000_000n).padStart(9, '0')}Z`;
}

function line(level, text) {
  lines.push(`[${stamp()} ${level.padEnd(5)} shop] ${text}`);
}

function value() {
  return random.chance(0.5) ? { plain: pick(NUMBERS) } : { text: pick(TEXTS) };
}

/** `beside`: it cannot be drawn inside the span around it. */
function start(task, parent, name, { beside = false, fields = {}, spawnedBy } = {}) {
  const args = name.includes('#') ? { arg_0: value(), arg_1: { plain: 'true' } } : {};
  const own = { ...fields, ...(parent?.fields ?? {}) };
  const span = { id: nextSpan++, name, task: task.id, parent: parent?.id ?? 0, start: now, end: null, outcome: null,
    thread: task.thread, beside, fields: own, args: valueOf({ ...args, ...own }) };
  const keys = [`span_id=${span.id}`];
  if (parent) keys.push(`span_parent=${parent.id}`);
  keys.push(`span_at=${seconds(now)}`);
  if (spawnedBy !== undefined) {
    span.args.task_parent_id = String(spawnedBy);
    span.args.spawn_line = 'src/main.rs:12';
    keys.push(`task_parent_id=${spawnedBy}`, 'spawn_line=src/main.rs:12');
  }
  if (!parent) keys.push(`process_id=${since}`);
  line('TRACE', `${name}${pairs(args)}, span_mark=start${pairs(own)}, ${keys.join(', ')}, task_id=${task.id}, thread_id=${task.thread}`);
  spans.push(span);
  return span;
}

function end(task, span, outcome = pick(OUTCOMES)) {
  span.end = now;
  span.outcome = outcome;
  const word = outcome ? `, span_outcome=${outcome}` : '';
  line('TRACE', `${span.name}, span_mark=end${pairs(span.fields)}, span_id=${span.id}, span_elapsed=${seconds(now - span.start)}${word}, task_id=${task.id}, thread_id=${task.thread}`);
}

function event(task, span) {
  const own = { bytes: value(), ...(random.chance(0.1) ? { level: { plain: '3' } } : {}) };
  const all = { ...own, ...span.fields };
  const level = pick(['INFO', 'WARN', 'ERROR', 'DEBUG']);
  const message = pick(['found', 'said "no"', 'half\ttab', `user ${events.length % 50} came`]);
  events.push({ span: span.id, at: now, level, message, task: task.id, args: valueOf(all) });
  const written = message.replace('\t', '\\u{9}');
  line(level, `${written}${pairs(all)}, span_id=${span.id}, task_id=${task.id}, thread_id=${task.thread}`);
}

/** One span with what happens in it. */
function* work(task, parent, depth, how = {}) {
  const name = random.chance(0.3) ? `load ${random.below(40)}` : pick(NAMES);
  const fields = random.chance(0.2) ? { user: value() } : {};
  const span = start(task, parent, name, { ...how, fields });
  const kind = depth > 6 ? 9 : random.below(16);
  if (kind === 0) {
    // Without length; what is in it has none either.
    if (random.chance(0.3)) {
      end(task, start(task, span, 'nothing in nothing'), null);
    }
    end(task, span, null);
    tick();
    yield;
    return;
  }
  if (kind === 1) {
    // One begins with it, and perhaps ends with it.
    const inner = start(task, span, 'at once');
    tick();
    yield;
    end(task, inner);
    if (random.chance(0.5)) tick();
    end(task, span);
    tick();
    yield;
    return;
  }
  tick();
  yield;
  if (random.chance(0.3)) {
    event(task, span);
    tick();
  }
  if (kind < 5) {
    for (let n = random.below(3) + 1; n > 0; n--) yield* work(task, span, depth + 1);
  } else if (kind < 7) {
    yield* join(task, span, depth + 1);
  } else if (kind === 7) {
    yield* outlived(task, span);
    return;
  } else if (kind === 8 && random.chance(0.1)) {
    spawn(task, span);
  }
  // Some end with the last span in them, and some begin when the one before ends.
  if (random.chance(0.8)) tick();
  end(task, span);
  if (random.chance(0.1)) return;
  tick();
  yield;
}

/** Arms that overlap: the first is inside, the others are beside it. */
function* join(task, parent, depth) {
  const arms = [];
  for (let n = 2 + random.below(2); n > 0; n--) {
    arms.push(arm(task, parent, arms.length > 0, depth));
  }
  // Each begins before the first ends.
  arms.forEach((arm) => arm.next());
  while (arms.length > 0) {
    const at = random.below(arms.length);
    if (arms[at].next().done) arms.splice(at, 1);
    yield;
  }
}

function* arm(task, parent, beside, depth) {
  const span = start(task, parent, 'arm', { beside });
  tick();
  yield;
  for (let n = random.below(2); n > 0; n--) {
    yield* work(task, span, depth + 3);
  }
  tick();
  end(task, span);
  tick();
}

/** A child that is still open when the span around it ends: it goes to another lane, with what is
 *  open in it; what had ended stays. */
function* outlived(task, span) {
  const child = start(task, span, 'outlives');
  tick();
  yield;
  const before = start(task, child, 'had ended');
  tick();
  end(task, before);
  tick();
  const inner = start(task, child, 'still open');
  tick();
  end(task, span, 'cancelled');
  child.beside = true;
  before.stays = span.id;
  tick();
  yield;
  end(task, inner);
  tick();
  end(task, child);
  tick();
}

function spawn(task, span) {
  const made = { id: nextTask++, thread: 1 + random.below(4), waits: random.below(6) };
  made.steps = root(made, task, span);
  tasks.push(made);
}

const TASKS = ['server::connection', 'worker', 'task', 'job "x"'];

function* root(task, spawner, span) {
  for (let n = task.waits; n > 0; n--) yield;
  const name = pick(TASKS);
  task.name = name;
  const own = start(task, span, name, { spawnedBy: spawner?.id ?? 0 });
  own.isTask = true;
  if (span) flows.push([span.id, own.id]);
  tick();
  yield;
  for (let n = 1 + random.below(300); n > 0; n--) {
    yield* work(task, own, 1);
  }
  if (random.chance(0.3)) event(task, own);
  tick();
  end(task, own);
}

/** What is in no task. */
function* thread(task) {
  for (;;) yield* work(task, undefined, 2);
}

const threads = [1, 3].map((number) => ({ id: 0, thread: number }));
threads.forEach((task) => { task.steps = thread(task); tasks.push(task); });
while (nextSpan < SPANS) {
  if (tasks.length < 40) {
    const made = { id: nextTask++, thread: 1 + random.below(4), waits: 0 };
    made.steps = root(made, undefined, undefined);
    tasks.push(made);
  }
  const at = random.below(tasks.length);
  if (tasks[at].steps.next().done) tasks.splice(at, 1);
  // Two tasks never do anything at the same time, so that their order is known.
  tick();
}

const [log, truth] = process.argv.slice(2);
fs.writeFileSync(log, lines.join('\n') + '\n');
const names = Object.fromEntries(spans.filter((span) => span.isTask).map((span) => [span.task, span.name]));
const plain = (_, value) => (typeof value === 'bigint' ? String(value) : value);
fs.writeFileSync(truth, JSON.stringify({ pid: PID, spans, events, flows, names }, plain));
console.log(`${spans.length} spans, ${spans.filter((span) => span.end === null).length} of them open, ${events.length} records, ${flows.length} spawns`);
