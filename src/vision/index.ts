// Floor 6: small vision backbones.

export {
  fromWindowTokens,
  type SpatialOperator,
  type SpatialOptions,
  spatialOperator,
  spatialOperators,
  WindowAttention,
  type WindowAttentionOptions,
  type WindowPattern,
  windowPadding,
  windowTokens,
} from '../nn/index.js';
export { ConvNorm } from './blocks/conv-norm.js';
export { MetaMobileBlock, type MobileBlockOptions, mobileBlock, type ResidualOptions } from './blocks/mobile-block.js';
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
  anchorsOf,
  type BoxedImages,
  boxLoss,
  decodeBox,
  detectBoxes,
  encodeBox,
  focalSum,
  matchAnchors,
  RetinaNet,
  type RetinaNetOptions,
  type RetinaTargets,
  type RetinaTrainingOptions,
  retinaLoss,
  retinaTargets,
  trainRetinaNet,
} from './detect/index.js';
export { stagedSettings } from './elastic-presets.js';
export {
  EMOv2,
  EMOv2Block,
  type EMOv2BlockOptions,
  type EMOv2Figures,
  type EMOv2Form,
  type EMOv2Options,
  Enlarged,
  type ExpandedAttention,
  emov2Figures,
  emov2s,
  emov2Training,
  firstVersion,
  type SoftDistillationOptions,
  softDistillation,
  strideOfAll,
  windowFor,
} from './emov2/index.js';
export { evaluateImages, type ImageEvaluation, type ImageMistake } from './evaluation.js';
export { pictureFeatures } from './features.js';
export {
  CCNN,
  type CCNNOptions,
  isSlow,
  type SlowWidths,
  Terminator,
  type TerminatorOptions,
  type TerminatorPreset,
  terminators,
  terminatorTraining,
} from './hyperzzw/index.js';
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
export { type ImageModelCost, type ImageModelCounts, imageModelCost } from './model-costs.js';
export {
  type FoundOperators,
  nanoStrides,
  type OperatorSearchOptions,
  operatorSettings,
  operatorsOf,
  type PfFigures,
  PfNano,
  type PfNanoOptions,
  PoolingTransformer,
  type PoolingTransformerOptions,
  pfFigures,
  pfNanos,
  pfResNets,
  pfTransformers,
  pits,
  type SearchedBlock,
  searchOperators,
  searchSpace,
} from './pflayer/index.js';
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
export { type PublishedFigures, publishedFigures, usualShape } from './published.js';
export { AtStrides, type MapBackbone, PyramidHead, type PyramidOptions, Segmenter, topDown } from './pyramid.js';
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
export { headOf, type Transferred, transferWeights } from './transfer.js';
export { type Fading, fadingAt, layerDecay, VanillaNet, type VanillaNetOptions, vanillaNets } from './vanillanet.js';
export {
  type ImageShape,
  imageModel,
  imageModelNames,
  imageModelNote,
  imageModelSettings,
  requireImageSize,
  unknownImageModel,
} from './zoo.js';
