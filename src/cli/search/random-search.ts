// `gossamer search --model random-search`: the best of many random sub-networks of an untrained
// network, trained and kept as the smaller network that it is; of tables and of pictures.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Option } from 'commander';
import {
  type KeptNodes,
  NodeSpace,
  scoresOn,
  searchSubNetwork,
  type Trial,
  trainOnExamples,
  weightSparsity,
} from '../../compress/index.js';
import { requireWritable, writeFileAtomic } from '../../data/node.js';
import { summarize } from '../../experiments/index.js';
import { replaceWeights, stateOf, type TrainingHooks, type TrainingState, warmUpCosine } from '../../nn/index.js';
import { Random, scope, tensor } from '../../tensor/index.js';
import { list, number } from '../arguments.js';
import { Bar } from '../bar.js';
import { foundPathOf, searchResumably } from '../found.js';
import { writeNote } from '../output.js';
import { trainResumably } from '../training.js';
import type { SearchModel } from './model.js';
import { trainingOptions } from './options.js';
import { compareArms } from './sparse-arms.js';
import { type SparseTask, type SubNetworkFlags, taskOf } from './sparse-tasks.js';

/** Widths of hidden layers, such as 512,512. */
const widthsOf = (text: string): number[] => list(text).map(number(1));

/** Sub-networks drawn at random. */
export const randomSearch: SearchModel<SubNetworkFlags> = {
  name: 'random-search',
  options: [
    ...trainingOptions.slice(1),
    new Option('--target <column>', 'the column of a table that is predicted'),
    new Option('--task <kind>', 'what the column holds; found from its values when left out').choices([
      'class',
      'number',
    ]),
    new Option('--sparsity <share>', 'share of the hidden nodes that are off').argParser(number(0, false)).default(0.9),
    new Option('--candidates <n>', 'sub-networks that are drawn; 1 takes a random one')
      .argParser(number(1))
      .default(1000),
    new Option(
      '--search-set <n>',
      'training examples that candidates are judged on; 2000 rows or 500 pictures when left out',
    ).argParser(number(1)),
    new Option('--fitness <what>', 'what they are judged by, before training or after 10 steps')
      .choices(['loss', 'accuracy', 'steps'])
      .default('loss'),
    new Option('--widths <how>', 'exact: the same share of every layer; composed: as many nodes, spread at random')
      .choices(['exact', 'composed'])
      .default('exact'),
    new Option('--rescale', 'scale the inputs of layers by the root of the share of nodes that are on').default(false),
    new Option('--hidden <list>', 'tables: widths of the hidden layers of the parent')
      .argParser(widthsOf)
      .default([512, 512], '512,512'),
    new Option('--network <name>', 'pictures: the parent, one of gossamer models').default('vgg11-small'),
    new Option('--repeats <n>', 'seeds on which a random sub-network and a new small network are trained beside it')
      .argParser(number(0))
      .default(0),
    new Option('--trials <file>', 'every candidate with its fitness; trials.csv beside the model when left out'),
  ],
  examples: [
    'gossamer search table.csv --target y --model random-search --sparsity 0.9 -o best.safetensors',
    'gossamer search photos/ --model random-search --network vgg11-small --size 32 --candidates 200 --repeats 3',
    'gossamer predict best.safetensors new.csv',
  ],
  notes:
    'of an untrained network (a table: an MLP; pictures: --network) --candidates sub-networks are drawn, each with the same share of the hidden units or channels of every layer; the one with the lowest loss before training is cut out, with the values of its parent, and trained. It is what any search must beat: on average it is no better than a random one. --repeats trains a random sub-network and a new network of its widths beside it and prints the differences. Test rows or pictures (--test-share) are predicted once, at the end. trials.csv lists the candidates; what was found is kept in <out> with the ending .json.',
  tell: ({ widths, best, sparsity, candidates }: Found & Pick<SubNetworkFlags, 'sparsity' | 'candidates'>) => [
    `nodes that are on, layer by layer: ${widths.join(', ')}; share of the others ${sparsity}`,
    `candidate ${best.trial + 1} of ${grouped(candidates)}`,
    'use: the model beside this file is the network of these nodes, trained',
  ],
  run,
};

