import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  catalogue,
  type DatasetKind,
  type DatasetRecord,
  datasetKinds,
  datasetsNamed,
  namesOf,
  nodeClasses,
  tableGroups,
  targetNodes,
  writeNpz,
} from '../../src/data/index.js';
import * as node from '../../src/data/node.js';

const {
  dataFolders,
  fetchDataset,
  hasDataset,
  loadEdgeGraph,
  loadGraph,
  loadHeteroGraph,
  loadHypergraph,
  loadImages,
  loadIncidences,
  loadLabelledTable,
  loadMultiLabelGraph,
  loadQuestionSet,
  loadTables,
  loadTemporal,
  loadSources,
  loadText,
  loadWholeGraphs,
  readBytes,
  verifyDataset,
} = node;

const readers: Readonly<Record<string, unknown>> = { ...node };
const kinds = Object.keys(datasetKinds) as DatasetKind[];
const folder = mkdtempSync(join(tmpdir(), 'gossamer-catalogue-'));
const own = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const ints = (...values: number[]) => ({ shape: [values.length], values: Int32Array.from(values) });
const pairs = (...values: number[]) => ({ shape: [values.length / 2, 2], values: Int32Array.from(values) });

describe('the catalogue', () => {
  test('is data: it imports nothing but its own parts', () => {
    const source = resolve(import.meta.dirname, '../../src/data');
    const files = ['catalogue.ts', ...readdirSync(join(source, 'catalogue')).map((file) => `catalogue/${file}`)];
    const imported = files.flatMap((file) => {
      const text = readFileSync(join(source, file), 'utf8');
      return [...text.matchAll(/from '(.+)'/g)].map((match) => resolve(source, file, '..', match[1] as string));
    });
    expect(imported.filter((path) => !path.startsWith(join(source, 'catalogue')))).toEqual([]);
  });

  test('every name is one set of its kind, every file has one digest; typed graphs share files', () => {
    for (const kind of kinds) expect(new Set(namesOf(kind)).size).toBe(namesOf(kind).length);
    const files = catalogue.flatMap((record) => record.files);
    const own = catalogue.filter(({ typed, hetero }) => !typed && !hetero).flatMap((record) => record.files);
    const distinct = new Set(files.map(({ path, sha256 }) => `${path} ${sha256}`)).size;
    expect(new Set(files.map(({ path }) => path)).size).toBe(distinct);
    expect(new Set(files.map(({ sha256 }) => sha256)).size).toBe(distinct);
    expect(new Set(own.map(({ path }) => path)).size).toBe(own.length);
    for (const { sha256 } of files) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    for (const { source } of catalogue) expect(() => new URL(source.address)).not.toThrow();
  });

  test('every kind names the function that reads it', () => {
    for (const kind of kinds) expect(readers[datasetKinds[kind].reader]).toBeTypeOf('function');
  });

  test('what a kind needs is on its records', () => {
    for (const record of catalogue) {
      expect(record.images !== undefined).toBe(record.kinds.includes('images'));
      expect(record.table !== undefined).toBe(record.kinds.includes('table'));
      expect(record.hetero !== undefined).toBe(record.kinds.includes('hetero-graph'));
    }
    for (const name of Object.values(tableGroups).flat()) expect(namesOf('table')).toContain(name);
  });

  test('a name may stand for sets of several kinds', () => {
    expect(datasetsNamed('email-eu').map((record) => record.kinds[0])).toEqual(['incidences', 'temporal']);
    expect(datasetsNamed('email-eu', 'temporal')).toHaveLength(1);
    expect(namesOf('hypergraph')).toContain('cora');
    expect(namesOf('graph')).toContain('cora');
  });
});

describe('an unknown name', () => {
  test.each(kinds)('of %s is an error that lists the known ones', async (kind) => {
    const read = readers[datasetKinds[kind].reader] as (source: string) => unknown;
    const message = await Promise.resolve()
      .then(() => read('nope'))
      .catch((error: Error) => error.message);
    expect(message).toContain('"nope" is n');
    for (const name of namesOf(kind)) expect(message).toContain(name);
  });

  test('cannot be verified', () => {
    expect(() => verifyDataset('nope')).toThrow('data set "nope" is not known; there are coauthorship-cora');
    expect(() => verifyDataset('cora', 'text')).toThrow('there are tinyshakespeare, republic');
  });
});

