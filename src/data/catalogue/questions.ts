// Questions with answers.

import type { DatasetRecord } from './record.js';

/** Questions for language models. */
export const questionRecords: readonly DatasetRecord[] = [
  {
    name: 'gsm8k',
    kinds: ['questions'],
    files: [
      {
        path: 'gsm8k/train.jsonl.gz',
        sha256: '17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465',
        digestOf: 'unpacked',
      },
      {
        path: 'gsm8k/test.jsonl.gz',
        sha256: '3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14',
        digestOf: 'unpacked',
      },
    ],
    licence: 'MIT',
    source: {
      address: 'https://github.com/openai/grade-school-math',
      citation: 'Cobbe et al., "Training Verifiers to Solve Math Word Problems", 2021',
    },
    size: '7,473 questions to learn from, 1,319 to test on',
  },
];
