// Graph hypernetworks, made by `gossamer fit --model logah`: they predict the weights of an
// architecture.

import { existsSync } from 'node:fs';
import { type StreamedTensor, safetensorsPieces } from '../../data/index.js';
import { readBytes, readJson, writeFileAtomic } from '../../data/node.js';
import {
  type ArchitectureGraph,
  architectureGraph,
  graphOf,
  HypernetModel,
  predictedTensors,
  predictionReport,
  presetNames,
  readArchitecture,
  reportLines,
  torchName,
} from '../../hypernet/index.js';
import { Random, sizeOf, type Tensor, zeros } from '../../tensor/index.js';
import { importOnnx } from '../../trace/index.js';
import { imageModel, imageModelNames } from '../../vision/index.js';
import type { Predictor, WeightOptions } from './predictor.js';

export interface HypernetFile extends Predictor {
  /** The hypernetwork with its description. */
  load(): HypernetModel;
}

export function open(path: string): HypernetFile {
  const bytes = readBytes(path);
  const load = () => HypernetModel.load(bytes, path);
  return {
    load,
    reads: [],
    describe: () => load().describe(),
    predict: async () => {
      throw new Error(`"${path}" predicts weights: gossamer predict ${path} architecture.json -o weights.safetensors`);
    },
    writeWeights: (architecture, out, options) => writeWeights(load(), architecture, out, options),
  };
}

/** A graph, and how its parameters are named in a file. */
interface Described {
  readonly graph: ArchitectureGraph;
  readonly nameOf: (parameter: string) => string;
}

/** Streams the weights of an architecture into a file of safetensors. */
function writeWeights(model: HypernetModel, path: string, out: string, { type, onProgress }: WeightOptions): string[] {
  const { ghn } = model;
  const { graph, nameOf } = describedBy(path, model);
  const report = predictionReport(ghn, graph);
  let done = 0;
  const tensors = Array.from(predictedTensors(ghn, ghn.encode(graph)), ({ name, shape, values }): StreamedTensor => {
    return {
      name: nameOf(name),
      shape,
      *values() {
        yield* values();
        done += sizeOf(shape);
        onProgress(done / report.predicted);
      },
    };
  });
  writeFileAtomic(out, safetensorsPieces(tensors, { format: 'pt' }, type));
  return reportLines(report);
}

/** A file of JSON or ONNX, or the name of an architecture. */
function describedBy(path: string, { description }: HypernetModel): Described {
  if (path.endsWith('.onnx')) return onnxGraph(path);
  if (!existsSync(path)) {
    if (presetNames.includes(path)) return { graph: graphOf(readArchitecture(path)), nameOf: torchName };
    throw new Error(
      `"${path}" is neither a file (.json, .onnx) nor an architecture by name; there are ${presetNames.join(', ')}`,
    );
  }
  const given = readJson(path);
  return isPictureModel(given)
    ? { graph: pictureGraph(given), nameOf: torchName }
    : { graph: graphOf(readArchitecture(given, description.base)), nameOf: torchName };
}

/** A network of gossamer train, by its name there. */
interface PictureModel {
  readonly model: string;
  readonly size?: number;
  readonly channels?: number;
  readonly classes?: number;
}

function isPictureModel(given: unknown): given is PictureModel {
  return typeof given === 'object' && given !== null && 'model' in given && typeof given.model === 'string';
}

function pictureGraph({ model, size = 32, channels = 3, classes = 10 }: PictureModel): ArchitectureGraph {
  if (!imageModelNames.includes(model))
    throw new Error(`network "${model}" is not known; there are ${imageModelNames.join(', ')}`);
  const network = imageModel(model, { size, channels, classes }, new Random(0));
  return architectureGraph(network, [zeros([1, channels, size, size])]);
}

/** Prefix of the parameters of an imported model. */
const WEIGHTS = 'weights.';

function onnxGraph(path: string): Described {
  const model = importOnnx(readBytes(path));
  const module = {
    weights: model.weights,
    // The mode of inference comes last; an imported model has none.
    forward: (...inputs: Tensor[]) => model.forward(...inputs.slice(0, model.inputNames.length)),
  };
  return {
    graph: architectureGraph(module, model.exampleInputs()),
    nameOf: (name) => (name.startsWith(WEIGHTS) ? name.slice(WEIGHTS.length) : name),
  };
}
