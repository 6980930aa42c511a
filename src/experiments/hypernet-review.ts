// The review's claims as experiments: one hypernetwork serves tasks that contradict one another, stores less than the networks it makes, knows what it does not know, and comes in every combination of five criteria.

import { allDesigns, chunks, criteria, Hypernet, mlpTrunk, TaskCondition } from '../hypernet/index.js';
import { binaryCrossEntropy, MLP, parameterCount, stateOf } from '../nn/index.js';
import { keep, Random, scope, type Tensor, tensor } from '../tensor/index.js';
import { atLeast, atMost, meanScore } from './claims.js';
import type { Claim, Experiment, MethodScores, RunContext, SeedResult } from './contract.js';
import { compression, doubt, forward, optimize } from './hypernet-studies.js';
import { trainCell } from './hypernet-taxonomy.js';
import type { OptionValues } from './options.js';

const options = {
  points: {
    kind: 'number',
    default: 2000,
    smoke: 300,
    minimum: 10,
    integer: true,
    about: 'points of each task, half of them to test',
  },
  steps: { kind: 'number', default: 1500, smoke: 150, minimum: 10, integer: true, about: 'steps of training' },
  cellSteps: {
    kind: 'number',
    default: 30,
    smoke: 4,
    minimum: 1,
    integer: true,
    about: 'steps of each combination of choices',
  },
} as const;

type Options = OptionValues<typeof options>;

interface Task {
  readonly name: string;
  readonly x: Tensor;
  readonly y: Tensor;
  readonly testX: Tensor;
  readonly testY: Float32Array;
}

interface Data {
  readonly tasks: readonly Task[];
}

const rules: readonly { readonly name: string; readonly label: (a: number, b: number) => boolean }[] = [
  { name: 'x₁·x₂ > 0', label: (a, b) => a * b > 0 },
  { name: 'x₁² + x₂² > 1', label: (a, b) => a * a + b * b > 1 },
];

async function load(source: string, { points }: Options): Promise<Data> {
  if (source !== 'two-tasks') throw new Error(`hypernet-review: unknown data "${source}"; known: two-tasks`);
  const tasks = rules.map(({ name, label }, t): Task => {
    const x = new Random(0).split(t).uniform([points, 2], -2, 2).dataSync();
    const y = Float32Array.from({ length: points }, (_, i) =>
      Number(label(x[2 * i] as number, x[2 * i + 1] as number)),
    );
    const half = points >> 1;
    return {
      name,
      x: keep(tensor(x.slice(0, 2 * half), [half, 2])),
      y: keep(tensor(y.slice(0, half), [half, 1])),
      testX: keep(tensor(x.slice(2 * half), [points - half, 2])),
      testY: y.slice(half),
    };
  });
  return { tasks };
}

const HIDDEN = 16;
const target = (random: Random) => new MLP([2, HIDDEN, 1], random);

function percentRight(logits: Tensor, wanted: Float32Array): number {
  const values = logits.view();
  return (100 * wanted.reduce((sum, y, i) => sum + Number((values[i] as number) > 0 === y > 0.5), 0)) / wanted.length;
}

async function runSeed({ tasks }: Data, { steps }: Options, context: RunContext) {
  const random = new Random(context.seed);
  const results: MethodScores[] = [];
  const record = (method: string, accuracies: readonly number[], parametersStored: number) =>
    results.push({
      method,
      scores: {
        accuracy: accuracies.reduce((a, b) => a + b, 0) / accuracies.length,
        worst: Math.min(...accuracies),
        parameters: parametersStored,
      },
    });
  const own: { accuracy: number; size: number }[] = [];
  for (const [t, task] of tasks.entries()) {
    const model = target(random.split('own').split(t));
    await optimize(model, steps, (live) => binaryCrossEntropy(forward(live, task.x), task.y), context, titles.own);
    const accuracy = scope(() => percentRight(forward(model, task.testX), task.testY));
    own.push({ accuracy, size: parameterCount(model) });
  }
  record(
    titles.own,
    own.map(({ accuracy }) => accuracy),
    own.reduce((sum, { size }) => sum + size, 0),
  );
  const shared = target(random.split('shared'));
  await optimize(
    shared,
    steps,
    (live, step) => {
      const task = tasks[step % tasks.length] as Task;
      return binaryCrossEntropy(forward(live, task.x), task.y);
    },
    context,
    titles.shared,
  );
  record(
    titles.shared,
    tasks.map((task) => scope(() => percentRight(forward(shared, task.testX), task.testY))),
    parameterCount(shared),
  );
  const hypernet = (generator?: ReturnType<typeof chunks>, widths = [32]) =>
    new Hypernet(
      target(random.split('target')),
      new TaskCondition(tasks.length, 4, random.split('tasks')),
      random.split('hypernet'),
      { trunk: mlpTrunk(widths), ...(generator && { generator }) },
    );
  let kept: ReturnType<typeof hypernet> | undefined;
  for (const [title, model] of [
    [titles.once, hypernet()],
    [titles.chunks, hypernet(chunks(8, 4), [16])],
  ] as const) {
    await optimize(
      model,
      steps,
      (live, step) => {
        const t = step % tasks.length;
        const task = tasks[t] as Task;
        return binaryCrossEntropy(live.run([t], task.x, forward), task.y);
      },
      context,
      title,
    );
    record(
      title,
      tasks.map((task, t) => scope(() => percentRight(model.run([t], task.testX, forward), task.testY))),
      model.size,
    );
    if (title === titles.once) kept = model;
  }
  const model = kept as ReturnType<typeof hypernet>;
  return {
    methods: results,
    artifacts: () => ({
      model: {
        weights: stateOf(model),
        metadata: { system: 'hypernet-review', tasks: JSON.stringify(rules.map(({ name }) => name)) },
      },
      predictions: {
        columns: ['task', 'x1', 'x2', 'probability', 'label'],
        rows: tasks.flatMap((task, t) => {
          const p = scope(() => model.run([t], task.testX, forward).sigmoid().dataSync());
          const x = task.testX.view();
          return Array.from(task.testY.slice(0, 200), (y, i) => [
            task.name,
            x[2 * i] as number,
            x[2 * i + 1] as number,
            p[i] as number,
            y,
          ]);
        }),
      },
    }),
  };
}

