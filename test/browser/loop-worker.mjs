// A loop without a scope that makes more tensors than memory holds, and views of memory that grows.

// Of a memory of 64 MiB: what is asked does not depend on the size, and 4 GiB take minutes to fill.
globalThis.process = { env: { GOSSAMER_MEMORY_MIB: '64' } };
const g = await import('/dist/index.js');

const steps = 200;
const x = g.keep(g.tensor([1, 2, 3]));
const view = x.view();
const a = g.ones([1 << 18]);

function alone() {
  let y = a;
  for (let i = 0; i < steps; i++) y = g.add(a, i);
  return y.dataSync()[7];
}

async function waiting() {
  let y = a;
  for (let i = 0; i < steps; i++) {
    y = g.add(a, i);
    await y.data();
  }
  return y.dataSync()[7];
}

const results = [alone(), await waiting()];
view[1] = 7;
postMessage({ results, view: Array.from(view), tensor: Array.from(x.dataSync()), isolated: crossOriginIsolated });
