// The built command line, run in a folder of its own.

import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The built entry; tests are skipped where there is none. */
export const main = join(import.meta.dirname, '../../dist/cli/main.js');

/** A new folder, and the command with it as its working folder. */
export function commandInFolder(name: string) {
  const folder = mkdtempSync(join(tmpdir(), `gossamer-${name}-`));
  const gossamer = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: folder });
    return { status, stdout, stderr };
  };
  return { folder, gossamer };
}
