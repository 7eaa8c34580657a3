// Takes a picture of a trace in Perfetto's UI.
//
//   node screenshot.mjs CHROMIUM WEB_DIST TRACE PICTURE
import { launch, serve } from './browse.mjs';

const [chromium, folder, trace, picture] = process.argv.slice(2);
const { site, server } = await serve(folder);
const browser = await launch(chromium);
const page = await browser.newPage();
page.on('pageerror', (error) => console.error(error.message));
await page.setViewport({ width: 1400, height: 800 });
await page.goto(`${site}/index.html#!/viewer?hideSidebar=true`, { waitUntil: 'domcontentloaded' });
const input = await page.waitForSelector('input[type=file]', { timeout: 60_000 });
await input.uploadFile(trace);
await page.waitForSelector('.pf-track', { timeout: 60_000 });
// It is drawn piece by piece, and says nowhere that it is done.
const settle = () => new Promise((done) => setTimeout(done, 4000));
await settle();
// The process, the tasks, and the tasks of each name.
const COLLAPSED = 'expand_more';
for (let depth = 0; depth < 3; depth++) {
  await page.evaluate((collapsed) => {
    const all = [...document.querySelectorAll('.pf-track__collapse-button')].slice(1);
    all.filter((button) => button.innerText.includes(collapsed)).forEach((button) => button.click());
  }, COLLAPSED);
  await settle();
}
// Most happens in the first part: what the overview ends with is drawn there.
const [END, TO, OVERVIEW] = [1398, 70, 80];
await page.mouse.move(END, OVERVIEW);
await page.mouse.down();
await page.mouse.move(TO, OVERVIEW, { steps: 20 });
await page.mouse.up();
await page.mouse.move(1390, 700);
await settle();
await page.screenshot({ path: picture });
await browser.close();
server.close();
