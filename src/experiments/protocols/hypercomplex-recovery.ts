// Whether a hypercomplex convolution learns the rules of an algebra from examples: filters are
// those that made the targets, and the algebra starts at random.

import { symmetricEigen64 } from '../../linalg/index.js';
import { AdamW, buffer, gradientsOf, meanSquaredError, PHConv2d, parameter } from '../../nn/index.js';
import {
  add,
  concatenate,
  conv2d,
  negate,
  type Random,
  scope,
  slice,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';

/** Integers from −10 to 9. */
const integers = (random: Random, shape: readonly number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.integer(20) - 10),
    shape,
  );

/** Which filter, and with which sign, leads from component j to component i: m[i][j]. */
type Rule = readonly (readonly (readonly [filter: number, factor: number])[])[];

/** Products of the units: unit m by unit j is ± unit i. */
function productRule(products: readonly (readonly string[])[], units: readonly string[]): Rule {
  const n = units.length;
  const rule = Array.from({ length: n }, () => Array.from({ length: n }, (): [number, number] => [0, 0]));
  products.forEach((row, m) => {
    row.forEach((product, j) => {
      const i = units.indexOf(product.replace('-', ''));
      (rule[i] as [number, number][])[j] = [m, product.startsWith('-') ? -1 : 1];
    });
  });
  return rule;
}

/** Hamilton's ij = k, and that of complex numbers. */
const products = {
  quaternions: productRule(
    [
      ['1', 'i', 'j', 'k'],
      ['i', '-1', 'k', '-j'],
      ['j', '-k', '-1', 'i'],
      ['k', 'j', '-i', '-1'],
    ],
    ['1', 'i', 'j', 'k'],
  ),
  'complex numbers': productRule(
    [
      ['1', 'i'],
      ['i', '-1'],
    ],
    ['1', 'i'],
  ),
} as const;

/** A random rule: each pair of components has a filter and a sign. */
function randomRule(n: number, random: Random): Rule {
  const factor = () => (random.integer(2) === 0 ? -1 : 1);
  return Array.from({ length: n }, () =>
    Array.from({ length: n }, (): [number, number] => [random.integer(n), factor()]),
  );
}

const OPTIONS = { stride: 2, padding: 2 } as const;

/** The product by a rule, as n² real convolutions of one channel. @param f [n, 1, 1, k, k] */
function byRule(x: Tensor, f: Tensor, rule: Rule): Tensor {
  const n = rule.length;
  const [, , , height, width] = f.shape as [number, number, number, number, number];
  const parts = rule.map((row) =>
    row
      .map(([m, factor], j) => {
        const filter = slice(f, [m, m + 1]).reshape([1, 1, height, width]);
        const y = conv2d(slice(x, null, [j, j + 1]), filter, undefined, OPTIONS);
        return factor === 1 ? y : factor === -1 ? negate(y) : y.multiply(factor);
      })
      .reduce((sum, y) => add(sum, y)),
  );
  return n === 1 ? (parts[0] as Tensor) : concatenate(parts, 1);
}

/** Largest over smallest eigenvalue of the filters' products; above it examples tell little. */
const WORST_CONDITION = 10;

/** Filters of integers [n, 1, 1, 2, 2], drawn until none is nearly a sum of the others. */
function independentFilters(n: number, random: Random): Tensor {
  for (let draw = 0; ; draw++) {
    const f = integers(random.split(draw), [n, 1, 1, 2, 2]);
    const values = f.dataSync();
    const products = Array.from({ length: n * n }, (_, at) =>
      [0, 1, 2, 3].reduce(
        (sum, k) => sum + (values[4 * Math.floor(at / n) + k] as number) * (values[4 * (at % n) + k] as number),
        0,
      ),
    );
    const { values: ascending } = symmetricEigen64(products, n);
    if ((ascending[n - 1] as number) <= WORST_CONDITION * (ascending[0] as number)) return f;
  }
}

/** What was learnt of an algebra. */
interface Recovery {
  /** Mean squared error over the last tenth of the samples. */
  readonly error: number;
  /** Largest distance of an entry from an integer. */
  readonly distance: number;
  /** Whether the entries are those of the rule, rounded. */
  readonly same: boolean;
}

/** Learns the algebra of a rule from samples, one a step. */
export function recoverAlgebra(rule: Rule, samples: number, random: Random): Recovery {
  const n = rule.length;
  const f = buffer(independentFilters(n, random.split('filters')));
  const layer = new PHConv2d(n, n, 2, n, random, { ...OPTIONS, bias: false });
  layer.filters = f;
  layer.algebra = parameter(random.split('start').uniform([n, n, n], -0.07, 0.07));
  const optimizer = new AdamW({ learningRate: 5e-3, weightDecay: 0 });
  let [sum, counted] = [0, 0];
  for (let sample = 0; sample < samples; sample++)
    scope(() => {
      const x = integers(random.split(`x ${sample}`), [1, n, 4, 4]);
      const target = byRule(x, f, rule);
      const { loss, gradients } = gradientsOf(layer, (live) => meanSquaredError(live.forward(x), target));
      optimizer.update({ algebra: layer.algebra }, { algebra: gradients.algebra as Tensor });
      if (sample < 0.9 * samples) return;
      sum += loss.item();
      counted += 1;
    });
  const values = layer.algebra.dataSync();
  const expected = Array.from({ length: n ** 3 }, (_, at) => {
    const [m, i, j] = [Math.floor(at / n ** 2), Math.floor(at / n) % n, at % n];
    const [filter, factor] = (rule[i] as Rule[number])[j] as readonly [number, number];
    return filter === m ? factor : 0;
  });
  return {
    error: sum / Math.max(1, counted),
    distance: Math.max(...Array.from(values, (value) => Math.abs(value - Math.round(value)))),
    same: expected.every((value, at) => Math.round(values[at] as number) === value),
  };
}

/** The algebras that are recovered. */
export const recoveredRules = (random: Random): Readonly<Record<string, Rule>> => ({
  ...products,
  'a random algebra, n = 3': randomRule(3, random.split('rule')),
});

/** Scores of `recoveryStudy`. */
export const RECOVERED = { error: 'recovery error', distance: 'recovery distance', wrong: 'algebras not recovered' };

/** Learns quaternions, complex numbers and a random algebra from examples. */
export function recoveryStudy(samples: number, { random, progress }: RunContext): StudyResults {
  const rules = Object.entries(recoveredRules(random.split('recovery')));
  const results = rules.map(([name, rule], at) => {
    const result = recoverAlgebra(rule, samples, random.split(name));
    progress('recovery', (at + 1) / rules.length);
    return { name, ...result };
  });
  return studyOf(
    {
      title: 'Algebras learnt from examples',
      note: `${samples} samples of integers, one a step; filters are given, A starts from U(−0.07, 0.07). Targets are sums of separate real convolutions.`,
      columns: ['algebra', 'mean squared error at the end', 'largest distance from an integer', 'entries'],
      rows: results.map(({ name, error, distance, same }) => [
        ...[name, error.toExponential(1), distance.toExponential(1)],
        same ? 'those of the rule' : 'others',
      ]),
    },
    {
      [RECOVERED.error]: Math.max(...results.map(({ error }) => error)),
      [RECOVERED.distance]: Math.max(...results.map(({ distance }) => distance)),
      [RECOVERED.wrong]: results.filter(({ same }) => !same).length,
    },
  );
}
