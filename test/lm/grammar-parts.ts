// Parts of grammars that their tests look at.

import type { Expression } from '../../src/lm/grammar/expression.js';
import { quoted } from '../../src/lm/grammar/json.js';
import { readPattern } from '../../src/lm/grammar/pattern.js';

export { complement, normalised } from '../../src/lm/grammar/expression.js';

/** A JSON string whose content matches a pattern. */
export const quotedPattern = (pattern: string): Expression => quoted(readPattern(pattern, 'pattern'));
