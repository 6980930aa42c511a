import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-fit-'));

const gossamer = commandIn(folder);

/** Two rings of 120 nodes whose first feature tells the ring, with noise. */
function writeRings(name: string): void {
  mkdirSync(join(folder, name));
  const nodes = Array.from({ length: 240 }, (_, v) => `n${v},${v < 120 ? 1 : -1},${v % 7},${v < 120 ? 'red' : 'blue'}`);
  const edges = Array.from({ length: 240 }, (_, v) => `n${v},n${v < 120 ? (v + 1) % 120 : 120 + ((v - 119) % 120)}`);
  writeFileSync(join(folder, name, 'nodes.csv'), `id,side,noise,label\n${nodes.join('\n')}\n`);
  writeFileSync(join(folder, name, 'edges.csv'), `source,target\n${edges.join('\n')}\n`);
}

describe.skipIf(!existsSync(main))('fit and predict on own data (needs a build)', () => {
  writeRings('rings');

  test('a graph in a folder is learnt by DGMLP, and predict answers for its nodes', () => {
    const fitted = gossamer('fit', 'rings', '-o', 'rings.safetensors', '--set', 'epochs=40');
    expect(fitted.stderr).not.toContain('rror');
    expect(fitted.stdout).toContain('rings: 240 nodes, 240 edges, 2 classes');
    expect(gossamer('predict', 'rings.safetensors', 'rings', '-o', 'answer.csv').status).toBe(0);
    const { rows } = readCsv(readFileSync(join(folder, 'answer.csv'), 'utf8'), 'answer');
    const right = rows.filter(([, prediction], v) => prediction === (v < 120 ? 'red' : 'blue'));
    expect(right.length).toBeGreaterThan(235);
  });

  test('help lists the options of a model; what does not fit it is refused with exit code 2', () => {
    expect(gossamer('fit', '--model', 'dgmlp', '--help').stdout).toContain('steps=20');
    for (const [args, reason] of [
      [['--folds', '3'], '--folds is for tables'],
      [['--set', 'step=3'], 'unknown option "step"; known: steps'],
      [['--task', 'number'], '"label" holds texts; --task number learns numbers'],
      [['--model', 'lighthgnn', '--task', 'number'], '--task number: expected none for this model'],
      [['--model', 'dgmlpp'], 'unknown model "dgmlpp"'],
      [['--resume'], 'there is no "model.safetensors.checkpoint"'],
    ] as const) {
      const { status, stderr } = gossamer('fit', 'rings', '--target', 'label', ...args);
      expect([status, stderr]).toEqual([2, expect.stringContaining(reason)]);
    }
    expect(existsSync(join(folder, 'model.safetensors'))).toBe(false);
  });
});
