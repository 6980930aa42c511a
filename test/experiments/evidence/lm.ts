import type { Case } from './cases.js';

const moepp: readonly Case[] = [
  {
    data: 'grammar',
    holding: {
      methods: {
        'mixture, top 2': { loss: 2.1, slots: 2, experts: 10, rate: 6 },
        'MoE++, τ = 0.75': { loss: 2.09, slots: 1.25, experts: 7, variance: 0.01 },
        'MoE++, τ = 0.25': { slots: 0.9, experts: 5 },
        'MoE++, τ = 0.1': { slots: 0.6, experts: 4 },
        'MoE++, τ = 0.75, no residual': { variance: 0.02 },
      },
      studies: { dense: 10 },
    },
    failing: {
      methods: {
        'mixture, top 2': { loss: 2.1, slots: 2, experts: 10, rate: 4 },
        // As many rows as the mixture of two, and yet a little faster.
        'MoE++, τ = 0.75': { loss: 2.2, slots: 2, experts: 9.3, variance: 0.02 },
        'MoE++, τ = 0.25': { slots: 2, experts: 9 },
        'MoE++, τ = 0.1': { slots: 2, experts: 9 },
        'MoE++, τ = 0.75, no residual': { variance: 0.01 },
      },
      studies: { dense: 10 },
    },
  },
];

export const evidence: Readonly<Record<string, readonly Case[]>> = { moepp };
