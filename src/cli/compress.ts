// `gossamer compress`

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import {
  type CompressionReport,
  compress,
  estimatePruning,
  type Footprint,
  loadMetanetwork,
  type Metanetwork,
  type PruneStep,
  type PruningEstimate,
  parseRecipe,
  type Recipe,
  type RecipeStep,
  recipeEpochs,
  type SparseArm,
  sparseArms,
  spatialRules,
} from '../compress/index.js';
import { interruptSignal, readBytes, readJson, writeFileAtomic } from '../data/node.js';
import { binaryLayers, inference } from '../nn/index.js';
import { Random, zeros } from '../tensor/index.js';
import { exportOnnx, savePlan } from '../trace/index.js';
import { deployedForm, type ImageClassifier } from '../vision/index.js';
import { type AnalyseFlags, analyse } from './analyse.js';
import { list, number } from './arguments.js';
import { Bar } from './bar.js';
import { columns } from './columns.js';
import { openModelOf } from './models.js';
import { type PictureFlags, readPictures, withPictureOptions } from './pictures.js';
import { armsOf, compareRecipe } from './recipe-arms.js';
import { useThreads } from './threads.js';

interface Flags extends PictureFlags, AnalyseFlags {
  readonly analyse: boolean;
  readonly recipe?: string;
  readonly metanetwork?: string;
  readonly speedup?: number;
  readonly method?: 'sparse';
  readonly sparsity?: number;
  readonly finetune?: number;
  readonly estimate: boolean;
  readonly data?: string;
  readonly baselines?: readonly SparseArm[];
  readonly baselineRepeats: number;
  readonly candidates: number;
  readonly out: string;
  readonly threads: number;
}

const DEFAULTS = { sparsity: 0.8, finetune: 4, speedup: 2, adapt: 5, after: 10 };

/**
 * Gradual pruning of the pointwise convolutions, with the model before it as teacher.
 *
 * @throws Error when the share is not in [0, 1)
 */
function sparseRecipe({ sparsity = DEFAULTS.sparsity, finetune = DEFAULTS.finetune }: Flags): Recipe {
  if (sparsity >= 1) throw new Error(`--sparsity must be below 1, got ${sparsity}`);
  return {
    distill: { weight: 0.5, temperature: 2 },
    steps: [{ do: 'prune', sparsity, layers: 'pointwise', epochs: finetune }],
  };
}

/** The recipe that --recipe names without a file. */
const METAPRUNING = 'metapruning';

/**
 * Pruning with a metanetwork, half as many epochs before the channels go as after.
 *
 * @throws Error without a metanetwork, or for settings of another method
 */
function metaPruningRecipe({ metanetwork, speedup = DEFAULTS.speedup, finetune, method, sparsity }: Flags): Recipe {
  if (metanetwork === undefined)
    throw new Error(
      '--recipe metapruning needs --metanetwork <file>, which gossamer fit --model metapruning makes once for an architecture',
    );
  if ((method ?? sparsity) !== undefined)
    throw new Error('--recipe metapruning takes --speedup, not --method and --sparsity');
  const step = {
    ...{ do: METAPRUNING, metanetwork, speedup },
    adaptEpochs: finetune === undefined ? DEFAULTS.adapt : Math.ceil(finetune / 2),
    epochs: finetune ?? DEFAULTS.after,
  };
  return parseRecipe({ steps: [step] }, '--recipe metapruning');
}

/** @throws Error when both a recipe and settings of a method are given */
function recipeOf(flags: Flags): Recipe {
  const { recipe, method, sparsity, finetune, metanetwork, speedup } = flags;
  if (recipe === METAPRUNING) return metaPruningRecipe(flags);
  if ((metanetwork ?? speedup) !== undefined)
    throw new Error(
      '--metanetwork and --speedup go with --recipe metapruning; in a recipe file they are fields of the step metapruning',
    );
  if (recipe === undefined) return sparseRecipe(flags);
  if ((method ?? sparsity ?? finetune) !== undefined)
    throw new Error('--recipe holds all steps; leave out --method, --sparsity and --finetune');
  return parseRecipe(readJson(recipe), recipe);
}

/** The metanetworks that steps name, by file. */
function metanetworksOf({ steps }: Recipe): Record<string, Metanetwork> {
  const files = steps.flatMap((step) => (step.do === 'metapruning' ? [step.metanetwork] : []));
  return Object.fromEntries(files.map((file) => [file, loadMetanetwork(readBytes(file), file)]));
}

