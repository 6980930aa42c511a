// Files of language models in Node.

export { RequestError } from '../distributed/http/errors.js';
export {
  LANGUAGE_MODEL,
  type LanguageBundle,
  type LoadOptions,
  loadLanguageModel,
  type StoredBundle,
  saveLanguageModel,
  type TrainedText,
} from './bundle.js';
export { LanguageServer } from './server/http.js';
export type { ServerOptions } from './server/options.js';
export { loadTrainable, type TrainableModel } from './trainable.js';
