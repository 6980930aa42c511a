// Measurements beside the arms: how far one layer reaches, and what sparsity does to sketches.

import { chain, GroupSketches, HGNNConv } from '../../hypergraph/index.js';
import { Hypergraph } from '../../structure/index.js';
import { Random, scope, tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { type LearnedValues, settingsAround, type TopologySetting, trainedPolicy } from './learned-topologies.js';
import { simulatedScores, simulatedTask } from './simulated-teams.js';

/** Whom a change of one member reaches in one layer: over one hyperedge of five, and a chain. */
export function reachStudy(): StudyResults {
  const members = 5;
  const layer = new HGNNConv(4, 4, new Random(1));
  const reached = (hypergraph: Hypergraph) =>
    scope(() => {
      const x = new Random(2).normal([members, 4]);
      const other = tensor(
        x.dataSync<Float32Array>().map((value, at) => (at < 4 ? value + 1 : value)),
        [members, 4],
      );
      const [before, after] = [x, other].map((own) => layer.forward(own, hypergraph).dataSync<Float32Array>().slice());
      const changed = (v: number) => [0, 1, 2, 3].some((k) => before?.[4 * v + k] !== after?.[4 * v + k]);
      return Array.from({ length: members }, (_, v) => v).filter(changed).length / members;
    });
  const [hyperedge, pairs] = [
    reached(new Hypergraph(members, [[0, 1, 2, 3, 4]])),
    reached(new Hypergraph(members, chain(members))),
  ];
  return studyOf(
    {
      title: 'One-step aggregation',
      columns: ['input', 'share of five members that a change of the first reaches in one layer'],
      rows: [
        ['one hyperedge', hyperedge.toFixed(1)],
        ['a chain of pairs', pairs.toFixed(1)],
      ],
      note: 'One layer of hypergraph convolution with random weights, before and after a change of the first member.',
    },
    { 'reach hyperedge': hyperedge, 'reach chain': pairs },
  );
}

/** ζ of the study. */
const SPARSITIES = [0, 0.1, 0.5];

/** Pairs that test sketches keep, S̃ ≥ δ, and what topologies earn, of policies trained by ζ. */
export async function sparsityStudy(
  values: LearnedValues & Parameters<typeof simulatedTask>[0],
  context: RunContext,
): Promise<StudyResults> {
  const random = new Random(context.seed).split('sparsity');
  const task = simulatedTask(values, random.split('queries'));
  const [setting] = settingsAround(values.learningRate, values.learningRate) as [TopologySetting];
  const run = { random, hooks: { signal: context.signal } };
  const [rows, scores]: [(string | number)[][], Record<string, number>] = [[], {}];
  for (const sparsity of SPARSITIES) {
    const { policy, planner } = await trainedPolicy(task, values, { decision: { sparsity } }, setting, run);
    const pairs = new GroupSketches(policy, task.inputs, task.encode(task.test), { sparsity, form: 'pairs' });
    const kept = pairs.topologies().reduce((sum, { groups }) => sum + groups.length, 0) / task.test.length;
    const { accuracy, tokens, utility } = simulatedScores(task.team, planner, task.test, random);
    scores[`kept ${sparsity}`] = kept;
    rows.push([
      sparsity,
      kept.toFixed(2),
      (accuracy as number).toFixed(1),
      (tokens as number).toFixed(0),
      (utility as number).toFixed(3),
    ]);
  }
  const columns = [
    'ζ',
    'kept pairs a query',
    'accuracy (%, simulated)',
    'tokens a query (simulated)',
    'utility (simulated)',
  ];
  const note = 'A policy for each ζ, trained and used with it, from the same start with the usual setting.';
  return studyOf({ title: 'Sparsity of the refinement (simulated)', columns, rows, note }, scores);
}
