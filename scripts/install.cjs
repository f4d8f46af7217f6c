'use strict';

// npm's "install" script at the user's: nothing where a prebuilt binary loads, else a build from source with node-gyp.
// Nothing is ever downloaded here.

const { spawnSync } = require('node:child_process');
const { existsSync, realpathSync } = require('node:fs');
const { dirname, join } = require('node:path');

const root = join(__dirname, '..');

// Our own checkout (the tarball has only this one script): `npm install` there must not build; `npm run build` does.
if (existsSync(join(root, 'scripts', 'setup.mjs'))) process.exit(0);

/** Does the binary that the loader would choose load in this Node? Tried in a child: a wrong one may crash. */
function binaryLoads() {
  const text = `require(require('node-gyp-build').path(${JSON.stringify(root)}))`;
  return spawnSync(process.execPath, ['-e', text], { cwd: root, stdio: 'ignore' }).status === 0;
}

if (process.env.npm_config_build_from_source !== 'true' && binaryLoads()) process.exit(0);

// With an empty home folder node-gyp tries to download Node's headers although they usually lie beside node.
const prefix = dirname(dirname(realpathSync(process.execPath)));
if (!process.env.npm_config_nodedir && existsSync(join(prefix, 'include', 'node', 'node_api.h'))) {
  process.env.npm_config_nodedir = prefix;
}

const result = spawnSync(process.execPath, [require.resolve('node-gyp-build/bin.js')], { cwd: root, stdio: 'inherit' });
if (result.status !== 0) {
  console.error(
    `setnet: there is no prebuilt binary for ${process.platform} ${process.arch} in this package and building it from source failed; ` +
      'a C++17 compiler (g++), make and python3 are needed: on Debian and Ubuntu `apt-get install g++ make python3`, ' +
      'on Fedora `dnf install gcc-c++ make python3`, on Alpine `apk add g++ make python3`, on macOS `xcode-select --install`.',
  );
  process.exit(result.status || 1);
}
