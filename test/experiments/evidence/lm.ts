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

const ranks = { 'M-SMoE β 0.01': -0.5, 'M-SMoE β 0': -2 };
const small = {
  methods: {
    'whole model': { loss: 2, accuracy: 96, parameters: 1_000_000, multiplyAdds: 80_000 },
    'whole model, trained on': { loss: 1.95 },
    'M-SMoE': { loss: 2.01, raw: 2.4 },
    'MC-SMoE': { loss: 2.015, accuracy: 95.5, parameters: 110_000, multiplyAdds: 57_000 },
    averaging: { loss: 2.05 },
    'random merging': { loss: 2.04, raw: 2.6 },
    'M-SMoE, no alignment': { loss: 2.02, raw: 2.5 },
    'only dominant experts': { loss: 2.02, raw: 2.7 },
    'merging only, equal size': { loss: 2.03 },
    'compression only, equal size': { loss: 2.02 },
  },
  studies: ranks,
};
const large = {
  methods: {
    'whole model': { loss: 2, accuracy: 96, parameters: 1_000_000, multiplyAdds: 80_000 },
    'whole model, trained on': { loss: 1.8 },
    'M-SMoE': { loss: 2.03, raw: 2.4 },
    'MC-SMoE': { loss: 2.06, accuracy: 94, parameters: 300_000, multiplyAdds: 70_000 },
    averaging: { loss: 2.01 },
    'random merging': { loss: 2.035, raw: 2.4 },
    'M-SMoE, no alignment': { loss: 2.02, raw: 2.3 },
    'only dominant experts': { loss: 2.02, raw: 2.4 },
    'merging only, equal size': { loss: 2.03 },
    'compression only, equal size': { loss: 2.02 },
  },
  studies: { 'M-SMoE β 0.01': 0.2, 'M-SMoE β 0': 0 },
};

const mcSmoe: readonly Case[] = ['tinyshakespeare', 'r8'].map((data) => ({ data, holding: small, failing: large }));

const speeds = {
  'share locality alone': 0.95,
  'share chunk sparsification alone': 0.8,
  'tls locality alone': 60,
  'tls chunk sparsification alone': 82,
  'same ids': 1,
  'share f32 1': 0.8,
  'share Q8_0 1': 0.7,
  'speed plain': 100,
  'speed plain, blocks in use': 150,
  'speed speculative': 250,
  'speed speculative, blocks in use': 380,
};
const sharing = {
  methods: {
    BlockFFN: { loss: 1.95, tls: 82, cls8: 74, cls32: 68, selective: 60 },
    'BlockFFN, the paper’s weights': { loss: 1.955, cls8: 35, cls32: 23 },
    'BlockFFN, no losses': { loss: 1.95, cls8: 5, cls32: 0.2 },
    TopK: { loss: 1.96, tls: 81.25, cls8: 23, cls32: 0.9 },
    DSMoE: { loss: 1.97 },
    ReMoE: { loss: 1.98 },
    'dense SwiGLU': { loss: 1.96 },
    'dense, cut to the active width': { loss: 2.05 },
  },
  studies: speeds,
};
const collapsed = {
  methods: {
    // No run has such scores: each claim fails.
    BlockFFN: { loss: 2.05, tls: 12, cls8: 30, cls32: 10, selective: 20 },
    'BlockFFN, the paper’s weights': { loss: 2, cls8: 10, cls32: 1 },
    'BlockFFN, no losses': { loss: 1.95, cls8: 5, cls32: 0.2 },
    TopK: { loss: 1.96, tls: 60, cls8: 23, cls32: 9 },
    DSMoE: { loss: 1.97 },
    ReMoE: { loss: 1.98 },
    'dense SwiGLU': { loss: 1.96 },
    'dense, cut to the active width': { loss: 2 },
  },
  studies: {
    'share locality alone': 0.7,
    'share chunk sparsification alone': 0.8,
    'tls locality alone': 85,
    'tls chunk sparsification alone': 82,
    'same ids': 0,
    'share f32 1': 0.5,
    'share Q8_0 1': 0.4,
    'speed plain': 100,
    'speed plain, blocks in use': 150,
    'speed speculative': 250,
    'speed speculative, blocks in use': 240,
  },
};
const blockffn: readonly Case[] = ['tinyshakespeare', 'republic'].map((data) => ({
  data,
  holding: sharing,
  failing: collapsed,
}));

const sparse = {
  methods: {
    SmallThinker: { loss: 1.98, sparsity: 55, multiplyAdds: 60_000, cacheBytes: 1000 },
    'router after attention': { loss: 1.98 },
    'SwiGLU mixture': { loss: 1.97 },
    'dense ReGLU, equal active': { loss: 2.05 },
    'dense ReGLU, equal total': { loss: 1.99, multiplyAdds: 400_000 },
    'SmallThinker, windows': { loss: 1.99, cacheBytes: 280 },
  },
  studies: {
    ...{ 'wait early slow': 10, 'wait late slow': 12, 'order slow': 1, 'different ids slow': 0 },
    ...{ 'wait early fast': 0.1, 'wait late fast': 1, 'hidden fast': 0.9, 'different ids fast': 0 },
    ...{ 'distance groups 0': 0.16, 'distance groups 1': 0.17, 'distance groups 2': 0.16 },
    ...{ 'distance micro-batches 0': 0.13, 'distance micro-batches 1': 0.13, 'distance micro-batches 2': 0.14 },
    ...{ 'loss micro-batches': 2.29, 'loss groups': 2.292, 'loss whole step': 2.288 },
    ...{ 'recall hybrid': 0.99, 'recall windows': 0.13, kept: 0.995, rows: 0.2 },
  },
};
const dense = {
  methods: {
    SmallThinker: { loss: 2.1, sparsity: 30, multiplyAdds: 300_000, cacheBytes: 1000 },
    'router after attention': { loss: 2 },
    'SwiGLU mixture': { loss: 2 },
    'dense ReGLU, equal active': { loss: 2.05 },
    'dense ReGLU, equal total': { loss: 1.99, multiplyAdds: 400_000 },
    'SmallThinker, windows': { loss: 2.2, cacheBytes: 900 },
  },
  studies: {
    ...{ 'wait early slow': 12, 'wait late slow': 12, 'order slow': -1, 'different ids slow': 1 },
    ...{ 'wait early fast': 0.5, 'wait late fast': 1, 'hidden fast': 0.5, 'different ids fast': 0 },
    ...{ 'distance groups 0': 0.16, 'distance groups 1': 0.12, 'distance groups 2': 0.16 },
    ...{ 'distance micro-batches 0': 0.13, 'distance micro-batches 1': 0.13, 'distance micro-batches 2': 0.14 },
    ...{ 'loss micro-batches': 2.29, 'loss groups': 2.35, 'loss whole step': 2.288 },
    ...{ 'recall hybrid': 0.5, 'recall windows': 0.4, kept: 0.9, rows: 0.5 },
  },
};
const smallThinker: readonly Case[] = [{ data: 'tinyshakespeare', holding: sparse, failing: dense }];

export const evidence: Readonly<Record<string, readonly Case[]>> = {
  moepp,
  'mc-smoe': mcSmoe,
  blockffn,
  smallthinker: smallThinker,
};
