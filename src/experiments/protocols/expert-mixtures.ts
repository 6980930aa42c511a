// The mixtures that MoE++ is compared with: plain ones with as many feed-forward experts, and MoE++
// without each of its parts.

import { decoderConfig, type LanguageModelConfig, type MoEPlusPlusOptions } from '../../lm/index.js';
import { choice, count, type OptionValues } from '../parts/options.js';
import { decoderMethod, type TokenizedText, textOptions } from './text.js';

export const mixtureOptions = {
  ...textOptions,
  batch: count(8, 'windows per step'),
  features: count(64, 'width of the model', { smoke: 32, minimum: 16 }),
  hidden: count(64, 'width of an expert', { smoke: 32, minimum: 8 }),
  layers: count(3, 'layers', { smoke: 2 }),
  arms: choice(['main', 'all'], 'all adds top 1, τ = 1, capacity, standardised logits, and MoE++ without each kind'),
  ranks: count(4, 'ranks that experts are spread over, at most; none when below 2', { smoke: 0, minimum: 0 }),
};

export type MixtureValues = OptionValues<typeof mixtureOptions>;

/** Experts of a layer: feed-forward, and zero-computation ones: constants, a copy, a zero. */
export const EXPERTS = { feedForward: 8, constant: 2 };
export const FFN = EXPERTS.feedForward;
export const FREE = EXPERTS.constant + 2;

type Changes = Partial<MoEPlusPlusOptions>;

/** Experts of MoE++; without `changes.experts` those of the 7B model in smaller number. */
export function plus(tau: number, changes: Changes = {}): LanguageModelConfig['experts'] {
  return {
    count: FFN,
    k: 2,
    normalised: true,
    zeroComputation: { experts: EXPERTS, k: 2, hidden: 0, tau, ...changes },
  };
}

export const taus = [0.75, 0.25, 0.1];
export const plusTitle = (tau: number) => `MoE++, τ = ${tau}`;
export const TOP2 = 'mixture, top 2';
export const MOEPP = plusTitle(0.75);
export const NO_RESIDUAL = `${MOEPP}, no residual`;
export const NO_BALANCE = `${MOEPP}, β = 0`;
export const CAPACITY = `${MOEPP}, capacity 1.1`;

type Mixtures = Readonly<Record<string, LanguageModelConfig['experts']>>;

export const main: Mixtures = {
  [TOP2]: { count: FFN, k: 2, normalised: true },
  ...Object.fromEntries(taus.map((tau) => [plusTitle(tau), plus(tau)])),
  [NO_RESIDUAL]: plus(0.75, { gatingResidual: false }),
};
export const capacity: Mixtures = { [CAPACITY]: plus(0.75, { capacityFactor: 1.1 }) };
const others: Mixtures = {
  'mixture, top 1': { count: FFN, k: 1, normalised: false },
  [`${TOP2}, standardised logits`]: plus(1, {
    ...{ experts: { feedForward: FFN, copy: 0, zero: 0 }, gatingResidual: false, logitScale: 1 },
  }),
  [plusTitle(1)]: plus(1),
  ...capacity,
  [`${MOEPP}, no constants`]: plus(0.75, { experts: { feedForward: FFN } }),
  [`${MOEPP}, no copy`]: plus(0.75, { experts: { ...EXPERTS, copy: 0 } }),
  [`${MOEPP}, no zero`]: plus(0.75, { experts: { ...EXPERTS, zero: 0 } }),
};
export const mixturesOf = ({ arms }: Pick<MixtureValues, 'arms'>): Mixtures =>
  arms === 'all' ? { ...main, ...others } : main;

/** Methods of some mixtures. @param balance β, the weight of the balance loss. Default: 0.01 */
export function methodsOf(data: TokenizedText, values: MixtureValues, mixtures: Mixtures, balance?: number) {
  const { features, hidden, layers, length } = values;
  const sizes = { vocabulary: data.tokenizer.size, features, layers, hidden, heads: 4, context: 16 * length };
  return Object.entries(mixtures).map(([title, given]) => {
    const zeroComputation = given?.zeroComputation && { ...given.zeroComputation, hidden };
    const experts = given && { ...given, ...(zeroComputation && { zeroComputation }) };
    return decoderMethod(title, decoderConfig({ ...sizes, experts }), data, values, { balance });
  });
}

export const constantsOf = ({ experts }: LanguageModelConfig) => experts?.zeroComputation?.experts.constant ?? 0;