const examples = `
Examples
  gossamer compress model.safetensors --data flowers/ -o small/                      80 % zeros in the pointwise convolutions
  gossamer compress model.safetensors --data flowers/ --method sparse --sparsity 0.9 --finetune 5 -o small/
  gossamer compress model.safetensors --recipe recipe.json --data fashion-mnist
  gossamer compress model.safetensors --data flowers/ --recipe metapruning --metanetwork meta.safetensors --speedup 3 -o small/
  gossamer compress model.safetensors --recipe group30.json --estimate               how much faster here, before any training
  gossamer compress model.safetensors --data flowers/ --recipe recipe.json --baselines random,random-search   is the recipe better than chance?
  gossamer classify small/model.plan photo.jpg
  gossamer compress bnn.safetensors --analyse                                         what spanning trees would save in a binary network

A recipe is JSON: a list of steps, each with the epochs that it may train.
  {
    "training": { "batchSize": 64, "learningRate": 1e-3 },
    "distill": { "weight": 0.5, "temperature": 2 },
    "steps": [
      { "do": "remove-channels", "ratio": 0.25, "epochs": 2 },
      { "do": "prune", "sparsity": 0.9, "layers": "pointwise", "pattern": "block4", "distribution": "erk", "epochs": 5 },
      { "do": "quantize", "bits": 8, "epochs": 1 }
    ]
  }
layers: pointwise, convolutions, depthwise, linear, all, or a list of names with *. pattern: unstructured, block1, block2, block4, block8, block16, block32, 2:4, or patterns by name of layers. distribution: uniform, erk, global, global-normalized. Pruning without epochs happens at once; quantize comes last. { "do": "hypercomplex", "n": 3, "epochs": 5 } leaves about a third of the weights of layers whose channels 3 divides; it comes before pruning, which writes hypercomplex layers out. Binary networks take { "do": "tree", "strength": 0.3, "depth": "auto", "epochs": 8 }: their channels are computed from each other; without epochs what is there is only ordered. { "do": "learn-masks", "keep": 0.05, "pruneEpochs": 3, "epochs": 6 } keeps 5 % of the weights of every layer, chosen by scores that are trained, then trains those.
{ "do": "replace-spatial", "with": "max", "epochs": 6 } puts pooling in the place of the 3×3 convolutions of bottlenecks, of depthwise convolutions, and of attention in every other block; 1×1 convolutions and linear layers stay. with: max, average, none, or hybrid, which keeps the convolutions that shrink maps. The report says what stayed and why.
{ "do": "tas", "budget": 0.5, "searchEpochs": 10, "epochs": 20 } searches how many channels each layer and how many blocks each stage keeps within half of the multiply-adds ("cost": "latency": of the time here), and trains a network of these from new weights with the model as its teacher.
{ "do": "metapruning", "metanetwork": "meta.safetensors", "speedup": 2, "adaptEpochs": 5, "epochs": 10 } changes the weights by a metanetwork that gossamer fit --model metapruning made, trains, removes the channels of the least norm until the network takes half of the multiply-adds, and trains again. --recipe metapruning is this step alone: --finetune <epochs> after the pruning, half as many before.

At few zeros, groups of output channels that share them are faster than single weights, and lose little once the channels of the whole network have changed places for it:
  { "steps": [{ "do": "prune", "sparsity": 0.3, "pattern": "block4", "rearrange": true, "layers": "convolutions", "epochs": 5 }] }

The folder --out gets model.plan (what runs fastest here and in the browser), model.safetensors, model.onnx and report.json.`;

