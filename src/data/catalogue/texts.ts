// Texts and source files.

import type { DatasetRecord } from './record.js';

/** Texts for language models. */
export const textRecords: readonly DatasetRecord[] = [
  {
    name: 'tinyshakespeare',
    kinds: ['text'],
    files: [
      {
        path: 'text/tinyshakespeare.txt.gz',
        sha256: '86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed',
        digestOf: 'unpacked',
      },
    ],
    licence: 'public domain',
    source: {
      address: 'https://github.com/karpathy/char-rnn',
      citation: 'Karpathy, "The Unreasonable Effectiveness of Recurrent Neural Networks", 2015',
    },
    size: '1,115,394 characters, 65 distinct',
    download: {
      form: 'text',
      address: 'https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt',
    },
  },
  {
    name: 'republic',
    kinds: ['text'],
    files: [
      {
        path: 'text/republic.txt.gz',
        sha256: 'fd025e38db153a7223aa0e6f1eb85076280784d13bcc4807bfa3b3f79858bed6',
        digestOf: 'unpacked',
      },
    ],
    licence: 'Project Gutenberg License',
    source: {
      address: 'https://www.gutenberg.org/ebooks/1497',
      citation: 'Plato, The Republic, translated by Jowett; Project Gutenberg',
    },
    size: '1,214,385 bytes, with the header and licence of Project Gutenberg',
  },
];

/** Texts with a class each. */
export const labelledTextRecords: readonly DatasetRecord[] = [
  {
    name: 'r8',
    kinds: ['labelled-texts'],
    files: [
      {
        path: 'text/r8.tsv.gz',
        sha256: 'eb914d2eb1dbdc85e31a272bd6604d603543f74aba41dacab351e15d4080e356',
        digestOf: 'unpacked',
      },
    ],
    licence: 'none stated',
    source: {
      address: 'https://github.com/yao8839836/text_gcn',
      citation: 'Yao, Mao, Luo, "Graph Convolutional Networks for Text Classification", AAAI 2019; Reuters-21578',
    },
    size: '7,674 texts, 8 classes',
    note: 'columns split, label and text; lower case, words separated by blanks',
  },
];

/** Source files with classes. */
export const sourceRecords: readonly DatasetRecord[] = [
  {
    name: 'code-gcj',
    kinds: ['sources'],
    files: [
      {
        path: 'code-gcj/gcj_java.jsonl.gz',
        sha256: 'e539a97dff205eb6dbcfb819a9ad5fafbe01f4c851d023a271d460156edb9414',
        digestOf: 'unpacked',
      },
    ],
    licence: 'MIT (the repository); the programs belong to the contestants',
    source: {
      address: 'https://github.com/parasol-aser/deepsim',
      citation: 'Zhao & Huang, "DeepSim: Deep Learning Code Functional Similarity", ESEC/FSE 2018',
    },
    size: '1,665 Java programs for 12 problems of Google Code Jam',
    note: 'JSON lines with the columns problem, file and code',
    sources: { code: 'code', target: 'problem' },
  },
];
