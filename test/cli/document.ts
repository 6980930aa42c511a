// Runs the JavaScript of a page of docs/.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, runScript } from './command.js';

const root = join(import.meta.dirname, '../..');

/** All blocks of one page as one program. */
export function runDocument(name: string): Answer {
  const text = readFileSync(join(root, 'docs', name), 'utf8');
  const code = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map((match) => match[1]).join('\n');
  const program = ['--input-type=module', '--eval', `${code}\nprocess.exit(0);`];
  const { status, stdout, stderr } = spawnSync(process.execPath, program, { encoding: 'utf8', cwd: root });
  return { status, stdout, stderr };
}

/** The shell block below a heading of a page, run in an empty folder, and that folder. */
export function runShell(name: string, heading: string): Answer & { readonly folder: string } {
  const text = readFileSync(join(root, 'docs', name), 'utf8');
  const code = text.split(`\n${heading}\n`)[1]?.match(/```sh\n([\s\S]*?)```/)?.[1];
  if (code === undefined) throw new Error(`docs/${name} has no shell block below "${heading}"`);
  const folder = mkdtempSync(join(tmpdir(), 'gossamer-document-'));
  return { ...runScript(folder, code), folder };
}
