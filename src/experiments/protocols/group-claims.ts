// Claims on networks pruned in groups of output channels.

import { above, atLeast, atMost, below, type ClaimSpec, claimsOf, type Evidence, where } from '../parts/claims.js';
import { type FrontPoint, frontLead, frontOf } from './fronts.js';
import { armTitle, type GroupArm, groupShares, groupWidths, kernelTitles } from './group-sparse.js';

/** Options that claims depend on. */
export interface GroupClaimOptions {
  readonly speed: string;
}

type Run = Evidence<GroupClaimOptions>;
const { abstract, ours } = claimsOf<GroupClaimOptions>();

const study = (name: string) => (e: Run) => e.study(name);
const gain =
  (a: GroupArm, b: GroupArm, share: number, metric = 'accuracy') =>
  (e: Run) =>
    e.gain(armTitle(a, share), armTitle(b, share), metric);
const pointOf = (e: Run, title: string) => ({ latency: e.mean(title, 'latency'), accuracy: e.mean(title, 'accuracy') });

/**
 * How far a point is above the line through the dense networks, at its latency. Dense networks that
 * another one is both as fast and as accurate as are not on the line.
 */
export function aboveLine({ latency, accuracy }: FrontPoint, dense: readonly FrontPoint[]): number {
  const line = frontOf(dense);
  const after = line.findIndex((point) => point.latency >= latency);
  const [a, b] = [line[after - 1], line[after]];
  // Faster than all of them, there is none to be compared with; slower, the most accurate is.
  if (after === 0) return b?.latency === latency ? accuracy - b.accuracy : Number.NEGATIVE_INFINITY;
  if (after < 0) return accuracy - (line.at(-1)?.accuracy ?? Number.NaN);
  if (!a || !b) return Number.NEGATIVE_INFINITY;
  const share = (latency - a.latency) / (b.latency - a.latency);
  return accuracy - (a.accuracy + share * (b.accuracy - a.accuracy));
}

function sparsePoints(e: Run) {
  const dense = groupWidths.map((width) => pointOf(e, armTitle('dense', 0, width)));
  const sparse = groupWidths.flatMap((width) =>
    groupShares.map((share) => pointOf(e, armTitle('rearranged', share, width))),
  );
  return { dense, sparse };
}

const ladder = groupShares.filter((share) => share >= 0.5);
const percent = (share: number) => `${100 * share} % zeros`;

const trained: ClaimSpec<GroupClaimOptions>[] = [
  abstract(
    'drop',
    'Accuracy lost with 30 % zeros in groups of 4, against the dense network fine-tuned as long (points)',
    atMost(0.224),
    (e) => e.gain(armTitle('dense'), armTitle('rearranged', 0.3), 'accuracy'),
  ),
  abstract(
    'curve',
    'Sparse networks, of 9, that are 0.5 points above the line of dense widths at equal time',
    atLeast(2),
    (e) => {
      const { dense, sparse } = sparsePoints(e);
      return sparse.filter((point) => aboveLine(point, dense) >= 0.5).length;
    },
  ),
  abstract(
    'precision',
    'Accuracy of rearranged groups above groups as they were, 50 and 70 % zeros, lesser (points)',
    above(0),
    (e) => Math.min(...ladder.map((share) => gain('rearranged', 'plain', share)(e))),
  ),
  ours(
    'Dense networks, of 3, whose accuracy some sparse one as fast exceeds by 0.5 points at most',
    atLeast(0.5),
    (e) => {
      const { dense, sparse } = sparsePoints(e);
      return frontLead(sparse, dense).most;
    },
  ),
  ...ladder.flatMap((share) => [
    ours(
      `Single weights above rearranged groups, ${percent(share)} (points)`,
      atLeast(0),
      gain('unstructured', 'rearranged', share),
    ),
    ours(
      `Rearranged groups above groups as they were, ${percent(share)} (points)`,
      atLeast(0),
      gain('rearranged', 'plain', share),
    ),
    ours(
      `Groups as they were above filters removed, ${percent(share)} (points)`,
      atLeast(0),
      gain('plain', 'filters', share),
    ),
  ]),
  ours(
    'Rearranged groups above filters removed, 70 % zeros (points)',
    atLeast(0.5),
    gain('rearranged', 'filters', 0.7),
  ),
  ...groupShares.flatMap((share) => [
    ours(
      `Before fine-tuning: rearranged groups above groups as they were, ${percent(share)} (points)`,
      above(0),
      gain('rearranged', 'plain', share, 'cut'),
    ),
    ours(
      `Before fine-tuning: groups above random ones, ${percent(share)} (points)`,
      above(0),
      gain('plain', 'random', share, 'cut'),
    ),
  ]),
  ours('Half of the taps of depthwise filters pruned, others whole: points lost', atMost(1), (e) =>
    e.gain(armTitle('dense'), armTitle('taps', 0.5), 'accuracy'),
  ),
  ours('Half of the kernels of a ResNet-8 pruned in groups: points lost', atMost(1), (e) =>
    e.gain(kernelTitles.dense, kernelTitles.pruned, 'accuracy'),
  ),
];

const timed: ClaimSpec<GroupClaimOptions>[] = [
  abstract(
    'speed',
    'MobileNetV1 at 224², 30 % zeros in groups of 4, x86-64: times faster than its dense plan',
    atLeast(1.27),
    study('network 0.3'),
  ),
  abstract(
    'engine',
    "MobileNetV1 at 224², 30 % zeros, x86-64: times faster than single zero weights on XNNPACK's 32×1 kernel, which stands for a sparse engine",
    atLeast(1.29),
    study('engine'),
  ),
  abstract(
    'kernels',
    'Kernels, groups of 4, 30 % zeros: times faster than dense, slowest shape',
    above(1),
    study('block4 0.3'),
  ),
  ours(
    'MobileNetV1 at 224², 30 % zeros in groups of 4: times faster than its dense plan',
    atLeast(1.1),
    study('network 0.3'),
  ),
  ours(
    'MobileNetV1 at 224², 30 % zeros: times faster than single zero weights on the faster of two kernels',
    above(1),
    study('single'),
  ),
  ours('Kernels, groups of 4, 30 % zeros: times faster than dense, slowest shape', atLeast(1.1), study('block4 0.3')),
  ours('Kernels, groups of 4, 50 % zeros: times faster than dense, slowest shape', atLeast(1.5), study('block4 0.5')),
  ours(
    'Kernels, single weights, 30 % zeros: times faster than dense, fastest shape',
    below(1),
    study('single 0.3 best'),
  ),
];

export const groupClaims: readonly ClaimSpec<GroupClaimOptions>[] = [
  ...trained,
  ...where<GroupClaimOptions>({ when: ({ speed }) => speed === 'yes' }, timed),
];