/** What the file of a search holds. */
interface Found {
  readonly widths: readonly number[];
  readonly kept: readonly (readonly number[])[];
  readonly best: { readonly trial: number; readonly fitness: number };
  readonly mean: number;
  readonly deviation: number;
}

async function run(path: string, flags: SubNetworkFlags): Promise<void> {
  const { sparsity, candidates, fitness, widths, rescale, seed, epochs, batch, learningRate } = flags;
  if (sparsity >= 1) throw new Error(`--sparsity must be below 1, got ${sparsity}`);
  const isAlone = flags.out.endsWith('.json') || epochs === 0;
  const foundPath = isAlone ? flags.out : foundPathOf(flags.out);
  const trialsPath = flags.trials ?? join(dirname(flags.out), 'trials.csv');
  for (const file of [foundPath, trialsPath]) requireWritable(file);
  const random = new Random(seed);
  const task = await taskOf(path, flags, random.split('test'));
  const searchSet = Math.min(flags.searchSet ?? task.searchSet, task.train.count);
  const model = task.create(random.split('model'));
  const options = { sparsity, candidates, fitness, widths, rescale, searchSet };
  const { widths: spread, ...others } = options;
  const asked = { model: 'random-search', data: path, seed, ...others, spread, ...task.asked };
  writeNote(describeParent(task, stateOf(model), searchSet));
  let isCut = false;
  const run = { ...flags, growing: ['candidates'] } as const;
  const found: Found | undefined = await searchResumably(run, foundPath, asked, async (hooks) => {
    const bar = new Bar('drawing', 'sub-networks', flags.json);
    const drawn: number[] = [];
    // The draws of a smaller number are the first of a larger one.
    const name = `fitness of ${JSON.stringify({ ...asked, candidates: undefined })}`;
    const keepTrials = savedEvery(hooks, name, drawn);
    const known = scope(() => earlierFitness(hooks, name));
    try {
      const { nodes, kept, trials, best, stopped } = await searchSubNetwork(model, task.train, random, {
        ...{ ...options, learningRate, known, signal: hooks.signal },
        onTrial: ({ trial, fitness: own }) => {
          drawn.push(own);
          keepTrials(false);
          bar.update((trial + 1) / candidates, trial + 1);
        },
      });
      if (stopped === 'aborted') keepTrials(true);
      else {
        isCut = true;
        writeFileAtomic(trialsPath, trialsTable(nodes, trials, fitness));
      }
      return { found: foundOf(kept, best, trials), stopped };
    } finally {
      bar.close();
    }
  });
  if (!found) return;
  const parent = task.create(random.split('model'));
  const nodes = scope(() => new NodeSpace(parent, task.train.inputs(Int32Array.of(0))));
  const whole = stateOf(parent);
  const kept = found.kept.map((own) => Int32Array.from(own));
  if (!isCut) scope(() => replaceWeights(model, nodes.cut(whole, kept, { rescale })));
  const lacking = weightSparsity(whole, stateOf(model));
  if (!flags.json) process.stdout.write(`${describe(found, flags, lacking, whole, nodes)}\n`);
  if (isAlone) {
    process.stdout.write(flags.json ? `${JSON.stringify({ ...asked, ...found })}\n` : `${foundPath}: what was found\n`);
    return;
  }
  let score: number | undefined;
  const ended = await trainResumably(
    { out: flags.out, resume: flags.resume && existsSync(`${flags.out}.checkpoint`) },
    (hooks) =>
      trainOnExamples(model, task.train, random.split('fit'), {
        ...{ ...hooks, epochs, batchSize: batch, learningRate },
        schedule: (steps) => warmUpCosine(steps, 0.05),
      }),
    () => {
      score = task.test.count > 0 ? meanScore(scoresOn(model, task.test)) : undefined;
      writeFileAtomic(flags.out, task.save(model, score));
    },
  );
  if (!ended) return;
  const arms = flags.repeats > 0 ? await compareArms(task, random, flags, options) : undefined;
  const result = score === undefined ? 'nothing was kept for testing' : `test ${task.describeScore(score)}`;
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ ...asked, ...found, score, out: flags.out, trials: trialsPath, ...(arms && { arms: arms.json }) })}\n`
      : `${arms ? `${arms.text}\n\n` : ''}${flags.out}, ${trialsPath}: ${result}\n`,
  );
}

const meanScore = (scores: Float64Array) => scores.reduce((sum, own) => sum + own, 0) / scores.length;

/** Seconds between two savings of what was drawn. */
const SAVED = 5;

/** Keeps the fitness of the candidates so far in the checkpoint: every few seconds, or now. */
function savedEvery(
  { checkpoint }: Required<TrainingHooks>,
  name: string,
  drawn: readonly number[],
): (now: boolean) => void {
  let last = performance.now();
  return (now) => {
    if (!now && performance.now() - last < 1000 * SAVED) return;
    last = performance.now();
    const fitness = tensor(Float32Array.from(drawn));
    const state: TrainingState = {
      ...{ epoch: drawn.length, step: drawn.length, weights: { [name]: fitness }, best: undefined, history: [] },
      optimizer: { step: 0, tensors: {} },
    };
    checkpoint.save(state);
    fitness.dispose();
  };
}

/** @throws Error where the candidates so far were drawn or judged otherwise */
function earlierFitness({ checkpoint }: Required<TrainingHooks>, name: string): ArrayLike<number> {
  const state = checkpoint.load();
  if (!state) return [];
  const fitness = state.weights[name];
  if (fitness) return fitness.dataSync<Float32Array>();
  throw new Error(
    `the candidates so far are of a search with other options (${Object.keys(state.weights)[0]}); give those again, or leave --resume out`,
  );
}

function foundOf(kept: KeptNodes, { trial, fitness }: Trial, trials: readonly Trial[]): Found {
  const { mean, sd } = summarize(trials.map((own) => own.fitness));
  return {
    widths: kept.map(({ length }) => length),
    kept: kept.map((own) => Array.from(own)),
    best: { trial, fitness },
    mean,
    deviation: sd,
  };
}

/** A line for each candidate: its fitness, and the nodes that are on in each layer. */
function trialsTable(nodes: NodeSpace, trials: readonly Trial[], fitness: SubNetworkFlags['fitness']): string {
  const column = fitness === 'accuracy' ? 'accuracy' : 'loss';
  const lines = trials.map(({ trial, genome, fitness: own }) => {
    const value = Number.isNaN(own) ? '' : fitness === 'accuracy' ? -own : own;
    return [trial, value, ...nodes.space.decode(genome).map((layer) => layer.join(' '))].join(',');
  });
  return `${[['trial', column, ...nodes.layers.map(({ name }) => name)].join(','), ...lines].join('\n')}\n`;
}

const grouped = (value: number) => value.toLocaleString('en-US');
const sizeOfAll = (state: Readonly<Record<string, { readonly size: number }>>) =>
  Object.values(state).reduce((sum, { size }) => sum + size, 0);

function describeParent({ title, train }: SparseTask, state: ReturnType<typeof stateOf>, searchSet: number): string {
  return `parent: ${title}, ${grouped(sizeOfAll(state))} parameters; ${grouped(searchSet)} of ${grouped(train.count)} training examples judge candidates`;
}

/** What was found, beside what else was drawn. */
function describe(
  { best, mean, deviation, widths }: Found,
  { candidates, fitness }: SubNetworkFlags,
  lacking: number,
  parent: ReturnType<typeof stateOf>,
  { layers }: NodeSpace,
): string {
  const sign = fitness === 'accuracy' ? -1 : 1;
  const name = { loss: 'loss before training', accuracy: 'score before training', steps: 'loss after 10 steps' }[
    fitness
  ];
  const drawn =
    candidates === 1
      ? 'one random sub-network'
      : `best of ${grouped(candidates)}: ${name} ${(sign * best.fitness).toFixed(4)}, ${((mean - best.fitness) / deviation).toFixed(1)} deviations better than their mean of ${(sign * mean).toFixed(4)}`;
  const nodes = layers.map((layer, at) => `${widths[at]} of ${layer.nodes}`);
  const shown = nodes.length > 6 ? [...nodes.slice(0, 5), `… (${nodes.length} layers)`] : nodes;
  return `${drawn}\nnodes ${shown.join(', ')}: ${(100 * lacking).toFixed(1)} % of ${grouped(sizeOfAll(parent))} weights left out`;
}