describe('known sets (need GOSSAMER_DATA)', () => {
  for (const record of catalogue) {
    const { name } = record;
    const kind = record.kinds[0] as DatasetKind;
    test.skipIf(!hasDataset(name, kind))(`${name} (${kind}) has the known content and size`, async () => {
      expect(verifyDataset(name, kind).map(({ state }) => state)).toEqual(record.files.map(() => 'known'));
      const counted = await sizeOf(record, kind);
      expect(record.size.slice(0, counted.length)).toBe(counted);
    });
  }
});

/** How the phrase of a record begins, from what its reader gives. */
async function sizeOf({ name, size }: DatasetRecord, kind: DatasetKind): Promise<string> {
  const counts = (...parts: readonly (readonly [number, string])[]) =>
    parts.map(([count, what]) => `${count.toLocaleString('en')} ${what}`).join(', ');
  switch (kind) {
    case 'hypergraph': {
      const { hypergraph, classNames } = loadHypergraph(name);
      return counts(
        [hypergraph.vertexCount, 'vertices'],
        [hypergraph.hyperedgeCount, 'hyperedges'],
        [hypergraph.nnz, 'incidences'],
        [classNames.length, 'classes'],
      );
    }
    case 'incidences': {
      const { incidences, classes } = loadIncidences(name);
      return counts(
        [incidences.vertexCount, 'vertices'],
        [incidences.hyperedgeCount, 'hyperedges'],
        [incidences.count, 'incidences'],
        [classes, 'classes'],
      );
    }
    case 'whole-graphs': {
      const { graphs, classNames, targets } = loadWholeGraphs(name);
      const learnt = classNames.length > 0 ? classNames.length : targets.length;
      return counts(
        [graphs.count, 'graphs'],
        [graphs.nodeCount, 'nodes'],
        [graphs.edgeCount, 'edges'],
        [learnt, classNames.length > 0 ? 'classes' : learnt === 1 ? 'target' : 'targets'],
      );
    }
    case 'hetero-graph': {
      const data = await loadHeteroGraph(name);
      const { type } = targetNodes(data);
      const { classNames } = nodeClasses({
        name,
        attributes: data.nodes.get(type)?.attributes ?? expect.unreachable(),
      });
      return counts(
        [data.graph.nodeCount, 'nodes'],
        [data.graph.types.length, 'types'],
        [data.graph.given.length, 'relations'],
        [data.graph.edgeCount, 'edges'],
        [classNames.length, 'classes'],
      );
    }
    case 'graph': {
      const { graph, features, classes } = loadGraph(name, { directed: true, scaleRows: false });
      const width = features && ('columns' in features ? features.columns : (features.shape[1] as number));
      const kindOf = size.includes('binary')
        ? 'binary features'
        : size.includes('TF-IDF')
          ? 'TF-IDF features'
          : 'features';
      return counts(
        [graph.nodeCount, 'nodes'],
        [graph.edgeCount, graph.directed ? 'directed edges' : 'edges'],
        [classes, 'classes'],
        [width as number, kindOf],
      );
    }
    case 'multi-label-graph': {
      const { graph, labels } = await loadMultiLabelGraph(name);
      return counts([graph.nodeCount, 'nodes'], [graph.edgeCount, 'edges'], [labels?.count as number, 'labels']);
    }
    case 'edges': {
      const { graph } = await loadEdgeGraph(name);
      return counts([graph.nodeCount, 'nodes'], [graph.edgeCount, 'directed edges']);
    }
    case 'temporal': {
      const { graph } = loadTemporal(name, { features: false });
      return `${counts([graph.eventCount, 'events'])} among ${counts([graph.nodeCount, 'nodes'])}`;
    }
    case 'table': {
      const { table, classes } = await loadLabelledTable(name);
      return counts([table.rows, 'rows'], [table.columns.length, 'columns'], [classes.length, 'classes']);
    }
    case 'images': {
      const { train, test: held } = loadImages(name);
      const image = `${train.height} × ${train.width} ${train.channels === 1 ? 'grey' : 'colour'}`;
      return `${counts([train.count, 'training'])} and ${counts([held.count, 'test'])} images, ${image}`;
    }
    case 'text': {
      const text = loadText(name);
      return size.includes('bytes')
        ? counts([new TextEncoder().encode(text).length, 'bytes'])
        : counts([text.length, 'characters']);
    }
    case 'labelled-texts': {
      const { texts, classes } = node.loadLabelledTexts(name);
      return counts([texts.length, 'texts'], [classes.length, 'classes']);
    }
    case 'questions': {
      const { train, test } = loadQuestionSet(name);
      return counts([train.length, 'questions to learn from'], [test.length, 'to test on']);
    }
    case 'interactions': {
      const { train, test: held } = await node.loadInteractions(name);
      const sizes = counts([train.users.length, 'users'], [train.items.length, 'items']);
      const [own, other] = [train, held as typeof train].map(({ indices }) => indices.length.toLocaleString('en'));
      return `${sizes}, ${own} training and ${other} test interactions`;
    }
    case 'sources': {
      const { files, classes } = await loadSources(name, ['.java']);
      return `${counts([files.length, 'Java programs'])} for ${classes.length} problems`;
    }
  }
}

