// The end of a search on pictures: the front measured again, and the chosen network as files.

import { join } from 'node:path';
import {
  accuracyInPasses,
  type Evaluated,
  frontOf,
  GeneSpace,
  type SearchResult,
  type SubNetworkEvaluator,
} from '../../../compress/index.js';
import type { ImageDataset } from '../../../data/index.js';
import { writeFileAtomic } from '../../../data/node.js';
import { median } from '../../../engine/index.js';
import { ElasticCnn } from '../../../models/index.js';
import { type Configuration, disposeWeights, inference, type Layer, stateOf } from '../../../nn/index.js';
import { zeros } from '../../../tensor/index.js';
import { exportOnnx, savePlan } from '../../../trace/index.js';
import { ImageClassifier, stagedSettings } from '../../../vision/index.js';
import { frontPicture, frontTable, frontText } from './files.js';
import type { HwNasFlags } from './flags.js';
import { chosenOf } from './run.js';

/** Rounds in which the networks of a front are timed again, in turns. */
const ROUNDS = 3;

interface FrontRequest {
  readonly classifier: ImageClassifier;
  readonly evaluator: SubNetworkEvaluator;
  readonly data: ImageDataset;
  readonly result: SearchResult;
  readonly flags: HwNasFlags;
}

/** Writes the front and the chosen network, and prints them. */
export function writeImageFront(folder: string, { classifier, evaluator, data, result, flags }: FrontRequest): void {
  const { objectives } = flags;
  const networks = result.front.map(({ configuration }) => evaluator.extract(configuration));
  try {
    const again = objectives.includes('latency') ? timedAgain(evaluator, networks, result.front) : result.front;
    const front = frontOf(again, objectives);
    const networkOf = (own: Evaluated) => networks[again.indexOf(own)] as Layer;
    const chosen = chosenOf(front, flags);
    const tested = front.map((own) => testedOn(evaluator, networkOf(own), own, data));
    const mark = front.indexOf(chosen);
    const space = new GeneSpace(evaluator.genes);
    const save = (name: string, contents: string | Uint8Array) => writeFileAtomic(join(folder, name), contents);
    const entries = tested.map(({ configuration, measured }) => ({ genome: space.encode(configuration), measured }));
    save('front.csv', frontTable(space, entries, mark));
    save('front.svg', frontPicture(result.evaluations, front, chosen, objectives));
    const final = tested[mark] as Evaluated;
    saveNetwork(save, classifier, evaluator, networkOf(chosen), final, data);
    process.stdout.write(
      flags.json
        ? `${JSON.stringify({ chosen: final, front: tested, out: folder })}\n`
        : `${frontText(tested, final)}\n${folder}/: log.csv, front.csv, front.svg, model.plan, model.safetensors, model.onnx\n`,
    );
  } finally {
    for (const network of networks) disposeWeights(stateOf(network));
  }
}

/** The front with new latencies, medians of rounds in which its networks take turns. */
function timedAgain(
  evaluator: SubNetworkEvaluator,
  networks: readonly Layer[],
  front: readonly Evaluated[],
): readonly Evaluated[] {
  const times: number[][] = front.map(() => []);
  for (let round = 0; round < ROUNDS; round++)
    front.forEach(({ configuration }, i) => {
      (times[i] as number[]).push(evaluator.latency(networks[i] as Layer, configuration));
    });
  return front.map(({ configuration, measured }, i) => ({
    configuration,
    measured: { ...measured, latency: median(times[i] as number[]) },
  }));
}

/** A network with its accuracy on the test pictures, where there are any. */
function testedOn(
  evaluator: SubNetworkEvaluator,
  network: Layer,
  { configuration, measured }: Evaluated,
  data: ImageDataset,
): Evaluated {
  if (data.test.count === 0) return { configuration, measured };
  const test = evaluator.accuracy(network, configuration, (logits) => accuracyInPasses(logits, data.test, data));
  return { configuration, measured: { ...measured, test } };
}

/** Writes a network as plan, weights and ONNX. */
function saveNetwork(
  save: (name: string, contents: string | Uint8Array) => void,
  { description, model }: ImageClassifier,
  evaluator: SubNetworkEvaluator,
  network: Layer,
  { configuration, measured }: Evaluated,
  data: ImageDataset,
): void {
  if (!(model instanceof ElasticCnn)) throw new Error(`${description.architecture} has no form of its own to save`);
  const { bits: _, ...sizes } = configuration as Configuration;
  const settings = stagedSettings(model.optionsOf(sizes));
  const own = new ImageClassifier({ ...description, architecture: 'staged-cnn', settings }, network);
  const trained = own.trainedOn(data, measured.test);
  save('model.safetensors', trained.save());
  const { channels, height, width } = description;
  save(
    'model.onnx',
    exportOnnx((x) => network.forward(x, inference), [zeros([1, channels, height, width])]),
  );
  const plan = evaluator.plan(network, configuration, 1);
  save('model.plan', savePlan(plan, trained.metadata()));
  plan.dispose();
}
