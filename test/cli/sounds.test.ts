import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCsv, writeWav } from '../../src/data/index.js';
import { uniform } from '../oracle.js';
import { commandInFolder, main } from './command.js';
import { runDocument, runShell } from './document.js';

const { folder, gossamer } = commandInFolder('sounds');
const path = (...names: string[]) => join(folder, ...names);

/** Two channels of a low or a high tone, in faint noise. */
function tone(hertz: number, seed: number, rate = 2000, channels = 2): Uint8Array {
  const own = Array.from({ length: channels }, (_, c) =>
    uniform(seed + c, rate / 2, -0.02, 0.02).map(
      (noise, i) => noise + 0.4 * Math.sin((2 * Math.PI * hertz * i) / rate),
    ),
  );
  return writeWav({ rate, channels: own });
}

const small = [
  '--set',
  'window=128',
  '--set',
  'hop=64',
  '--set',
  'bins=64',
  '--set',
  'seconds=0.5',
  '--set',
  'batch=4',
  '--threads',
  '1',
];

describe.skipIf(!existsSync(main))('sounds on the command line (needs a build)', () => {
  beforeAll(() => {
    for (const name of ['calls/low', 'calls/high', 'new', 'other']) mkdirSync(path(name), { recursive: true });
    for (let i = 0; i < 10; i++) {
      writeFileSync(path('calls/low', `${i}.wav`), tone(200 + i, 10 * i));
      writeFileSync(path('calls/high', `${i}.wav`), tone(700 + i, 10 * i + 5, i === 0 ? 4000 : 2000));
    }
    writeFileSync(path('new', 'a.wav'), tone(205, 1000));
    writeFileSync(path('new', 'b.wav'), tone(705, 1001, 8000));
    writeFileSync(path('new', 'broken.wav'), 'RIFF');
    writeFileSync(path('other', 'mono.wav'), tone(205, 1002, 2000, 1));
  });

  test('classes of WAV files, of another rate too', () => {
    const { status, stdout, stderr } = gossamer(
      'fit',
      'calls',
      ...small,
      '--set',
      'epochs=12',
      '--set',
      'learningRate=0.005',
      '-o',
      'm.safetensors',
    );
    expect(stderr).toContain('1 of 20 sounds are resampled to 2000 Hz, the rate of most');
    expect(stderr).toContain('phc-seld-nano, n = 2');
    expect([status, stdout]).toEqual([0, expect.stringContaining('test accuracy 100.00 %')]);
    const predicted = gossamer('predict', 'm.safetensors', 'new', '--top', '2');
    const { columns, rows } = readCsv(predicted.stdout);
    expect(columns).toEqual(['file', 'rank', 'class', 'probability']);
    expect(rows.map((row) => row.slice(0, 3))).toEqual([
      ['new/a.wav', '1', 'low'],
      ['new/a.wav', '2', 'high'],
      ['new/b.wav', '1', 'high'],
      ['new/b.wav', '2', 'low'],
    ]);
    expect(predicted.stderr).toContain('readWav: "new/broken.wav" is no WAV file; left out');
    expect(predicted.status).toBe(2);
    const mono = gossamer('predict', 'm.safetensors', 'other/mono.wav');
    expect([mono.status, mono.stderr]).toEqual([
      2,
      expect.stringContaining('"other/mono.wav" has 1 channels, the model hears 2'),
    ]);
    expect(gossamer('info', 'm.safetensors').stdout).toContain('Classes      high, low');
    expect(gossamer('info', 'calls').stdout).toContain('20 sounds of 2 channels');
  }, 120_000);

  test('events in WAV files', () => {
    mkdirSync(path('street'));
    const rows = Array.from({ length: 8 }, (_, i) => {
      const values = uniform(i, 2000, -0.02, 0.02);
      const start = 0.1 + 0.05 * i;
      for (let at = Math.round(2000 * start); at < 2000 * (start + 0.4); at++)
        values[at] = (values[at] as number) + 0.4 * Math.sin((2 * Math.PI * 300 * at) / 2000);
      writeFileSync(path('street', `${i}.wav`), writeWav({ rate: 2000, channels: [values] }));
      return `${i}.wav,horn,${start},${(start + 0.4).toFixed(3)}`;
    });
    writeFileSync(path('street', 'events.csv'), ['file,event,start,end', ...rows].join('\n'));
    const fitted = gossamer(
      'fit',
      'street',
      ...small,
      '--set',
      'epochs=20',
      '--set',
      'learningRate=0.01',
      '--json',
      '-o',
      'e.safetensors',
    );
    expect(fitted.status).toBe(0);
    expect(JSON.parse(fitted.stdout).f1).toBeGreaterThan(0.7);
    const { columns, rows: found } = readCsv(gossamer('predict', 'e.safetensors', 'street/3.wav').stdout);
    expect(columns).toEqual(['file', 'event', 'start', 'end', 'probability']);
    const longest = [...found].sort((a, b) => Number(b[3]) - Number(b[2]) - Number(a[3]) + Number(a[2]))[0] as string[];
    expect(Math.abs(Number(longest[2]) - 0.25)).toBeLessThan(0.15);
    const few = gossamer('fit', 'street', '--set', 'seconds=0.05', '--model', 'phc-seld', '-o', 'x.safetensors');
    expect([few.status, few.stderr]).toEqual([2, expect.stringContaining('--set seconds, window or hop')]);
    expect(gossamer('fit', 'street', '--set', 'n=3', '-o', 'x.safetensors').stderr).toContain(
      'n = 3 does not divide 16 inputs; the nearest are 15 and 18',
    );
  }, 120_000);

  test('the page of PHNN: layers in code, and classes of new pictures', () => {
    const { status, stdout } = runDocument('systems/phnn.md');
    expect([status, stdout]).toEqual([0, expect.stringContaining('168 24\n6 layers, 73728 weights became 18816\n')]);
    const page = runShell('systems/phnn.md', '### From pictures to answers for new ones');
    expect([page.status, page.stdout]).toEqual([0, expect.stringContaining('test accuracy 100.00 %')]);
    const { rows } = readCsv(readFileSync(join(page.folder, 'new.csv'), 'utf8'));
    expect(rows.map(([, , label]) => label)).toEqual(['rose', 'iris']);
  }, 120_000);
});
