// Runs the JavaScript of a page of docs/.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** All blocks of one page as one program. */
export function runDocument(name: string): { status: number | null; stdout: string; stderr: string } {
  const text = readFileSync(join(root, 'docs', name), 'utf8');
  const code = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map((match) => match[1]).join('\n');
  const program = ['--input-type=module', '--eval', `${code}\nprocess.exit(0);`];
  const { status, stdout, stderr } = spawnSync(process.execPath, program, { encoding: 'utf8', cwd: root });
  return { status, stdout, stderr };
}
