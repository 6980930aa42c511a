// The studies of depth on one graph, and of the cost of training on random ones.

import type { RunContext, StudyResults } from '../parts/contract.js';
import { joinStudies } from '../parts/studies.js';
import { depthStudy, gradientStudy, smoothingStudy } from './node-depth.js';
import { type HopTraining, hopStudy, residualStudy, sparsityStudy } from './node-hops.js';
import { speedStudies } from './node-speed.js';
import { type NodeData, nodeSets, nodeTask } from './nodes.js';

export interface NodeStudyOptions extends HopTraining {
  /** Largest number of propagations. */
  readonly steps: number;
  /** `all` adds depth of transformation, gradients, the plug-in and sparsity to `few`. */
  readonly studies: 'few' | 'all';
  readonly studySeeds: number;
  /** Nodes of the larger random graph of the study of speed; 0 leaves that out. */
  readonly speedNodes: number;
}

/** Nodes of the smaller random graph. */
const SMALL = 20_000;

/** The study of speed does not depend on the data and is made on the embedded set alone. */
export async function nodeStudies(
  data: NodeData,
  { steps, studies, studySeeds, speedNodes, ...values }: NodeStudyOptions,
  { seed, random, signal }: RunContext,
): Promise<StudyResults> {
  const scaled = nodeTask(data, random);
  const raw = { ...scaled, features: data.features };
  const seeds = Array.from({ length: studySeeds }, (_, i) => seed + i);
  const training = { ...values, seeds, signal };
  const made = [smoothingStudy(raw, steps), await hopStudy(raw, steps, training)];
  if (studies === 'all')
    made.push(
      await depthStudy(scaled, { seeds, epochs: values.epochs, signal }),
      await gradientStudy(scaled, { seeds, signal }),
      await residualStudy(raw, scaled, steps, training),
      await sparsityStudy(raw, steps, training),
    );
  if (data.name === nodeSets[0] && speedNodes > 0)
    made.push(await speedStudies([...new Set([Math.min(SMALL, speedNodes), speedNodes])], random.split('speed')));
  return joinStudies(...made);
}
