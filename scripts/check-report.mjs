// Opens reports in a headless Chromium, at two widths, light and dark, and looks for what a reader would stumble over:
//
//   node scripts/check-report.mjs [FILE...] [--screenshots FOLDER]
//
// errors on the console, anything that is fetched, a page wider than the screen, a text of a drawing that lies on another one
// or outside of its drawing, a chart without named axes and units, an image without a title. Without FILE it makes reports of small
// networks (needs a build) and checks these. Needs Chromium (Debian's package `chromium`).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startBrowser } from './lib/browser.mjs';
import { makeReports } from './lib/sample_reports.mjs';
import { Failure, isMain, runMain } from './lib/util.mjs';

const widths = [1280, 400];
const schemes = ['light', 'dark'];

/** Runs in the page; returns problems as texts. */
function findProblems() {
  const problems = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    problems.push(`the page is ${root.scrollWidth} wide on a screen of ${root.clientWidth}`);
    for (const element of document.querySelectorAll('main *')) {
      const { right } = element.getBoundingClientRect();
      if (right <= root.clientWidth + 1 || element.closest('.scroll') || element.closest('svg svg')) continue;
      problems.push(
        `  <${element.tagName.toLowerCase()} class="${element.getAttribute('class') ?? ''}"> reaches to ${Math.round(right)}`,
      );
      if (problems.length > 6) break;
    }
  }
  for (const element of document.querySelectorAll('p, h1, h2, h3, figcaption, td, th')) {
    if (
      element.scrollWidth > element.clientWidth + 1 &&
      element.clientWidth > 0 &&
      getComputedStyle(element).display !== 'inline'
    )
      problems.push(`a text is cut or runs over: '${element.textContent.slice(0, 60)}'`);
  }
  const drawings = [...document.querySelectorAll('svg')].filter((svg) => svg.getBoundingClientRect().width > 0);
  if (drawings.length === 0) problems.push('there is no drawing');
  for (const svg of drawings) {
    const title = svg.querySelector(':scope > title')?.textContent ?? '';
    const name = `'${title || '?'}'`;
    if (title === '') problems.push('a drawing has no title');
    if (!svg.querySelector(':scope > desc')?.textContent) problems.push(`${name} has no description`);
    if (svg.getAttribute('role') !== 'img') problems.push(`${name} has no role`);
    const axes = [...svg.querySelectorAll('[data-axis]')];
    const kinds = new Set(axes.map((axis) => axis.dataset.axis));
    if (!kinds.has('x')) problems.push(`${name} has no named x axis`);
    if (!kinds.has('y') && !svg.querySelector('[data-rows]')) problems.push(`${name} has no named y axis`);
    for (const axis of axes) {
      if (!axis.dataset.unit || !axis.textContent.includes(axis.dataset.unit))
        problems.push(`${name}: the axis '${axis.textContent}' has no unit`);
    }
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].map((element) => {
      // Of a slanted text the corners count, not the upright box around it.
      const box = element.getBBox();
      const matrix = element.getScreenCTM();
      const corners = [
        [box.x, box.y + 0.15 * box.height],
        [box.x + box.width, box.y + 0.15 * box.height],
        [box.x + box.width, box.y + 0.85 * box.height],
        [box.x, box.y + 0.85 * box.height],
      ].map(([x, y]) => [matrix.a * x + matrix.c * y + matrix.e, matrix.b * x + matrix.d * y + matrix.f]);
      return { text: element.textContent, corners };
    });
    for (const { text, corners } of texts) {
      const isOutside = corners.some(
        ([x, y]) => x < frame.left - 1 || x > frame.right + 1 || y < frame.top - 1 || y > frame.bottom + 1,
      );
      if (isOutside) problems.push(`${name}: the text '${text}' is not inside`);
      if (text.trim() === '') problems.push(`${name}: a text is empty`);
    }
    // Two convex shapes are apart where a side of one of them has the other wholly beyond it.
    const isApart = (a, b) =>
      [a, b].some((shape) =>
        shape.some(([x1, y1], i) => {
          const [x2, y2] = shape[(i + 1) % shape.length];
          const side = ([x, y]) => (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1);
          const other = shape === a ? b : a;
          return other.every((point) => side(point) <= 0.5);
        }),
      );
    for (let i = 0; i < texts.length; i++) {
      for (let k = i + 1; k < texts.length; k++) {
        if (!isApart(texts[i].corners, texts[k].corners))
          problems.push(`${name}: '${texts[i].text}' and '${texts[k].text}' overlap`);
      }
    }
  }
  return problems;
}

