import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { generatedText } from '../../src/data/index.js';
import { Random } from '../../src/tensor/index.js';
import { commandInFolder, main } from './command.js';

const { folder, gossamer } = commandInFolder('smallthinker');
const sizes = ['--features', '16', '--layers', '4', '--heads', '2', '--length', '32', '--batch', '4', '--threads', '1'];
const form = ['--experts', '4', '--activation', 'relu', '--router', 'early', '--window', '8', '--gates', 'sigmoid'];
const generate = (file: string, ...more: string[]) =>
  gossamer('lm', 'generate', file, '--prompt', 'The old', '--max-tokens', '20', '--temperature', '0', ...more);

describe.skipIf(!existsSync(main))('early routers on the command line (needs a build)', () => {
  beforeAll(() => {
    writeFileSync(join(folder, 'text.txt'), generatedText(8000, new Random(1)));
    const train = ['lm', 'train', 'text.txt', ...sizes, '--steps', '20', '--balance-groups', '2'];
    const made = gossamer(...train, ...form, '--head-predictor', '8', '-o', 'm.safetensors');
    expect([made.status, made.stderr]).toEqual([0, expect.stringContaining('parameters')]);
  }, 60_000);

  test('a text does not depend on memory, and the statistics tell what was read', () => {
    const [whole, little] = [
      generate('m.safetensors', '--stats'),
      generate('m.safetensors', '--memory', '40K', '--stats'),
    ];
    expect(whole.status).toBe(0);
    expect(little.stdout).toBe(whole.stdout);
    expect(whole.stderr).toMatch(/100\.0 % of the chosen experts were in memory; neurons with a closed gate: [\d.]+ %/);
    expect(little.stderr).toMatch(/of weights read, waited [\d.]+ s for them; [\d.]+ % of the chosen experts/);
    const none = generate('m.safetensors', '--memory', '2K');
    expect([none.status, none.stderr]).toEqual([2, expect.stringMatching(/each token uses 2 experts of \d+ bytes/)]);
    const sparse = generate('m.safetensors', '--sparse-head', '--stats');
    expect([sparse.status, sparse.stderr.includes('of the head’s rows computed') || sparse.stdout.length > 0]).toEqual([
      0,
      true,
    ]);
  }, 60_000);

  test('speed is measured for each number of threads, with what a limit costs', () => {
    const flags = ['--prompt', '8', '--tokens', '6', '--on', '1,2', '--json'];
    const { status, stdout } = gossamer('lm', 'bench', 'm.safetensors', '--memory', '40K', ...flags);
    const { rows, bytesPerToken, bytes } = JSON.parse(stdout);
    expect([status, rows.map((row: { threads: number }) => row.threads)]).toEqual([0, [1, 2]]);
    expect(bytesPerToken).toBeLessThan(bytes);
    for (const { rate, promptRate, limit, hitShare, bytesRead } of rows) {
      expect(Math.min(rate, promptRate, limit)).toBeGreaterThan(0);
      expect(hitShare).toBeLessThanOrEqual(1);
      expect(bytesRead).toBeGreaterThanOrEqual(0);
    }
    const table = gossamer('lm', 'bench', 'm.safetensors', '--prompt', '8', '--tokens', '2').stdout;
    expect(table).toMatch(/tokens\/s +memory allows +share/);
    expect(gossamer('lm', 'bench').stderr).toContain('give a model, or --shape');
    expect(gossamer('lm', 'bench', '--shape', 'gpt-5').stderr).toContain('smallthinker-4b');
    expect(gossamer('lm', 'bench', 'm.safetensors', '--prompt', '4000').stderr).toContain('do not fit a context');
  }, 60_000);

  test('models are averaged; what does not go together is refused', () => {
    const merged = gossamer(
      'lm',
      'merge',
      'm.safetensors',
      'm.safetensors',
      '--weights',
      '1,3',
      '-o',
      'both.safetensors',
    );
    expect([merged.status, merged.stdout]).toEqual([0, 'both.safetensors: average of 2 models\n']);
    expect(generate('both.safetensors').stdout).toBe(generate('m.safetensors').stdout);
    expect(gossamer('lm', 'merge', 'm.safetensors', 'm.safetensors', '--weights', '1').stderr).toContain(
      '2 numbers of at least 0',
    );
    const refused = (...flags: string[]) =>
      gossamer('lm', 'train', 'text.txt', ...sizes, '--steps', '1', ...flags).stderr;
    expect(refused('--router', 'early')).toContain('--router early needs --experts');
    expect(refused('--experts', '4', '--full-every', '2')).toContain('--full-every needs --window');
    expect(refused('--experts', '4', '--balance-groups', '3')).toContain('does not divide the 4 windows');
  }, 60_000);
});
