// Reinforcement learning: Q-learning in a grid with a wall, for a goal that varies; the network of
// action values is generated from the goal.

import { Hypernet, mlpTrunk, VectorCondition } from '../../../hypernet/index.js';
import { MLP } from '../../../nn/index.js';
import { concatenate, type Random, scope, stopGradient, type Tensor, tensor } from '../../../tensor/index.js';
import { forward, type GuideRow, train } from './row.js';

const SIDE = 5;
const CELLS = SIDE * SIDE;
const MOVES = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;
/** Between rows 1 and 2, open in the last column alone. */
const isWalled = (row: number, next: number, column: number) =>
  column < SIDE - 1 && Math.min(row, next) === 1 && Math.max(row, next) === 2;
const DISCOUNT = 0.9;
const GOALS_PER_STEP = 8;
/** Moves in which a goal must be reached. */
const LIMIT = 14;

/** The cell after a move; the same one at a wall. */
function moved(cell: number, action: number): number {
  const [row, column] = [Math.floor(cell / SIDE), cell % SIDE];
  const [down, right] = MOVES[action] as (typeof MOVES)[number];
  const [next, across] = [row + down, column + right];
  const isOutside = next < 0 || across < 0 || next >= SIDE || across >= SIDE;
  return isOutside || isWalled(row, next, column) ? cell : next * SIDE + across;
}

/** One-hot codes of cells: [n, CELLS]. */
function codesOf(own: readonly number[]): Tensor {
  const codes = new Float32Array(own.length * CELLS);
  own.forEach((cell, i) => {
    codes[i * CELLS + cell] = 1;
  });
  return tensor(codes, [own.length, CELLS]);
}

/** Action values of all cells for some goals: [goals · CELLS, 4]. */
type Values = (goals: readonly number[]) => Tensor;

const cells = Array.from({ length: CELLS }, (_, cell) => cell);
const everywhere = (goals: readonly number[]) => codesOf(goals.flatMap(() => cells));

/** The squared temporal-difference error over all cells and actions; 1 is paid at the goal. */
function temporalDifference(values: Values, goals: readonly number[]): Tensor {
  const now = values(goals);
  const known = stopGradient(now).view();
  const best = (goal: number, cell: number) => Math.max(...known.subarray(4 * (CELLS * goal + cell)).subarray(0, 4));
  const wanted = goals.flatMap((goal, at) =>
    cells.map((cell) =>
      MOVES.map((_, action) => {
        const next = moved(cell, action);
        return next === goal ? 1 : DISCOUNT * best(at, next);
      }),
    ),
  );
  return now.subtract(tensor(wanted)).square().mean();
}

/** Share of starts, over all goals, from which the greedy moves reach the goal, in %. */
function reached(values: Values): number {
  const all = scope(() => values(cells).argmax(1).dataSync());
  const arrives = (goal: number, start: number) => {
    let cell = start;
    for (let move = 0; move < LIMIT && cell !== goal; move++) cell = moved(cell, all[goal * CELLS + cell] as number);
    return cell === goal;
  };
  const pairs = cells.flatMap((goal) => cells.filter((cell) => cell !== goal).map((cell) => arrives(goal, cell)));
  return (100 * pairs.filter(Boolean).length) / pairs.length;
}

export const reinforcement: GuideRow = {
  problem: 'reinforcement learning',
  design: 'VectorCondition, the goal',
  plain: 'a network with the goal as input, as large',
  measure: 'goals reached in a 5 × 5 grid with a wall (%)',
  better: 'larger',
  async run(run) {
    const { random } = run;
    const target = new MLP([CELLS, 16, 4], random.split('target'));
    const options = { trunk: mlpTrunk([16]) };
    const hypernet = new Hypernet(target, new VectorCondition(CELLS), random.split('hypernet'), options);
    // 8,534 parameters; the hypernetwork has 8,644.
    const plain = new MLP([2 * CELLS, 80, 50, 4], random.split('plain'));
    const generated = (live: typeof hypernet): Values => {
      return (goals) => live.run(codesOf(goals), everywhere(goals), forward);
    };
    const joined = (live: MLP): Values => {
      return (goals) => {
        const goal = codesOf(goals.flatMap((own) => cells.map(() => own)));
        return forward(live, concatenate([everywhere(goals), goal], 1));
      };
    };
    const goalsOf = (draws: Random) => Array.from(draws.permutation(CELLS).subarray(0, GOALS_PER_STEP));
    const longer = { ...run, steps: 2 * run.steps };
    await train(hypernet, (live, { random: draws }) => temporalDifference(generated(live), goalsOf(draws)), longer);
    await train(plain, (live, { random: draws }) => temporalDifference(joined(live), goalsOf(draws)), longer);
    return { hypernet: reached(generated(hypernet)), plain: reached(joined(plain)) };
  },
};
