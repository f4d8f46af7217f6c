'use strict';

// Mocha's spec reporter, which also says which native binary was tested and, for .ci/run, appends the counts to the file
// named by SETNET_COUNTS as `passed failed pending`.

const { appendFileSync } = require('node:fs');
const { relative } = require('node:path');
const { reporters, Runner } = require('mocha');

/** The binary that this process has loaded, as Node itself knows it. */
function loadedBinaries() {
  const cached = Object.keys(require.cache).filter((path) => path.endsWith('.node'));
  if (cached.length > 0) return cached;
  // A loader may use process.dlopen, which leaves no trace in the cache: the report lists every shared object.
  process.report.excludeNetwork = true;
  return process.report.getReport().sharedObjects.filter((path) => path.endsWith('setnet.node'));
}

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      const binaries = loadedBinaries().map((path) => relative(process.cwd(), path));
      console.log(`  binary: ${binaries.join(', ') || 'none was loaded'}\n`);
      if (process.env.SETNET_COUNTS) appendFileSync(process.env.SETNET_COUNTS, `${passes} ${failures} ${pending}\n`);
    });
  }
};
