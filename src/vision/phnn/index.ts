// PHNN: networks of parameterized hypercomplex convolutions (Grassucci, Zhang, Comminiello: PHNNs:
// Lightweight Neural Networks via Parameterized Hypercomplex Convolutions, 2021). The layers are in
// gossamer/nn; `toHypercomplex` of gossamer/compress puts them into any network.

export { convolutionIn, type DomainOptions, stemChannels, withFrontChannels } from './convolution.js';
export { EventNet, type EventNetOptions, eventNets } from './events.js';
export {
  domainSettings,
  type PHNetworkShape,
  PHResNet,
  type PHResNetOptions,
  PHVGG,
  type PHVGGOptions,
  phNetwork,
  phResNets,
  phVGGs,
} from './networks.js';
export { PHSeriesNet, type PHSeriesOptions } from './series.js';
export {
  type EventScores,
  SOUND_MODEL,
  type SoundDescription,
  SoundModel,
  type SoundTrainingOptions,
  type SoundWindows,
} from './sound-model.js';
