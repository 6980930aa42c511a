// HyperTab's training written out by hand in double precision: forward, backward and Adam, one view
// a step.

export type Weights = Record<string, number[]>;

interface Layer {
  readonly w: number[];
  readonly b: number[];
}

/** y = W·x + b, W [out, in] row-major. */
function linear({ w, b }: Layer, x: readonly number[]): number[] {
  return b.map((bias, o) => x.reduce((sum, value, i) => sum + (w[o * x.length + i] as number) * value, bias));
}

const relu = (x: readonly number[]) => x.map((value) => Math.max(0, value));

/** Gradients of W, b and x of a linear layer. */
function backward({ w }: Layer, x: readonly number[], slope: readonly number[]) {
  return {
    w: slope.flatMap((s) => x.map((value) => s * value)),
    b: [...slope],
    x: x.map((_, i) => slope.reduce((sum, s, o) => sum + s * (w[o * x.length + i] as number), 0)),
  };
}

const masked = (slope: readonly number[], z: readonly number[]) => slope.map((s, i) => ((z[i] as number) > 0 ? s : 0));

const H = ['trunk.layers.0', 'trunk.layers.1', 'trunk.layers.2', 'generator.out'];

/** The layers of a target network cut from its vector of weights: [out × in weights, biases] each. */
function cut(p: readonly number[], sizes: readonly number[]): { layer: Layer; at: number }[] {
  let at = 0;
  return sizes.slice(1).map((out, i) => {
    const [from, count] = [at, out * (sizes[i] as number)];
    at += count + out;
    return { layer: { w: p.slice(from, from + count), b: p.slice(from + count, at) }, at: from };
  });
}

/** Mean cross-entropy of one view on some rows, and its gradients by the names of H's parameters. */
export function lossOfView(
  weights: Weights,
  view: readonly number[],
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  { hidden, classes }: { hidden: number; classes: number },
): { loss: number; gradients: Weights } {
  const width = rows[0]?.length as number;
  const layers = H.map(
    (name): Layer => ({ w: weights[`${name}.weight`] as number[], b: weights[`${name}.bias`] as number[] }),
  );
  const [first, second, third, output] = layers as [Layer, Layer, Layer, Layer];
  const mask = Array.from({ length: width }, (_, c) => Number(view.includes(c)));
  const z1 = linear(first, mask);
  const z2 = linear(second, relu(z1));
  const code = linear(third, relu(z2));
  const p = linear(output, code);
  const parts = cut(p, [view.length, hidden, hidden, classes]);
  const slopeOfP = p.map(() => 0);
  let loss = 0;
  for (const [i, row] of rows.entries()) {
    const x = [...view].sort((a, b) => a - b).map((c) => row[c] as number);
    const inputs = [x];
    const before: number[][] = [];
    for (const { layer } of parts) {
      const z = linear(layer, inputs.at(-1) as number[]);
      before.push(z);
      inputs.push(relu(z));
    }
    const logits = before.at(-1) as number[];
    const most = Math.max(...logits);
    const total = logits.reduce((sum, s) => sum + Math.exp(s - most), 0);
    const label = labels[i] as number;
    loss += (Math.log(total) + most - (logits[label] as number)) / rows.length;
    let slope = logits.map((s, c) => (Math.exp(s - most) / total - Number(c === label)) / rows.length);
    for (let l = parts.length - 1; l >= 0; l--) {
      const { layer, at } = parts[l] as (typeof parts)[number];
      const back = backward(layer, inputs[l] as number[], slope);
      [...back.w, ...back.b].forEach((value, j) => {
        slopeOfP[at + j] = (slopeOfP[at + j] as number) + value;
      });
      if (l > 0) slope = masked(back.x, before[l - 1] as number[]);
    }
  }
  const b4 = backward(output, code, slopeOfP);
  const b3 = backward(third, relu(z2), b4.x);
  const b2 = backward(second, relu(z1), masked(b3.x, z2));
  const b1 = backward(first, mask, masked(b2.x, z1));
  const gradients = Object.fromEntries(
    [b1, b2, b3, b4].flatMap(({ w, b }, l) => [
      [`${H[l]}.weight`, w],
      [`${H[l]}.bias`, b],
    ]),
  );
  return { loss, gradients };
}

/** Adam with bias correction, in place; call it once for each step. */
export function adamByHand(weights: Weights, learningRate: number) {
  const zeros = () => Object.fromEntries(Object.entries(weights).map(([name, own]) => [name, own.map(() => 0)]));
  const [m, v]: [Weights, Weights] = [zeros(), zeros()];
  let step = 0;
  return (gradients: Weights) => {
    step += 1;
    for (const [name, own] of Object.entries(weights))
      for (const [i, g] of (gradients[name] as number[]).entries()) {
        const [first, second] = [m[name] as number[], v[name] as number[]];
        first[i] = 0.9 * (first[i] as number) + 0.1 * g;
        second[i] = 0.999 * (second[i] as number) + 0.001 * g * g;
        const [a, b] = [(first[i] as number) / (1 - 0.9 ** step), (second[i] as number) / (1 - 0.999 ** step)];
        own[i] = (own[i] as number) - (learningRate * a) / (Math.sqrt(b) + 1e-8);
      }
  };
}
