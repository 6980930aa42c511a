// Floor 6: small vision backbones.

export { ConvNorm } from './blocks/conv-norm.js';
export { fromPublishedName, loadPublished } from './checkpoints.js';
export { deployedForm, IMAGE_MODEL, ImageClassifier, type ImageDescription, ImagePredictor } from './classifier.js';
export {
  LSConv,
  LSNet,
  type LSNetOptions,
  lsNets,
  StaticMixer,
  type StaticMixerOptions,
} from './lsnet/index.js';
export { fadingAt, VanillaNet, type VanillaNetOptions, vanillaNets } from './vanillanet.js';
export { type ImageShape, imageModel, imageModelNames } from './zoo.js';
