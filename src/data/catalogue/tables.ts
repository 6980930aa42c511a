// Small tables for classification.

import type { DatasetRecord } from './record.js';

const pmlb = {
  address: 'https://github.com/EpistasisLab/pmlb',
  citation:
    'UCI Machine Learning Repository; Olson et al., "PMLB: a large benchmark suite for machine learning evaluation and comparison", BioData Mining 2017',
} as const;

function table(name: string, sha256: string, size: string, rest: Partial<DatasetRecord> = {}): DatasetRecord {
  return {
    name,
    kinds: ['table'],
    files: [{ path: `tabular/${name}.csv`, sha256 }],
    licence: 'MIT (repository)',
    source: pmlb,
    size,
    table: { target: 'target' },
    ...rest,
  };
}

/** Columns are codes of categories. */
const coded = { table: { target: 'target', coded: 'all' } } as const;

/** Fewer than 1,000 rows and at least 30 columns. */
const wide: readonly DatasetRecord[] = [
  table('sonar', '1d1f5793ebff6f053a5acb17b50cdf6aac8b0e8433f3d4ef2239c997dc220fee', '208 rows, 60 columns, 2 classes'),
  table(
    'ionosphere',
    '6c72ca484bc6c68eb963817138cfa21b937ac009ff3ed7a1aaecebc37735b8b1',
    '351 rows, 34 columns, 2 classes',
  ),
  table('wdbc', '2da52bb18d5720de5908b3f6ad15d6e654bae4b39af53430a87d293b54bc33ba', '569 rows, 30 columns, 2 classes'),
  table(
    'movement_libras',
    '80e3e44363b92ae4060af047e326db400fd82e9c1fc1b60c0ce9e0be0a8d7b14',
    '360 rows, 90 columns, 15 classes',
  ),
  table(
    'molecular_biology_promoters',
    '002f32e4bfc6c99411f490972efadcd60c282d2c4b0f9f7d0594bd0bada6b0f3',
    '106 rows, 57 columns, 2 classes',
    coded,
  ),
  table(
    'dermatology',
    'cfc9dd74a38c09a83a441eeed0d35dbe07cac4fa66ccb8a59bf17cb751aa9a80',
    '366 rows, 34 columns, 6 classes',
  ),
];

/** Few columns, from which subsets differ little. */
const narrow: readonly DatasetRecord[] = [
  table('glass', '7ef4057f3df5c39af3651954721ee979372f5114d26162b4940fef7e9364fb89', '214 rows, 9 columns, 6 classes', {
    licence: 'CC BY 4.0',
    source: {
      address: 'https://archive.ics.uci.edu/dataset/42/glass+identification',
      citation: 'German, "Glass Identification", UCI Machine Learning Repository 1987',
    },
  }),
  table(
    'wine_recognition',
    '5ff0c65211d0dd0400f48de17970ccdb7c9e1896cb82bbf2ddb82c8843d5f96f',
    '178 rows, 13 columns, 3 classes',
  ),
  table(
    'vehicle',
    'f84a2bfc3203ec1643b1241ad9d804fecf4cbee61906f84d755f85ac8c2661b1',
    '846 rows, 18 columns, 4 classes',
  ),
  table('ecoli', 'daf05ffa2e161454aac06c32671f890eab7563097ba3c6422b5ea4b98c48318b', '327 rows, 7 columns, 5 classes', {
    note: 'without the classes of fewer than 10 rows (9 of 336 rows)',
  }),
  table(
    'heart_statlog',
    '52cd33bfd10f5ae727ebd955c084980fde408c5f97a4049407ec84b04d23353c',
    '270 rows, 13 columns, 2 classes',
  ),
  table(
    'diabetes',
    '9c5ff0dc8878c45e472575667673015a687e8f1f2af7788406cfe38aa401b65d',
    '768 rows, 8 columns, 2 classes',
  ),
  table(
    'lymphography',
    '80fcd73c78fca4add9a8054fb96cdd49960b8ade172f200ef5306e9312afb332',
    '148 rows, 18 columns, 4 classes',
  ),
  table('spect', 'dc0d0f54f68c87d2ad5b4b4c7abd1125f3086459e264329d99193eab0de1cfef', '267 rows, 22 columns, 2 classes'),
  table(
    'vowel',
    '577da0449a33b580cc01a15db4c082f0260f35993e40ec53988bfa08826a0987',
    '990 rows, 13 columns, 11 classes',
    {
      table: { target: 'target', ignored: ['Train or Test'] },
      note: 'without the column of its authors’ split',
    },
  ),
  table(
    'breast_cancer',
    'aeb056ab73ca1810b3c3494eb0b540cd4a150f368a09c3684c9498242e39d362',
    '286 rows, 9 columns, 2 classes',
    coded,
  ),
  table(
    'balance_scale',
    'af0dba2b7c13dc59c97cedd18825f4fec6cccd813637f020a94aae319e58cecd',
    '625 rows, 4 columns, 3 classes',
  ),
  table(
    'tic_tac_toe',
    '6faeafc42f95354e7e2159753688b7f8d78ba5365f75ae8f84f6aa8493dd7c5a',
    '958 rows, 9 columns, 2 classes',
    coded,
  ),
];

/** A thousand rows and more. */
const larger: readonly DatasetRecord[] = [
  table(
    'credit_g',
    'ff89af1eec0f372b70e080a1cb0c73070987f22a6e928e212af4772a81354580',
    '1,000 rows, 20 columns, 2 classes',
  ),
  table(
    'Hill_Valley_without_noise',
    '8a0624eabf115a0e2f2ddf1ddadd75d60c2e4d70938015039cfa87aea78b72f3',
    '1,212 rows, 100 columns, 2 classes',
  ),
];

const wisdm: DatasetRecord = {
  name: 'wisdm',
  kinds: ['table'],
  files: [
    {
      path: 'wisdm/wisdm_transformed.csv.gz',
      sha256: '2bc64636489f5a564076b152df9694209be063d38c9934cbf98b41d44bff30b4',
      digestOf: 'unpacked',
    },
  ],
  licence: 'none stated; its readme.txt must travel with the data, and citation is asked for',
  source: {
    address: 'https://www.cis.fordham.edu/wisdm/',
    citation: 'Kwapisz, Weiss, Moore, "Activity Recognition using Cell Phone Accelerometers", SensorKDD 2010',
  },
  size: '5,418 rows, 44 columns, 6 classes: windows of 10 seconds of 36 users, named in the column user',
  table: { target: 'activity', coded: ['user'] },
};

/** Labelled tables. */
export const tableRecords: readonly DatasetRecord[] = [...wide, ...narrow, ...larger, wisdm];

/** Groups of tables that are evaluated together. */
export const tableGroups: Readonly<Record<string, readonly string[]>> = {
  wide: wide.map(({ name }) => name),
  narrow: narrow.map(({ name }) => name),
  larger: larger.map(({ name }) => name),
};
