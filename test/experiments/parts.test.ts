import { describe, expect, test } from 'vitest';
import { numbered, predictionTable } from '../../src/experiments/parts/artifacts.js';
import {
  above,
  abstractShare,
  atLeast,
  atMost,
  below,
  claimsOf,
  Evidence,
  evaluateClaims,
  evaluateOverall,
  meanOver,
  overallClaimsOf,
  shareSentence,
  where,
} from '../../src/experiments/parts/claims.js';
import type { RunContext } from '../../src/experiments/parts/contract.js';
import { runMethods } from '../../src/experiments/parts/methods.js';
import { choice, count, number, rate, resolveOptions, share } from '../../src/experiments/parts/options.js';
import { summarize } from '../../src/experiments/parts/statistics.js';
import { joinStudies, studyOf } from '../../src/experiments/parts/studies.js';
import type { Random } from '../../src/tensor/index.js';
import { context as quiet } from './context.js';

describe('options', () => {
  const table = {
    epochs: count(200, 'epochs', { smoke: 2 }),
    learningRate: rate(0.01, 'rate'),
    dropout: share(0.5, 'dropout', { maximum: 0.99 }),
    shift: number(-1, 'shift'),
    kind: choice(['a', 'b'], 'kind', { smoke: 'b' }),
  };

  test('what is set wins over the smoke preset, that over the data set, that over the defaults', () => {
    expect(resolveOptions(table)).toEqual({ epochs: 200, learningRate: 0.01, dropout: 0.5, shift: -1, kind: 'a' });
    const preset = { epochs: 50, dropout: 0.2 };
    expect(resolveOptions(table, { preset })).toMatchObject({ epochs: 50, dropout: 0.2, kind: 'a' });
    expect(resolveOptions(table, { preset, smoke: true })).toMatchObject({ epochs: 2, dropout: 0.2, kind: 'b' });
    const assignments = ['epochs=7', 'kind=a', 'shift=-2.5'];
    expect(resolveOptions(table, { preset, smoke: true, assignments })).toMatchObject({
      epochs: 7,
      kind: 'a',
      shift: -2.5,
    });
  });

  test.each([
    ['epochs=0', 'option epochs: expected an integer at least 1, got "0"'],
    ['epochs=1.5', 'option epochs: expected an integer at least 1, got "1.5"'],
    ['epochs=', 'got ""'],
    ['learningRate=0', 'option learningRate: expected a number at least 1e-9, got "0"'],
    ['dropout=1', 'option dropout: expected a number at least 0 at most 0.99, got "1"'],
    ['shift=Infinity', 'option shift: expected a number, got "Infinity"'],
    ['kind=c', 'option kind: expected one of a, b, got "c"'],
    ['nope=1', 'unknown option "nope"; known: epochs'],
    ['epochs', 'write epochs=value'],
    ['constructor=1', 'unknown option "constructor"'],
    ['epochs=1e99', 'option epochs: expected an integer'],
  ])('%s is refused', (assignment, message) => {
    expect(() => resolveOptions(table, { assignments: [assignment] })).toThrow(message);
  });
});

