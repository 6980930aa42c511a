import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { requireWritable, writeFileAtomic, writeVectors } from '../../src/data/node.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gossamer-write-'));
});
const path = (name: string) => join(folder, name);
const content = (name: string) => readFileSync(path(name), 'utf8');
const main = join(import.meta.dirname, '../../dist/cli/main.js');

describe('outputs', () => {
  test('follow symbolic links, also to a file that is not there yet', () => {
    mkdirSync(path('elsewhere'));
    writeFileSync(path('elsewhere/old'), 'old');
    symlinkSync('elsewhere/old', path('link'));
    symlinkSync('elsewhere/new', path('dangling'));
    symlinkSync('link', path('second'));
    writeFileAtomic(path('second'), 'one');
    writeFileAtomic(path('dangling'), ['t', Uint8Array.of(119), 'o']);
    expect([content('elsewhere/old'), content('elsewhere/new')]).toEqual(['one', 'two']);
    for (const name of ['link', 'second', 'dangling']) expect(lstatSync(path(name)).isSymbolicLink()).toBe(true);
    expect(readdirSync(path('elsewhere')).sort()).toEqual(['new', 'old']);
    symlinkSync('circle', path('circle'));
    expect(() => writeFileAtomic(path('circle'), 'x')).toThrow(/circle" cannot be written: .*circle/);
  });

  test('keep the mode of a file', () => {
    writeFileSync(path('secret'), 'old');
    chmodSync(path('secret'), 0o640);
    writeFileAtomic(path('secret'), 'new');
    expect([content('secret'), statSync(path('secret')).mode & 0o7777]).toEqual(['new', 0o640]);
  });

  test('never replace a read-only file or a folder, and say so before the work', () => {
    writeFileSync(path('fixed'), 'old');
    chmodSync(path('fixed'), 0o444);
    for (const write of [() => writeFileAtomic(path('fixed'), 'new'), () => requireWritable(path('fixed'))])
      expect(write).toThrow(/^file ".*fixed" is read-only/);
    expect(content('fixed')).toBe('old');
    expect(() => writeFileAtomic(folder, 'new')).toThrow('is a folder');
    expect(() => writeFileAtomic(path('fixed/below'), 'new')).toThrow(/fixed.below" cannot be written/);
    expect(readdirSync(folder)).toEqual(['fixed']);
  });

  test.skipIf(!existsSync('/dev/full'))('are written into devices; a full one is named (needs /dev/full)', async () => {
    const device = () => statSync('/dev/null').isCharacterDevice();
    writeFileAtomic('/dev/null', 'x');
    expect(device()).toBe(true);
    for (const write of [
      async () => writeFileAtomic('/dev/full', 'x'),
      async () => {
        symlinkSync('/dev/full', path('v.csv'));
        await writeVectors(path('v.csv'), {
          vectors: { shape: [1, 1], view: () => Float32Array.of(1) },
          nameOf: String,
        });
      },
    ])
      await expect(write()).rejects.toThrow(/^file ".*" cannot be written: there is no space left/);
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
  });

  test('are written into FIFOs', async () => {
    execFileSync('mkfifo', [path('fifo')]);
    const reader = `require('fs').createReadStream(${JSON.stringify(path('fifo'))}).pipe(require('fs').createWriteStream(${JSON.stringify(path('copy'))}))`;
    const { spawn } = await import('node:child_process');
    const child = spawn(process.execPath, ['-e', reader]);
    const ended = new Promise((resolve) => child.on('close', resolve));
    writeFileAtomic(path('fifo'), 'through');
    await ended;
    expect(content('copy')).toBe('through');
    expect(statSync(path('fifo')).isFIFO()).toBe(true);
  });

  test('leave the old file and no other when what makes them fails', () => {
    writeFileSync(path('kept'), 'old');
    const failing = function* () {
      yield 'half';
      throw new Error('no more');
    };
    expect(() => writeFileAtomic(path('kept'), failing())).toThrow('no more');
    expect([content('kept'), readdirSync(folder)]).toEqual(['old', ['kept']]);
  });
});

describe.skipIf(!existsSync(main))('commands (need a build)', () => {
  const shell = (command: string) =>
    spawnSync('bash', ['-o', 'pipefail', '-c', command.replaceAll('gossamer', `"${process.execPath}" "${main}"`)], {
      encoding: 'utf8',
      cwd: folder,
    });

  test('a reader that has enough ends them quietly', () => {
    writeFileSync(path('edges.csv'), Array.from({ length: 4000 }, (_, i) => `${i},${(i * 7 + 1) % 4000}`).join('\n'));
    const { stdout, stderr, status } = shell('gossamer rank edges.csv --walks 20 --top 20 2> errors | head -1');
    expect([stdout, stderr, status]).toEqual(['source,rank,node,score\n', '', 0]);
    expect(content('errors')).not.toMatch(/EPIPE|rror/);
  }, 60_000);

  test('a full standard output is an error', () => {
    const { status, stderr } = shell('gossamer list > /dev/full');
    expect(stderr).toBe('gossamer: standard output cannot be written: there is no space left on the device\n');
    expect(status).toBe(2);
  });

  test('embed and rank treat direction alike, and say what they took', () => {
    writeFileSync(path('edges.csv'), 'source,target\na,b\nb,c\n');
    for (const command of ['embed edges.csv --dim 4 -o v.csv', 'rank edges.csv -o r.csv']) {
      expect(shell(`gossamer ${command}`).stderr).toContain('2 undirected edges (--directed keeps directions)');
      expect(shell(`gossamer ${command} --undirected`).stderr).toContain('2 undirected edges');
      expect(shell(`gossamer ${command} --directed`).stderr).toContain('2 directed edges');
      expect(shell(`gossamer ${command} --directed --undirected`).status).toBe(2);
    }
    const { status, stderr } = shell('mkdir out.npy && gossamer embed none.csv -o out.npy');
    expect([status, stderr]).toEqual([2, 'gossamer: "out.npy" is a folder; give the name of a file\n']);
  }, 60_000);
});
