// Floor 6: small vision backbones.

export { ConvNorm } from './blocks/conv-norm.js';
export { fromPublishedName, loadPublished } from './checkpoints.js';
export {
  deployedForm,
  IMAGE_MODEL,
  ImageClassifier,
  type ImageDescription,
  ImagePredictor,
  type ImageTrainingRecord,
} from './classifier.js';
export {
  hardDistillation,
  LSConv,
  type LSConvOptions,
  LSNet,
  type LSNetOptions,
  lsNets,
  StaticMixer,
  type StaticMixerOptions,
  type StaticMixerShape,
} from './lsnet/index.js';
export {
  convolutionIn,
  type DomainOptions,
  domainSettings,
  EventNet,
  type EventNetOptions,
  type EventScores,
  eventNets,
  type PHNetworkShape,
  PHResNet,
  type PHResNetOptions,
  PHSeriesNet,
  type PHSeriesOptions,
  PHVGG,
  type PHVGGOptions,
  phNetwork,
  phResNets,
  phVGGs,
  SOUND_MODEL,
  type SoundDescription,
  SoundModel,
  type SoundTrainingOptions,
  type SoundWindows,
  stemChannels,
  withFrontChannels,
} from './phnn/index.js';
export { type MapBackbone, PyramidHead, type PyramidOptions, Segmenter } from './pyramid.js';
export {
  type BrokenPrinciple,
  checkPrinciples,
  SimpleNet,
  type SimpleNetLayer,
  type SimpleNetOptions,
  simpleNetExtraPool,
  simpleNets,
  simpleNetTraining,
} from './simplenet.js';
export { type Fading, fadingAt, layerDecay, VanillaNet, type VanillaNetOptions, vanillaNets } from './vanillanet.js';
export { type ImageShape, imageModel, imageModelNames, imageModelSettings, requireImageSize } from './zoo.js';
