import { describe, expect, test } from 'vitest';
import { hasDataset, loadWholeGraphs } from '../../src/data/node.js';
import { colourGraphs, colourTests, equalPairs } from '../../src/graph/index.js';

describe.skipIf(!hasDataset('sr251256', 'whole-graphs'))(
  'strongly regular graphs SR(25, 12, 5, 6) (needs data)',
  () => {
    const { graphs } = loadWholeGraphs('sr251256');

    test.each(colourTests)('%s tells none of the 105 pairs apart', (name) => {
      expect(equalPairs(colourGraphs(name, graphs).graphs)).toBe(105);
    });
  },
);

describe.skipIf(!hasDataset('graph8c', 'whole-graphs'))('all connected graphs of eight nodes (needs data)', () => {
  const { graphs } = loadWholeGraphs('graph8c');

  test('1-WL leaves 312 pairs alike, the weakest subgraph test and 2-FWL none', () => {
    const alike = (['1-WL', 'SWL(VS)', 'FWL(2)'] as const).map((name) => equalPairs(colourGraphs(name, graphs).graphs));
    expect(alike).toEqual([312, 0, 0]);
  }, 240_000);
});
