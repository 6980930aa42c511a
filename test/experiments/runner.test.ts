import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../src/data/index.js';
import { atLeast, claimsOf, meanOver, overallClaimsOf } from '../../src/experiments/parts/claims.js';
import { defineExperiment } from '../../src/experiments/parts/contract.js';
import { runMethods } from '../../src/experiments/parts/methods.js';
import { accuracy } from '../../src/experiments/parts/metrics.js';
import { count, type OptionValues } from '../../src/experiments/parts/options.js';
import { studyOf } from '../../src/experiments/parts/studies.js';
import {
  claimsOfReproduction,
  codeDigest,
  readReproduction,
  unrunPresets,
} from '../../src/experiments/runner/record.js';
import { reproduce } from '../../src/experiments/runner/reproduce.js';
import { runExperiment } from '../../src/experiments/runner/run.js';
import type { SystemRecord } from '../../src/experiments/systems.js';
import { tensor } from '../../src/tensor/index.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-runner-'));

const options = { gain: count(5, 'gain', { smoke: 1 }), epochs: count(2, 'epochs') };
type Options = OptionValues<typeof options>;
const { abstract, ours } = claimsOf<Options>();
const over = overallClaimsOf<Options>();

/** Seeds that were trained, in order, and what to do before the method of a seed. */
const trained: number[] = [];
let before: (seed: number) => void = () => {};

const record: SystemRecord = {
  slug: 'tiny',
  title: 'Tiny: a system of a test',
  family: 'graph',
  about: 'adds',
  paper: { authors: 'Nobody', title: 'Adding', venue: 'Nowhere', year: 2000 },
  abstract: { best: 'is <better> than others', fast: 'and faster', far: 'on all sets' },
  load: async () => ({ experiment }),
};

const experiment = defineExperiment({
  options,
  datasets: ['first', 'second'],
  ownData: 'nothing',
  presets: { second: { gain: 3 } },
  reproduction: [
    { data: 'first', seeds: 2 },
    { data: 'second', set: { epochs: 1 } },
    { data: 'second', long: true },
  ],
  metrics: { accuracy },
  methods: () => ['other', 'own'],
  notes: () => ['a note'],
  load: (source: string) => {
    if (source !== 'first' && source !== 'second') throw new Error(`unknown data "${source}"`);
    return source;
  },
  describe: (data) => `data ${data}`,
  async runSeed(data, { gain, epochs }, context) {
    const method = (title: string, value: number) => ({
      title,
      train: ({ hooks }: { hooks: ReturnType<typeof context.hooks> }) => {
        before(context.seed);
        for (let epoch = 1; epoch <= epochs; epoch++) hooks.onEpoch?.({ epoch, epochs, loss: 1 / epoch, seconds: 0 });
        return value;
      },
    });
    trained.push(context.seed);
    const { methods } = await runMethods([method('other', 50), method('own', 50 + gain)], context, {
      score: (value) => ({ accuracy: value }),
    });
    return {
      methods,
      artifacts: () =>
        data === 'first'
          ? {
              model: writeSafetensors({ w: tensor([1]) }),
              predictions: { columns: ['row'], rows: [[1]] },
              pictures: [{ name: 'one', caption: 'a <picture>', png: Uint8Array.of(1, 2, 3) }],
            }
          : {},
    };
  },
  studies: () => studyOf({ title: 'Speed', note: '', columns: ['x'], rows: [[1]] }, { speed: 2 }),
  claims: [
    abstract('best', 'gain (points)', atLeast(4), (e) => e.gain('own', 'other', 'accuracy')),
    ours('gain (points)', atLeast(1), (e) => e.gain('own', 'other', 'accuracy')),
    ours('speed', atLeast(1), (e) => e.study('speed')),
  ],
  overall: [over.abstract('far', 'mean', atLeast(50), (runs) => meanOver(runs, (run) => run.mean('own', 'accuracy')))],
  unmeasured: { fast: 'no clock' },
});

const request = { data: 'first', seeds: [0, 1], set: [], smoke: false };
const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));