describe('claims', () => {
  const seed = (at: number, scores: Readonly<Record<string, number>>) => ({
    seed: at,
    methods: Object.entries(scores).map(([method, accuracy]) => ({ method, scores: { accuracy } })),
  });
  const evidence = new Evidence(
    'cora',
    { steps: 3 },
    [seed(0, { own: 80, other: 70 }), seed(1, { own: 82, other: 76 })],
    {
      speed: 12,
    },
  );
  const { abstract, paper, ours } = claimsOf<{ steps: number }>();

  test('evidence: means, gains, ratios, the least and most of the seeds, studies', () => {
    expect(evidence.methods).toEqual(['own', 'other']);
    expect(evidence.mean('own', 'accuracy')).toBe(81);
    expect(evidence.gain('own', 'other', 'accuracy')).toBe(8);
    expect(evidence.ratio('own', 'other', 'accuracy')).toBeCloseTo(81 / 73);
    expect(evidence.leastGain('own', 'other', 'accuracy')).toBe(6);
    expect(evidence.most((score) => score('own', 'accuracy') - score('other', 'accuracy'))).toBe(10);
    expect(evidence.study('speed')).toBe(12);
    const diverged = new Evidence('cora', { steps: 3 }, [seed(0, { own: 80 }), seed(1, { own: Number.NaN })]);
    expect(diverged.mean('own', 'accuracy')).toBeNaN();
  });

  test('bounds hold on their edge as they say', () => {
    expect([atLeast(2), atMost(2), above(2), below(2)].map((bound) => [bound.text, bound.holds(2)])).toEqual([
      ['≥ 2', true],
      ['≤ 2', true],
      ['> 2', false],
      ['< 2', false],
    ]);
    expect(atLeast(0).holds(Number.NaN)).toBe(false);
  });

  test('a claim keeps its source and words, and is left out where it was not measured or is not about the run', () => {
    const specs = [
      abstract('best', 'gain', atLeast(5), (e) => e.gain('own', 'other', 'accuracy')),
      paper('gain', atLeast(9), (e) => e.gain('own', 'other', 'accuracy')),
      ours('missing method', atLeast(0), (e) => e.mean('nobody', 'accuracy')),
      ours('missing metric', atLeast(0), (e) => e.mean('own', 'loss')),
      ours('missing study', atLeast(0), (e) => e.study('memory')),
      ...where({ data: ['citeseer'] }, [ours('elsewhere', atLeast(0), () => 1)]),
      ...where({ data: ['cora'], when: ({ steps }) => steps > 2 }, [
        ours('here', atLeast(0), () => 1),
        ...where({ when: ({ steps }) => steps > 3 }, [ours('not so long', atLeast(0), () => 1)]),
      ]),
    ];
    expect(evaluateClaims(specs, evidence)).toEqual([
      { claim: 'gain', source: 'abstract', words: 'best', value: 8, bound: '≥ 5', holds: true },
      { claim: 'gain', source: 'paper', value: 8, bound: '≥ 9', holds: false },
      { claim: 'here', source: 'ours', value: 1, bound: '≥ 0', holds: true },
    ]);
    const broken = ours('broken', atLeast(0), () => {
      throw new TypeError('a fault of the claim');
    });
    expect(() => evaluateClaims([broken], evidence)).toThrow('a fault of the claim');
  });

  test('claims over runs: a mean over none is not measured', () => {
    const over = overallClaimsOf<{ steps: number }>();
    const specs = [
      over.ours('mean', atLeast(80), (runs) => meanOver(runs, (run) => run.mean('own', 'accuracy'))),
      over.abstract('best', 'none', atLeast(0), () => meanOver([], () => 1)),
    ];
    expect(evaluateOverall(specs, [evidence])).toEqual([
      { claim: 'mean', source: 'ours', value: 81, bound: '≥ 80', holds: true },
    ]);
  });

  test('a claim of the abstract is shown if it held each time; weaker ones never tick it', () => {
    const claim = (source: 'abstract' | 'ours', words: string | undefined, holds: boolean) => ({
      ...{ claim: 'c', source, value: 1, bound: '', holds },
      ...(words && { words }),
    });
    const claims = [
      claim('abstract', 'a', true),
      claim('abstract', 'a', true),
      claim('abstract', 'b', true),
      claim('abstract', 'b', false),
      claim('ours', undefined, true),
    ];
    expect(abstractShare(['a', 'b', 'c'], [], claims)).toEqual({ shown: 1, partly: 0, measured: 2, all: 3 });
    const unmet = abstract('a', 'another measure', atLeast(0), () => 1);
    expect(abstractShare(['a', 'b', 'c'], [unmet], claims)).toEqual({ shown: 0, partly: 1, measured: 2, all: 3 });
    expect(shareSentence(['a', 'b', 'c'], [], claims)).toBe('1 of 3 claims of the abstract shown, 1 not measured');
    expect(shareSentence(['a', 'b'], [unmet], claims)).toBe('0 of 2 claims of the abstract shown, 1 measured in part');
    expect(shareSentence(['a'], [], claims)).toBe('1 of 1 claims of the abstract shown');
  });
});

