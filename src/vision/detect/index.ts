// Detection of boxes on the maps of a backbone.

export { anchorsOf, decodeBox, encodeBox, matchAnchors } from './anchors.js';
export { RetinaNet, type RetinaNetOptions } from './retinanet.js';
export {
  type BoxedImages,
  boxLoss,
  detectBoxes,
  focalSum,
  type RetinaTargets,
  type RetinaTrainingOptions,
  retinaLoss,
  retinaTargets,
  trainRetinaNet,
} from './training.js';
