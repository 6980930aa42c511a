import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsdown';

// One entry a public subpath, taken from the exports map.
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
const subpaths = Object.keys(exports).filter((path) => path !== './package.json');
const entries = subpaths.map((path) =>
  (path === '.' ? 'index' : `${path.slice(2)}/index`).replace('/node/index', '/node'),
);

export default defineConfig({
  entry: Object.fromEntries([...entries, 'cli/main'].map((entry) => [entry, `src/${entry}.ts`])),
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  deps: { neverBundle: [/^node:/, 'sharp'] },
  dts: true,
  clean: true,
  logLevel: 'warn',
});
