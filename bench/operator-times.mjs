// Where the time of a plan goes: each operator of the fused graph as a plan of its own, summed by
// kind of operator and shape of its kernel.

import { applyAll, scope } from '../dist/index.js';
import { compile, fuse, trace } from '../dist/trace/index.js';
import { columns } from './in-turns.mjs';

/** What an operator does, in words: its kernel and stride for convolutions. */
function kindOf({ op, inputs, attributes }) {
  const filters = inputs[1]?.shape ?? [];
  if (!/onvolution/.test(op.name) || filters.length !== 4) return op.name;
  const [, perGroup, height, width] = filters;
  const groups = (inputs[0].shape[1] ?? 1) / perGroup;
  const grouped = groups === 1 ? '' : perGroup === 1 ? 'depthwise ' : `${groups} groups of `;
  const { stride = 1 } = attributes ?? {};
  return `${grouped}${height}×${width} convolution, stride ${[stride].flat()[0]}`;
}

/** Milliseconds of a body: the fastest of some runs. */
function fastestOf(body, rounds = 7) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    body();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** A table of the operators by their share of the time. */
export function operatorTimes(forward, x, most = 12) {
  const kinds = new Map();
  trace(forward, [x], {}, (graph) => {
    for (const node of fuse(graph).nodes) {
      if (node.op.view) continue;
      const free = [...new Set(node.inputs.filter(({ kind }) => kind !== 'constant'))];
      const examples = free.map(({ tensor }) => tensor);
      const apply = (...given) =>
        applyAll(
          node.op,
          node.inputs.map((value) => (value.kind === 'constant' ? value.tensor : given[free.indexOf(value)])),
          node.attributes,
        );
      const plan = compile(apply, examples);
      plan.feed(examples);
      const milliseconds = scope(() => fastestOf(() => plan.execute()));
      plan.dispose();
      const kind = kindOf(node);
      const { op, inputs, outputs, attributes } = node;
      const shapes = inputs.map(({ shape }) => shape);
      const products =
        typeof op.multiplyAdds === 'function' ? op.multiplyAdds(shapes, outputs[0].shape, attributes) : 0;
      const own = kinds.get(kind) ?? { calls: 0, milliseconds: 0, products: 0 };
      kinds.set(kind, {
        calls: own.calls + 1,
        milliseconds: own.milliseconds + milliseconds,
        products: own.products + products,
      });
    }
  });
  const all = [...kinds.values()].reduce((sum, own) => sum + own.milliseconds, 0);
  const rows = [...kinds]
    .sort(([, a], [, b]) => b.milliseconds - a.milliseconds)
    .slice(0, most)
    .map(([kind, { calls, milliseconds, products }]) => [
      kind,
      String(calls),
      milliseconds.toFixed(2),
      `${((100 * milliseconds) / all).toFixed(0)} %`,
      products > 0 ? ((2 * products) / milliseconds / 1e6).toFixed(1) : '',
    ]);
  return columns([['operator', 'calls', 'ms', 'share', 'GFLOP/s'], ...rows]);
}