export function compressCommand(): Command {
  const command = new Command('compress')
    .description('make a trained classifier of images smaller and faster')
    .argument('<model>', 'model of gossamer train; for --analyse any .safetensors or .npz')
    .option('--data <images>', 'the images that it was trained on, as gossamer train takes them')
    .option(
      '--analyse',
      'only print what spanning trees would save in a binary network: operations, bits, depth and time by layer',
      false,
    )
    .option('--layers <names>', 'with --analyse: the binary layers, where * stands for any characters', list)
    .option('--side <n>', 'with --analyse: side in pixels of the maps that are timed', number(1), 32)
    .addOption(
      new Option('--method <name>', 'sparse: gradual pruning of the pointwise convolutions (default)').choices([
        'sparse',
      ]),
    )
    .option('--sparsity <share>', `share of zeros; ${DEFAULTS.sparsity} when left out`, number(0, false))
    .option(
      '--finetune <epochs>',
      `epochs of pruning; ${DEFAULTS.finetune} when left out, 0 prunes at once; of metapruning ${DEFAULTS.after}`,
      number(0),
    )
    .option('--recipe <file>', 'other steps, as JSON, in place of a method; or metapruning')
    .option('--metanetwork <file>', 'with --recipe metapruning: what gossamer fit --model metapruning made')
    .option(
      '--speedup <times>',
      `with --recipe metapruning: how many times fewer multiply-adds; ${DEFAULTS.speedup} when left out`,
      number(0, false),
    )
    .option('--estimate', 'print the time of each layer that the prune steps would give here, and train nothing', false)
    .option(
      '--baselines <list>',
      `also train, with as many weights: ${Object.entries(sparseArms)
        .map(([name, what]) => `${name} (${what})`)
        .join(', ')}`,
      armsOf,
    )
    .option('--baseline-repeats <n>', 'seeds of the baselines', number(1), 3)
    .option('--candidates <n>', 'sub-networks drawn by the baseline random-search', number(1), 200)
    .option('-o, --out <folder>', 'where the result goes', 'compressed');
  return withPictureOptions(command, { sizeWhenLeftOut: '; those of the model when left out' })
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them: the times in the report are theirs', number(1), 1)
    .option('--json', 'print the report as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run(modelPath: string, flags: Flags): Promise<void> {
  useThreads(flags.threads);
  if (flags.analyse) return analyse(modelPath, flags);
  if (flags.estimate) return estimate(modelPath, flags);
  const { data: source } = flags;
  if (source === undefined) throw new Error('compress needs the images of the training: --data <images>');
  const recipe = recipeOf(flags);
  const metanetworks = metanetworksOf(recipe);
  const classifier = (await openModelOf(modelPath, 'image-classifier')).classifier();
  if (existsSync(join(flags.out, 'model.plan')))
    throw new Error(`folder "${flags.out}" holds a result already; choose another with --out`);
  const late = recipe.steps.find((step) => step.do === 'tas' || step.do === 'replace-spatial');
  if (classifier.description.shape && late)
    throw new Error(`"${modelPath}" has widths and depths that a search found, which ${late.do} cannot follow`);
  const data = await readFitting(classifier, source, flags);
  const { signal, release } = interruptSignal();
  const bar = new Bar('compressing', 'epochs', flags.json);
  const searching = recipe.steps.reduce((sum, step) => sum + (step.do === 'tas' ? (step.searchEpochs ?? 10) : 0), 0);
  const epochs = recipeEpochs(recipe) + searching;
  let done = 0;
  try {
    const { plan, report } = await compress(classifier.model, data, recipe, {
      random: new Random(flags.seed),
      deployed: deployedForm,
      metanetworks,
      signal,
      onStep: (step, index) => process.stderr.write(`step ${index + 1} of ${recipe.steps.length}: ${step.do}\n`),
      onEpoch: ({ epoch, epochs: all, loss }, step) => {
        bar.update(++done / Math.max(1, epochs), done);
        if (process.stderr.isTTY !== true)
          process.stderr.write(`${step.do}: epoch ${epoch}/${all}, loss ${loss.toFixed(4)}\n`);
      },
    });
    bar.close();
    const baselines =
      flags.baselines && (await compareRecipe(modelPath, data, recipe, { plan, report }, flags, signal));
    const { channels, height, width } = classifier.description;
    const smaller = classifier
      .withReplaced(spatialRules(recipe))
      .withShape(report.shape)
      .trainedOn(data, report.after.accuracy);
    // Planes of bits have no ONNX operators: binary networks are exported as they are trained.
    const isBinary = Object.keys(binaryLayers(smaller.model)).length > 0;
    const model = isBinary ? smaller.model : smaller.deployed();
    const save = (name: string, contents: string | Uint8Array) => writeFileAtomic(join(flags.out, name), contents);
    save('model.safetensors', smaller.save());
    save(
      'model.onnx',
      exportOnnx((x) => model.forward(x, inference), [zeros([1, channels, height, width])]),
    );
    save(
      'report.json',
      `${JSON.stringify({ model: modelPath, data: source, recipe, ...report, ...(baselines && { baselines: baselines.json }) }, null, 2)}\n`,
    );
    save('model.plan', savePlan(plan, smaller.metadata()));
    process.stdout.write(
      flags.json
        ? `${JSON.stringify({ ...report, ...(baselines && { baselines: baselines.json }) })}\n`
        : `${formatReport(report)}\n${baselines ? `\n${baselines.text}\n` : ''}\n${flags.out}/: model.plan, model.safetensors, model.onnx, report.json\n`,
    );
  } finally {
    bar.close();
    release();
  }
}

/** Steps after which layers have other shapes. */
const UNFORESEEN: readonly RecipeStep['do'][] = ['remove-channels', 'hypercomplex', 'tas', 'metapruning'];

/** @throws Error when the recipe has no prune step, or changes the network's shapes */
async function estimate(modelPath: string, flags: Flags): Promise<void> {
  const { steps } = recipeOf(flags);
  const { model, description } = (await openModelOf(modelPath, 'image-classifier')).classifier();
  const pruning = steps.filter((step): step is PruneStep => step.do === 'prune');
  if (pruning.length === 0) throw new Error('--estimate needs a recipe with a prune step');
  const other = steps.find(({ do: kind }) => UNFORESEEN.includes(kind));
  if (other) throw new Error(`--estimate cannot foresee the step "${other.do}"; leave it out of the recipe`);
  const { channels, height, width } = description;
  const found = estimatePruning(model, zeros([1, channels, height, width]), pruning, { deployed: deployedForm });
  process.stdout.write(`${flags.json ? JSON.stringify(found) : formatEstimate(found)}\n`);
}

function formatEstimate({ layers, dense, sparse }: PruningEstimate): string {
  const ms = (value: number | undefined) => value?.toFixed(3) ?? '';
  const rows = layers.map(({ layer, operator, zeros: share, predicted, kernel, blockHeight, reason }) => [
    ...[layer, `${(100 * share).toFixed(0)} %`, ms(predicted?.dense), ms(predicted?.sparse)],
    ...[operator, blockHeight ? `${kernel}, ${blockHeight} rows` : kernel, reason],
  ]);
  return [
    columns([['layer', 'zeros', 'dense (ms)', 'sparse (ms)', 'operator', 'kernel', 'why'], ...rows], 3),
    '',
    `One image: ${ms(dense)} ms dense, ${ms(sparse)} ms with the faster kernels, ${(dense / sparse).toFixed(2)} times as fast, by the cost model of this machine.`,
  ].join('\n');
}

/**
 * The images at the model's input size.
 *
 * @throws Error when sizes or classes differ from the model's.
 */
async function readFitting({ description }: ImageClassifier, source: string, flags: Flags) {
  const { height, width, channels, classes, mean, deviation, background = 'white' } = description;
  const reading = { size: [height, width], channels: channels === 1 ? '1' : '3', ...flags } as const;
  const data = await readPictures(source, reading, { background, silent: flags.json });
  const { test } = data;
  if (test.count === 0)
    throw new Error(`"${source}" leaves no test images, which compress measures on; choose another --test-share`);
  if (test.height !== height || test.width !== width || test.channels !== channels)
    throw new Error(
      `"${source}" holds images of ${test.channels}×${test.height}×${test.width}, the model reads ${channels}×${height}×${width}`,
    );
  if (data.classes.join() !== classes.join())
    throw new Error(`"${source}" has the classes ${data.classes.join(', ')}, the model knows ${classes.join(', ')}`);
  return { ...data, mean, deviation };
}

function formatReport({ before, after, layers, zeros: shares, done }: CompressionReport): string {
  const whole = (value: number) => value.toLocaleString('en-US');
  const rows: [string, (stage: Footprint) => string, (stage: Footprint) => number][] = [
    ['parameters', (stage) => whole(stage.parameters), (stage) => stage.parameters],
    ['not zero', (stage) => whole(stage.nonZeros), (stage) => stage.nonZeros],
    ['multiply-adds', (stage) => whole(stage.multiplyAdds), (stage) => stage.multiplyAdds],
    ['used multiply-adds', (stage) => whole(stage.usedMultiplyAdds), (stage) => stage.usedMultiplyAdds],
    ['plan (KiB)', (stage) => (stage.bytes / 1024).toFixed(0), (stage) => stage.bytes],
    ['one image (ms)', (stage) => stage.milliseconds.toFixed(3), (stage) => stage.milliseconds],
    ['test accuracy (%)', (stage) => (100 * stage.accuracy).toFixed(2), () => Number.NaN],
  ];
  const cells = rows.map(([name, show, value]) => {
    const ratio = value(before) / value(after);
    return [name, show(before), show(after), Number.isFinite(ratio) ? `${ratio.toFixed(2)}×` : ''];
  });
  const choices = layers.map(({ layer, zeros: share, kernel, blockHeight, reason }) => [
    layer,
    `${(100 * share).toFixed(0)} %`,
    blockHeight ? `${kernel} ${blockHeight}×1` : kernel,
    reason,
  ]);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    ...done,
    '',
    columns([['', 'before', 'after', 'less'], ...cells]),
    ...(shares.network > 0
      ? [`${percent(shares.sparseLayers)} zeros in the pruned layers, ${percent(shares.network)} in the network`]
      : []),
    '',
    columns([['layer', 'zeros', 'kernel', 'why'], ...choices], 2),
  ].join('\n');
}
