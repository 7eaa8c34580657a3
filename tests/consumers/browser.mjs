// What chrome://tracing's viewer and speedscope make of a Chrome trace, compared with what the program
// did. Both run in Chromium, without a window and without a network.
//
//   node browser.mjs CHROMIUM WEB_DIST SPEEDSCOPE_FOLDER TRACE TRUTH
//
// What is in what, and where arrows go, is left to Perfetto's trace processor.
import fs from 'node:fs';
import path from 'node:path';
import { check, conclude, same } from './check.mjs';
import { launch, serve } from './browse.mjs';

const [chromium, folder, speedscope, trace, truthFile] = process.argv.slice(2);
const truth = JSON.parse(fs.readFileSync(truthFile));
const { site, server } = await serve(path.parse(folder).root);
const browser = await launch(chromium);

async function page(file) {
  const opened = await browser.newPage();
  const said = [];
  opened.on('console', (message) => said.push(message.text()));
  opened.on('pageerror', (error) => said.push(error.message));
  await opened.goto(site + file);
  return { opened, said };
}

/** The model that the viewer makes. It draws a row of HTML for each track, so that is left out. */
async function inViewer() {
  const { opened } = await page(`${folder}/assets/catapult_trace_viewer.html`);
  const model = await opened.evaluate(async (url) => {
    const model = new tr.Model();
    const text = await (await fetch(url)).text();
    new tr.importer.Import(model).importTraces([text]);
    const threads = Object.values(model.processes).flatMap((process) => Object.values(process.threads));
    // A text is handed over at once, an object value by value.
    return JSON.stringify({
      warnings: model.importWarnings.map((warning) => warning.message),
      slices: threads.flatMap((thread) => thread.sliceGroup.slices.map((slice) => ({
        category: slice.category, name: slice.title, args: slice.args, dur: slice.duration,
        isOpen: slice.didNotFinish ?? false, track: thread.name,
      }))),
    });
  }, site + trace);
  await opened.close();
  return JSON.parse(model);
}

/** What speedscope says and shows of it. */
async function inSpeedscope() {
  const { opened, said } = await page(`${speedscope}/index.html#profileURL=${encodeURIComponent(site + trace)}`);
  await opened.waitForFunction(() => /\(1\/\d+\)/.test(document.body.innerText), { timeout: 100_000, polling: 500 });
  const text = await opened.evaluate(() => document.body.innerText);
  // The next profile, by its key.
  await opened.keyboard.press('n');
  await opened.waitForFunction(() => /\(2\/\d+\)/.test(document.body.innerText), { timeout: 30_000, polling: 500 });
  const next = await opened.evaluate(() => document.body.innerText);
  await opened.close();
  return { said, text, next };
}

const spans = new Map(truth.spans.map((span) => [span.id, span]));
const model = await inViewer();
const drawn = model.slices.filter((slice) => slice.category === 'span');
check('viewer: no import warnings', () => same(model.warnings, []));
check('viewer: every span is one slice, every record one', () => {
  same(drawn.length, truth.spans.length);
  same(new Set(drawn.map((slice) => slice.args.span_id)).size, truth.spans.length);
  same(model.slices.length - drawn.length, truth.events.length);
});
check('viewer: names and arguments', () => drawn.forEach((slice) => {
  const span = spans.get(slice.args.span_id);
  same(slice.name, span.name);
  for (const [key, value] of Object.entries(span.args)) same(String(slice.args[key]), value, span);
  same(slice.args.span_outcome ?? null, span.outcome, span);
}));
check('viewer: open is what never ended', () => drawn.forEach((slice) => {
  const span = spans.get(slice.args.span_id);
  same(slice.isOpen, span.end === null, span);
  // Milliseconds, as a double.
  if (span.end !== null) same(Math.round(slice.dur * 1e6), Number(BigInt(span.end) - BigInt(span.start)), span);
}));

const read = await inSpeedscope();
// What it always says, and what the browser says of drawing without a graphics card.
const USUAL = /^(speedscope v|WebGL initialized|Importing as Trace Event Format|import: )|GL Driver Message|software WebGL/;
// It counts times from the first one, so that for it a span may end a little after the next begins that
// begins when it ends: there it takes what ends first for what ends last. And it says what never ended.
const TIE = /^ts=[\d.]+: Tried to end /s;
const OPEN = /^Frame .* was still open at end of profile/s;
check('speedscope: complains of nothing but ties and what is open', () => {
  same(read.said.filter((said) => ![USUAL, TIE, OPEN].some((known) => known.test(said))), []);
});
check('speedscope: a profile for each track', () => {
  same(Number(/\(1\/(\d+)\)/.exec(read.text)[1]), new Set(drawn.map((slice) => slice.track)).size);
});
check('speedscope: names the process and the tracks', () => [read.text, read.next].forEach((text) => {
  same(text.includes(`process ${truth.pid}`), true, text);
  same(drawn.some((slice) => text.includes(slice.track)), true, text);
}));
await browser.close();
server.close();
conclude();
