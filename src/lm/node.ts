// Files of language models in Node.

export { type LanguageBundle, loadLanguageModel, saveCharacterModel } from './bundle.js';
