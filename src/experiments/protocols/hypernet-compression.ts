// Compression: a network trained as it is, and one whose weights a hypernetwork that stores less
// generates in chunks.

import { chunks, Hypernet, mlpTrunk, TaskCondition } from '../../hypernet/index.js';
import { inference, type Mode, parameterCount } from '../../nn/index.js';
import { Random, type Tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { DigitNetwork, digitAccuracy, loadDigits, trainOnDigits } from './digits.js';

const CHUNK = 400;

interface CompressionOptions {
  /** A set of `loadDigits`. */
  readonly digits: string;
  readonly steps: number;
  readonly seeds: number;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Accuracy and stored parameters of both, on several seeds of networks and batches. */
export async function compressionStudy(
  { digits, steps, seeds }: CompressionOptions,
  { seed, signal, progress }: Pick<RunContext, 'seed' | 'signal' | 'progress'>,
): Promise<StudyResults> {
  const data = loadDigits(digits, new Random(0));
  const runs: { full: number; stored: number; trained: number; made: number }[] = [];
  for (let at = 0; at < seeds; at++) {
    signal?.throwIfAborted();
    const random = new Random(seed + at).split('compression');
    const make = () => new DigitNetwork([100, 100], random.split('target'));
    const train = async <Model extends object>(
      model: Model,
      logits: (live: Model, x: Tensor, mode: Mode) => Tensor,
    ) => {
      await trainOnDigits(model, logits, data, { steps, random: random.split('training') });
      return digitAccuracy(data.test, (x) => logits(model, x, inference));
    };
    const direct = make();
    const hypernet = new Hypernet(make(), new TaskCondition(1, 8, random.split('task')), random.split('hypernet'), {
      trunk: mlpTrunk([24]),
      generator: chunks(CHUNK, 8),
    });
    runs.push({
      full: parameterCount(direct),
      stored: hypernet.size,
      trained: await train(direct, (live, x, mode) => live.forward(x, mode)),
      made: await train(hypernet, (live, x, mode) => live.run([0], x, (own, seen) => own.forward(seen, mode))),
    });
    progress('compression', (at + 1) / seeds);
  }
  const [{ full, stored }] = runs as [(typeof runs)[number]];
  const row = (title: string, parameters: number, accuracies: readonly number[]) => [
    title,
    parameters.toLocaleString('en'),
    mean(accuracies).toFixed(1),
  ];
  return studyOf(
    {
      title: `Compression: a perceptron 64-100-100-10 for ${digits} of 8 × 8 pixels`,
      note: `${steps} steps of 64 images each, the same for both, over ${seeds} seeds; weights are generated in chunks of ${CHUNK}.`,
      columns: ['network', 'parameters stored', 'accuracy (%)'],
      rows: [
        row(
          'trained as it is',
          full,
          runs.map(({ trained }) => trained),
        ),
        row(
          'generated in chunks',
          stored,
          runs.map(({ made }) => made),
        ),
      ],
    },
    { compression: stored / full, kept: Math.min(...runs.map(({ made, trained }) => made / trained)) },
  );
}
