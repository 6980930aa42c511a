import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readNpz } from '../../src/data/index.js';
import {
  contentDigest,
  dataFolders,
  downloadHypergraph,
  hasHypergraph,
  loadHypergraph,
  readBytes,
} from '../../src/data/node.js';
import pickles from '../fixtures/pickles.json' with { type: 'json' };

const folder = mkdtempSync(join(tmpdir(), 'gossamer-download-'));
let server: Server;
let base: string;

/** Serves the folder's files, and one well-formed pickle for any other set. */
beforeAll(async () => {
  server = createServer((request, response) => {
    const path = join(folder, request.url ?? '');
    if (request.url?.includes('missing')) response.writeHead(404).end();
    else response.end(existsSync(path) ? readFileSync(path) : Buffer.from(pickles['4'], 'base64'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const known = hasHypergraph('coauthorship-cora');
const python = ['/usr/bin/python3', 'python3'].find(
  (name) => spawnSync(name, ['-c', 'import scipy.sparse']).status === 0,
);

test.skipIf(!known || !python)(
  'the published form of co-authorship Cora becomes the known data (needs GOSSAMER_DATA, Python with SciPy)',
  async () => {
    const archive = dataFolders()
      .map((path) => join(path, 'hypergraphs/coauthorship-cora.npz'))
      .find(existsSync) as string;
    const write = `import numpy as np, scipy.sparse as sp, pickle, sys, os
d = np.load(sys.argv[1]); out = sys.argv[2] + '/coauthorship/cora'; os.makedirs(out)
p, x = d['he_indptr'], d['he_indices']
dump = lambda name, value: pickle.dump(value, open(f'{out}/{name}.pickle', 'wb'), 2)
dump('hypergraph', {f'author {e}': set(x[p[e]:p[e+1]].tolist()) for e in range(len(p) - 1)})
dump('labels', d['labels'].astype('i8').tolist())
dump('features', sp.csr_matrix((d['x_data'].astype('f8'), d['x_indices'], d['x_indptr']), shape=tuple(d['x_shape'])))`;
    expect(spawnSync(python as string, ['-c', write, archive, folder], { encoding: 'utf8' }).stderr).toBe('');
    const path = join(folder, 'fetched.npz');
    await downloadHypergraph('coauthorship-cora', path, `${base}/coauthorship/cora`);
    const [fetched, ours] = [loadHypergraph(path), loadHypergraph('coauthorship-cora')];
    expect(fetched.hypergraph.members.indices).toEqual(ours.hypergraph.members.indices);
    expect(fetched.labels).toEqual(ours.labels);
  },
);

test.skipIf(!known)('the digest is that of the archive at hand (needs GOSSAMER_DATA)', () => {
  const path = join(dataFolders()[0] as string, 'hypergraphs/coauthorship-cora.npz');
  const arrays = readNpz(readBytes(path)) as Record<'he_indptr' | 'he_indices' | 'labels', never>;
  expect(contentDigest(arrays)).toBe('62cdac199a68868dc33bfdc9b082e2ea462e7000f6b49899aba3a215c8288c13');
});

test('other content, a missing file and no server are errors, and nothing is kept', async () => {
  const path = join(folder, 'kept.npz');
  await expect(downloadHypergraph('cocitation-cora', path, base)).rejects.toThrow('expected a collection of numbers');
  await expect(downloadHypergraph('cocitation-cora', path, `${base}/missing`)).rejects.toThrow(
    'the server answered 404',
  );
  await expect(downloadHypergraph('cocitation-cora', path, 'http://127.0.0.1:1')).rejects.toThrow(
    /^could not fetch .*; set GOSSAMER_DATA/,
  );
  await expect(downloadHypergraph('nope', path)).rejects.toThrow('no address is known for data set "nope"');
  expect(existsSync(path)).toBe(false);
});
