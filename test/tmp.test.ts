import { test } from 'vitest';
import { setThreads, cpu } from '../src/engine/index.js';
import { EfficientNet } from '../src/models/index.js';
import { inference } from '../src/nn/index.js';
import { emptyTensor, Random, type Tensor } from '../src/tensor/index.js';
import { fuse } from '../src/trace/fuse.js';
import { trace, type Value } from '../src/trace/graph.js';
test('profile', () => {
  setThreads(1);
  const model = new EfficientNet('b0', new Random(1));
  const x = new Random(3).normal([1, 3, 224, 224]);
  trace((i) => model.forward(i, inference), [x], {}, (graph) => {
    const fused = fuse(graph);
    const times = new Map<string, number>();
    const list: [number, string][] = [];
    const tensors = new Map<Value, Tensor>();
    fused.inputs.forEach((v) => tensors.set(v, x));
    for (const node of fused.nodes) {
      const from = node.inputs.map((v) => tensors.get(v) ?? v.tensor);
      const to = node.op.view?.(from, node.attributes) ?? node.outputs.map(({ shape, dtype }) => emptyTensor(shape, dtype));
      let best = 1e9;
      for (let i = 0; i < 8; i++) { const s = performance.now(); node.op.compute?.(cpu, from, to, node.attributes); best = Math.min(best, performance.now() - s); }
      node.outputs.forEach((v, i) => tensors.set(v, to[i] as Tensor));
      const a = node.attributes as { groups?: number; activation?: string };
      const key = `${node.op.name} ${node.op.name.startsWith('fusedConv') ? `${(a.groups ?? 1) > 1 ? 'dw' : ''} ${node.inputs[1]?.shape.slice(2)} ${a.activation}` : ''}`;
      times.set(key, (times.get(key) ?? 0) + best);
      list.push([best, `${key} ${node.inputs.map((v) => v.shape.join('x')).join(' | ')}`]);
    }
    console.log([...times].sort((a, b) => b[1] - a[1]).map(([k, t]) => `${t.toFixed(2)} ${k}`).join('\n'));
    console.log(list.sort((a, b) => b[0] - a[0]).slice(0, 14).map(([t, k]) => `${t.toFixed(2)} ${k}`).join('\n'));
  });
});