const titles = {
  own: 'a network for each task',
  shared: 'one network for both',
  once: 'hypernetwork, all at once',
  chunks: 'hypernetwork, in chunks',
} as const;

async function studies(_data: Data, { steps, cellSteps }: Options, seed: number) {
  const cells = allDesigns().map((cell) => trainCell(cell, cellSteps, seed));
  const built = cells.filter(({ reason }) => reason === undefined);
  const fell = built.filter(({ before, after }) => after <= 0.8 * before);
  const { grid, epistemic, total } = await doubt(steps, seed);
  const at = (x: number, of: readonly number[]) => of[grid.indexOf(x)] as number;
  const inside = (at(-0.5, total) + at(0, total) + at(0.5, total)) / 3;
  const { direct, made } = await compression(steps, seed);
  const reasons = new Set(cells.flatMap(({ reason }) => reason ?? []));
  return {
    studies: [
      {
        title: 'All combinations of the five choices',
        note: `${cells.length} combinations: ${built.length} built, of which ${fell.length} lost at least a fifth of their loss in ${cellSteps} steps. Left out: ${[...reasons].join('; ')}.`,
        columns: ['condition', 'generation', ...criteria.trunk.map((trunk) => `${trunk}: loss after / before`)],
        rows: criteria.condition.flatMap((condition) =>
          criteria.generation.map((generation) => [
            condition,
            generation,
            ...criteria.trunk.map((trunk) => {
              const own = built.filter(
                ({ cell }) => cell.condition === condition && cell.generation === generation && cell.trunk === trunk,
              );
              return own.map(({ before, after }) => (after / before).toFixed(2)).join(' ');
            }),
          ]),
        ),
      },
      {
        title: 'Compression: a perceptron 64-100-100-10 for digits of 8 × 8 pixels',
        note: `${steps} steps of 64 images each; the hypernetwork makes the weights in chunks of 400.`,
        columns: ['network', 'parameters stored', 'accuracy (%)'],
        rows: [
          ['trained as it is', direct.size.toLocaleString('en'), direct.accuracy.toFixed(1)],
          ['made in chunks', made.size.toLocaleString('en'), made.accuracy.toFixed(1)],
        ],
      },
      {
        title: 'Doubt of a distribution over networks: y = sin 3x + noise, data in −1 … 1',
        note: 'Standard deviations over 100 networks: of their means (epistemic), and with the noise that they predict (total).',
        columns: ['x', ...grid.map(String)],
        rows: [
          ['epistemic', ...epistemic.map((value) => value.toFixed(3))],
          ['total', ...total.map((value) => value.toFixed(3))],
        ],
      },
    ],
    scores: {
      compression: made.size / direct.size,
      kept: made.accuracy / direct.accuracy,
      fell: fell.length / built.length,
      notFinite: built.filter(({ after }) => !Number.isFinite(after)).length,
      doubt: Math.min(at(-2, total), at(2, total)) / inside,
    },
  };
}

function claims(results: readonly SeedResult[], study: Readonly<Record<string, number>>): Claim[] {
  const mean = (method: string, metric: string) => meanScore(results, method, metric);
  return [
    atLeast('One hypernetwork, the worse task (accuracy)', mean(titles.once, 'worst'), 97),
    atMost('One network without condition (accuracy)', mean(titles.shared, 'accuracy'), 80),
    atLeast('Combinations whose loss falls by a fifth (share)', study.fell ?? Number.NaN, 1),
    atMost('Combinations that end in no number', study.notFinite ?? Number.NaN, 0),
    atMost('Made in chunks: parameters stored, as a share', study.compression ?? Number.NaN, 0.75),
    atLeast('Made in chunks: share of the accuracy', study.kept ?? Number.NaN, 0.97),
    atLeast('Doubt outside the data against inside (times)', study.doubt ?? Number.NaN, 2),
  ];
}

export const hypernetReview: Experiment<typeof options, Data> = {
  system: 'hypernet-review',
  title: 'Hypernetworks by the five choices of the review',
  family: 'hypernet',
  paper:
    'Chauhan, Zhou, Lu, Molaei, Clifton, "A Brief Review of Hypernetworks in Deep Learning", 2023 (arXiv 2306.06955)',
  abstract:
    'Hypernetworks make the weights of other networks from conditions, and differ in inputs, outputs, the variability of both, and architecture: flexible, sharing information between tasks, and aware of uncertainty.',
  options,
  datasets: ['two-tasks'],
  ownData: 'none: the tasks are generated',
  metrics: {
    accuracy: { label: 'accuracy', unit: '%', digits: 1, better: 'larger' },
    worst: { label: 'worse task', unit: '%', digits: 1, better: 'larger' },
    parameters: { label: 'parameters stored', digits: 0, better: 'smaller' },
  },
  methods: Object.values(titles),
  notes: () => [
    'Two tasks on the same square whose labels contradict each other: the sign of a product, and inside or outside of a circle. Targets are perceptrons 2-16-1.',
  ],
  load,
  describe: ({ tasks }) =>
    `two tasks of ${tasks[0]?.testY.length} points to train on and as many to test: ${tasks.map(({ name }) => name).join(', ')}`,
  runSeed,
  studies,
  claims: (results, study) => claims(results, study),
};
