// Classes of the vertices of a hypergraph by LightHGNN.

import { existsSync } from 'node:fs';
import { type NamedHypergraph, partNamed, type Split, splitByShare } from '../../data/index.js';
import { loadNamedHypergraph } from '../../data/node.js';
import {
  distill,
  inputsOf,
  StudentModel,
  type Teacher,
  trainMlp,
  trainNetwork,
  VertexModel,
  vertexInputsOf,
} from '../../hypergraph/index.js';
import { inference, phaseCheckpoints, predictedClasses } from '../../nn/index.js';
import { type Random, scope, type Tensor } from '../../tensor/index.js';
import { tableOptionsOf } from '../tables.js';
import { classScores, mostFrequent, requireParts, scoreLines } from './class-scores.js';
import type { lighthgnnOptions } from './hypergraph-options.js';
import type { FitRequest, Fitted } from './learner.js';

/** Trains a teacher on the labelled vertices, then a student on its soft labels of all vertices. */
export async function fitVertices(
  path: string,
  { values, target, random, hooks, reading, note }: FitRequest<typeof lighthgnnOptions>,
): Promise<Fitted> {
  if (!existsSync(path))
    throw new Error(`there is no folder "${path}"; gossamer run lighthgnn --data ${path} runs on known sets`);
  const data = loadNamedHypergraph(path, { ...tableOptionsOf(reading), target });
  for (const text of data.notes) note(text);
  const { name, vertexNames } = data;
  const hypergraph = data.hypergraph.mergeDuplicates().withSelfLoops();
  const classNames = [...new Set(data.labels.filter((label) => label !== ''))].sort(byNumber);
  const codes = new Map(classNames.map((label, code) => [label, code]));
  const labels = Int32Array.from(data.labels, (label) => codes.get(label) ?? -1);
  const split = splitOf(data, labels, classNames, random.split('split'));
  const rows = { labels, classes: classNames.length, ...split };
  requireParts(rows, classNames, 'vertex');
  const inputs = vertexInputsOf(data, split.train, values.projections);
  if ('projections' in inputs)
    note(
      'the vertices have no features: inputs are made from who shares hyperedges with them, so that a new vertex needs its hyperedges',
    );
  const features = inputsOf(data, inputs);
  const task = { features, hypergraph, ...rows };
  const { teacher: kind, student: form, hidden, studentHidden, lambda, projections: _, ...training } = values;
  const phases = phaseCheckpoints(hooks.checkpoint, ['teacher', 'student']);
  const own = (phase: 'teacher' | 'student') => ({ ...training, ...hooks, checkpoint: phases[phase] });
  const taught = await trainNetwork(task, random.split('teacher'), { ...own('teacher'), kind, hidden });
  const teacher: Teacher = (x) => taught.network.forward(x, hypergraph, inference);
  const isStopped = taught.training.stopped === 'aborted';
  const light = isStopped
    ? undefined
    : await distill(teacher, task, random.split('student'), {
        ...own('student'),
        ...{ plus: form === 'plus', hidden: studentHidden, lambda },
      });
  if (!light || light.training.stopped === 'aborted')
    return { file: () => new Uint8Array(), lines: [], scores: {}, stopped: 'aborted' };
  const mlp = await trainMlp(task, random.split('mlp'), { ...training, hidden: studentHidden, signal: hooks.signal });
  const scoresOf = (logits: () => Tensor) =>
    classScores(
      scope(() => predictedClasses(logits())),
      rows,
    );
  const scores = scoresOf(() => light.student.forward(features, inference));
  const beside = {
    [form === 'plus' ? 'LightHGNN⁺' : 'LightHGNN']: scores,
    [`${kind}, its teacher`]: scoresOf(() => teacher(features, hypergraph)),
    'perceptron without teacher': scoresOf(() => mlp.student.forward(features, inference)),
    'most frequent class': classScores(mostFrequent(rows), rows),
  };
  const { hyperedgeCount } = data.hypergraph;
  const model = new VertexModel(new StudentModel(classNames, light.student), inputs, {
    data: name,
    vertices: vertexNames.length,
    hyperedges: hyperedgeCount,
    teacher: kind,
    scores,
  });
  const unknown = labels.filter((label) => label < 0).length;
  return {
    file: () => model.save(),
    lines: [
      `${name}: ${vertexNames.length} vertices (${unknown} without a label), ${hyperedgeCount} hyperedges, ${classNames.length} classes`,
      ...scoreLines(beside, split.test.length, 'vertices'),
    ],
    scores,
    stopped: light.training.stopped,
  };
}

/** Order of class names: by number where both are numbers, else by text. */
function byNumber(a: string, b: string): number {
  return Number(a) - Number(b) || (a < b ? -1 : 1);
}

/** The split of the column, or 60 : 20 : 20 of the labelled vertices of each class. */
function splitOf(
  { parts, vertexNames, name }: NamedHypergraph,
  labels: Int32Array,
  classNames: readonly string[],
  random: Random,
): Split {
  if (parts.every((part) => part === ''))
    return splitByShare(labels, classNames.length, { train: 0.6, validation: 0.2 }, random);
  const split = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  for (const [v, text] of parts.entries()) {
    if (text === '') continue;
    const part = partNamed(text);
    if (!part)
      throw new Error(`"${name}": split "${text}" of vertex "${vertexNames[v]}" is not train, validation or test`);
    if ((labels[v] as number) >= 0) split[part].push(v);
  }
  const { train, validation, test } = split;
  return { train: Int32Array.from(train), validation: Int32Array.from(validation), test: Int32Array.from(test) };
}
