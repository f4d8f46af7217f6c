// The run of everything: each benchmark in a process of its own (none inherits another's memory, threads or failure), one
// after the other, and the report of all their figures.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../scripts/lib/util.mjs';
import { measureCeilings } from './ceilings.mjs';
import { withFallbacks } from './options.mjs';
import { htmlPage, markdownPage, parseFigure } from './page.mjs';
import { installPeers } from './peers.mjs';
import { headline, printTable } from './report.mjs';

/** `given`: the options of the command line. Resolves with the exit code. */
export async function runAll({ modules, given, script }) {
  const options = withFallbacks(given, {});
  const start = Date.now();
  const scratch = join(root, 'build-bench');
  mkdirSync(scratch, { recursive: true });
  const load = loadavg()[0];
  // Before anything is measured: an installation beside a measurement would disturb it.
  const missing = await installPeers();
  if (missing) console.log(`the JavaScript peers are absent: ${missing}`);
  const ceilings = join(scratch, 'ceilings.json');
  writeFileSync(ceilings, JSON.stringify(await measureCeilings({ quick: options.quick })));

  const lines = createWriteStream(join(scratch, 'figures.jsonl'));
  const sections = [];
  let exitCode = 0;
  for (const [name, module] of modules) {
    const section = { name, description: module.description, figures: [], charts: [] };
    sections.push(section);
    console.log(`\n${name}: ${module.description}`);
    section.notRun = module.reasonNotToRun?.(options);
    if (section.notRun !== undefined) {
      console.log(`  not run: ${section.notRun}`);
      continue;
    }
    const begun = Date.now();
    const args = [script, name, '--json', ...passedOn(given, module.options)];
    const code = await runChild(args, { SETNET_BENCH_CEILINGS: ceilings, SETNET_BENCH_PART: '1' }, (line) => {
      const figure = parseFigure(line);
      if (figure === undefined) return;
      section.figures.push(figure);
      lines.write(`${line}\n`);
    });
    printTable(section.figures);
    console.log(`  (${((Date.now() - begun) / 1000).toFixed(0)} s)`);
    if (code !== 0) {
      exitCode = Math.max(exitCode, code);
      section.notRun = `it ended with exit code ${code}; what it had measured before is below`;
    }
    section.charts = module.charts?.(section.figures) ?? [];
  }
  lines.end();
  const seconds = (Date.now() - start) / 1000;
  const paths = writeReport({ sections, options, seconds, load });
  console.log(`\n${paths.join(' and ')} written after ${(seconds / 60).toFixed(1)} minutes`);
  return exitCode;
}

function writeReport({ sections, options, seconds, load }) {
  const folder = options.out || join(root, 'docs');
  mkdirSync(folder, { recursive: true });
  const first = sections.flatMap(({ figures }) => figures)[0];
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const head = {
    title: `Benchmarks of setnet ${version}`,
    machine: first === undefined ? 'Nothing was measured.' : headline(first),
    lines: [
      `${options.quick ? 'A quick run (--quick): fewer repeats and smaller cases than a full one. ' : ''}${(seconds / 60).toFixed(1)} minutes; load average before it ${load.toFixed(2)}.`,
      'Values are medians of measurements taken in turns within one process; ratios are medians of the ratios of each turn. Ratios of one run compare, times of different machines do not.',
    ],
  };
  const paths = [join(folder, 'benchmarks.md'), join(folder, 'benchmarks.html')];
  writeFileSync(paths[0], markdownPage({ head, sections, html: 'benchmarks.html' }));
  writeFileSync(paths[1], htmlPage({ head, sections }));
  return paths;
}

/** The options given that this benchmark knows. */
function passedOn(given, spec) {
  const args = given.quick ? ['--quick'] : [];
  for (const name of Object.keys(spec)) if (given[name] !== undefined) args.push(`--${name}=${given[name]}`);
  return args;
}

function runChild(args, env, onLine) {
  return new Promise((done) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 2],
    });
    const reader = createInterface({ input: child.stdout });
    reader.on('line', onLine);
    let code = 1;
    child.on('error', (error) => {
      process.stderr.write(`${error.message}\n`);
      done(1);
    });
    child.on('exit', (exitCode) => {
      code = exitCode ?? 1;
    });
    reader.on('close', () =>
      child.exitCode === null && child.signalCode === null ? child.on('exit', () => done(code)) : done(code),
    );
  });
}
