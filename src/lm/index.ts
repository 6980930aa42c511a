// Floor 6: language models.

export { MoEPlusPlus, type MoEPlusPlusOptions } from './moepp.js';
