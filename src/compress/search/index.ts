// Parts that searches share.

export { Evolution, type EvolutionOptions, type EvolvableSpace, type Individual } from './evolution.js';
export { hypervolume } from './hypervolume.js';
export { nsga2 } from './nsga2.js';
export { referenceDirections, type Unsga3Options, unsga3 } from './nsga3.js';
export { bestByCrowding, crowdingDistance, dominates, nonDominatedSort, paretoFront } from './pareto.js';
export { kendall, type PredictionQuality, predictionQuality } from './prediction-quality.js';
export { type Features, fitPredictor, labelScale, type Predictor, type PredictorOptions } from './predictors.js';
export { type RandomSearchOptions, type RandomSearchResult, randomSearch, type Trial } from './random-search.js';
export { type Gene, type Genome, SearchSpace } from './space.js';
export { type CrossoverOptions, crossover, DYNAS_MUTATION, type MutationOptions, mutate } from './variation.js';