/** What a browser must not do for a report, and what it complains of. */
function complaintOf({ method, params }, url) {
  if (method === 'Runtime.exceptionThrown') return `an error: ${params.exceptionDetails.text}`;
  if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(params.type))
    return `the console says: ${params.args.map(({ value }) => value).join(' ')}`;
  if (method === 'Log.entryAdded' && ['error', 'warning'].includes(params.entry.level))
    return `the console says: ${params.entry.text}`;
  if (method === 'Network.requestWillBeSent' && params.request.url !== url && !params.request.url.startsWith('data:'))
    return `it fetches ${params.request.url}`;
  return undefined;
}

async function checkFile(browser, watch, file, screenshots) {
  const url = pathToFileURL(resolve(file)).href;
  const problems = [];
  const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
  const send = (method, parameters) => browser.send(method, parameters, sessionId);
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);
  for (const width of widths) {
    for (const scheme of schemes) {
      const where = `${basename(file)}, ${width} px, ${scheme}`;
      await send('Emulation.setDeviceMetricsOverride', {
        width,
        height: 900,
        deviceScaleFactor: 1,
        mobile: width < 600,
      });
      await send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
      let loaded;
      const isLoaded = new Promise((done) => {
        loaded = done;
      });
      watch.current = (message) => {
        if (message.sessionId !== sessionId) return;
        if (message.method === 'Page.loadEventFired') loaded();
        const complaint = complaintOf(message, url);
        if (complaint !== undefined) problems.push(`${where}: ${complaint}`);
      };
      const { errorText } = await send('Page.navigate', { url });
      if (errorText) throw new Failure(`${file}: ${errorText}`);
      await isLoaded;
      const { result, exceptionDetails } = await send('Runtime.evaluate', {
        expression: `document.fonts.ready.then(() => (${findProblems})())`,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails)
        throw new Failure(`${where}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
      problems.push(...result.value.map((problem) => `${where}: ${problem}`));
      if (screenshots !== undefined) await screenshot(send, screenshots, basename(file, '.html'), width, scheme);
    }
  }
  watch.current = () => {};
  await browser.send('Target.closeTarget', { targetId });
  return problems;
}

/** Runs in the page: its head and its sections, those that have parts cut before the first one. */
function findPieces() {
  const pieces = [];
  let from = 0;
  const cut = (name, to) => {
    if (to > from) pieces.push({ name, y: from, height: to - from });
    from = to;
  };
  const slug = (text) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 40);
  let name = 'head';
  for (const section of document.querySelectorAll('main section')) {
    cut(name, Math.floor(section.getBoundingClientRect().top + scrollY - 14));
    name = slug(section.querySelector('h2, h3').textContent);
  }
  cut(name, document.documentElement.scrollHeight);
  return pieces;
}

/** One picture for each section: NUMBER-SECTION-WIDTH-SCHEME.png behind the report's name. */
async function screenshot(send, folder, name, width, scheme) {
  const { result } = await send('Runtime.evaluate', { expression: `(${findPieces})()`, returnByValue: true });
  for (const [i, { name: section, y, height }] of result.value.entries()) {
    const clip = { x: 0, y, width, height: Math.min(height, 16_000), scale: 1 };
    const { data } = await send('Page.captureScreenshot', { format: 'png', clip, captureBeyondViewport: true });
    const number = String(i).padStart(2, '0');
    writeFileSync(join(folder, `${name}-${number}-${section}-${width}-${scheme}.png`), Buffer.from(data, 'base64'));
  }
}

/** The problems of all files, as texts; none where all is well. */
export async function checkReports(files, screenshots) {
  if (screenshots !== undefined) mkdirSync(screenshots, { recursive: true });
  const watch = { current: () => {} };
  const browser = await startBrowser((message) => watch.current(message));
  try {
    const problems = [];
    for (const file of files) problems.push(...(await checkFile(browser, watch, file, screenshots)));
    return problems;
  } finally {
    await browser.close();
  }
}

async function main() {
  const args = process.argv.slice(2);
  const at = args.indexOf('--screenshots');
  const [, screenshots] = at < 0 ? [] : args.splice(at, 2);
  if (at >= 0 && screenshots === undefined) throw new Failure('--screenshots needs a folder');
  const unknown = args.find((word) => word.startsWith('-'));
  if (unknown !== undefined) throw new Failure(`unknown option ${unknown}; there is --screenshots FOLDER`);
  const folder = args.length === 0 ? mkdtempSync(join(tmpdir(), 'setnet-reports-')) : undefined;
  try {
    const files = folder === undefined ? args : await makeReports(folder);
    const problems = await checkReports(files, screenshots);
    if (problems.length > 0) throw new Failure(`reports:\n  ${problems.join('\n  ')}`);
    console.log(`reports: ${files.length} checked at ${widths.join(' and ')} px, ${schemes.join(' and ')}`);
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) runMain(main);