describe('files of one’s own', () => {
  test('incidences from an archive', () => {
    const path = own(
      'incidences.npz',
      writeNpz({
        he_indptr: ints(0, 2, 4),
        he_indices: ints(0, 1, 1, 2),
        pin_labels: ints(0, 1, 1, 0),
        split: ints(0, 2),
      }),
    );
    const { incidences, split, name } = loadIncidences(path);
    expect([incidences.vertexCount, name]).toEqual([3, path]);
    expect([...split.test]).toEqual([2, 3]);
  });

  test('a labelled graph with several splits', () => {
    const path = own(
      'splits.npz',
      writeNpz({
        edges: pairs(0, 1, 2, 1),
        labels: ints(0, 1, 0),
        split: { shape: [2, 3], values: Uint8Array.from([0, 1, 2, 2, 0, 1]) },
      }),
    );
    expect(loadGraph(path).split).toEqual({ train: ints(0).values, validation: ints(1).values, test: ints(2).values });
    expect(loadGraph(path, { split: 1 }).split?.train).toEqual(ints(1).values);
    expect(() => loadGraph(path, { split: 2 })).toThrow('data set "splits": split 2 is not one of 2');
    expect([loadGraph(path).graph.directed, loadGraph(path, { directed: true }).graph.directed]).toEqual([false, true]);
  });

  test('labels of nodes: several, one each with gaps, none', async () => {
    const several = own(
      'several.npz',
      writeNpz({ num: ints(3, 4), edges: pairs(0, 1), label_indptr: ints(0, 2, 2, 3), label_indices: ints(3, 0, 1) }),
    );
    expect((await loadMultiLabelGraph(several)).labels).toEqual({
      indptr: ints(0, 2, 2, 3).values,
      labels: ints(3, 0, 1).values,
      count: 4,
    });
    const one = own('one.npz', writeNpz({ edges: pairs(0, 1), labels: ints(2, -1, 0) }));
    expect((await loadMultiLabelGraph(one)).labels).toEqual({
      indptr: ints(0, 1, 1, 2).values,
      labels: ints(2, 0).values,
      count: 3,
    });
    const none = await loadMultiLabelGraph(own('none.csv', 'source,target,weight\na,b,1\nb,a,2\n'));
    expect([none.labels, none.graph.directed, none.graph.weights]).toEqual([undefined, false, Float32Array.of(3, 3)]);
  });

  test('edges: a list, rows of targets', async () => {
    const list = own('edges.csv', 'source,target\na,b\nb,c\n');
    expect((await loadEdgeGraph(list)).graph.directed).toBe(true);
    expect((await loadEdgeGraph(list, { directed: false })).graph.directed).toBe(false);
    const rows = own('rows.npz', writeNpz({ indptr: ints(0, 1, 1), indices: ints(1) }));
    expect((await loadEdgeGraph(rows)).graph.edgeCount).toBe(1);
    const other = own('other.npz', writeNpz({ indptr: ints(0) }));
    await expect(loadEdgeGraph(other)).rejects.toThrow('needs arrays indptr and indices');
  });

  test('events are sorted, also gzipped; no more than asked for', () => {
    const path = own('events.csv.gz', gzipSync('source,target,t\na,b,5\nb,c,3\nc,a,4\n'));
    expect([...loadTemporal(path).graph.times]).toEqual([3, 4, 5]);
    expect(loadTemporal(path, { limit: 2 }).graph.eventCount).toBe(2);
    expect(() => loadTemporal(path, { sort: false })).toThrow();
    expect(() => loadTemporal(own('cut.csv.gz', gzipSync('source,target,t\n').subarray(0, 20)))).toThrow(
      /cut\.csv\.gz" cannot be decompressed/,
    );
  });

  test('a table with a column target', async () => {
    const path = own('table.csv', 'a,target\n1,x\n2,y\n');
    expect((await loadLabelledTable(path)).classes).toEqual(['x', 'y']);
    expect((await loadTables(path)).map(({ name }) => name)).toEqual([path]);
    await expect(loadLabelledTable(own('without.csv', 'a,b\n1,x\n'))).rejects.toThrow('no target column "target"');
  });
});

