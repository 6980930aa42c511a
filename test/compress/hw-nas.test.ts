import { describe, expect, test } from 'vitest';
import {
  bertSst2,
  DYNAS_MUTATION,
  frontOf,
  GeneSpace,
  type LogStore,
  ofaMobileNetV3,
  ofaResNet50,
  publishedSpaces,
  readEvaluations,
  type SearchOptions,
  search,
  tactics,
  transformerWmt,
} from '../../src/compress/index.js';
import { type Configuration, type Genes, isElastic } from '../../src/nn/index.js';
import { Random } from '../../src/tensor/index.js';

/** A value that is there. */
const known = <Value>(value: Value | undefined): Value => value as Value;

/** Depth, kernels of layers and a width: accuracy grows with all, latency too. */
const genes: Genes = {
  depth: { count: 1, values: [1, 2, 3] },
  kernel: { count: 3, values: [3, 5, 7], active: (at, { depth = [] }) => at < known(depth[0]) },
  width: { count: 2, values: [1, 2, 4, 8] },
};

function measured({ depth = [], kernel = [], width = [] }: Configuration) {
  const used = kernel.slice(0, depth[0]);
  const size = used.reduce((sum, own) => sum + own, 0) * (known(width[0]) + 1.5 * known(width[1]));
  const accuracy =
    0.5 +
    0.1 * Math.log(1 + used.reduce((sum, own) => sum + own, 0)) +
    0.05 * Math.log(known(width[0]) * known(width[1]));
  return { accuracy, latency: 1 + 0.1 * size, params: size * known(width[0]) };
}

const options = (own: Partial<SearchOptions> = {}): SearchOptions => ({
  genes,
  evaluate: measured,
  objectives: ['accuracy', 'latency'],
  evaluations: 40,
  population: 10,
  innerEvaluations: 300,
  ...own,
});

const store = (text?: string): LogStore & { text: string | undefined } => {
  const own = {
    text,
    load: () => own.text,
    save: (next: string) => {
      own.text = next;
    },
  };
  return own;
};

describe('encodings', () => {
  test('the published spaces have their sizes', () => {
    const share = (own: Genes, size: number) => new GeneSpace(own).size / size;
    expect(share(ofaResNet50, 3 ** 29)).toBeCloseTo(1, 12);
    expect(share(ofaMobileNetV3, 3 ** 45)).toBeCloseTo(1, 12);
    expect(share(transformerWmt, 2 ** 2 * 3 ** 12 * 6 * 2 ** 18 * 3 ** 6)).toBeCloseTo(1, 12);
    expect(share(bertSst2, 7 * 4 ** 12 * 3 ** 12)).toBeCloseTo(1, 12);
  });

  test('decoding an encoding gives the same network, for every published space', () => {
    const random = new Random(1);
    for (const own of Object.values(publishedSpaces)) {
      const space = new GeneSpace(own);
      for (let i = 0; i < 50; i++) {
        const genome = space.sample(random);
        expect(space.encode(space.decode(genome))).toEqual(genome);
        expect(space.canonical(Int32Array.from(genome))).toEqual(genome);
      }
    }
  });

  test('genes of layers that are not there do not tell networks apart', () => {
    const space = new GeneSpace(ofaMobileNetV3);
    const [kernel, expand, depth] = [Array(20).fill(7), Array(20).fill(6), Array(5).fill(2)];
    const other = { kernel: kernel.map((own, at) => (at % 4 < 2 ? own : 3)), expand, depth };
    expect(space.encode({ kernel, expand, depth })).toEqual(space.encode(other));
    const shallow = space.features(space.encode(other));
    expect(shallow.filter((choice) => choice < 0).length).toBe(20);
    const deeper = { ...other, depth: [3, 2, 2, 2, 2] };
    const raw = Int32Array.from(space.genes, ({ name }) => (name.startsWith('depth') ? 0 : 2));
    expect(space.key(raw)).toBe(space.key(space.encode(other)));
    expect(space.key(space.encode(deeper))).not.toBe(space.key(space.encode({ kernel, expand, depth: deeper.depth })));
  });

  test('OFA-ResNet50: a stage has its own blocks, and the stem two forms', () => {
    const space = new GeneSpace(ofaResNet50);
    const base = { depth: [0, 0, 0, 0, 0], expand: Array(18).fill(0.2), width: Array(6).fill(0) };
    expect(space.encode({ ...base, depth: [1, 0, 0, 0, 0] })).toEqual(space.encode(base));
    expect(space.encode({ ...base, depth: [2, 0, 0, 0, 0] })).not.toEqual(space.encode(base));
    const active = (depth: number[]) =>
      [...space.features(space.encode({ ...base, depth })).slice(5, 23)].map((choice) => Number(choice >= 0)).join('');
    expect(active([0, 0, 0, 0, 0])).toBe('110011001111001100');
    expect(active([2, 1, 2, 0, 2])).toBe('111011111111001111');
  });

  test('what is not of the space is refused by name', () => {
    const space = new GeneSpace(genes);
    const whole = { depth: [1], kernel: [3, 3, 3], width: [1, 1] };
    expect(() => space.encode({ ...whole, kernel: [3, 4, 3] })).toThrow('kernel.1 is one of 3, 5, 7, got 4');
    expect(() => space.encode({ ...whole, width: [1] })).toThrow('expected 2 of "width", got 1');
    expect(() => space.encode({ ...whole, stride: [1] })).toThrow('no "stride"');
    expect(() => new GeneSpace({ depth: { count: 1, values: [1, 1] } })).toThrow('different numbers');
    expect(() => new GeneSpace({ depth: { count: 0, values: [1] } })).toThrow('expected a count');
  });
});

