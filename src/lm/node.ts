// Files of language models in Node.

export { RequestError } from '../distributed/http/errors.js';
export type { LanguageBundle } from './assemble.js';
export {
  type LoadOptions,
  loadLanguageModel,
  type StoredBundle,
  saveLanguageModel,
} from './bundle.js';
export { cachedLanguageModel, type FetchModelOptions, fetchLanguageModel } from './by-name.js';
export { LANGUAGE_MODEL, type TrainedText } from './description.js';
export { LanguageServer } from './server/http.js';
export type { ServerOptions } from './server/options.js';
export { shapeFile } from './shape-file.js';
export { loadTrainable, type TrainableModel } from './trainable.js';
