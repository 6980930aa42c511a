// What the published sizes of EMOv2 cost, and how many shortcuts its blocks have.

import { secondsInTurns, setThreads, threads } from '../../engine/index.js';
import { disposeWeights, inference, parameterCount, stateOf } from '../../nn/index.js';
import { Random, scope, type Tensor, zeros } from '../../tensor/index.js';
import { compile, cost, type Graph, trace } from '../../trace/index.js';
import { EMOv2, type EMOv2Block, type EMOv2Options, emov2s } from '../../vision/index.js';
import type { StudyResults } from '../parts/contract.js';
import { joinStudies, noStudies, studyOf } from '../parts/studies.js';

/** Side of the images that the published sizes are for. */
const SIDE = 224;
/** Megabits a second of a mobile connection. */
const BANDWIDTH = { '4G': 20, '5G': 100 } as const;
const sizes = ['1m', '2m', '5m', '20m', '50m'].map((size) => `emov2-${size}`);

/** How often operations read the input of a graph to add it to something. */
function additionsOfInput({ nodes, inputs }: Graph): number {
  return nodes.filter(({ op, inputs: read }) => op.name === 'add' && read.some((value) => value === inputs[0])).length;
}

/** Additions of the input of a block, on its traced graph. */
function shortcutsOf(block: EMOv2Block, channels: number): number {
  const x = zeros([1, channels, 8, 8]);
  return scope(() => trace((y) => block.forward(y, inference), [x], stateOf(block), additionsOfInput));
}

/** Counts the shortcuts of every kind of block. */
export function shortcutStudy(): StudyResults {
  const model = new EMOv2(emov2s['emov2-nano'] as EMOv2Options, new Random(0));
  const rows = model.stages.flatMap((blocks, stage) =>
    blocks.map((block, at) => {
      const { attention } = block.expand;
      const weight = (attention?.qk ?? block.expand.conv)?.weight as Tensor;
      const kind = at === 0 ? 'first of a stage' : attention ? 'attention' : 'convolution';
      return {
        name: `stage ${stage + 1}, block ${at + 1}`,
        kind,
        shortcuts: shortcutsOf(block, weight.shape[1] as number),
      };
    }),
  );
  const counts = rows.map(({ shortcuts }) => shortcuts);
  const joined = rows.filter(({ kind }) => kind !== 'first of a stage').map(({ shortcuts }) => shortcuts);
  return studyOf(
    {
      title: 'Shortcuts of the blocks',
      columns: ['block', 'kind', 'additions of its input'],
      rows: rows.map(({ name, kind, shortcuts }) => [name, kind, shortcuts]),
      note: 'Counted on the traced graph of each block of the nano network.',
    },
    { 'shortcuts, most': Math.max(...counts), 'shortcuts, least': Math.min(...joined) },
  );
}

/**
 * Weights, multiply-adds and milliseconds of one image of the smallest published sizes.
 *
 * @param count of the sizes
 */
export async function sizeStudy(count: number): Promise<StudyResults> {
  if (count === 0) return noStudies;
  const before = threads();
  setThreads(1);
  try {
    const rows: (string | number)[][] = [];
    for (const name of sizes.slice(0, count)) rows.push(await sizeRow(name));
    return studyOf({
      title: 'The published sizes',
      columns: [
        'network',
        'parameters',
        'multiply-adds',
        'weights (MiB)',
        'an image (ms)',
        'activations of the plan (MiB)',
        ...Object.entries(BANDWIDTH).map(([name, rate]) => `download at ${rate} Mbit/s, ${name} (s)`),
      ],
      rows,
      note: `One image of ${SIDE}² on one thread, random weights, merged form, the fastest of five. Rates of download are assumed, not measured.`,
    });
  } finally {
    setThreads(before);
  }
}

async function sizeRow(name: string): Promise<(string | number)[]> {
  const x = zeros([1, 3, SIDE, SIDE]);
  const model = new EMOv2(emov2s[name] as EMOv2Options, new Random(0));
  const parameters = parameterCount(model);
  const merged = model.merged();
  const { multiplyAdds } = scope(() => cost((y) => merged.forward(y, inference), [x]));
  const plan = compile((y) => merged.forward(y, inference), [x]);
  const { [name]: seconds = Number.NaN } = await secondsInTurns(
    { [name]: () => void scope(() => plan.run(x)) },
    { repeats: 5, warmUp: 1 },
  );
  const activations = plan.arenaBytes / 2 ** 20;
  plan.dispose();
  for (const network of [model, merged]) disposeWeights(stateOf(network));
  x.dispose();
  const bytes = 4 * parameters;
  return [
    name,
    parameters.toLocaleString('en-US'),
    multiplyAdds.toLocaleString('en-US'),
    (bytes / 2 ** 20).toFixed(1),
    (1000 * seconds).toFixed(1),
    activations.toFixed(1),
    ...Object.values(BANDWIDTH).map((rate) => ((8 * bytes) / (rate * 1e6)).toFixed(1)),
  ];
}

/** Both studies. */
export async function mobileStudies(count: number): Promise<StudyResults> {
  return joinStudies(shortcutStudy(), await sizeStudy(count));
}
