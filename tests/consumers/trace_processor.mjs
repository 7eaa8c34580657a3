// Perfetto's own trace processor, run in Node: the wasm that its UI runs in a worker of the browser.
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { MessageChannel } from 'node:worker_threads';
import protobuf from 'protobufjs';

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Stream { repeated Rpc msg = 1; }
  message Rpc {
    int64 seq = 1; int32 request = 2; int32 response = 3; string fatal = 5;
    bytes trace = 101; Sql sql = 103; Appended appended = 201; Rows rows = 203; Finalized finalized = 209;
  }
  message Sql { string query = 1; }
  message Appended { int64 parsed = 1; string error = 2; }
  message Finalized { string error = 1; }
  message Rows { repeated string columns = 1; string error = 2; repeated Batch batch = 3; }
  message Batch {
    repeated int32 cells = 1; repeated int64 ints = 2; repeated double floats = 3;
    repeated bytes blobs = 4; string strings = 5; bool last = 6;
  }`);
const Stream = root.lookupType('Stream');
const APPEND = 1;
const FINALIZE = 2;
const QUERY = 3;

/** Starts the engine; gives the port that it talks on. One is enough for a process. */
function boot(folder) {
  const read = (url) => {
    const { buffer, byteOffset, byteLength } = fs.readFileSync(path.join(folder, path.basename(url)));
    return buffer.slice(byteOffset, byteOffset + byteLength);
  };
  // What the bundle finds in a worker.
  Object.assign(globalThis, {
    self: globalThis,
    location: { href: `file://${folder}/engine_bundle.js` },
    WorkerGlobalScope: Function,
    importScripts() {},
    XMLHttpRequest: class {
      open(_, url) { this.url = url; }
      send() { this.status = 200; this.response = read(this.url); }
    },
  });
  // It refuses to run where it sees Node, and says on the console what is in the stats anyway.
  const node = globalThis.process;
  console.warn = () => {};
  globalThis.process = undefined;
  vm.runInThisContext(fs.readFileSync(path.join(folder, 'engine_bundle.js'), 'utf8'));
  globalThis.process = node;
  const { port1: ours, port2: its } = new MessageChannel();
  globalThis.onmessage({
    data: {
      set onmessage(take) { its.on('message', (data) => take({ data })); },
      postMessage: (bytes) => its.postMessage(bytes),
    },
  });
  return ours;
}

/** Opens a trace; `sql` gives rows as objects. */
export async function open(folder, trace) {
  const port = boot(folder);
  let waiting;
  port.on('message', (bytes) => {
    for (const rpc of Stream.decode(new Uint8Array(bytes)).msg) waiting?.(rpc);
  });
  let seq = 0;
  const call = (request, more, take) => new Promise((resolve, reject) => {
    waiting = (rpc) => {
      const error = rpc.fatal || rpc.appended?.error || rpc.finalized?.error || rpc.rows?.error;
      if (error) reject(Error(error));
      else if (take(rpc)) resolve();
    };
    port.postMessage(Stream.encode({ msg: [{ seq: seq++, request, ...more }] }).finish());
  });
  const bytes = fs.readFileSync(trace);
  for (let at = 0; at < bytes.length; at += 1 << 20) {
    await call(APPEND, { trace: bytes.subarray(at, at + (1 << 20)) }, () => true);
  }
  await call(FINALIZE, {}, () => true);
  return {
    close: () => port.close(),
    async sql(query) {
      let columns = [];
      const cells = [];
      await call(QUERY, { sql: { query } }, ({ rows }) => {
        if (rows.columns.length) columns = rows.columns;
        for (const batch of rows.batch) {
          const strings = batch.strings.split('\0')[Symbol.iterator]();
          const ints = batch.ints[Symbol.iterator]();
          const floats = batch.floats[Symbol.iterator]();
          for (const kind of batch.cells) {
            const from = { 2: ints, 3: floats, 4: strings }[kind];
            cells.push(from ? from.next().value : null);
          }
        }
        return rows.batch.at(-1)?.last;
      });
      const found = [];
      for (let at = 0; at < cells.length; at += columns.length) {
        found.push(Object.fromEntries(columns.map((column, n) => [column, plain(cells[at + n])])));
      }
      return found;
    },
  };
}

const plain = (cell) => (protobuf.util.Long?.isLong(cell) ? cell.toNumber() : cell);
