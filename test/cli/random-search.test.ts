import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { Random } from '../../src/tensor/index.js';
import { commandInFolder, main } from './command.js';
import { classifiedStripes, rightStripes, writeStripes } from './striped-pictures.js';

describe.skipIf(!existsSync(main))('random sub-networks on the command line (needs a build)', () => {
  const { folder, gossamer } = commandInFolder('random-search');
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const json = (file: string) => JSON.parse(read(file)) as Record<string, unknown>;

  beforeAll(async () => {
    const random = new Random(1);
    const rows = Array.from({ length: 160 }, (_, at) => {
      const [x, z] = [random.gaussian(), random.gaussian()];
      const colour = random.integer(2) === 0 ? 'red' : 'blue';
      return [
        x.toFixed(3),
        z.toFixed(3),
        colour,
        x + (colour === 'red' ? 1.5 : -1.5) > 0 ? 'yes' : 'no',
        2 * x - z,
        at,
      ];
    });
    const table = (own: typeof rows) =>
      `x,z,colour,y,number\n${own.map((row) => row.slice(0, 5).join(',')).join('\n')}\n`;
    writeFileSync(join(folder, 'table.csv'), table(rows.slice(0, 140)));
    writeFileSync(join(folder, 'new.csv'), table(rows.slice(140)));
    await writeStripes(folder, { size: 12, random });
  }, 30_000);

  const usual = ['--model', 'random-search', '--hidden', '40,30', '--epochs', '20', '--batch', '16'];
  const search = (...args: string[]) => gossamer('search', 'table.csv', ...usual, ...args);

  test('a table: search, train, compare, predict new rows', () => {
    const args = [
      '--target',
      'y',
      '--sparsity',
      '0.8',
      '--candidates',
      '30',
      '--repeats',
      '2',
      '-o',
      'best.safetensors',
    ];
    const found = search(...args);
    expect(found.status).toBe(0);
    expect(found.stdout).toMatch(/best of 30: loss before training [\d.]+, [\d.]+ deviations better than their mean/);
    expect(found.stdout).toMatch(/nodes 8 of 40, 6 of 30: [\d.]+ % of [\d,]+ weights left out/);
    expect(found.stdout).toMatch(/random-search over random: -?[\d.]+ points, 95 % interval \[/);
    expect(found.stdout).toMatch(/fresh +\d+/);
    expect(found.stdout).toMatch(/best\.safetensors, trials\.csv: test accuracy [\d.]+ %/);

    const trials = readCsv(read('trials.csv'));
    expect(trials.columns).toEqual(['trial', 'loss', 'blocks.0.linear', 'blocks.1.linear']);
    expect(trials.rows).toHaveLength(30);
    const { best, kept, widths } = json('best.json') as {
      best: { trial: number; fitness: number };
      kept: number[][];
      widths: number[];
    };
    expect(best.fitness).toBe(Math.min(...trials.rows.map(([, loss]) => Number(loss))));
    expect(widths).toEqual([8, 6]);
    expect(trials.rows[best.trial]?.[2]).toBe((kept[0] as number[]).join(' '));

    const answers = readCsv(gossamer('predict', 'best.safetensors', 'new.csv').stdout).rows;
    const truth = readCsv(read('new.csv')).rows.map((row) => row[3]);
    const right = answers.filter(([, y], row) => y === truth[row]).length;
    expect(right).toBeGreaterThanOrEqual(17);
    // The file is of the small network: 5 features at most, not 40 and 30 nodes.
    expect(gossamer('info', 'best.safetensors').stdout).toContain('hidden 8,6');
    expect(gossamer('info', 'best.json').stdout).toMatch(
      /best\.json: what gossamer search --model random-search found on .*\nnodes that are on, layer by layer: \d+, \d+; /,
    );
    // Where the search has ended, --resume takes it up, for the same options alone.
    expect(search(...args, '--resume', '--candidates', '31').stderr).toContain('was found with another candidates');
    expect(
      search('--target', 'y', '--sparsity', '0.8', '--candidates', '30', '-o', 'best.safetensors', '--resume').status,
    ).toBe(0);
  }, 120_000);

  test('a number is predicted too, judged by accuracy or after steps, with widths spread', () => {
    const found = search(
      ...['--target', 'number', '--task', 'number', '--sparsity', '0.7', '--candidates', '12', '--widths', 'composed'],
      ...['--fitness', 'steps', '--learning-rate', '1e-2', '-o', 'value.safetensors', '--trials', 'drawn.csv'],
    );
    expect(found.status).toBe(0);
    expect(found.stdout).toMatch(/loss after 10 steps/);
    const error = Number(/test root mean squared error ([\d.]+)/.exec(found.stdout)?.[1]);
    expect(error).toBeLessThan(1);
    const { widths } = json('value.json') as { widths: number[] };
    expect((widths[0] as number) + (widths[1] as number)).toBe(21);
    const answers = readCsv(gossamer('predict', 'value.safetensors', 'new.csv').stdout).rows;
    const truth = readCsv(read('new.csv')).rows.map((row) => Number(row[4]));
    const off = answers.reduce((sum, [, value], row) => sum + (Number(value) - (truth[row] as number)) ** 2, 0);
    expect(Math.sqrt(off / truth.length)).toBeLessThan(1.2);
  }, 60_000);

  test('pictures: a smaller network that classifies, and baselines beside a recipe', () => {
    const found = gossamer(
      ...['search', 'stripes', '--model', 'random-search', '--network', 'lenet', '--sparsity', '0.5'],
      ...['--candidates', '5', '--epochs', '12', '--batch', '6', '-o', 'small.safetensors'],
    );
    expect(found.stderr).toContain('parent: lenet');
    expect(found.status).toBe(0);
    expect(classifiedStripes(gossamer, 'small.safetensors')).toEqual(rightStripes);

    expect(
      gossamer('train', 'stripes', '--model', 'lenet', '--epochs', '8', '--batch', '6', '-o', 'dense.safetensors')
        .status,
    ).toBe(0);
    const steps = [{ do: 'remove-channels', ratio: 0.5, roundTo: 1, epochs: 2 }];
    writeFileSync(join(folder, 'r.json'), JSON.stringify({ training: { batchSize: 6 }, steps }));
    const small = gossamer(
      ...[
        'compress',
        'dense.safetensors',
        '--data',
        'stripes',
        '--recipe',
        'r.json',
        '--baselines',
        'random,random-search',
      ],
      ...['--baseline-repeats', '2', '--candidates', '6', '-o', 'small'],
    );
    expect(small.status).toBe(0);
    expect(small.stdout).toMatch(/recipe over random: -?[\d.]+ points, 95 % interval \[-?[\d.]+, -?[\d.]+\]/);
    expect(small.stdout).toMatch(/recipe over random-search: /);
    expect(small.stdout).not.toMatch(/^fresh/m);
    type Arm = { name: string; parameters: number; repeats: number };
    const { sparsity, arms } = json('small/report.json').baselines as { sparsity: number; arms: Arm[] };
    // The same share of channels, hence as many parameters.
    expect(sparsity).toBeCloseTo(0.5, 1);
    expect(arms.map(({ name, repeats }) => [name, repeats])).toEqual([
      ['recipe', 1],
      ['random', 2],
      ['random-search', 2],
    ]);
    expect(arms[1]?.parameters).toBe(arms[0]?.parameters);
    // The recipe's own result is what it is without baselines.
    expect(classifiedStripes(gossamer, 'small/model.plan')).toEqual(rightStripes);
  }, 120_000);

  test('what cannot be is refused in a line', () => {
    for (const [args, message] of [
      [['table.csv', '--target', 'y', '--sparsity', '1'], '--sparsity must be below 1, got 1'],
      [['table.csv'], '--target names the column of the table to predict'],
      [['table.csv', '--target', 'w'], 'w'],
      [['stripes', '--target', 'y'], 'holds pictures, whose classes are their folders'],
      [['stripes', '--network', 'lenett'], '"lenett" is not known'],
      [['table.csv', '--target', 'y', '--hidden', '0'], 'at least 1'],
      [['table.csv', '--target', 'y', '--keep', '0.1'], '--keep is an option of --model dass'],
    ] as const) {
      const { status, stderr } = gossamer('search', ...args, '--model', 'random-search');
      expect(stderr).toContain(message);
      expect(status).toBe(2);
    }
    const { status, stderr } = gossamer('compress', 'x.safetensors', '--data', 'stripes', '--baselines', 'best');
    expect(stderr).toContain('expected some of random, random-search, fresh, got "best"');
    expect(status).toBe(2);
  });
});
