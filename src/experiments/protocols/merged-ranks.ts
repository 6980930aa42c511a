// Whether merging lowers the dimension of experts: stable ranks before and after.

import { truncatedSvd } from '../../linalg/index.js';
import { type MergeOptions, mergeExperts, stableRank } from '../../lm/index.js';
import { stateOf } from '../../nn/index.js';
import { type Random, reshape, scope, slice, type Tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { AVERAGE, type CompressionValues, M_SMOE, PRUNE, type Teacher, teacherOf } from './compressed-experts.js';
import type { ExpertTask } from './expert-tasks.js';

const ways: Readonly<Record<string, Omit<MergeOptions, 'experts'>>> = {
  [M_SMOE]: {},
  [AVERAGE]: { weights: 'uniform' },
  [PRUNE]: { members: 'drop' },
};

/** Balance losses of the mixtures: the usual, and none, with which experts are used unevenly. */
export const BALANCES = [0.01, 0];

/** Mean stable rank of dominant experts before and after, and the energy of the first r values. */
export async function rankStudy(
  task: ExpertTask,
  values: CompressionValues,
  context: RunContext,
): Promise<StudyResults> {
  const rows: (string | number)[][] = [];
  const scores: Record<string, number> = {};
  for (const balance of BALANCES) {
    const random = context.random.split(`balance ${balance}`);
    const teacher = await teacherOf(task, values, random, context.hooks(`whole model, β = ${balance}`), balance);
    const used = teacher.statistics.map(({ usage }) => Math.max(...usage) * usage.length);
    for (const [title, how] of Object.entries(ways)) {
      const { before, after, energy } = ranks(teacher, { ...how, experts: values.kept }, values.rank, random);
      rows.push([balance, title, Math.max(...used).toFixed(1), before.toFixed(2), after.toFixed(2), energy.toFixed(3)]);
      scores[`${title} β ${balance}`] = after - before;
    }
  }
  const columns = ['β', 'method', 'largest usage', 'before', 'after', `energy of ${values.rank}`];
  const note =
    'Largest usage: that of the most used expert over the mean. Mean of the stable ranks ‖W‖_F²/‖W‖₂² of both matrices of the dominant experts, before merging and of the experts of their groups after it, without recovery; energy: the share of ‖W‖_F² in the first singular values, after it.';
  return studyOf({ title: 'Dimension of merged experts', columns, rows, note }, scores);
}

function ranks({ model, config, statistics }: Teacher, options: MergeOptions, rank: number, random: Random) {
  const { model: merged, groupings } = mergeExperts(model.decoder, config, statistics, random.split('merge'), options);
  const [old, own] = [stateOf(model.decoder), stateOf(merged)];
  const found = groupings.flatMap(({ dominant }, layer) =>
    ['up', 'down'].flatMap((role) => {
      const name = `model.layers.${layer}.mlp.experts.${role}`;
      return dominant.map((expert, group) => {
        const before = expertOf(old[name] as Tensor, expert);
        const after = expertOf(own[name] as Tensor, group);
        return {
          before: stableRank(before, random),
          after: stableRank(after, random),
          energy: energyOf(after, Math.min(rank, ...after.shape), random),
        };
      });
    }),
  );
  const mean = (of: 'before' | 'after' | 'energy') => found.reduce((sum, one) => sum + one[of], 0) / found.length;
  return { before: mean('before'), after: mean('after'), energy: mean('energy') };
}

const expertOf = (stack: Tensor, expert: number): Tensor =>
  reshape(slice(stack, [expert, expert + 1]), stack.shape.slice(1));

/** Share of ‖W‖_F² in the first r singular values. */
function energyOf(matrix: Tensor, r: number, random: Random): number {
  return scope(() => truncatedSvd(matrix, r, random).s.square().sum().item() / matrix.square().sum().item());
}
