// Compression: the records of their systems.

import type { SystemRecord } from '../parts/system-record.js';

export const records: readonly SystemRecord[] = [
  {
    slug: 'sparsebytenn',
    title: 'SparseByteNN: fine-grained group sparsity',
    family: 'compress',
    about: 'prunes groups of output channels after the channels of the whole network have changed places for it',
    paper: {
      authors: 'Xu, Liu, Xu, Wang, Li, Yan, Li, Fu, Pan, Chen',
      title: 'SparseByteNN: A Novel Mobile Inference Acceleration Framework Based on Fine-Grained Group Sparsity',
      venue: 'arXiv',
      year: 2023,
      arxiv: '2310.19509',
    },
    abstract: {
      precision:
        'Combined with our proposed whole network rearrangement strategy, the schema achieves a high compression rate ' +
        'and high precision at the same time',
      kernels:
        'The conventional wisdom is that this reduction in theoretical FLOPs does not translate into real-world ' +
        'efficiency gains. We aim to correct this misconception by introducing a family of efficient sparse kernels ' +
        'for […] WebAssembly',
      arm: 'efficient sparse kernels for ARM',
      curve: 'sparse versions of MobileNet-v1 outperform strong dense baselines on the efficiency-accuracy curve',
      speed: 'for 30% sparse MobileNet-v1, SparseByteNN achieves 1.27x speedup over the dense version',
      engine: '1.29x speedup over the state-of-the-art sparse inference engine',
      mnn: 'the state-of-the-art sparse inference engine MNN',
      drop: 'with a slight accuracy drop of 0.224%',
    },
    load: () => import('../compress/sparsebytenn.js'),
  },
  {
    slug: 'sparse-convnets',
    title: 'Fast sparse convolutional networks',
    family: 'compress',
    about: 'prunes the pointwise convolutions of MobileNets and EfficientNets and runs them on sparse kernels',
    paper: {
      authors: 'Elsen, Dukhan, Gale, Simonyan',
      title: 'Fast Sparse ConvNets',
      venue: 'CVPR',
      year: 2020,
      arxiv: '1911.09723',
    },
    abstract: {
      kernels:
        'the conventional wisdom is that this reduction in theoretical FLOPs does not translate into real-world ' +
        'efficiency gains. We aim to correct this misconception by introducing a family of efficient sparse kernels ' +
        'for […] WebAssembly',
      arm: 'efficient sparse kernels for ARM',
      curve:
        'sparse versions of MobileNet v1, MobileNet v2 and EfficientNet architectures substantially outperform strong ' +
        'dense baselines on the efficiency-accuracy curve',
      speed: 'on Snapdragon 835 our sparse networks outperform their dense equivalents by 1.3-2.4times',
    },
    load: () => import('../compress/sparse-convnets.js'),
  },
  {
    slug: 'mst-compression',
    title: 'MST-compression: binary networks along spanning trees',
    family: 'compress',
    about: 'computes the output channels of binary networks from each other, along trees that training makes short',
    paper: {
      authors: 'Vo, Tran, Bae, Kim, Hong',
      title: 'MST-compression: Compressing and Accelerating Binary Neural Networks with Minimum Spanning Tree',
      venue: 'ICCV',
      year: 2023,
      arxiv: '2308.13735',
    },
    abstract: {
      reuse:
        'an output channel in a binary convolution can be computed using another output channel and XNOR operations ' +
        'with weights that differ from the weights of the reused channel',
      depth:
        'the MST of the graph with the minimum depth is proposed to reorder output calculations, aiming to reduce ' +
        'computational cost and latency',
      learning: 'a new learning algorithm to reduce the total MST distance during training',
      ratio:
        'on benchmark models […] our method achieves significant compression ratios with negligible accuracy drops',
    },
    load: () => import('../compress/mst-compression.js'),
  },
  {
    slug: 'dass',
    title: 'Search of cells for sparse networks (DASS)',
    family: 'compress',
    about: 'searches cells while their operations are sparse, for networks with 90 to 99.9 % zeros',
    paper: {
      authors: 'Mousavi, Loni, Alibeigi, Daneshtalab',
      title: 'DASS: Differentiable Architecture Search for Sparse Neural Networks',
      venue: 'ACM Transactions on Embedded Computing Systems',
      year: 2023,
      arxiv: '2207.06968',
    },
    abstract: {
      ineffective:
        'the architectures designed for dense networks by differentiable architecture search methods are ineffective ' +
        'when pruning mechanisms are applied to them',
      outperform:
        'our search architectures outperform those used in the stateof-the-art sparse networks on the CIFAR-10 […] ' +
        'datasets',
      imagenet:
        'our search architectures outperform those used in the stateof-the-art sparse networks on the […] ImageNet ' +
        'datasets',
      accuracy:
        'DASS increases the accuracy of the sparse version of MobileNet-v2 from 73.44% to 81.35% (+7.91% improvement)',
      speed: 'with 3.87x faster inference time',
    },
    load: () => import('../compress/dass.js'),
  },
  {
    slug: 'hw-nas',
    title: 'Hardware-aware search for sub-networks',
    family: 'compress',
    about: 'finds the networks inside of an elastic one that trade accuracy best for latency on a machine',
    paper: {
      authors: 'Sarah, Cummings, Sridhar, Sundaresan, Szankin, Webb, Muñoz',
      title: 'A Hardware-Aware System for Accelerating Deep Neural Network Optimization',
      venue: 'arXiv',
      year: 2022,
      arxiv: '2202.12954',
    },
    abstract: {
      hardware:
        'a comprehensive system that automatically and efficiently finds sub-networks from a pre-trained super-network ' +
        'that are optimized to different performance metrics and hardware configurations',
      time:
        'By combining novel search tactics and algorithms with intelligent use of predictors, we significantly decrease ' +
        'the time needed to find optimal sub-networks from a given super-network',
      refined:
        'our approach does not require the super-network to be refined for the target task a priori, thus allowing it to ' +
        'interface with any super-network',
      domains:
        'our system works seamlessly with existing state-of-the-art super-network training methods in multiple domains',
      networks:
        'novel search tactics paired with evolutionary algorithms can accelerate the search process for ResNet50, ' +
        'MobileNetV3 and Transformer',
      diversity: 'while maintaining objective space Pareto front diversity',
      weaknas: 'an 8x faster search result than the state-of-the-art Bayesian optimization WeakNAS approach',
    },
    load: () => import('../compress/hw-nas.js'),
  },
  {
    slug: 'random-search',
    title: 'Random search: the baseline of sparse networks',
    family: 'compress',
    about: 'keeps the best of many random sub-networks before training: what any way to a sparse network has to beat',
    paper: {
      authors: 'Farahani',
      title: 'Random Search as a Baseline for Sparse Neural Network Architecture Search',
      venue: 'arXiv',
      year: 2024,
      arxiv: '2403.08265',
    },
    abstract: {
      preserved: 'a significant level of performance can still be preserved even when the network is highly sparse',
      neutral:
        'initialized sparse networks found by Random Search neither perform better nor converge more efficiently than ' +
        'their random counterparts',
      baseline: 'Random Search may be viewed as a reasonable neutral baseline for sparsity search methods',
    },
    load: () => import('../compress/random-search.js'),
  },
  {
    slug: 'tas',
    title: 'Transformable architecture search (TAS)',
    family: 'compress',
    about: 'learns by gradients how many channels and blocks a trained network keeps within a budget',
    paper: {
      authors: 'Dong, Yang',
      title: 'Network Pruning via Transformable Architecture Search',
      venue: 'NeurIPS',
      year: 2019,
      arxiv: '1905.09717',
    },
    abstract: {
      effective:
        'Experiments on CIFAR-10 […] demonstrate the effectiveness of our new perspective of network pruning compared ' +
        'to traditional network pruning algorithms',
      elsewhere:
        'Experiments on […] CIFAR-100 and ImageNet demonstrate the effectiveness of our new perspective of network ' +
        'pruning compared to traditional network pruning algorithms',
      components:
        'Various searching and knowledge transfer approaches are conducted to show the effectiveness of the two components',
    },
    load: () => import('../compress/tas.js'),
  },
  {
    slug: 'metapruning',
    title: 'Metapruning: a network that prunes networks',
    family: 'compress',
    about: 'changes the weights of a trained network by a graph network, so that pruning costs less accuracy',
    paper: {
      authors: 'Liu, Wang, Zhang',
      title: 'Meta Pruning via Graph Metanetworks: A Meta Learning Framework for Network Pruning',
      venue: 'arXiv',
      year: 2025,
      arxiv: '2506.12041',
    },
    abstract: {
      bijection: 'we first establish a bijective mapping between neural networks and graphs',
      easier:
        'We train a metanetwork that learns the pruning strategy automatically which can transform a network that is ' +
        'hard to prune into another network that is much easier to prune',
      feedforward:
        'Once the metanetwork is trained, our pruning needs nothing more than a feedforward through the metanetwork and ' +
        'the standard finetuning',
      stateOfTheArt: 'to prune at state-of-the-art',
      outstanding:
        'Our method achieved outstanding results on many popular and representative pruning tasks (including ResNet56 ' +
        'on CIFAR10 […])',
      elsewhere:
        'Our method achieved outstanding results on many popular and representative pruning tasks (including […] VGG19 ' +
        'on CIFAR100, ResNet50 on ImageNet)',
    },
    load: () => import('../compress/metapruning.js'),
  },
];