describe('a run', () => {
  test('leaves its configuration, seeds, metrics, artifacts and report', async () => {
    const out = join(folder, 'whole');
    const result = await runExperiment(record, { ...request, out });
    expect(readdirSync(out).sort()).toEqual([
      'config.json',
      'metrics.jsonl',
      'model.safetensors',
      'pictures',
      'predictions.csv',
      'report.html',
      'result.json',
      'seeds',
    ]);
    expect(json(out, 'config.json')).toEqual({
      system: 'tiny',
      data: 'first',
      seeds: [0, 1],
      options: { gain: 5, epochs: 2 },
    });
    expect(readdirSync(join(out, 'pictures')).sort()).toEqual(['captions.json', 'one.png']);
    const figure =
      '<figcaption>a &lt;picture&gt;</figcaption><img alt="a &lt;picture&gt;" src="data:image/png;base64,AQID">';
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain(figure);
    expect(result.rows).toEqual([
      { method: 'other', metrics: { accuracy: { mean: 50, sd: 0 } } },
      { method: 'own', metrics: { accuracy: { mean: 55, sd: 0 } } },
    ]);
    expect(result.curves.length).toBe(2 * 2 * 2);
    const report = readFileSync(join(out, 'report.html'), 'utf8');
    for (const part of [
      '1 of 3 claims of the abstract shown, 2 not measured.',
      '“is &lt;better&gt; than others”',
      'Our own, at the size of this run',
      'a note',
      'Nobody, &quot;Adding&quot;, Nowhere 2000',
      'gain=5  epochs=2',
    ])
      expect(report).toContain(part);
  });

  test('the options of a data set are resolved before they are kept; without a model no file is made', async () => {
    const out = join(folder, 'second');
    const { claims } = await runExperiment(record, { ...request, data: 'second', set: ['epochs=1'], out });
    expect(json(out, 'config.json').options).toEqual({ gain: 3, epochs: 1 });
    expect(claims.map(({ holds }) => holds)).toEqual([false, true, true]);
    expect(existsSync(join(out, 'model.safetensors'))).toBe(false);
    expect(existsSync(join(out, 'predictions.csv'))).toBe(false);
  });

  test('a stopped run keeps its finished seeds, and goes on with the others', async () => {
    const out = join(folder, 'stopped');
    const controller = new AbortController();
    before = (seed) => seed === 1 && controller.abort();
    trained.length = 0;
    await expect(runExperiment(record, { ...request, out, signal: controller.signal })).rejects.toThrow('abort');
    before = () => {};
    expect(readdirSync(join(out, 'seeds'))).toEqual(['0.json']);
    // The time of a finished seed counts in the run that takes it up.
    const file = join(out, 'seeds/0.json');
    const seed = json(file);
    expect(seed.result.seconds).toBeGreaterThan(0);
    writeFileSync(file, JSON.stringify({ ...seed, result: { ...seed.result, seconds: 1000 } }));
    const resumed = await runExperiment(record, { ...request, out, resume: true });
    expect(trained).toEqual([0, 1, 1]);
    const whole = await runExperiment(record, request);
    expect(resumed.rows).toEqual(whole.rows);
    expect(resumed.curves.length).toBe(8);
    expect(resumed.seconds).toBeGreaterThan(1000);
    expect(whole.seconds).toBeLessThan(1000);
  });

  test('a run that fails after --resume keeps its folder and what others put there', async () => {
    const out = join(folder, 'kept');
    const controller = new AbortController();
    before = () => controller.abort();
    await expect(runExperiment(record, { ...request, out, signal: controller.signal })).rejects.toThrow('abort');
    writeFileSync(join(out, 'notes.txt'), 'mine');
    before = () => {
      throw new Error('disk full');
    };
    await expect(runExperiment(record, { ...request, out, resume: true })).rejects.toThrow('disk full');
    before = () => {};
    expect(readdirSync(out).sort()).toEqual(['config.json', 'notes.txt', 'seeds']);
  });

  test('a diverged seed is still diverged after resuming, and a damaged one is named', async () => {
    const out = join(folder, 'diverged');
    await runExperiment(record, { ...request, out });
    const file = join(out, 'seeds/0.json');
    const seed = json(file);
    seed.result.methods[1].scores.accuracy = 'NaN';
    writeFileSync(file, JSON.stringify(seed));
    const { claims } = await runExperiment(record, { ...request, out, resume: true });
    expect(claims.map(({ value, holds }) => [value, holds]).slice(0, 2)).toEqual([
      [Number.NaN, false],
      [Number.NaN, false],
    ]);
    expect(json(out, 'result.json').claims[0].value).toBe('NaN');
    writeFileSync(file, '{"result":{}}');
    await expect(runExperiment(record, { ...request, out, resume: true })).rejects.toThrow('holds no finished seed');
  });

  test('folders of other runs are refused, a failed run leaves none', async () => {
    const out = join(folder, 'whole');
    await expect(runExperiment(record, { ...request, out })).rejects.toThrow('is not empty');
    await expect(runExperiment(record, { ...request, set: ['gain=9'], out, resume: true })).rejects.toThrow(
      'another configuration',
    );
    await expect(runExperiment(record, { ...request, out: join(folder, 'none'), resume: true })).rejects.toThrow(
      'no run to resume',
    );
    const failed = join(folder, 'failed');
    before = () => {
      throw new Error('diverged');
    };
    await expect(runExperiment(record, { ...request, out: failed })).rejects.toThrow('diverged');
    before = () => {};
    expect(existsSync(failed)).toBe(false);
    await expect(runExperiment(record, { ...request, data: 'third' })).rejects.toThrow('unknown data "third"');
  });
});

