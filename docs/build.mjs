// `npm run docs`: the guide and the reference as a site in docs/site/ that needs no network and no server: open
// docs/site/index.html. TypeDoc makes it from README.md, the pages listed here and the docstrings of lib/. Then the whole site is
// checked: every link leads to a page, a file and an anchor that are there, and nothing is loaded from elsewhere.
//
//   node docs/build.mjs [--out FOLDER]
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setupPackages } from '../scripts/setup.mjs';

// TypeDoc may have to be installed first.
await setupPackages();
const { Application, Comment, CommentTag, Converter, Renderer } = await import('typedoc');

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Every page, in the order of the navigation. Its title is its first heading. */
const pages = {
  Guide: [
    'docs/guide/install.md',
    'docs/guide/first-network.md',
    'docs/guide/your-data.md',
    'docs/guide/epsilon-and-zeta.md',
    'docs/guide/pictures.md',
    'docs/guide/sparse-or-dense.md',
    'docs/guide/large-data.md',
    'docs/command.md',
  ],
  Reference: ['docs/api.md', 'docs/errors.md', 'examples/README.md', 'CHANGELOG.md'],
  'Behind it': [
    'docs/how-it-works.md',
    'docs/performance.md',
    'docs/benchmarks.md',
    'bench/README.md',
    'docs/extending.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
  ],
};

/** Where an exported name stands in the navigation: by the module of lib/ that declares it, the first pattern that fits. */
const topics = [
  [
    'Networks and training',
    /^(network|definition|fit_options|training|checkpoint|stop_rule|weights|layer_view|presets)\.ts$/,
  ],
  ['Layers', /^(layers\/.*|sparse_layer\.ts)$/],
  ['Rules', /^rules\//],
  ['Data', /^(csr_matrix|data|batch_stream|sample_order|scaling|hold_out)\.ts$|^formats\//],
  ['Sessions and predictions', /^(session|prediction)\.ts$/],
  ['Reports', /^(write_)?report(\/|\.ts$)/],
  ['Errors and environment', /^(errors|build_info|devices)\.ts$/],
  ['Types', /./],
];

function categorise(reflection, category) {
  reflection.comment ??= new Comment();
  if (!reflection.comment.getTag('@category'))
    reflection.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: category }]));
}

/** A page's first heading becomes its title, which the theme shows, and leaves its text. */
function takeTitle(document) {
  const [first] = document.content;
  const title = /^\s*# (.+)\n/.exec(first.text);
  if (title === null) throw new Error(`${document.name}: a page begins with a heading`);
  document.name = title[1];
  first.text = first.text.slice(title[0].length);
}

async function build(out) {
  const app = await Application.bootstrap({
    entryPoints: [join(root, 'lib/index.ts')],
    tsconfig: join(root, 'tsconfig.json'),
    readme: join(root, 'README.md'),
    projectDocuments: Object.values(pages)
      .flat()
      .map((page) => join(root, page)),
    customCss: join(root, 'docs/site.css'),
    ...{ out, name: 'setnet', includeVersion: true, disableSources: true, hideGenerator: true, githubPages: false },
    ...{ includeHierarchySummary: false, excludePrivate: true, router: 'kind', alwaysCreateEntryPointModule: false },
    // A type that says no more than 'a code of the table'.
    intentionallyNotExported: ['codes'],
    navigation: { includeCategories: true, includeGroups: false },
    ...{ categorizeByGroup: false, categoryOrder: [...Object.keys(pages), ...topics.map(([name]) => name)] },
    // As they stand: pages as listed above, names as lib/index.ts has them.
    ...{ sort: [], headings: { readme: true, document: true }, searchInDocuments: true },
    // Anchors as GitHub makes them, so that links work in both.
    sluggerConfiguration: { lowercase: true },
    highlightLanguages: ['bash', 'cpp', 'csv', 'diff', 'javascript', 'json', 'text', 'typescript', 'sh', 'ts', 'js'],
    validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: true, rewrittenLink: true },
  });
  const category = new Map(
    Object.entries(pages).flatMap(([name, list]) => list.map((page) => [readTitle(page), name])),
  );
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    takeTitle(document);
    categorise(document, category.get(document.name));
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    for (const child of context.project.children ?? []) {
      const file = context.getSymbolFromReflection(child)?.declarations?.[0].getSourceFile().fileName ?? '';
      const module = relative(join(root, 'lib'), file);
      categorise(child, topics.find(([, pattern]) => pattern.test(module))[0]);
    }
  });
  // A link to README.md leads to the folder of its page, which a browser without a server shows as a list of files.
  app.renderer.on(Renderer.EVENT_END_PAGE, (page) => {
    page.contents = page.contents?.replace(/ href="((?:\.\.\/)+)(#[^"]*)?"/g, ' href="$1index.html$2"');
  });
  const project = await app.convert();
  if (!project) throw new Error('TypeDoc: see above');
  app.validate(project);
  await app.generateOutputs(project);
  const { errorCount, warningCount } = app.logger;
  if (errorCount + warningCount > 0)
    throw new Error(`TypeDoc: ${errorCount} errors and ${warningCount} warnings, see above`);
}

/** What is wrong with the finished site: links and anchors that lead nowhere, and whatever would be loaded from elsewhere. */
function siteProblems(out) {
  const files = readdirSync(out, { recursive: true }).filter((name) => statSync(join(out, name)).isFile());
  const texts = new Map(
    files.filter((name) => /\.(html|css|svg)$/.test(name)).map((name) => [name, readFileSync(join(out, name), 'utf8')]),
  );
  const anchors = new Map();
  for (const [name, text] of texts) {
    const ids = Array.from(text.matchAll(/\s(?:id|name)="([^"]+)"/g), ([, id]) => id);
    anchors.set(name, new Set(ids));
  }
  const problems = [];
  let links = 0;
  for (const [name, text] of texts) {
    for (const [, address] of text.matchAll(/(?:@import\s+|url\()["']?([^"')]+)/g)) {
      if (/^(https?:)?\/\//.test(address)) problems.push(`${name} loads ${address}`);
    }
    if (!name.endsWith('.html')) continue;
    for (const [, tag, attribute, address] of text.matchAll(/<(\w+)\b[^>]*?\s(href|src|srcset|data)="([^"]*)"/g)) {
      if (/^(https?:)?\/\//.test(address)) {
        if (tag !== 'a') problems.push(`${name}: <${tag}> loads ${address}`);
        continue;
      }
      if (/^(mailto:|data:)/.test(address)) continue;
      if (attribute === 'srcset') problems.push(`${name}: srcset is not looked at, use src`);
      ++links;
      const [file, anchor] = address.replaceAll('&amp;', '&').split('#').map(decodeURIComponent);
      const target = file === '' ? name : join(dirname(name), file);
      if (!statSync(join(out, target), { throwIfNoEntry: false })?.isFile())
        problems.push(`${name}: ${address} leads nowhere`);
      else if (anchor && !anchors.get(target)?.has(anchor))
        problems.push(`${name}: ${address}: there is no such anchor`);
    }
  }
  if (links === 0) problems.push('the site has no links');
  return { problems: [...new Set(problems)], links };
}

const readTitle = (page) => /^# (.+)$/m.exec(readFileSync(join(root, page), 'utf8'))[1];

const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'docs/site') } } });
const out = resolve(values.out);
await build(out);
const { problems, links } = siteProblems(out);
if (problems.length > 0) {
  console.error(problems.slice(0, 100).join('\n'));
  process.exitCode = 1;
} else {
  console.log(`docs: ${links} links of the site agree; open ${relative(process.cwd(), join(out, 'index.html'))}`);
}
