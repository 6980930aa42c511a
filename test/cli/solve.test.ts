import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodePicture, readCsv, readNpz, writeNpy } from '../../src/data/index.js';
import { commandInFolder, main } from './command.js';

describe.skipIf(!existsSync(main))('gossamer solve (needs a build)', () => {
  const { folder, gossamer } = commandInFolder('solve');
  const write = (name: string, contents: object | Uint8Array) =>
    writeFileSync(join(folder, name), contents instanceof Uint8Array ? contents : JSON.stringify(contents));
  const read = (name: string) => readFileSync(join(folder, name));
  const poisson = {
    operator: { uxx: 1, uyy: 1 },
    box: { x: [0, 2], y: [0, 1] },
    source: '-1.25*pi^2*sin(pi*x/2)*sin(pi*y)',
    boundary: { all: { dirichlet: 0 } },
    exact: 'sin(pi*x/2)*sin(pi*y)',
  };
  write('problem.json', poisson);

  test('finite differences: arrays, a picture and the error', async () => {
    const { status, stdout, stderr } = gossamer(
      'solve',
      'problem.json',
      '-o',
      's.npz',
      '--grid',
      '33',
      '--picture',
      's.png',
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/elliptic equation by differences/);
    expect(Number(/L2 error against "exact" (\S+)/.exec(stdout)?.[1])).toBeLessThan(2e-3);
    const { x, y, u, residual } = readNpz(read('s.npz')) as Record<
      string,
      { shape: readonly number[]; values: Float64Array }
    >;
    expect(u?.shape).toEqual([33, 33]);
    expect([x?.values[0], x?.values[32], y?.values[0], y?.values[32]]).toEqual([0, 2, 1, 0]);
    expect(u?.values[16 * 33 + 16]).toBeCloseTo(1, 2);
    expect(Math.abs(residual?.values[16 * 33 + 16] as number)).toBeLessThan(0.1);
    const picture = await decodePicture(read('s.png'));
    expect([picture.height, picture.width]).toEqual([264, 3 * 264 + 8]);
  });

  test('a hypernetwork is learnt, solves, and its answer is kept and asked again', () => {
    const sets = ['steps=3', 'batch=2', 'interior=8', 'boundary=8'].flatMap((set) => ['--set', set]);
    const learnt = gossamer('fit', 'waves', '--model', 'hypino', '-o', 'h.safetensors', ...sets);
    expect(learnt.status).toBe(0);
    expect(learnt.stdout).toMatch(/family "waves": 3 steps of 2 problems/);
    expect(gossamer('info', 'h.safetensors').stdout).toMatch(/makes networks of 1473 numbers/);
    write('points.csv', new TextEncoder().encode('x,y\n0.5,0.5\n1,0.25\n'));
    const solved = gossamer(
      'solve',
      'problem.json',
      '--model',
      'h.safetensors',
      '--refine',
      '1',
      '--grid',
      '17',
      '--save',
      'u.safetensors',
      '--at',
      'points.csv',
      '-o',
      'v.csv',
      '--json',
    );
    expect(solved.status).toBe(0);
    expect(JSON.parse(solved.stdout)).toMatchObject({ method: 'hypino', kind: 'elliptic', out: 'v.csv' });
    const values = readCsv(read('v.csv').toString());
    expect(values.columns).toEqual(['x', 'y', 'u']);
    const again = gossamer('predict', 'u.safetensors', 'points.csv');
    expect(readCsv(again.stdout).rows).toEqual(values.rows);
    const predicted = gossamer('predict', 'h.safetensors', 'problem.json');
    expect(readCsv(predicted.stdout).rows).toHaveLength(33 * 33);
    write('outside.csv', new TextEncoder().encode('x,y\n3,0.5\n'));
    expect(gossamer('predict', 'u.safetensors', 'outside.csv').stderr).toContain(
      'point 1 has x = 3, outside of [0, 2]',
    );
  });

  test('a model of one family says so where a problem is of another', () => {
    write('heat.json', {
      operator: { uxx: 0.2, uy: -1 },
      boundary: { left: { dirichlet: 0 }, right: { dirichlet: 0 }, bottom: { dirichlet: 'cos(pi*x/2)' } },
    });
    const { stderr } = gossamer(
      'solve',
      'heat.json',
      '--model',
      'h.safetensors',
      '--refine',
      '0',
      '--grid',
      '9',
      '-o',
      'heat.npy',
    );
    expect(stderr).toContain('trained on the family "waves", which has no parabolic equations');
  });

  test('a physics-informed network is trained on the problem alone', () => {
    const { status, stdout } = gossamer(
      'solve',
      'problem.json',
      '--method',
      'pinn',
      '--finetune',
      '20',
      '--polish',
      '2',
      '--grid',
      '9',
      '-o',
      'p.csv',
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/20 steps of Adam and 2 iterations of L-BFGS/);
  });

  test('arrays in files take the place of formulas', () => {
    const n = 33;
    const values = Float64Array.from({ length: n * n }, (_, at) => {
      const [x, y] = [(2 * (at % n)) / (n - 1), 1 - Math.floor(at / n) / (n - 1)];
      return -1.25 * Math.PI ** 2 * Math.sin((Math.PI * x) / 2) * Math.sin(Math.PI * y);
    });
    write('f.npy', writeNpy({ shape: [n, n], values }));
    write('arrays.json', { ...poisson, source: { file: 'f.npy' } });
    const { stdout } = gossamer('solve', 'arrays.json', '-o', 'a.npy', '--grid', '33');
    expect(Number(/L2 error against "exact" (\S+)/.exec(stdout)?.[1])).toBeLessThan(5e-3);
  });

  test('what is wrong is said with what to do', () => {
    const refused = (args: readonly string[], message: string) => {
      const { status, stderr } = gossamer('solve', ...args);
      expect(status).toBe(2);
      expect(stderr).toContain(message);
    };
    write('bare.json', { operator: { uxx: 1, uyy: 1 } });
    refused(['bare.json', '-o', 'x.npz'], 'file "bare.json": problem: there are no boundary data');
    refused(['problem.json', '-o', 'x.txt'], 'write a .npz, .npy or .csv');
    refused(['problem.json', '-o', 'x.npz', '--method', 'hypino'], '--method hypino needs --model FILE');
    refused(['problem.json', '-o', 'x.npz', '--save', 'u.safetensors'], 'finite differences make none');
    refused(['none.json', '-o', 'x.npz'], 'does not exist');
    expect(gossamer('fit', 'everything', '--model', 'hypino').stderr).toContain('gentle, waves');
    expect(gossamer('solve', '--help').stdout).toContain('gossamer solve problem.json --method pinn');
  });
});