describe('a reproduction', () => {
  const root = join(folder, 'reproduced');
  mkdirSync(join(root, 'src/experiments/graph'), { recursive: true });
  const source = join(root, 'src/experiments/graph/tiny.ts');
  writeFileSync(source, '// A comment.\nexport const one = 1;\n');

  test('runs the presets, but for the long ones, and keeps what they gave', async () => {
    const made = await reproduce(record, { folder: root });
    expect(readReproduction(root, 'tiny')).toEqual(made);
    expect(made.runs.map(({ command }) => command)).toEqual([
      'gossamer run tiny --data first --seeds 2',
      'gossamer run tiny --data second --seeds 3 --set epochs=1',
    ]);
    expect(made.runs[0]?.rows[1]?.metrics).toEqual({ accuracy: { mean: 55, sd: 0 } });
    expect(made.overall).toEqual([
      { claim: 'mean', source: 'abstract', words: 'far', value: 54, bound: '≥ 50', holds: true },
    ]);
    expect(claimsOfReproduction(made).length).toBe(7);
    // The second run has other epochs than the long one, which is still to be made.
    expect(unrunPresets(experiment, made)).toEqual([{ data: 'second', long: true }]);
    expect(made.date).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(made.machine).toContain(`Node ${process.versions.node}`);
    await expect(reproduce(record, { folder: root, long: true, seeds: 1 })).rejects.toThrow(
      'was made with 3 seeds, these are 1: add --seeds 3, or --fresh to replace it',
    );
    const long = await reproduce(record, { folder: root, long: true, seeds: 1, fresh: true });
    expect(long.runs.length).toBe(3);
    expect(unrunPresets(experiment, long)).toEqual([]);
    expect(long.command).toBe('gossamer reproduce tiny --seeds 1 --long');
    await expect(reproduce(record, { folder: root })).rejects.toThrow('holds 3 runs, these are 2: add --long');
  });

  test('what is no reproduction of the system is named', () => {
    for (const text of ['null', '{"system":"tiny"}', '{"system":"other","runs":[],"overall":[]}']) {
      const own = mkdtempSync(join(tmpdir(), 'gossamer-record-'));
      mkdirSync(join(own, 'reproduction'));
      writeFileSync(join(own, 'reproduction/tiny.json'), text);
      expect(() => readReproduction(own, 'tiny')).toThrow('tiny.json" is not a reproduction of tiny');
    }
  });

  test('the digest of its code sees a change, but no change of comments or layout', () => {
    const digest = codeDigest(record, root);
    writeFileSync(source, '/** Another\n * comment. */\nexport  const one\n = 1;\n');
    expect(codeDigest(record, root)).toBe(digest);
    writeFileSync(source, 'export const one = 2;\n');
    expect(codeDigest(record, root)).not.toBe(digest);
    expect(codeDigest({ ...record, slug: 'elsewhere' }, root)).toBeUndefined();
  });

  test('goes on where it was stopped', async () => {
    const controller = new AbortController();
    before = (seed) => seed === 2 && controller.abort();
    trained.length = 0;
    const again = { folder: root, signal: controller.signal, fresh: true };
    await expect(reproduce(record, again)).rejects.toThrow('abort');
    before = () => {};
    rmSync(join(root, 'reproduction/tiny.json'));
    await expect(reproduce(record, { folder: root })).rejects.toThrow('holds finished seeds of a stopped run');
    await reproduce(record, { folder: root, resume: true });
    expect(trained).toEqual([0, 1, 0, 1, 2, 2]);
  });
});
