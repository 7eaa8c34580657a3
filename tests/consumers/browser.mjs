// What chrome://tracing's viewer and speedscope make of a Chrome trace, compared with what the program
// did. Both run in Chromium, without a window and without a network.
//
//   node browser.mjs CHROMIUM VIEWER_HTML SPEEDSCOPE_FOLDER TRACE TRUTH
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import puppeteer from 'puppeteer-core';
import { check, conclude, same } from './check.mjs';

const [chromium, viewer, speedscope, trace, truthFile] = process.argv.slice(2);
const truth = JSON.parse(fs.readFileSync(truthFile));
const text = fs.readFileSync(trace, 'utf8');
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'consumers-'));

const server = http.createServer((request, response) => {
  const name = decodeURIComponent(request.url.split(/[?#]/)[0]);
  const folders = [speedscope, path.dirname(viewer)];
  const files = name === '/trace.json' ? [trace] : folders.map((folder) => path.join(folder, path.basename(name)));
  const file = files.find((file) => fs.existsSync(file) && fs.statSync(file).isFile());
  if (!file) return response.writeHead(404).end();
  const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm' };
  response.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'application/octet-stream' });
  fs.createReadStream(file).pipe(response);
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const site = `http://127.0.0.1:${server.address().port}`;
const browser = await puppeteer.launch({
  executablePath: chromium,
  protocolTimeout: 240_000,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});

async function page(url) {
  const opened = await browser.newPage();
  const said = [];
  opened.on('console', (message) => said.push(message.text()));
  opened.on('pageerror', (error) => said.push(error.message));
  await opened.goto(url);
  return { opened, said };
}

/** The model that the viewer makes. It draws a row of HTML for each track, so that is left out. */
async function inViewer() {
  const { opened } = await page(`${site}/${path.basename(viewer)}`);
  const model = await opened.evaluate(async () => {
    const model = new tr.Model();
    const lines = await (await fetch('/trace.json')).text();
    new tr.importer.Import(model).importTraces([lines]);
    const threads = Object.values(model.processes).flatMap((process) => Object.values(process.threads));
    const span = (slice) => slice?.args.span_id ?? 0;
    return {
      warnings: model.importWarnings.map((warning) => warning.message),
      threads: threads.map((thread) => thread.name),
      slices: threads.flatMap((thread) => thread.sliceGroup.slices.map((slice) => ({
        category: slice.category, name: slice.title, args: slice.args, start: slice.start, dur: slice.duration,
        isOpen: slice.didNotFinish ?? false, around: span(slice.parentSlice), track: thread.name,
      }))),
      flows: model.flowEvents.map((flow) => `${span(flow.startSlice)} ${span(flow.endSlice)}`),
    };
  });
  await opened.close();
  return model;
}

/** What speedscope saves of what it read. */
async function inSpeedscope() {
  const { opened, said } = await page('about:blank');
  const client = await opened.createCDPSession();
  await client.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: scratch, eventsEnabled: true });
  const saved = new Promise((done) => client.on('Browser.downloadProgress', ({ state }) => state === 'completed' && done()));
  await opened.goto(`${site}/index.html#profileURL=${encodeURIComponent(`${site}/trace.json`)}&title=trace`);
  await opened.waitForFunction(() => document.querySelector('canvas'), { timeout: 120_000 });
  await opened.keyboard.press('e');
  await saved;
  const [file] = fs.readdirSync(scratch);
  await opened.close();
  return { said, ...JSON.parse(fs.readFileSync(path.join(scratch, file))) };
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
check('viewer: every slice is in the slice of the span around it', () => drawn.forEach((slice) => {
  const span = spans.get(slice.args.span_id);
  const isRoot = span.isTask || span.beside || span.parent === 0;
  same(slice.around, isRoot ? 0 : span.stays ?? span.parent, span);
}));
check('viewer: open is what never ended', () => drawn.forEach((slice) => {
  const span = spans.get(slice.args.span_id);
  same(slice.isOpen, span.end === null, span);
  // Milliseconds, as a double.
  if (span.end !== null) same(Math.round(slice.dur * 1e6), Number(BigInt(span.end) - BigInt(span.start)), span);
}));
check('viewer: records are in the slice of their span', () => {
  model.slices.filter((slice) => slice.category !== 'span').forEach((slice) => same(slice.around, slice.args.span_id, slice));
});
check('viewer: arrows', () => same(model.flows.sort(), truth.flows.map((flow) => flow.join(' ')).sort()));

const read = await inSpeedscope();
check('speedscope: complains of nothing', () => same(read.said, []));
check('speedscope: a profile for each track', () => {
  same(read.profiles.length, new Set(drawn.map((slice) => slice.track)).size);
});
check('speedscope: a frame for each span', () => {
  const opened = read.profiles.flatMap((profile) => profile.events).filter((event) => event.type === 'O');
  same(opened.length, truth.spans.length);
});
check('speedscope: every frame closes in order', () => read.profiles.forEach((profile) => {
  const stack = [];
  for (const event of profile.events) {
    if (event.type === 'O') stack.push(event.frame);
    else same(stack.pop(), event.frame, profile.name);
  }
}));
await browser.close();
server.close();
fs.rmSync(scratch, { recursive: true });
conclude();
