// Floor 5: standard architectures that several families build on.

export { BinaryNet, type BinaryNetOptions, BinaryPlanes, binaryNets } from './binary-net.js';
export {
  type Box,
  boxAveragePrecision,
  type ClassBox,
  intersectionOverUnion,
  meanBoxPrecision,
  type ScoredBox,
  suppressed,
} from './boxes.js';
export {
  CellNetwork,
  type CellNetworkOptions,
  type CellSpace,
  type CellType,
  cellOperation,
  type EdgePlace,
  FactorizedReduce,
  genotypeNetwork,
  type MixedNetwork,
  mixedNetwork,
} from './cell-network.js';
export {
  addsInput,
  type ChannelWidths,
  lastConvOf,
  residualBlocksOf,
  traceUntied,
  type WidthGroup,
  widthsOf,
} from './channel-widths.js';
export { cocoPrecision } from './coco.js';
export { type ConvNormOptions, convNorm, heConv } from './conv-norm.js';
export { CopyTransformer, type CopyTransformerOptions, type EncodedSource } from './copy-transformer.js';
export { Decoder, type DecoderOptions, decoderDefaults } from './decoder.js';
export { EfficientNet, type EfficientNetOptions } from './efficientnet.js';
export {
  ElasticTransformer,
  type ElasticTransformerOptions,
  TokenTransformer,
  type TokenTransformerOptions,
} from './elastic-transformer.js';
export {
  type CellOperation,
  cellOperations,
  dassSizes,
  decodeCell,
  type Gene,
  type Genotype,
  genotypes,
  nodesOf,
  requireGenotype,
  skipShare,
} from './genotype.js';
export { SmallGoogLeNet } from './googlenet.js';
export { GPT2, type GPT2Options, gpt2Defaults, gpt2Presets, gpt2Shapes } from './gpt2.js';
export {
  accuracyOn,
  balancedWeights,
  classesOn,
  type ImageTrainingOptions,
  trainOnImages,
} from './image-training.js';
export { LENET_LEAST, LeNet, type LeNetOptions } from './lenet.js';
export {
  type MobileNetOptions,
  MobileNetV1,
  type MobileNetV1Options,
  MobileNetV2,
  type MobileNetV2Options,
  roundChannels,
} from './mobilenet.js';
export {
  type ApplyShapeOptions,
  applyShape,
  type NetworkShape,
  requireShapeRecord,
  type ShapeSpace,
  shapeSpaceOf,
} from './network-shape.js';
export { type BlockStage, nothing, stagesOf, truncateStage, wrapInList } from './network-stages.js';
export {
  type NetworkCosts,
  replaceSpatial,
  replaceSpatialOps,
  type SpatialChange,
  type SpatialChanges,
  type SpatialReport,
  type SpatialRule,
} from './replace-spatial.js';
export {
  type BlockOptions,
  Bottleneck,
  type OperatorMaker,
  projection,
  ResNet,
  type ResNetOptions,
  SmallResNet,
  type SmallResNetOptions,
} from './resnet.js';
export { SqueezeExcitation, type SqueezeOptions } from './squeeze-excitation.js';
export { ElasticCnn, type ElasticCnnOptions, type Stage, StagedCnn, type StagedCnnOptions } from './staged-cnn.js';
export {
  EffLayer,
  type EffLayerOptions,
  normalLinears,
  TransformerBlock,
  type TransformerBlockOptions,
} from './transformer-block.js';
export { type SmallNetworkOptions, SmallVGG } from './vgg.js';
export {
  VisionTransformer,
  type VisionTransformerOptions,
  visionTransformerShapes,
  visionTransformers,
} from './vit.js';
