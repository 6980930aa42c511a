// Files of language models in Node.

export { type LanguageBundle, loadLanguageModel, saveCharacterModel } from './bundle.js';
export { LanguageServer, type ServerOptions } from './server/http.js';
export { RequestError } from './server/requests.js';
