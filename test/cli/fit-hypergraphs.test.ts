import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-fit-hypergraphs-'));

const gossamer = commandIn(folder);

/** Starts a training and interrupts it after its first epochs. */
async function interrupted(...args: string[]): Promise<number | null> {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder });
  child.stderr.on('data', (text) => {
    if (/epoch \d+\//.test(String(text))) child.kill('SIGINT');
  });
  return new Promise((resolve) => {
    child.on('exit', resolve);
  });
}

const file = (name: string) => join(folder, name);

describe.skipIf(!existsSync(main))('fit on hypergraphs and events (needs a build)', () => {
  mkdirSync(file('groups'));
  const members = Array.from({ length: 90 }, (_, i) => `g${Math.floor(i / 3)},v${(i * 7) % 40}`);
  const labels = Array.from({ length: 40 }, (_, v) => `v${v},${v % 2 ? 'odd' : 'even'}`);
  writeFileSync(file('groups/hyperedges.csv'), `edge,node\n${members.join('\n')}\n`);
  writeFileSync(file('groups/labels.csv'), `vertex,label\n${labels.join('\n')}\n`);
  const events = Array.from({ length: 300 }, (_, e) => `u${e % 7},i${(e * e) % 5},${e}`);
  writeFileSync(file('events.csv'), `source,target,time\n${events.join('\n')}\n`);

  test.each([
    ['a hypergraph needs the name of a model', ['fit', 'groups'], 'holds a hypergraph; name a model: conhd, lighthgnn'],
    ['roles need labels of incidences', ['fit', 'groups', '--model', 'conhd'], 'no label is given of any incidence'],
    ['options are checked', ['fit', 'events.csv', '--model', 'nat', '--set', 'near=0'], 'near'],
    [
      'features of events are looked for',
      ['fit', 'events.csv', '--model', 'nat', '--set', 'features=sum'],
      'no column "sum"',
    ],
    [
      'flags of other data are refused',
      ['fit', 'groups', '--model', 'conhd', '--sheet', 'x'],
      '--sheet is not for a hypergraph',
    ],
    ['known sets are those of run', ['fit', 'wikipedia', '--model', 'nat'], 'gossamer run nat --data wikipedia'],
  ])('%s', (_, args, reason) => {
    const { status, stderr } = gossamer(...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(reason)]);
    expect(existsSync(file('model.safetensors'))).toBe(false);
  });

  test.each([
    ['nat', 'events.csv', ['epochs=5', 'near=4', 'far=0', 'width=8', 'patience=5']],
    ['lighthgnn', 'groups', ['epochs=500']],
  ])(
    '%s goes on after Ctrl-C and ends as one that was not interrupted',
    async (model, data, settings) => {
      const args = ['fit', data, '--model', model, ...settings.flatMap((setting) => ['--set', setting])];
      expect(await interrupted(...args, '-o', `${model}-part.safetensors`)).toBe(130);
      expect(existsSync(file(`${model}-part.safetensors`))).toBe(false);
      const resumed = gossamer(...args, '-o', `${model}-part.safetensors`, '--resume');
      expect(resumed.status).toBe(0);
      expect(gossamer(...args, '-o', `${model}.safetensors`).status).toBe(0);
      expect(readFileSync(file(`${model}-part.safetensors`)).equals(readFileSync(file(`${model}.safetensors`)))).toBe(
        true,
      );
    },
    120_000,
  );

  test('a delimiter and a decimal mark are heeded by fit, predict and --observe', () => {
    const lines = Array.from({ length: 40 }, (_, e) => `u${e % 7}/i${(e * e) % 5}/${e},500`);
    writeFileSync(file('slashes.csv'), `source/target/time\n${lines.join('\n')}\n`);
    const reading = ['--delimiter', '/', '--decimal', ','];
    const settings = ['--set', 'epochs=1', '--set', 'near=4', '--set', 'far=0', '--set', 'width=8'];
    const fitted = gossamer('fit', 'slashes.csv', '--model', 'nat', ...settings, ...reading, '-o', 's.safetensors');
    expect([fitted.status, fitted.stdout]).toEqual([0, expect.stringContaining('40 events among 10 nodes')]);
    writeFileSync(file('later.csv'), 'source/target/time\nu1/i1/41,250\n');
    const asked = gossamer('predict', 's.safetensors', 'later.csv', '--observe', 'later.csv', ...reading);
    expect([asked.status, asked.stderr]).toEqual([0, expect.stringContaining('after the last event, at 41.25')]);
    expect(gossamer('predict', 's.safetensors', 'later.csv', '--sheet', 'x').stderr).toContain(
      '--sheet: the model in "s.safetensors" does not read data that it is for',
    );
  }, 60_000);

  test('a question about the past is refused', () => {
    writeFileSync(file('pairs.csv'), 'source,target,time\nu1,i1,400\nu1,i1,5\n');
    const { status, stderr } = gossamer('predict', 'nat.safetensors', 'pairs.csv');
    expect([status, stderr]).toEqual([2, expect.stringContaining('row 2: the model has taken in events up to 299')]);
  });
});
