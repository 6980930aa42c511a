import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv, readNpy } from '../../src/data/index.js';
import { commandInFolder, main } from './command.js';

const { folder, gossamer } = commandInFolder('graphs');

/** Rings of six: in class `hot` three edges in a row are double and three atoms N, in `cold` one. */
function writeRings(name: string, count: number, changes: Readonly<Record<string, string | undefined>> = {}): void {
  mkdirSync(join(folder, name), { recursive: true });
  const graphs = Array.from({ length: count }, (_, g) => g);
  const isHot = (g: number) => g % 2 === 0;
  const tables: Record<string, string | undefined> = {
    graphs: `graph,label\n${graphs.map((g) => `g${g},${isHot(g) ? 'hot' : 'cold'}`).join('\n')}\n`,
    edges: `graph,source,target,bond,length\n${graphs
      .flatMap((g) =>
        [0, 1, 2, 3, 4, 5].map(
          (i) =>
            `g${g},a${i},a${(i + 1) % 6},${isHot(g) && i < 3 ? 'double' : 'single'},${1 + ((g * 7 + i * 3) % 5) / 10}`,
        ),
      )
      .join('\n')}\n`,
    nodes: `graph,node,element\n${graphs.flatMap((g) => [0, 1, 2, 3, 4, 5].map((i) => `g${g},a${i},${i < (isHot(g) ? 3 : 1) ? 'N' : 'C'}`)).join('\n')}\n`,
    ...changes,
  };
  for (const [table, text] of Object.entries(tables))
    if (text !== undefined) writeFileSync(join(folder, name, `${table}.csv`), text);
}