test.skipIf(!hasDataset('tic_tac_toe', 'table') || !hasDataset('wisdm', 'table'))(
  'codes of known tables are categories (needs GOSSAMER_DATA)',
  async () => {
    const { table } = await loadLabelledTable('tic_tac_toe');
    expect(table.columns.every(({ kind }) => kind === 'category')).toBe(true);
    const { table: windows } = await loadLabelledTable('wisdm');
    expect(windows.columns.filter(({ kind }) => kind === 'category').map(({ name }) => name)).toEqual(['user']);
    expect((await loadTables('wide')).map(({ name }) => name)).toEqual(tableGroups.wide);
  },
);

describe('copies on this machine', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('that differ are read, and verified as such', () => {
    vi.stubEnv('GOSSAMER_DATA', folder);
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'none'));
    mkdirSync(join(folder, 'text'));
    writeFileSync(join(folder, 'text/republic.txt.gz'), gzipSync('I went down yesterday to the Piraeus'));
    expect(loadText('republic')).toMatch(/^I went down/);
    expect(verifyDataset('republic').map(({ state }) => state)).toEqual(['differs']);
    expect(verifyDataset('tinyshakespeare')).toMatchObject([{ state: 'absent', path: undefined, sha256: undefined }]);
    expect(() => loadText('tinyshakespeare')).toThrow(/^data set "tinyshakespeare" is not on this machine/);
  });
});

describe('fetching', () => {
  let server: Server;
  let address: string;
  const served = new Map<string, Uint8Array>();

  beforeAll(async () => {
    server = createServer((request, response) => {
      const bytes = served.get(request.url ?? '');
      response.writeHead(bytes ? 200 : 404).end(bytes);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());
  afterEach(() => vi.unstubAllEnvs());

  /** The bytes of a known file, before the folders of data are taken away. */
  const original = (path: string) => readBytes(join(dataFolders()[0] as string, path));
  const emptyCache = () => {
    vi.stubEnv('GOSSAMER_DATA', '');
    vi.stubEnv('XDG_CACHE_HOME', mkdtempSync(join(folder, 'cache-')));
  };

  test.skipIf(!hasDataset('mnist', 'images'))('files are kept as they are (needs mnist)', async () => {
    const [record] = datasetsNamed('mnist') as [DatasetRecord];
    for (const { path } of record.files) served.set(`/${basename(path)}`, original(path));
    emptyCache();
    const told: string[] = [];
    await fetchDataset('mnist', 'images', { address, onDownload: (url) => told.push(url) });
    expect(told).toHaveLength(4);
    expect(verifyDataset('mnist').map(({ state }) => state)).toEqual(record.files.map(() => 'known'));
    // What is there is not fetched again.
    await fetchDataset('mnist', 'images', { address: 'http://127.0.0.1:1' });
  });

  test.skipIf(!hasDataset('tinyshakespeare', 'text'))('a text is kept gzipped (needs tinyshakespeare)', async () => {
    served.set('/input.txt', gunzipSync(original('text/tinyshakespeare.txt.gz')));
    emptyCache();
    await fetchDataset('tinyshakespeare', 'text', { address: `${address}/input.txt` });
    expect(loadText('tinyshakespeare')).toMatch(/^First Citizen/);
  });

  test('other content is an error, and not kept; sets without an address are left', async () => {
    emptyCache();
    served.set('/other.txt', new TextEncoder().encode('other'));
    await expect(fetchDataset('tinyshakespeare', 'text', { address: `${address}/other.txt` })).rejects.toThrow(
      'other.txt is not the known version: its content has SHA-256 d9298a10',
    );
    served.set('/train-images-idx3-ubyte.gz', new TextEncoder().encode('other'));
    await expect(fetchDataset('mnist', 'images', { address })).rejects.toThrow('is not the known version');
    expect([hasDataset('tinyshakespeare', 'text'), hasDataset('mnist', 'images')]).toEqual([false, false]);
    await fetchDataset('republic', 'text');
    expect(hasDataset('republic', 'text')).toBe(false);
  });
});
