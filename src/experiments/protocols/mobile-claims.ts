// What is claimed of EMOv2, and on which scores.

import { above, atLeast, atMost, type ClaimSpec, claimsOf, type Evidence, where } from '../parts/claims.js';
import { CONVOLUTION, ENLARGED, FIRST, LONGER, MOBILE, NANO, REMOTE, VIT } from './mobile-networks.js';

/** Options that claims depend on. */
interface Options {
  readonly images: number;
  readonly epochs: number;
  readonly canvases: number;
  readonly distil: 'yes' | 'no';
}

type Run = Evidence<Options>;
const { abstract, paper, ours } = claimsOf<Options>();

const bestViT = (e: Run) => (e.gain(LONGER, VIT, 'accuracy') > 0 ? LONGER : VIT);

export const mobileClaims: readonly ClaimSpec<Options>[] = [
  abstract('unified', 'Additions of its input in a block, convolution or attention, most', atMost(1), (e) =>
    e.study('shortcuts, most'),
  ),
  abstract('unified', 'Additions of its input in a block with a shortcut, least', atLeast(1), (e) =>
    e.study('shortcuts, least'),
  ),
  abstract('surpass', 'Above a MobileNetV2 of its size, less two standard errors (points)', above(0), (e) =>
    e.clearGain(NANO, MOBILE, 'accuracy'),
  ),
  abstract('surpass', 'Above the better ViT of its size, less two standard errors (points)', above(0), (e) =>
    e.clearGain(NANO, bestViT(e), 'accuracy'),
  ),
  ...where({ when: ({ canvases }) => canvases > 0 }, [
    abstract('retinanet', 'RetinaNet: mAP above EMO’s (points)', atLeast(2.6), (e) => e.gain(NANO, FIRST, 'precision')),
    ours('RetinaNet: mAP above five times that of untrained weights, least of the seeds (points)', above(0), (e) =>
      e.least((score) => score(NANO, 'precision') - 5 * score(NANO, 'untrained')),
    ),
    ours('Segmentation: mean IoU above convolution alone (points)', atLeast(-3), (e) =>
      e.gain(NANO, CONVOLUTION, 'iou'),
    ),
  ]),
  ...where({ when: ({ canvases }) => canvases >= 2000 }, [
    ours('Segmentation: mean IoU', atLeast(45), (e) => e.mean(NANO, 'iou')),
  ]),
  ...where({ when: ({ distil }) => distil === 'yes' }, [
    abstract('robust', 'With distillation and twice the size above plain training (points)', atLeast(3.5), (e) =>
      e.gain(ENLARGED, NANO, 'accuracy'),
    ),
  ]),
  paper('Above remote windows alone (points)', above(0), (e) => e.gain(NANO, REMOTE, 'accuracy')),
  paper('Above convolution alone (points)', above(0), (e) => e.gain(NANO, CONVOLUTION, 'accuracy')),
  ours('Above convolution alone (points; three are allowed)', atLeast(-3), (e) =>
    e.gain(NANO, CONVOLUTION, 'accuracy'),
  ),
  ...where({ when: ({ epochs }) => epochs > 1 }, [
    ours('Epochs with a lower loss than the one before, share, least of the seeds', atLeast(1), (e) =>
      e.least((score) => score(NANO, 'falling')),
    ),
  ]),
  ...where({ data: ['fashion-mnist'], when: ({ images }) => images >= 6000 }, [
    ours('Accuracy', atLeast(80), (e) => e.mean(NANO, 'accuracy')),
  ]),
];
