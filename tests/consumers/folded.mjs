// The folded stacks, compared with what the program did.
//
//   node folded.mjs FOLDED EXACT TRUTH      EXACT: the same with --exact
import fs from 'node:fs';
import { check, conclude, same } from './check.mjs';

const [foldedFile, exactFile, truthFile] = process.argv.slice(2);
const truth = JSON.parse(fs.readFileSync(truthFile));
const lines = (file) => fs.readFileSync(file, 'utf8').replace(/\n$/, '').split('\n');
const folded = lines(foldedFile);
const exact = lines(exactFile);

const spans = new Map(truth.spans.map((span) => [span.id, span]));
const times = [...truth.spans.flatMap((span) => [span.start, span.end ?? span.start]), ...truth.events.map((event) => event.at)];
const last = times.map(BigInt).reduce((a, b) => (a > b ? a : b));
const endOf = (span) => (span.end === null ? last : BigInt(span.end));
const isInside = (span) => span.parent !== 0 && !span.isTask;

/** The time of each span in which none of the spans inside it was open. */
function selfTimes() {
  const self = new Map();
  const inside = new Map(truth.spans.map((span) => [span.id, []]));
  truth.spans.filter(isInside).forEach((span) => inside.get(span.parent).push(span));
  for (const span of truth.spans) {
    let time = 0n;
    let at = BigInt(span.start);
    for (const child of inside.get(span.id)) {
      const [from, to] = [BigInt(child.start), endOf(child)];
      if (from > at) time += from - at;
      if (to > at) at = to;
    }
    if (endOf(span) > at) time += endOf(span) - at;
    self.set(span.id, time);
  }
  return self;
}

const frame = (name) => name.replaceAll(';', ',').replace(/\p{Cc}/gu, ' ');
const stackOf = (span) => (isInside(span) ? `${stackOf(spans.get(span.parent))};` : '') + frame(span.name);
const self = selfTimes();
const stacks = new Map();
for (const span of truth.spans) {
  const stack = stackOf(span);
  stacks.set(stack, (stacks.get(stack) ?? 0n) + self.get(span.id));
}
const wanted = [...stacks].filter(([, time]) => time > 0n).map(([stack, time]) => `${stack} ${time}`);
const sum = (lines) => lines.reduce((sum, line) => sum + BigInt(/ (\d+)$/.exec(line)?.[1] ?? 0), 0n);
const sorted = (lines) => [...lines].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

check('folded: each line is a stack and a whole number of nanoseconds', () => {
  folded.concat(exact).forEach((line) => same(/^[^;\p{Cc}]+(;[^;\p{Cc}]+)* [1-9]\d*$/u.test(line), true, line));
});
check('folded: the lines are sorted, no stack is there twice', () => [folded, exact].forEach((lines) => {
  same(sorted(lines).findIndex((line, n) => line !== lines[n]), -1);
  const stacks = lines.map((line) => line.replace(/ \d+$/, ''));
  same(new Set(stacks).size, stacks.length);
}));
check('folded: the sum is the self time of all spans', () => {
  same(sum(folded), [...self.values()].reduce((a, b) => a + b));
});
check('folded: names that differ in numbers are one frame', () => {
  same(folded.filter((line) => /(^|;)load \d/.test(line)), []);
  same(folded.some((line) => /(^|;)load #[; ]/.test(line)), true);
});
check('folded: with --exact each stack has its self time', () => {
  const want = sorted(wanted);
  same(exact.find((line, n) => line !== want[n]), want.find((line, n) => line !== exact[n]));
  same(exact.length, want.length);
});
conclude();
