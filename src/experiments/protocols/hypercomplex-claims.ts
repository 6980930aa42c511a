// What is claimed of hypercomplex networks.

import { above, atLeast, atMost, below, type ClaimSpec, claimsOf, type Evidence, where } from '../parts/claims.js';
import { BUDGET, bestDomain, FROZEN, GROUPED, LARGEST_EXCESS, ph, QUATERNION, REAL } from './hypercomplex-arms.js';
import { RECOVERED } from './hypercomplex-recovery.js';

/** Options that claims depend on. */
interface Options {
  readonly images: number;
  readonly side: number;
  readonly width: number;
  readonly epochs: number;
  readonly samples: number;
}

type Run = Evidence<Options>;

const { abstract, ours } = claimsOf<Options>();
const both = ['cifar10', 'ambisonics'];
const lead = (other: string) => (e: Run) => e.clearGain(bestDomain(e), other, 'score');
const gain = (title: string, other: string) => (e: Run) => e.gain(title, other, 'score');

/** Claims on runs on images, sounds and series. */
export const hypercomplexClaims: readonly ClaimSpec<Options>[] = [
  abstract(
    'parameters',
    'Parameters of convolutions that are neither 1/n of the real ones nor n³ a layer, most',
    atMost(0),
    (e) => e.study(LARGEST_EXCESS),
  ),
  ...where({ data: both }, [
    abstract(
      'real',
      'Best domain above the real network, beyond two pooled standard errors (points)',
      above(0),
      lead(REAL),
    ),
    abstract(
      'quaternion',
      'Best domain above the quaternion network, beyond two pooled standard errors (points)',
      above(2),
      lead(QUATERNION),
    ),
  ]),
  ...where({ data: ['cifar10'] }, [
    abstract('natural', 'n = 3 on RGB above n = 4 with a channel of zeros (points)', atLeast(0), gain(ph(3), ph(4))),
    abstract(
      'natural',
      'n = 3 on RGB above quaternions with a channel of zeros (points)',
      atLeast(0),
      gain(ph(3), QUATERNION),
    ),
    abstract('learnt', 'Learnt above frozen algebra (points)', above(0), gain(ph(3), FROZEN)),
    ours('n = 3 above a real network of as few parameters (points)', atLeast(0.5), gain(ph(3), BUDGET)),
    ours('n = 3 above a real network in 3 groups (points)', above(0), gain(ph(3), GROUPED)),
    ours('Time of n = 3 for an image over the real network’s', atMost(1.1), (e) => e.ratio(ph(3), REAL, 'latency')),
  ]),
  ...where({ data: ['cifar10'], when: ({ width, images, side }) => width === 12 && images >= 8000 && side === 16 }, [
    ours('Accuracy of n = 3', atLeast(44), (e) => e.mean(ph(3), 'score')),
  ]),
  ...where({ data: ['cifar10'], when: ({ width, epochs }) => width >= 24 && epochs >= 30 }, [
    ours('Accuracy of n = 3', atLeast(53), (e) => e.mean(ph(3), 'score')),
  ]),
  ...where({ data: ['wisdm'] }, [
    ours('n = 3 above the real network (points)', above(0), gain(ph(3), REAL)),
    ours('n = 3 above quaternions with an axis of zeros (points)', above(0), gain(ph(3), QUATERNION)),
  ]),
  ...where({ when: ({ samples }) => samples >= 4000 }, [
    abstract('learnt', 'Algebras of quaternions, complex numbers and chance not recovered', atMost(0), (e) =>
      e.study(RECOVERED.wrong),
    ),
    ours('Mean squared error with the recovered algebras, most', below(1e-6), (e) => e.study(RECOVERED.error)),
    ours('Distance of a recovered entry from an integer, most', below(1e-3), (e) => e.study(RECOVERED.distance)),
  ]),
];