describe.skipIf(!existsSync(main))('sets of graphs on the command line (needs a build)', () => {
  writeRings('rings', 60);
  writeRings('new', 4, { graphs: undefined });

  test('info says what a folder holds', () => {
    const { stdout } = gossamer('info', 'rings');
    expect(stdout).toContain('rings: 60 graphs, 360 nodes, 360 edges');
    expect(stdout).toContain('classes     cold (30), hot (30)');
    expect(stdout).toContain('of edges    bond (2 categories), length (numbers)');
  });

  test('fit learns classes by HyperDrop, predict answers for graphs without labels and says which edges it kept', () => {
    const fitted = gossamer(
      'fit',
      'rings',
      '-o',
      'm.safetensors',
      '--set',
      'hidden=16',
      '--set',
      'epochs=40',
      '--json',
    );
    expect(fitted.stderr).not.toContain('rror');
    expect(JSON.parse(fitted.stdout).accuracy).toBe(100);
    expect(gossamer('info', 'm.safetensors').stdout).toContain('reads of edges bond, length');
    expect(gossamer('predict', 'm.safetensors', 'new', '-o', 'out.csv', '--edges', 'kept.csv').stderr).toBe('');
    const out = readCsv(readFileSync(join(folder, 'out.csv'), 'utf8'), 'out');
    expect(out.columns).toEqual(['graph', 'prediction', 'probability', 'p(cold)', 'p(hot)']);
    expect(out.rows.map(([graph, prediction]) => `${graph} ${prediction}`)).toEqual([
      'g0 hot',
      'g1 cold',
      'g2 hot',
      'g3 cold',
    ]);
    const kept = readCsv(readFileSync(join(folder, 'kept.csv'), 'utf8'), 'kept');
    expect(kept.columns).toEqual(['graph', 'source', 'target', 'score', 'kept']);
    expect(kept.rows.length).toBe(24);
    // ⌈0.8·6⌉ = 5 edges, then ⌈0.8·5⌉ = 4.
    expect(kept.rows.filter(([graph, , , , is]) => graph === 'g1' && is === '1').length).toBe(4);
  });

  test('fit learns vectors by HyperCluster, embed and predict give them', () => {
    const own = ['--set', 'epochs=3', '--set', 'hidden=8'];
    expect(gossamer('fit', 'rings', '--model', 'hypercluster', '-o', 'c.safetensors', ...own).stdout).toContain(
      '1 clusters of 8 numbers: vectors of dimension 8',
    );
    expect(gossamer('embed', 'new', '--model', 'c.safetensors', '-o', 'v.npy').stderr).toContain(
      '4 × 8 by hypercluster',
    );
    const { shape, values } = readNpy(readFileSync(join(folder, 'v.npy')), 'v.npy');
    expect(shape).toEqual([4, 8]);
    expect(readFileSync(join(folder, 'v.ids.txt'), 'utf8')).toBe('g0\ng1\ng2\ng3\n');
    const { stdout } = gossamer('predict', 'c.safetensors', 'new');
    const [, first] = stdout.split('\n');
    expect(Number(first?.split(',')[1])).toBeCloseTo(Number(values[0]), 5);
    expect(gossamer('embed', 'rings', '--method', 'hypercluster', '-o', 'w.csv').status).toBe(0);
  });

  test('networks of nodes learn classes and numbers of graphs, and predict for new ones', () => {
    writeRings('measured', 60, {
      graphs: `graph,label,atoms\n${Array.from({ length: 60 }, (_, g) => `g${g},${g % 2 ? 'cold' : 'hot'},${g % 2 ? 1 : 3}\n`).join('')}`,
    });
    const own = ['--set', 'epochs=60', '--set', 'batch=10', '--set', 'learningRate=0.01', '-o', 'g.safetensors'];
    const fitted = gossamer('fit', 'measured', '--model', 'gin', ...own, '--json');
    expect(fitted.stderr).toContain('GIN does not read attributes of edges: bond, length');
    expect(JSON.parse(fitted.stdout).accuracy).toBe(100);
    expect(gossamer('info', 'g.safetensors').stdout).toContain('reads of nodes element');
    const classes = readCsv(gossamer('predict', 'g.safetensors', 'new').stdout, 'out');
    expect(classes.columns).toEqual(['graph', 'prediction', 'probability', 'p(cold)', 'p(hot)']);
    expect(classes.rows.map(([, prediction]) => prediction)).toEqual(['hot', 'cold', 'hot', 'cold']);
    const numbers = gossamer('fit', 'measured', '--model', 'gcn', '--target', 'atoms', ...own);
    expect(numbers.stdout).toMatch(/^GCN: [\d,]+ parameters$/m);
    const { rows } = readCsv(gossamer('predict', 'g.safetensors', 'new').stdout, 'out');
    for (const [g, [, atoms]] of rows.entries()) expect(Math.abs(Number(atoms) - (g % 2 ? 1 : 3))).toBeLessThan(0.5);
    expect(gossamer('fit', '--model', 'gin', '--help').stdout).toContain('Of sets of graphs\n  depth=2');
    const wrong = gossamer('fit', 'measured', '--model', 'gcn', '--task', 'direction', '-o', 'none.safetensors');
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('expected none for this model')]);
    const unknown = gossamer('fit', 'measured', '--model', 'magnt', '-o', 'none.safetensors');
    expect(unknown.stderr).toContain('there are gcn, sgc, sage, gat, gatv2, appnp, jknet, gcnii, gin, mlp, sswl-plus');
  }, 120_000);

  test('what cannot be learnt or answered for is named, with exit code 2 and nothing written', () => {
    writeRings('unlabelled', 20, { graphs: `graph\n${Array.from({ length: 20 }, (_, g) => `g${g}\n`).join('')}` });
    writeRings('gap', 20, {
      graphs: `graph,label\n${Array.from({ length: 20 }, (_, g) => `g${g},${g === 3 ? '' : g % 2}\n`).join('')}`,
    });
    writeRings('bare', 20, { edges: 'graph,source,target\n' });
    writeRings('loop', 20, { edges: 'graph,source,target\ng0,a1,a1\n' });
    writeRings('few', 4);
    writeRings('triple', 4, { graphs: undefined, edges: 'graph,source,target,bond,length\ng0,a0,a1,triple,1\n' });
    writeRings('plain', 20, { edges: 'graph,source,target\ng0,a0,a1\n' });
    for (const [args, reason] of [
      [['fit', 'unlabelled'], 'graphs have no labels; give graphs.csv a column "label"'],
      [['fit', 'gap'], 'graph "g3" has no label'],
      [['fit', 'bare'], 'no graph has an edge'],
      [['fit', 'loop'], 'edges, line 2: the edge joins node "a1" of graph "g0" with itself'],
      [['fit', 'few'], '4 graphs are too few to split'],
      [['fit', 'plain', '--model', 'hypercluster'], 'edges have no column of categories'],
      [['fit', 'rings', '--model', 'hypercluster', '--target', 'length'], 'no column "length" of categories'],
      [['fit', 'rings', '--set', 'ratio=0'], 'option ratio: expected a number'],
      [['predict', 'm.safetensors', 'triple'], 'column "bond" holds "triple" in row 1, which training did not know'],
      [['predict', 'm.safetensors', 'plain'], 'have no column "bond", which the model reads'],
      [
        ['predict', 'c.safetensors', 'new', '--edges', 'bad.csv'],
        '--edges: the model in "c.safetensors" scores no edges',
      ],
      [['embed', 'new', '--model', 'm.safetensors'], 'is a model of "hyperdrop", this command takes "hypercluster"'],
    ] as const) {
      const { status, stderr } = gossamer(
        ...args,
        '-o',
        'bad.safetensors'.replace('safetensors', args[0] === 'embed' ? 'npy' : 'safetensors'),
      );
      expect([args, status, stderr]).toEqual([args, 2, expect.stringContaining(reason)]);
    }
    for (const file of ['bad.safetensors', 'bad.csv', 'bad.npy', 'bad.safetensors.checkpoint'])
      expect(existsSync(join(folder, file))).toBe(false);
  });
});