describe('methods', () => {
  const context = (signal?: AbortSignal, shares: [string, number][] = []): RunContext => ({
    ...quiet(5, signal),
    progress: (method, done) => shares.push([method, done]),
  });
  const draw = (title: string) => ({ title, train: ({ random }: { random: Random }) => random.float() });

  test('each has a stream by its title, or all the same one; scores are joined, the kept model is returned', async () => {
    const own = await runMethods([draw('a'), draw('b')], context(), { score: (value) => ({ value }), keep: 'b' });
    const again = await runMethods([draw('b'), draw('a')], context(), { score: (value) => ({ value }) });
    const value = ({ methods }: typeof own, title: string) =>
      methods.find(({ method }) => method === title)?.scores.value;
    expect(value(own, 'a')).not.toBe(value(own, 'b'));
    expect([value(own, 'a'), value(own, 'b')]).toEqual([value(again, 'a'), value(again, 'b')]);
    expect([own.kept, again.kept]).toEqual([value(own, 'b'), undefined]);
    const shared = await runMethods([draw('a'), { ...draw('b'), score: () => ({ extra: 1 }) }], context(), {
      score: (own) => ({ value: own }),
      stream: 'shared',
    });
    expect(value(shared, 'a')).toBe(value(shared, 'b'));
    expect(shared.methods[1]?.scores).toEqual({
      seconds: expect.any(Number),
      value: value(shared, 'b'),
      extra: 1,
    });
  });

  test('progress is told under the method’s title; an abort ends before the next method', async () => {
    const controller = new AbortController();
    const shares: [string, number][] = [];
    const trained: string[] = [];
    const method = (title: string) => ({
      title,
      train: ({ progress }: { progress(done: number): void }) => {
        progress(0.5);
        trained.push(title);
        if (title === 'second') controller.abort();
      },
    });
    await expect(
      runMethods(['first', 'second', 'third'].map(method), context(controller.signal, shares)),
    ).rejects.toThrow('abort');
    expect(trained).toEqual(['first', 'second']);
    expect(shares).toEqual([
      ['first', 0.5],
      ['second', 0.5],
    ]);
  });
});

test('a prediction table names the most probable class; unknown labels are empty', () => {
  const table = {
    row: 'node',
    rowNames: numbered(2),
    classNames: ['red', 'green'],
    probabilities: [0.25, 0.75, 0.9, 0.1],
  };
  expect(predictionTable({ ...table, labels: [1, -1] })).toEqual({
    columns: ['node', 'prediction', 'probability', 'label'],
    rows: [
      ['0', 'green', '0.7500', 'green'],
      ['1', 'red', '0.9000', ''],
    ],
  });
  expect(predictionTable(table).columns).toEqual(['node', 'prediction', 'probability']);
});

test('studies are joined with their scores', () => {
  const study = (title: string) => ({ title, note: '', columns: [], rows: [] });
  const joined = joinStudies(studyOf(study('a'), { x: 1 }), studyOf(study('b')), studyOf(study('c'), { y: 2 }));
  expect([joined.studies.map(({ title }) => title), joined.scores]).toEqual([['a', 'b', 'c'], { x: 1, y: 2 }]);
});

test('a summary is the mean and the sample standard deviation of the numbers', () => {
  expect(summarize([1, 2, Number.NaN, 6])).toEqual({ mean: 3, sd: Math.sqrt(7) });
  expect(summarize([Number.NaN])).toEqual({ mean: Number.NaN, sd: 0 });
  expect(summarize([4])).toEqual({ mean: 4, sd: 0 });
});
