// Causal inference: the outcomes under two treatments, of which one is rare, from networks that
// one hypernetwork makes (as in Chauhan et al., "Dynamic inter-treatment information sharing for
// individualized treatment effects estimation", AISTATS 2024).

import { Hypernet, mlpTrunk, TaskCondition } from '../../../hypernet/index.js';
import { MLP, meanSquaredError } from '../../../nn/index.js';
import { type Random, scope, type Tensor, tensor } from '../../../tensor/index.js';
import { forward, type GuideRow, train } from './row.js';

const FEATURES = 5;

/** Outcome of a row under a treatment; the effect is 1 + x₄/2. */
function outcome(row: Float32Array, treatment: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = row;
  return Math.sin(2 * a) + b * c + treatment * (1 + d / 2);
}

interface Group {
  readonly x: Tensor;
  /** [n, 1] */
  readonly y: Tensor;
}

function drawGroup(count: number, treatment: number, random: Random): Group {
  const x = random.split('x').normal([count, FEATURES]);
  const values = x.view();
  const noise = random.split('noise');
  const y = Float32Array.from({ length: count }, (_, i) => {
    return outcome(values.subarray(i * FEATURES, (i + 1) * FEATURES), treatment) + 0.1 * noise.gaussian();
  });
  return { x, y: tensor(y, [count, 1]) };
}

export const causal: GuideRow = {
  problem: 'causal inference',
  design: 'TaskCondition, one for each treatment',
  plain: 'a network for each treatment',
  measure: 'error of the effect, root mean square',
  better: 'smaller',
  async run(run) {
    const { random } = run;
    // 160 rows without the treatment and 40 with it.
    const groups = [160, 40].map((count, t) => drawGroup(count, t, random.split(t)));
    const network = (own: Random) => new MLP([FEATURES, 32, 1], own);
    const hypernet = new Hypernet(
      network(random),
      new TaskCondition(2, 4, random.split('treatments')),
      random.split('hypernet'),
      { trunk: mlpTrunk([16]), init: 'bias' },
    );
    const plain = groups.map((_, t) => network(random.split('plain').split(t)));
    const over = (loss: (group: Group, t: number) => Tensor) => groups.map(loss).reduce((sum, own) => sum.add(own));
    await train(hypernet, (live) => over(({ x, y }, t) => meanSquaredError(live.run([t], x, forward), y)), run);
    await train(plain, (live) => over(({ x, y }, t) => meanSquaredError(forward(live[t] as MLP, x), y)), run);
    const x = random.split('test').normal([1000, FEATURES]);
    const error = (outcomes: (t: number) => Tensor) => {
      const effects = scope(() => outcomes(1).subtract(outcomes(0)).dataSync());
      const values = x.view();
      const squares = effects.map((effect, i) => (effect - 1 - (values[i * FEATURES + 3] as number) / 2) ** 2);
      return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
    };
    return {
      hypernet: error((t) => hypernet.run([t], x, forward)),
      plain: error((t) => forward(plain[t] as MLP, x)),
    };
  },
};
