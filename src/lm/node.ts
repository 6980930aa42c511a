// Files of language models in Node.

export {
  LANGUAGE_MODEL,
  type LanguageBundle,
  type LoadOptions,
  loadLanguageModel,
  type StoredBundle,
  saveLanguageModel,
  type TrainedText,
} from './bundle.js';
export { RequestError } from './server/errors.js';
export { LanguageServer } from './server/http.js';
export type { ServerOptions } from './server/options.js';
