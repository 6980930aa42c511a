// Federated learning: clients whose rows never leave them, servers that learn from their updates.

export {
  answerBytes,
  answerOnPort,
  type Channel,
  localChannel,
  type Port,
  portChannel,
  threadChannels,
} from './channel.js';
export {
  arraysOfNetwork,
  type ClientOptions,
  classify,
  FederatedClient,
  type LocalObjective,
  networkOf,
  type TrainingOrder,
} from './client.js';
export {
  type Answer,
  Federation,
  type FederationEvent,
  type FederationOptions,
  type Outcome,
  type Traffic,
} from './federation.js';
export { describeFederation, FederationRefusal, type JoinOptions, joinFederation } from './http-client.js';
export {
  decodeMessage,
  encodeMessage,
  type Message,
  type NamedArray,
  type NamedArrays,
  payloadBytes,
  quantizeArrays,
  weightsAfter,
} from './message.js';
export { Autoencoder, type AutoencoderOptions, layoutOf, type NetworkSpec, trainingMultiplyAdds } from './network.js';
export {
  type PrivateRows,
  pickRows,
  type Standardization,
  splitByTime,
  standardizationOf,
  standardized,
  type TimeSplit,
} from './private-rows.js';
export { type RoundOrder, type RoundsOptions, requireUpdate, runRounds, trainMessage } from './rounds.js';
export { type Heterogeneity, heterogeneityLevels, SENSOR_CLASSES, type SensorOptions, sensorUsers } from './sensors.js';
export {
  AverageServer,
  type ClientUpdate,
  HypernetServer,
  type HypernetServerOptions,
  NewcomerServer,
  type UpdateServer,
} from './servers.js';
export { chained, clipUpdate, gaussianNoise, type UpdateTransform } from './transforms.js';
export { type UserRows, type UserTable, type UserTableOptions, usersOfTable } from './user-table.js';
