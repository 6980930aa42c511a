// Vision: the records of their systems.

import type { SystemRecord } from '../parts/system-record.js';

export const records: readonly SystemRecord[] = [
  {
    slug: 'vanillanet',
    title: 'VanillaNet: the power of minimalism',
    family: 'vision',
    about: 'image classifiers of five to thirteen layers, trained deep and merged into plain convolutions',
    paper: {
      authors: 'Chen, Wang, Guo, Tao',
      title: 'VanillaNet: the Power of Minimalism in Deep Learning',
      venue: 'NeurIPS',
      year: 2023,
      arxiv: '2305.12972',
    },
    abstract: {
      simple: 'avoiding high depth, shortcuts, and intricate operations like self-attention',
      pruned: 'nonlinear activation functions pruned after training to restore the original architecture',
      deployment:
        'its easy-to-understand and highly simplified architecture opens new possibilities for efficient deployment',
      performance: 'delivers performance on par with renowned deep neural networks and vision transformers',
    },
    load: () => import('../vision/vanillanet.js'),
  },
  {
    slug: 'lsnet',
    title: 'LSNet: see large, focus small',
    family: 'vision',
    about: 'a vision backbone that perceives with a large static kernel and aggregates with a small dynamic one',
    paper: {
      authors: 'Wang, Chen, Lin, Han, Ding',
      title: 'LSNet: See Large, Focus Small',
      venue: 'CVPR',
      year: 2025,
      arxiv: '2503.23135',
    },
    abstract: {
      convolution:
        'LS (Large-Small) convolution, which combines large-kernel perception and small-kernel aggregation […] can ' +
        'efficiently capture a wide range of perceptual information and achieve precise feature aggregation for ' +
        'dynamic and complex visual representations',
      performance: 'LSNet achieves superior performance […] over existing lightweight networks',
      efficiency: 'LSNet achieves superior […] efficiency over existing lightweight networks',
      tasks: 'in various vision tasks',
    },
    load: () => import('../vision/lsnet.js'),
  },
  {
    slug: 'phnn',
    title: 'PHNN: parameterized hypercomplex convolutions',
    family: 'vision',
    about: 'layers with 1/n of the parameters, whose rules of sharing are learnt: pictures, sounds, any network',
    paper: {
      authors: 'Grassucci, Zhang, Comminiello',
      title: 'PHNNs: Lightweight Neural Networks via Parameterized Hypercomplex Convolutions',
      venue: 'IEEE Transactions on Neural Networks and Learning Systems',
      year: 2022,
      arxiv: '2110.04176',
    },
    abstract: {
      parameters:
        'the proposed family of PHNNs operates with 1/n free parameters as regards its analog in the real domain',
      real:
        'performing experiments on various image datasets as well as audio datasets in which our method outperforms ' +
        'real […] counterparts',
      quaternion: 'our method outperforms […] quaternion-valued counterparts',
      natural:
        'processing multidimensional inputs in their natural domain without annexing further dimensions, as done, ' +
        'instead, in quaternion neural networks for 3D inputs like color images',
      learnt:
        'grasps the convolution rules and the filter organization directly from data without requiring a rigidly ' +
        'predefined domain structure to follow',
    },
    load: () => import('../vision/phnn.js'),
  },
  {
    slug: 'simplenet',
    title: 'SimpleNet: simple architectures that outperform deeper ones',
    family: 'vision',
    about: 'image classifiers of thirteen plain convolutions, made by a few designing principles',
    paper: {
      authors: 'Hasanpour, Rouhani, Fayyaz, Sabokrou',
      title: 'Lets keep it simple, Using simple architectures to outperform deeper and more complex architectures',
      venue: 'arXiv',
      year: 2016,
      arxiv: '1608.06037',
    },
    abstract: {
      outperforms:
        'Our simple 13-layer architecture outperforms most of the deeper and complex architectures to date such as ' +
        'VGGNet, ResNet, and GoogleNet on several well-known benchmarks while having 2 to 25 times fewer number of ' +
        'parameters and operations',
      par:
        'a well-crafted yet simple and reasonably deep architecture can perform on par with deeper and more complex ' +
        'architectures',
      light: 'light-weight architectures, being proposed to address this issue, mainly suffer from low accuracy',
      datasets:
        'state-of-the-art result on CIFAR10 outperforming several heavier architectures, near state of the art on ' +
        'MNIST and competitive results on CIFAR100 and SVHN. We also outperformed the much larger and deeper ' +
        'architectures […] on the ImageNet dataset',
    },
    load: () => import('../vision/simplenet.js'),
  },
  {
    slug: 'emov2',
    title: 'EMOv2: one block for small backbones',
    family: 'vision',
    about: 'small vision backbones of one kind of block, whose expansion is a convolution or attention within windows',
    paper: {
      authors: 'Zhang, Hu, He, Xue, Wang, Wang, Liu, Li, Tao',
      title: 'EMOv2: Pushing 5M Vision Model Frontier',
      venue: 'arXiv',
      year: 2024,
      arxiv: '2412.06674',
    },
    abstract: {
      unified:
        'extending CNN-based IRB to attention-based models and abstracting a one-residual Meta Mobile Block (MMBlock) ' +
        'for lightweight model design',
      surpass:
        'EMOv2-1M/2M/5M achieve 72.3, 75.8, and 79.4 Top-1 that surpass equal-order CNN-/Attention-based models ' +
        'significantly',
      retinanet:
        'EMOv2-5M equipped RetinaNet achieves 41.5 mAP for object detection tasks that surpasses the previous EMO-5M ' +
        'by +2.6',
      robust:
        'When employing the more robust training recipe, our EMOv2-5M eventually achieves 82.9 Top-1 accuracy, which ' +
        'elevates the performance of 5M magnitude models to a new level',
      tasks:
        'Extensive experiments on various vision recognition, dense prediction, and image generation tasks demonstrate ' +
        'the superiority of our EMOv2 over state-of-the-art methods',
    },
    load: () => import('../vision/emov2.js'),
  },
  {
    slug: 'hyperzzw',
    title: 'HyperZZW: slow networks write the kernels of a fast one',
    family: 'vision',
    about: 'a classifier without residual learning, whose full-size kernels are written by MLPs of coordinates',
    paper: {
      authors: 'Zhang',
      title: 'HyperZ⋅Z⋅W Operator Connects Slow-Fast Networks for Full Context Interaction',
      venue: 'arXiv',
      year: 2024,
      arxiv: '2401.17948',
    },
    abstract: {
      residual:
        'discarding residual learning by employing large implicit kernels to achieve full context interaction at ' +
        'each layer of the network',
      context:
        'context-varying weights for fast dynamic encoding […] connects hyper-kernels (W) and hidden activations (Z) ' +
        'through simple elementwise multiplication, followed by convolution of Z using the context-dependent W',
      sizes:
        'integrates hyper-kernels of different sizes to produce multi-branch hidden representations for enhancing ' +
        'the feature extraction capability of each layer',
      bottleneck:
        'a bottleneck layer is employed to compress the concatenated channels, allowing only valuable information to ' +
        'propagate to the subsequent layers',
      feedback: 'introducing local feedback error for updating the slow network',
      zeroMean: 'stable zero-mean features',
      convergence: 'faster training convergence',
      parameters: 'fewer model parameters',
      performance:
        'Extensive experimental results on pixel-level 1D and 2D image classification benchmarks demonstrate the ' +
        'superior performance of our architecture',
    },
    load: () => import('../vision/hyperzzw.js'),
  },
  {
    slug: 'pflayer',
    title: 'PfLayer: pooling in the place of trainable spatial operations',
    family: 'vision',
    about: 'networks whose spatial operations have no weights, made anew, from trained ones, or found by a search',
    paper: {
      authors: 'Han, Yoo, Kim, Heo',
      title: 'Learning Features with Parameter-Free Layers',
      venue: 'ICLR',
      year: 2022,
      arxiv: '2202.02777',
    },
    abstract: {
      alternative:
        'simple built-in parameter-free operations can be a favorable alternative to the efficient trainable layers ' +
        'replacing spatial operations in a network architecture',
      depthwise:
        'the depthwise convolution is the source of efficiency in the number of parameters and FLOPs, but there was ' +
        'little improvement to the model speed in practice',
      accuracy:
        'the parameter-free operations are heavily used as the main building block without sacrificing the model ' +
        'accuracy as much',
      efficiency:
        'the network architectures with parameter-free operations could enjoy the advantages of further efficiency ' +
        'in terms of model speed, the number of the parameters, and FLOPs',
      imagenet: 'Experimental results on the ImageNet dataset demonstrate',
    },
    load: () => import('../vision/pflayer.js'),
  },
];
