import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv, readSafetensors, writeNpz } from '../../src/data/index.js';
import { readBytes } from '../../src/data/node.js';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-cli-'));

const gossamer = commandIn(folder);

const quick = ['--set', 'epochs=8', '--set', 'speedVertices=300', '--seeds', '1'];

describe.skipIf(!existsSync(main))('the gossamer command (needs a build)', () => {
  test('lists and describes systems, and helps with examples', () => {
    expect(gossamer('list').stdout).toMatch(/^lighthgnn\s+hypergraph\s+LightHGNN/);
    const info = gossamer('info', 'lighthgnn').stdout;
    for (const part of ['ICLR 2024', 'trainPerClass=20', 'coauthorship-cora', 'gossamer run lighthgnn'])
      expect(info).toContain(part);
    const records = JSON.parse(gossamer('list', '--json').stdout);
    expect(records[0]).toMatchObject({ slug: 'lighthgnn', family: 'hypergraph', paper: { year: 2024 } });
    for (const words of Object.values(records[0].abstract)) expect(info).toContain(words);
    const help = gossamer('run', '--help');
    expect(help.status).toBe(0);
    expect(help.stdout).toContain('Examples');
    expect(gossamer('--version').status).toBe(0);
  });

  test('reproduce writes the pages from what is there, and names what it does not know', () => {
    const out = join(folder, 'pages');
    const { status, stderr } = gossamer('reproduce', '--pages', '--folder', out);
    expect([status, stderr]).toEqual([0, expect.stringContaining('REPRODUCTION.md')]);
    expect(readFileSync(join(out, 'REPRODUCTION.md'), 'utf8')).toContain('not reproduced yet');
    expect(readFileSync(join(out, 'docs/systems/fastrp.md'), 'utf8')).toContain('Not reproduced yet.');
    expect(gossamer('reproduce', '--pages', '--folder', out).stderr).toBe('');
    expect(gossamer('reproduce', 'nope').stderr).toContain('unknown system "nope"');
    expect(gossamer('reproduce', 'fastrp', '--family', 'graph').stderr).toContain('no system of the family "graph"');
  });

  test('a run prints JSON as documented and leaves its files', () => {
    const out = join(folder, 'run');
    const { status, stdout } = gossamer('run', 'lighthgnn', ...quick, '--threads', '1', '--json', '--out', out);
    expect(status).toBe(0);
    const result = JSON.parse(stdout);
    expect(Object.keys(result)).toEqual(['system', 'data', 'seeds', 'rows', 'claims']);
    expect(result).toMatchObject({ system: 'lighthgnn', data: 'planted', seeds: [0] });
    expect(result.rows.map((row: { method: string }) => row.method)).toEqual([
      'MLP',
      'GCN',
      'GLNN',
      'HGNN (teacher)',
      'LightHGNN',
      'LightHGNN⁺',
    ]);
    expect(result.rows[0].accuracy).toEqual({ mean: expect.any(Number), sd: 0 });
    for (const { words: _, ...claim } of result.claims)
      expect(Object.keys(claim)).toEqual(['claim', 'source', 'value', 'bound', 'holds']);
    expect(readdirSync(out).sort()).toEqual([
      'config.json',
      'metrics.jsonl',
      'model.safetensors',
      'predictions.csv',
      'report.html',
      'result.json',
      'seeds',
    ]);
    const report = readFileSync(join(out, 'report.html'), 'utf8');
    expect(report).toContain('<svg');
    expect(report.replace(/http:\/\/www\.w3\.org\/\S+/g, '')).not.toMatch(/(src|href)="https?:/);
    expect(readSafetensors(readBytes(join(out, 'model.safetensors'))).metadata.system).toBe('lighthgnn');
    expect(readCsv(readFileSync(join(out, 'predictions.csv'), 'utf8')).rows.length).toBe(2000);
    expect(
      readFileSync(join(out, 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .every((line) => JSON.parse(line)),
    ).toBe(true);
  });

  test('people’s own tables are read and predicted on', () => {
    const data = join(folder, 'own');
    spawnSync('mkdir', [data]);
    const vertices = Array.from({ length: 60 }, (_, v) => `v${v}`);
    writeFileSync(
      join(data, 'hyperedges.csv'),
      vertices.map((name, v) => [name, ...(v + 3 < 60 ? [vertices[v + 3]] : [])].join(',')).join('\n'),
    );
    writeFileSync(
      join(data, 'features.csv'),
      ['vertex,a,b', ...vertices.map((name, v) => `${name},${v % 3},${(v % 3) * 2 - 1}`)].join('\n'),
    );
    writeFileSync(
      join(data, 'labels.csv'),
      ['vertex,label', ...vertices.map((name, v) => `${name},${v < 50 ? ['red', 'green', 'blue'][v % 3] : ''}`)].join(
        '\n',
      ),
    );
    const out = join(folder, 'own-run');
    const { status, stderr } = gossamer(
      'run',
      '--data',
      data,
      ...quick,
      '--set',
      'epochs=60',
      '--set',
      'trainPerClass=5',
      '--set',
      'validationPerClass=5',
      '--out',
      out,
    );
    expect(stderr).toContain('own: 60 vertices');
    expect(status).toBe(0);
    const { rows } = readCsv(readFileSync(join(out, 'predictions.csv'), 'utf8'));
    expect(rows[59]?.slice(0, 2)).toEqual(['v59', 'blue']);
    expect(rows[59]?.[3]).toBe('');
    const model = join(out, 'model.safetensors');
    const again = gossamer('predict', model, join(data, 'features.csv'));
    expect(readCsv(again.stdout).rows).toEqual(rows.map((row) => row.slice(0, 3)));
    writeFileSync(join(folder, 'wide.csv'), 'vertex,a,b,c\nnew,1,2,3\n');
    const wide = gossamer('predict', model, join(folder, 'wide.csv'));
    expect([wide.status, wide.stderr]).toEqual([
      2,
      expect.stringContaining('has 3 features a vertex, the model expects 2'),
    ]);
  });

  test('Ctrl-C keeps what was done, and the run goes on to the same result', async () => {
    const whole = JSON.parse(gossamer('run', ...quick, '--json', '--out', join(folder, 'whole')).stdout);
    const out = join(folder, 'broken');
    const child = spawn(process.execPath, [main, 'run', ...quick, '--set', 'epochs=8', '--json', '--out', out], {
      cwd: folder,
    });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
      if (String(chunk).includes('vertices')) setTimeout(() => child.kill('SIGINT'), 40);
    });
    const code = await new Promise((resolve) => child.on('exit', resolve));
    if (code === 130) {
      expect(stderr).toContain('--resume');
      const resumed = gossamer('run', ...quick, '--json', '--out', out, '--resume');
      expect(resumed.status).toBe(0);
      const accuracies = (result: { rows: { accuracy: unknown }[] }) => result.rows.map((row) => row.accuracy);
      expect(accuracies(JSON.parse(resumed.stdout))).toEqual(accuracies(whole));
    } else {
      expect(code).toBe(0);
    }
  });

  const ints = (...values: number[]) => ({ shape: [values.length], values: Int32Array.from(values) });
  const base = {
    he_indptr: ints(0, 2, 4),
    he_indices: ints(0, 1, 1, 2),
    labels: ints(0, 1, 0),
    x: { shape: [3, 1], values: Float32Array.of(1, 2, 3) },
  };
  const file = (name: string, contents: Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, contents);
    return path;
  };

  test.each([
    ['an unknown system', () => ['run', 'nope'], 'unknown system "nope"; known: lighthgnn'],
    ['an unknown option', () => ['run', '--set', 'nope=1'], 'unknown option "nope"; known: teacher'],
    [
      'an option out of range',
      () => ['run', '--set', 'dropout=2'],
      'option dropout: expected a number at least 0 at most 0.99, got "2"',
    ],
    ['an unknown flag', () => ['run', '--nope'], "unknown option '--nope'"],
    ['no threads', () => ['run', '--threads', '0'], 'expected an integer of at least 1'],
    [
      'a missing file',
      () => ['run', '--data', 'missing.npz'],
      'data "missing.npz" is neither a file or folder nor a known set',
    ],
    [
      'a truncated file',
      () => ['run', '--data', file('cut.npz', writeNpz(base).subarray(0, 200))],
      'is not a readable zip archive',
    ],
    [
      'NaN in features',
      () => [
        'run',
        '--data',
        file('nan.npz', writeNpz({ ...base, x: { shape: [3, 1], values: Float32Array.of(1, Number.NaN, 3) } })),
      ],
      'a feature of vertex 1 is NaN',
    ],
    [
      'an empty hyperedge',
      () => ['run', '--data', file('empty.npz', writeNpz({ ...base, he_indptr: ints(0, 0, 4) }))],
      'hyperedge 0 is empty',
    ],
    [
      'a label out of range',
      () => ['run', '--data', file('label.npz', writeNpz({ ...base, labels: ints(0, -7, 0) }))],
      'vertex 1 has label -7',
    ],
    [
      'wrong shapes',
      () => [
        'run',
        '--data',
        file('shape.npz', writeNpz({ ...base, x: { shape: [2, 1], values: Float32Array.of(1, 2) } })),
      ],
      'features for 2 vertices, the hypergraph has 3',
    ],
    [
      'classes too small to split',
      () => ['run', '--data', file('small.npz', writeNpz(base))],
      'class 0 has 2 rows, too few for 20 to train',
    ],
    ['an out-of-memory request', () => ['run', '--set', 'studentHidden=2000000000'], 'out of memory'],
    ['--resume without a run', () => ['run', '--resume', '--out', 'nothing-here'], 'holds no run to resume'],
    ['a folder in use', () => ['run', '--out', folder], 'is not empty'],
  ])('%s is one line on standard error and exit code 2', (_name, args, message) => {
    const before = readdirSync(folder).sort();
    const list = args();
    const made = readdirSync(folder)
      .sort()
      .filter((entry) => !before.includes(entry));
    const { status, stdout, stderr } = gossamer(
      ...list,
      ...(list.includes('--out') ? [] : ['--out', join(folder, 'unwanted')]),
    );
    expect(stderr).toContain(message);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((line) => (!line.includes('--help') || line.includes(message)) && !line.startsWith('planted:')).length,
    ).toBe(1);
    expect(readdirSync(folder).sort()).toEqual([...before, ...made].sort());
  });
});
