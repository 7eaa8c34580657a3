// Checks that are counted. CHECKS names the ones that are wanted, all if it is not set.
import { isDeepStrictEqual, inspect } from 'node:util';

let passed = 0;
let failed = 0;

export function same(found, wanted, what = '') {
  if (!isDeepStrictEqual(found, wanted)) {
    const say = (value) => inspect(value, { breakLength: Infinity }).slice(0, 400);
    throw Error(`${say(found)} should be ${say(wanted)}${what && `, of ${say(what)}`}`);
  }
}

export function check(name, run) {
  try {
    run();
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}: ${error.message}`);
  }
}

export function conclude() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
