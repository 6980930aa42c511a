// Texts.

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
