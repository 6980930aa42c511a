// `gossamer search --model dass`: cells whose operations are sparse while they are compared, then
// a network of them that is trained, pruned and trained again.

import { existsSync } from 'node:fs';
import { type FoundCells, searchBytes, searchCells, sparsePlan, trainSparsely } from '../compress/index.js';
import { imageTensor } from '../data/index.js';
import { readJson, requireWritable, writeFileAtomic } from '../data/node.js';
import {
  accuracyOn,
  type CellOperation,
  cellOperations,
  type Genotype,
  requireGenotype,
  skipShare,
} from '../models/index.js';
import { parameterCount } from '../nn/index.js';
import { Random } from '../tensor/index.js';
import { savePlan } from '../trace/index.js';
import { ImageClassifier } from '../vision/index.js';
import { foundPathOf, searchResumably } from './found.js';
import { writeNote } from './output.js';
import { type PictureTrainingFlags, readPictures } from './pictures.js';
import { trainResumably } from './training.js';

/** Flags of `gossamer search --model dass`. */
export interface CellFlags extends PictureTrainingFlags {
  readonly out: string;
  readonly searchEpochs: number;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly keep: number;
  readonly width: number;
  readonly cells: number;
  readonly nodes: number;
  readonly operations?: readonly string[];
  readonly order: 'first' | 'second';
  readonly resume: boolean;
  readonly json: boolean;
}

/** Memory from which a search is announced, in bytes. */
const MUCH = 2 ** 30;

/** Rates of a search of tens of epochs, where the published ones are for hundreds. */
const RATES = { learningRates: { pretrain: 0.1, prune: 0.1, finetune: 0.1 }, architectureRate: 3e-3 };

/** Epochs of the three phases: as many of weights twice, half of them of scores. */
const phasesOf = (epochs: number) => ({ pretrain: epochs, prune: Math.ceil(epochs / 2), finetune: epochs });

/** Cells that --model names: those of a file of a search or of DARTS, or a network's own. */
export function readCells(model: string): {
  readonly model: string;
  readonly genotype?: Genotype;
  readonly settings: Readonly<Record<string, number>>;
} {
  if (!model.endsWith('.json')) return { model, settings: {} };
  const file = readJson(model) as { readonly genotype?: unknown; readonly settings?: Record<string, number> };
  return { model: 'dass', genotype: requireGenotype(file.genotype ?? file, model), settings: file.settings ?? {} };
}

/** Searches cells on pictures, then trains their network from new weights. */
export async function searchCellsOn(path: string, flags: CellFlags): Promise<void> {
  const operations = operationsOf(flags.operations);
  const { searchEpochs, batch, keep, seed, width, cells, nodes, order, epochs, learningRate } = flags;
  const isAlone = flags.out.endsWith('.json') || epochs === 0;
  const foundPath = isAlone ? flags.out : foundPathOf(flags.out);
  requireWritable(foundPath);
  const data = await readPictures(path, flags, { background: flags.background, silent: flags.json });
  const random = new Random(seed);
  const settings = { width, cells };
  const space = { ...settings, nodes, operations, batchSize: batch };
  const need = searchBytes(data.train, space);
  if (need > MUCH)
    writeNote(
      `the search needs about ${(need / 2 ** 30).toFixed(1)} GiB; a smaller --width, --cells, --batch or --size needs less`,
    );
  const asked = {
    model: 'dass',
    data: path,
    ...{ seed, keep, searchEpochs, batch, nodes, operations, order, settings },
  };
  const found = await searchResumably(flags, foundPath, asked, async (hooks) => {
    const { genotype, shares, stopped } = await searchCells(data, random.split('search'), {
      ...{ ...space, ...RATES, keep, order, ...hooks },
      epochs: phasesOf(searchEpochs),
    });
    return { found: { genotype, shares }, stopped };
  });
  if (!found) return;
  if (!flags.json) process.stdout.write(`${describe(found)}\n`);
  if (isAlone) {
    process.stdout.write(flags.json ? `${JSON.stringify(found)}\n` : `${foundPath}: what was found\n`);
    return;
  }
  const classifier = ImageClassifier.create('dass', data, random.split('model'), settings, found.genotype);
  writeNote(`${parameterCount(classifier.model).toLocaleString('en-US')} parameters, ${100 * keep} % of weights kept`);
  let accuracy: number | undefined;
  const planPath = `${flags.out.replace(/\.[^./]*$/, '')}.plan`;
  const ended = await trainResumably(
    { out: flags.out, resume: flags.resume && existsSync(`${flags.out}.checkpoint`) },
    (hooks) =>
      trainSparsely(classifier.model, data, random.split('fit'), {
        ...{ ...hooks, keep, batchSize: batch, epochs: phasesOf(epochs) },
        learningRates: { pretrain: learningRate, finetune: learningRate },
      }),
    () => {
      accuracy = data.test.count > 0 ? accuracyOn(classifier.model, data.test, data) : undefined;
      const trained = classifier.trainedOn(data, accuracy);
      writeFileAtomic(flags.out, trained.save());
      const { plan } = sparsePlan(trained.deployed(), imageTensor(data.train, [0], data));
      writeFileAtomic(planPath, savePlan(plan, trained.metadata()));
    },
  );
  if (!ended) return;
  const result = accuracy === undefined ? 'no test images' : `test accuracy ${(100 * accuracy).toFixed(2)} %`;
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ ...found, accuracy, out: flags.out, plan: planPath })}\n`
      : `${flags.out}, ${planPath}: ${result}\n`,
  );
}

/** @throws Error naming the operations there are */
function operationsOf(names: readonly string[] = cellOperations): readonly CellOperation[] {
  const unknown = names.find((name) => !(cellOperations as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`--operations: "${unknown}" is none of ${cellOperations.join(', ')}`);
  return names as readonly CellOperation[];
}

/** The cells node by node, and a word where the search collapsed. */
function describe({ genotype }: Pick<FoundCells, 'genotype'>): string {
  const lines = (['normal', 'reduce'] as const).map((type) => {
    const edges = genotype[type].map(([operation, input], at) => `${(at >> 1) + 2}: ${operation} of ${input}`);
    return `${type}: ${edges.join(', ')}`;
  });
  const skips = skipShare(genotype);
  if (skips > 0.5)
    lines.push(
      `${Math.round(100 * skips)} % of the edges are skip connections: fewer --search-epochs may find better ones`,
    );
  return lines.join('\n');
}
