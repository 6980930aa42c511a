import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { library } from '../../src/engine/index.js';
import * as nn from '../../src/nn/index.js';
import * as sparse from '../../src/sparse/index.js';
import * as own from '../../src/tensor/index.js';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'gossamer-copy-'));
cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
afterAll(() => rmSync(folder, { recursive: true }));

async function copied<Module>(name: string): Promise<Module> {
  return await import(pathToFileURL(join(folder, 'dist', name, 'index.js')).href);
}
const other = await copied<typeof own>('');
const otherNn = await copied<typeof nn>('nn');
const otherSparse = await copied<typeof sparse>('sparse');

const foreign = () => other.tensor([1, 2, 3]) as unknown as own.Tensor;
/** Names both copies by version and address. */
const both = new RegExp(`version ${library.version} at file://.*${folder}/.*version ${library.version} at file://`);

test('the version is that of the package', () => {
  expect(library.version).toBe(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
});

test.each<[string, () => unknown]>([
  ['an operation', () => own.relu(foreign())],
  ['the second operand', () => own.add(own.tensor([1, 2, 3]), foreign())],
  ['the first operand', () => own.add(foreign(), own.tensor([1, 2, 3]))],
  ['both operands', () => own.add(foreign(), foreign())],
  ['a method', () => own.ones([2, 3]).matmul(other.ones([3, 2]) as unknown as own.Tensor)],
  ['assign', () => own.tensor([1, 2, 3]).assign(foreign())],
  ['a list', () => own.concatenate([own.tensor([1]), foreign()])],
  ['keep', () => own.keep({ a: [foreign()] })],
  ['a kept tree of a scope', () => own.scope().keep(foreign())],
  ['gradients', () => own.grad((x: own.Tensor) => own.sum(x))(foreign())],
  ['indices', () => own.gatherRows(own.ones([3]), other.tensor([0], [1], 'i32') as unknown as own.Tensor)],
  ['a module', () => nn.parameters(new otherNn.Linear(2, 2, new other.Random(1)))],
  ['a layer', () => new nn.Linear(3, 2, new own.Random(1)).forward(other.ones([1, 3]) as unknown as own.Tensor)],
  [
    'a sparse matrix of ones',
    () => sparse.spmm(otherSparse.SparseMatrix.fromCoordinates(2, 2, [0], [1]) as never, own.ones([2, 2])),
  ],
  [
    'values of a matrix',
    () => new sparse.SparseMatrix(sparse.SparseMatrix.fromCoordinates(2, 3, [0, 0, 1], [0, 1, 2]).pattern, foreign()),
  ],
])('a tensor of another copy is refused as %s', (_, use) => {
  expect(use).toThrow(both);
});

test('both copies go on working', () => {
  expect(own.ones([1000]).sum().item()).toBe(1000);
  expect(other.ones([1000]).sum().item()).toBe(1000);
});