describe('searches', () => {
  test.each(Object.keys(tactics) as (keyof typeof tactics)[])(
    '%s spends its budget on different networks',
    async (tactic) => {
      const seen: string[] = [];
      const space = new GeneSpace(genes);
      const { evaluations, front, stopped } = await search(
        options({
          tactic,
          evaluate: (configuration) => {
            seen.push(space.key(space.encode(configuration)));
            return measured(configuration);
          },
        }),
      );
      expect(evaluations.length).toBe(40);
      expect(new Set(seen).size).toBe(40);
      expect(stopped).toBe('completed');
      expect(front).toEqual(frontOf(evaluations, ['accuracy', 'latency']));
      for (const own of evaluations) expect(own.measured).toEqual(measured(own.configuration));
    },
  );

  test('a space that is smaller than the budget is searched whole', async () => {
    const tiny = { depth: { count: 2, values: [1, 2] } };
    for (const tactic of Object.keys(tactics) as (keyof typeof tactics)[]) {
      const { evaluations } = await search(
        options({
          genes: tiny,
          tactic,
          evaluate: ({ depth = [] }) => ({ accuracy: known(depth[0]), latency: known(depth[1]) }),
        }),
      );
      expect(evaluations.length).toBe(4);
    }
  });

  test('the concurrent tactic finds a better front than random draws', async () => {
    const volume = async (tactic: SearchOptions['tactic']) => {
      const { front } = await search(options({ tactic, evaluations: 60 }));
      return front.length;
    };
    const best = frontOf(
      [...new GeneSpace(genes).all()].map((genome) => ({ measured: measured(new GeneSpace(genes).decode(genome)) })),
      ['accuracy', 'latency'],
    ).length;
    expect(await volume('concurrent')).toBeGreaterThan(await volume('random'));
    expect(best).toBeGreaterThan(5);
  });

  test('one objective finds the largest, three all three extremes', async () => {
    const single = await search(options({ objectives: ['accuracy'], evaluations: 60 }));
    expect(known(single.front[0]).configuration).toEqual({ depth: [3], kernel: [7, 7, 7], width: [8, 8] });
    for (const tactic of ['concurrent', 'evolutionary'] as const) {
      const three = await search(options({ objectives: ['accuracy', 'latency', 'params'], tactic, evaluations: 80 }));
      const least = Math.min(...three.front.map((own) => known(own.measured.latency)));
      expect(least).toBeLessThan(3);
      expect(Math.max(...three.front.map((own) => known(own.measured.accuracy)))).toBeGreaterThan(0.9);
    }
  });

  test('objectives may be named with their direction', async () => {
    const { front } = await search(options({ objectives: { latency: 'larger' }, evaluations: 60 }));
    expect(known(front[0]).configuration.width).toEqual([8, 8]);
  });

  test('a warm start measures the given networks first', async () => {
    const warm = [
      { depth: [3], kernel: [7, 7, 7], width: [8, 8] },
      { depth: [1], kernel: [3, 3, 3], width: [1, 1] },
    ];
    for (const tactic of ['evolutionary', 'concurrent', 'random'] as const) {
      const { evaluations } = await search(options({ warm, tactic }));
      expect(evaluations.slice(0, 2).map((own) => own.configuration)).toEqual(warm);
    }
  });

  test('predictors learn from all measurements so far, those of every loop', async () => {
    const learnt: number[] = [];
    await search(
      options({
        evaluations: 30,
        predictor: (_, features, labels) => {
          learnt.push(labels.length);
          return { predict: (rows) => Float64Array.from(rows, (_row, i) => i + features.length) };
        },
      }),
    );
    expect(learnt).toEqual([10, 10, 20, 20]);
  });

  test('an objective that is not measured is named, with those that are', async () => {
    await expect(search(options({ objectives: ['accuracy', 'energy'] }))).rejects.toThrow(
      'no objective "energy"; measured are accuracy, latency, params',
    );
    await expect(search(options({ objectives: [] }))).rejects.toThrow('at least one objective');
    await expect(search(options({ evaluate: () => ({ accuracy: Number.NaN, latency: 1 }) }))).rejects.toThrow(
      'accuracy NaN',
    );
    await expect(search(options({ tactic: 'annealing' as 'random' }))).rejects.toThrow('tactic "annealing"');
    await expect(search(options({ evaluations: 0 }))).rejects.toThrow('evaluations');
  });

  test('mutation is an option of the evolutionary tactic', async () => {
    const trace = async (own: Partial<SearchOptions>) =>
      (await search(options({ tactic: 'evolutionary', ...own }))).evaluations.map((e) => e.measured.latency).join();
    expect(await trace({})).not.toBe(await trace({ mutation: DYNAS_MUTATION }));
    expect(await trace({ seed: 1 })).toBe(await trace({ seed: 1 }));
    expect(await trace({ seed: 1 })).not.toBe(await trace({ seed: 2 }));
  });
});

