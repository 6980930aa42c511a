// Language models: the records of their systems.

import type { SystemRecord } from '../parts/system-record.js';

export const records: readonly SystemRecord[] = [
  {
    slug: 'moepp',
    title: 'MoE++: zero-computation experts',
    family: 'lm',
    about: 'mixtures of experts in which some experts cost nothing, so that easy tokens use fewer of the others',
    paper: {
      authors: 'Jin, Zhu, Yuan, Yan',
      title: 'MoE++: Accelerating Mixture-of-Experts Methods with Zero-Computation Experts',
      venue: 'ICLR',
      year: 2025,
      arxiv: '2410.07348',
    },
    abstract: {
      dynamic:
        'MoE++ allows each token to engage with a dynamic number of FFNs, be adjusted by constant vectors, or even ' +
        'skip the MoE layer entirely',
      simple:
        'by enabling simple tokens to utilize fewer FFN experts, MoE++ allows more experts to focus on challenging tokens',
      deployment:
        'we can deploy all zero-computation experts on each GPU, eliminating the significant communication overhead ' +
        'and expert load imbalance associated with FFN experts distributed across different GPUs',
      performance: 'MoE++ achieves better performance […] compared to a vanilla MoE model of the same size',
      throughput: 'delivering 1.1-2.1x expert forward throughput compared to a vanilla MoE model of the same size',
    },
    load: () => import('../lm/moepp.js'),
  },
  {
    slug: 'mc-smoe',
    title: 'MC-SMoE: mixtures of experts merged, then compressed',
    family: 'lm',
    about:
      'makes a trained mixture of experts smaller: merges experts by their routing, then compresses their matrices',
    paper: {
      authors: 'Li, Zhang, Yadav, Sung, Cheng, Bansal, Chen',
      title: 'Merge, Then Compress: Demystify Efficient SMoE with Hints from Its Routing Policy',
      venue: 'ICLR',
      year: 2024,
      arxiv: '2310.01334',
    },
    abstract: {
      conventional: 'conventional model merging methods fail to be effective in such expert merging for SMoE',
      dimension: 'our proposed merging promotes a low dimensionality in the merged expert’s weight space',
      benchmarks: 'Extensive experiments across 8 benchmarks validate the effectiveness of MC-SMoE',
      memory: 'our MC-SMoE achieves up to 80% memory […] reduction',
      flops: 'and a 20% FLOPs reduction',
      loss: 'with virtually no loss in performance',
    },
    load: () => import('../lm/mc-smoe.js'),
  },
  {
    slug: 'blockffn',
    title: 'BlockFFN: blocks that neighbouring tokens share',
    family: 'lm',
    about:
      'trains language models whose tokens use few narrow blocks, and neighbours the same, so that several at once are cheap',
    paper: {
      authors: 'Song, Zhao, Han, Xiao, Chen, Li, Liu, Sun',
      title: 'BlockFFN: Towards End-Side Acceleration-Friendly Mixture-of-Experts with Chunk-Level Activation Sparsity',
      venue: 'COLM',
      year: 2025,
      arxiv: '2507.08771',
    },
    abstract: {
      routing: 'the non-differentiable and inflexible routing of vanilla MoE hurts model performance',
      chunks:
        'while each token activates only a few parameters, these sparsely-activated architectures exhibit low chunk-level sparsity',
      baselines: 'the superior performance of BlockFFN over other MoE baselines',
      sparsity: 'achieving over 80% TLS and 70% 8-token CLS',
      speed: 'Our kernels achieve up to 3.67times speedup on real end-side devices than dense models',
    },
    load: () => import('../lm/blockffn.js'),
  },
  {
    slug: 'smallthinker',
    title: 'SmallThinker: experts chosen before attention, sparse twice over',
    family: 'lm',
    about:
      'language models for little memory: experts are read while attention runs, and only their open neurons are computed',
    paper: {
      authors: 'Song et al.',
      title: 'SmallThinker: A Family of Efficient Large Language Models Natively Trained for Local Deployment',
      venue: 'arXiv',
      year: 2025,
      arxiv: '2507.20984',
    },
    abstract: {
      structure:
        'a two-level sparse structure combining fine-grained Mixture-of-Experts (MoE) with sparse feed-forward ' +
        'networks, drastically reducing computational demands without sacrificing model capacity',
      prefetch:
        'a pre-attention router that enables our co-designed inference engine to prefetch expert parameters from ' +
        'storage while computing attention, effectively hiding storage latency',
      cache: 'we utilize NoPE-RoPE hybrid sparse attention mechanism to slash KV cache requirements',
      scores:
        'SmallThinker-4B-A0.6B and SmallThinker-21B-A3B, which achieve state-of-the-art performance scores and even ' +
        'outperform larger LLMs',
      speed:
        'with Q4_0 quantization, both models exceed 20 tokens/s on ordinary consumer CPUs, while consuming only 1GB ' +
        'and 8GB of memory respectively',
    },
    load: () => import('../lm/smallthinker.js'),
  },
];
