// What spanning trees would save in a binary network: `gossamer compress --analyse` and
// `gossamer info --tree`.

import {
  analyseBinary,
  binaryWeightsIn,
  type LayerAnalysis,
  type NamedWeights,
  type NetworkOperations,
  networkOperations,
  operationRatios,
} from '../compress/index.js';
import { bytesInMemory, isPlan, readNpz, readSafetensors } from '../data/index.js';
import { readBytes } from '../data/node.js';
import { binaryLayers } from '../nn/index.js';
import { zeros } from '../tensor/index.js';
import { IMAGE_MODEL, ImageClassifier } from '../vision/index.js';
import { columns } from './columns.js';

/** Flags of the analysis. */
export interface AnalyseFlags {
  readonly layers?: readonly string[];
  /** Side of the maps that are timed, in pixels. */
  readonly side: number;
  readonly json: boolean;
}

/** The binary layers of a file, and the network where it is one of `gossamer train`. */
interface Found {
  readonly weights: NamedWeights;
  readonly rule: string;
  readonly classifier?: ImageClassifier;
}

/** @throws Error for a file without binary layers, or with one of a single channel */
export async function analyse(path: string, { layers: names, side, json }: AnalyseFlags): Promise<void> {
  const { weights, rule, classifier } = binaryLayersOf(path, names);
  const layers = await analyseBinary(weights, {
    times: { side },
    onLayer: (layer) => process.stderr.isTTY && process.stderr.write(`${layer}\n`),
  });
  const network = classifier && operationsOf(classifier, layers);
  if (json) {
    process.stdout.write(`${JSON.stringify({ file: path, rule, side, layers, network })}\n`);
    return;
  }
  process.stdout.write(`${path}: ${layers.length} binary layers, ${rule}\n\n${report(layers, side)}\n`);
  if (!network) return;
  const { layers: alone, network: whole } = operationRatios(network);
  const million = (count: number) => `${(count / 1e6).toFixed(2)} million`;
  process.stdout.write(
    `\nAn image takes ${million(network.binary)} XNORs, ${million(network.tree)} along the trees, and ${million(network.real)} real multiply-adds.\n` +
      `Binary layers alone: ${alone.toFixed(2)} times fewer operations; the whole network: ${whole.toFixed(2)} times.\n`,
  );
}

function binaryLayersOf(path: string, names: readonly string[] | undefined): Found {
  const bytes = readBytes(path);
  if (isPlan(bytesInMemory(bytes, path)))
    throw new Error(`file "${path}" is a plan, which has no weights to order; give the model.safetensors beside it`);
  if (/\.npz$/i.test(path)) return binaryWeightsIn(readNpz(bytes, path), names);
  const { tensors, metadata } = readSafetensors(bytes, path);
  const classifier = metadata.system === IMAGE_MODEL.system ? ImageClassifier.load(bytes, path) : undefined;
  if (!classifier) return binaryWeightsIn(valuesOf(tensors), names);
  const own = Object.entries(binaryLayers(classifier.model));
  if (own.length === 0)
    throw new Error(
      `${classifier.description.architecture} of "${path}" has no binary layers; gossamer train --model binary-net makes a network that has`,
    );
  const all = Object.fromEntries(own.map(([name, { weight }]) => [`${name}.weight`, weight]));
  const found = names ? binaryWeightsIn(valuesOf(all), names) : undefined;
  const weights = Object.fromEntries(own.map(([name, { weight }]) => [name, valueOf(weight)]));
  return { weights, rule: `of ${classifier.description.architecture}`, ...found, classifier };
}

type Weight = ReturnType<typeof readSafetensors>['tensors'][string];

const valueOf = (weight: Weight) => ({ shape: weight.shape, values: weight.dataSync() });

const valuesOf = (tensors: Readonly<Record<string, Weight>>): NamedWeights =>
  Object.fromEntries(Object.entries(tensors).map(([name, weight]) => [name, valueOf(weight)]));

function operationsOf({ model, description }: ImageClassifier, layers: readonly LayerAnalysis[]): NetworkOperations {
  const { channels, height, width } = description;
  return networkOperations(model, zeros([1, channels, height, width]), layers);
}

/** A table of the layers. */
function report(layers: readonly LayerAnalysis[], side: number): string {
  const ratio = (value: number) => value.toFixed(2);
  const rows = layers.map(({ layer, channels, length, times, ...own }) => [
    ...[layer, `${channels}×${length}`, ratio(own.ratio), ratio(own.chain), ratio(own.star), ratio(own.majority)],
    ...[(100 * own.share).toFixed(1), ratio(own.bitsRatio), `${own.depth}`, `${own.firstDepth}`],
    ...(times ? [times.tree, times.direct, times.rows].map((milliseconds) => milliseconds.toFixed(3)) : []),
  ]);
  const heads = ['layer', 'N×L', 'R_op', 'chain', 'star', 'majority', 'Σd %', 'R_bits', 'depth', 'from 0'];
  return [
    columns([[...heads, 'tree ms', 'direct ms', 'rows ms'], ...rows]),
    '',
    'R_op: N·L operations over those of the tree; chain, star and majority: of the nearest-neighbour chain and of',
    'stars around the best channel and around the majority of the signs. Σd: differing weights as a share of all.',
    'R_bits: stored bits over those of the tree. depth: longest chain of channels that wait for each other; from 0:',
    `that of the tree from channel 0. Times are of maps of ${side}×${side} pixels on this machine; rows: packed rows.`,
    'Random signs give an R_op of about 2.2.',
  ].join('\n');
}