describe('logs', () => {
  const interrupted = async (own: Partial<SearchOptions>, after: number) => {
    const log = store();
    const controller = new AbortController();
    const { stopped } = await search(
      options({
        ...own,
        log,
        signal: controller.signal,
        onEvaluation: (_, done) => {
          if (done === after) controller.abort();
        },
      }),
    );
    return { log, stopped };
  };

  test.each(Object.keys(tactics) as (keyof typeof tactics)[])('%s goes on to the same front', async (tactic) => {
    const whole = await search(options({ tactic }));
    const { log, stopped } = await interrupted({ tactic }, 17);
    expect(stopped).toBe('aborted');
    let measuredAgain = 0;
    const resumed = await search(
      options({
        tactic,
        log,
        evaluate: (configuration) => {
          measuredAgain += 1;
          return measured(configuration);
        },
      }),
    );
    expect(measuredAgain).toBe(40 - 17);
    expect(resumed).toEqual(whole);
  });

  test('a longer search goes on where a shorter one ended', async () => {
    const log = store();
    await search(options({ log, evaluations: 25 }));
    const longer = await search(options({ log }));
    expect(longer).toEqual(await search(options()));
  });

  test('the log of another search is refused with what differs', async () => {
    const { log } = await interrupted({}, 12);
    const given = () => store(log.text);
    await expect(search(options({ log: given(), seed: 7 }))).rejects.toThrow('with seed 42 in place of 7');
    await expect(search(options({ log: given(), objectives: ['accuracy'] }))).rejects.toThrow('objectives');
    await expect(search(options({ log: given(), tactic: 'random' }))).rejects.toThrow('tactic "concurrent"');
    await expect(search(options({ log: given(), about: { threads: 2 } }))).rejects.toThrow(
      'threads nothing in place of 2',
    );
    await expect(search(options({ log: store('accuracy\n1\n') }))).rejects.toThrow('does not say');
    const lines = known(log.text).split('\n');
    const swapped = [lines[0], lines[1], lines[3], lines[2], ...lines.slice(4)].join('\n');
    await expect(search(options({ log: store(swapped) }))).rejects.toThrow('evaluation 1 of the log');
  });

  test('a table of evaluations is read back, and one of other genes is refused', async () => {
    const { log } = await interrupted({}, 12);
    const space = new GeneSpace(genes);
    const read = readEvaluations(space, known(log.text), 'log.csv');
    expect(read.length).toBe(12);
    for (const own of read) expect(own.measured).toEqual(measured(space.decode(own.genome)));
    expect(() =>
      readEvaluations(new GeneSpace({ stride: { count: 1, values: [1] } }), known(log.text), 'log.csv'),
    ).toThrow('"log.csv" has no column "stride"');
  });
});

test('a layer without sub-networks is not elastic', () => {
  expect(isElastic({ forward: (x) => x })).toBe(false);
});
