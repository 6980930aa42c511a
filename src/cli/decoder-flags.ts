// The form of a decoder that `gossamer lm train` makes, by its flags.

import type { Command } from 'commander';
import { decoderConfig, everyLayer, type LanguageModelConfig } from '../lm/index.js';
import { choice, number } from './arguments.js';

/** Flags of the form of a decoder. */
export interface DecoderFlags {
  readonly features: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyHeads?: number;
  readonly hidden?: number;
  readonly window: number;
  readonly fullEvery?: number;
  readonly freeHead: boolean;
  readonly activation: NonNullable<LanguageModelConfig['activation']>;
  readonly experts?: number;
  readonly top: number;
  readonly router: 'late' | 'early' | 'relu';
  readonly gates: 'softmax' | 'sigmoid';
  readonly freeExperts?: number;
  readonly tau: number;
  readonly length: number;
}

/** Layers from one with full attention to the next, of models with early routers. */
const PERIOD = 4;

/** A feed-forward function by name; gated ReLU is known as `relu` too. */
export function activation(name: string): NonNullable<LanguageModelConfig['activation']> {
  return name === 'relu' ? 'reglu' : choice('swiglu', 'reglu', 'relu2')(name);
}

/** Flags of mixtures of experts, and of what goes with them. */
export function withExpertOptions(command: Command): Command {
  return command
    .option(
      '--full-every <n>',
      'every n-th layer, from the first, sees all tokens, without rotary embeddings, though --window holds for the others; 0 for none (default: 4 with --router early, else 0)',
      number(0),
    )
    .option('--experts <n>', 'experts of a layer; no mixture when left out', number(2))
    .option('--top <k>', 'experts that each token uses', number(1), 2)
    .option(
      '--router <kind>',
      'late: reads what the experts read; early: reads the input of the layer, before attention; relu: each token uses as many experts as its router leaves above 0 (BlockFFN)',
      choice('late', 'early', 'relu'),
      'late',
    )
    .option('--gates <kind>', 'softmax or sigmoid of the chosen logits', choice('softmax', 'sigmoid'), 'softmax')
    .option('--balance-groups <n>', 'parts of a step’s windows over each of which experts are balanced', number(1), 1)
    .option('--free-experts <n>', 'experts that cost nothing beside them: a zero, a copy, constants', number(2))
    .option('--tau <t>', 'what the load of a free expert counts, from 0 to 1', number(0, false), 0.75);
}

/** The configuration that the flags ask for. @throws Error for flags that do not go together. */
export function configOf(flags: DecoderFlags, vocabulary: number): LanguageModelConfig {
  const { features, layers, heads, keyHeads, hidden, window, activation, experts: count, top: k, length } = flags;
  const base = decoderConfig({
    ...{ vocabulary, features, layers, heads, window, activation, context: 16 * length, tied: !flags.freeHead },
    ...(keyHeads !== undefined && { keyHeads }),
    ...(hidden !== undefined && { hidden }),
  });
  const { freeExperts, tau, router, gates, fullEvery = router === 'early' && window > 0 ? PERIOD : 0 } = flags;
  if (fullEvery > 0 && window === 0) throw new Error('--full-every needs --window: without one all layers are full');
  const full = fullEvery > 0 ? everyLayer(layers, fullEvery) : undefined;
  const hybrid = { ...base, ...(full && { fullLayers: full, nopeLayers: full }) };
  if (router === 'relu') return { ...hybrid, ...blocksOf(flags) };
  if (count === undefined) {
    if (freeExperts !== undefined) throw new Error('--free-experts needs --experts');
    if (router === 'early') throw new Error('--router early needs --experts');
    return hybrid;
  }
  if (router === 'early' && freeExperts !== undefined)
    throw new Error('--router early goes with experts of one kind: leave --free-experts out');
  const plus = {
    experts: { feedForward: count, constant: (freeExperts ?? 2) - 2 },
    ...{ k, hidden: base.hidden, activation, tau },
  };
  return {
    ...hybrid,
    experts: {
      ...{ count, k, normalised: true },
      ...(router === 'early' && { early: true }),
      ...(gates === 'sigmoid' && { gates }),
      ...(freeExperts !== undefined && { zeroComputation: plus }),
    },
  };
}

/** Blocks of a layer: together eight times as wide as the model when no width is given. */
function blocksOf({ experts: count, hidden, features, freeExperts, gates, activation: name }: DecoderFlags) {
  if (count === undefined) throw new Error('--router relu needs --experts');
  if (freeExperts !== undefined) throw new Error('--free-experts does not go with --router relu');
  if (gates === 'sigmoid') throw new Error('--gates does not go with --router relu, whose gates are those of a ReLU');
  if (name !== 'swiglu')
    throw new Error('--activation does not go with --router relu: blocks have a SiLU, and no gate');
  return { blocks: { count }, hidden: hidden ?? 8 * Math.max(1, Math.round(features / count)) };
}
