import type { Case } from './cases.js';

const studies = {
  'largest with': 14,
  'largest without': 30,
  'plain loss': 1.6,
  'warm loss': 1.61,
  'warm slots': 1.5,
  'bytes mixture, top 2 2': 8000,
  'bytes MoE++, τ = 0.75 2': 5000,
  'other bytes MoE++, τ = 0.75 2': 0,
  'bytes mixture, top 2 4': 12000,
  'bytes MoE++, τ = 0.75 4': 7520,
  'other bytes MoE++, τ = 0.75 4': 0,
};
const holding = {
  methods: {
    'mixture, top 2': { loss: 2.1, slots: 2, experts: 10, rate: 6, dense: 10 },
    'MoE++, τ = 0.75': { loss: 2.09, slots: 1.25, variety: 4, hardness: 0.1, experts: 7, variance: 0.01 },
    'MoE++, τ = 0.25': { slots: 0.9, experts: 5 },
    'MoE++, τ = 0.1': { slots: 0.6, experts: 4 },
    'MoE++, τ = 0.75, no residual': { variance: 0.02 },
  },
  studies,
};
const failing = {
  methods: {
    'mixture, top 2': { loss: 2.1, slots: 2, experts: 10, rate: 4, dense: 10 },
    // As many rows as the mixture of two, and yet a little faster.
    'MoE++, τ = 0.75': { loss: 2.2, slots: 2, variety: 0, hardness: -0.1, experts: 9.9, variance: 0.02 },
    'MoE++, τ = 0.25': { slots: 2, experts: 9 },
    'MoE++, τ = 0.1': { slots: 2, experts: 9 },
    'MoE++, τ = 0.75, no residual': { variance: 0.01 },
  },
  studies: {
    ...studies,
    'largest without': 15,
    'warm loss': 1.63,
    'warm slots': 2,
    // Rows beyond the slots, and more of them on four ranks than the ratio of slots.
    'other bytes MoE++, τ = 0.75 4': 512,
    'bytes MoE++, τ = 0.75 4': 7600,
  },
};

const moepp: readonly Case[] = [
  { data: 'tinyshakespeare', holding, failing },
  { data: 'grammar', holding, failing },
];

export const evidence: Readonly<Record<string, readonly Case[]>> = { moepp };
