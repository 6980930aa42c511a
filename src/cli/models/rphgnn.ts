// Classifiers of the nodes of heterogeneous graphs, made by `gossamer fit --model rphgnn`.

import { loadHeteroGraph, readBytes } from '../../data/node.js';
import { inputNames, isTextInput, RpHGNNModel } from '../../graph/index.js';
import { parameterCount } from '../../nn/index.js';
import { heteroScoreLines } from '../fit/hetero.js';
import { classOfRow, onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = RpHGNNModel.load(readBytes(path), path);
  return {
    predict: async (paths, options) => classifyNodes(model, onlyPath(paths), options),
    describe: () => descriptionOf(model),
  };
}

/** The class of each node of the model's type, or its labels, and the probability of all. */
async function classifyNodes(
  model: RpHGNNModel,
  path: string,
  { table: options, note }: PredictOptions,
): Promise<Predictions> {
  const { type, target, task, classes, inputs } = model.description;
  // A table of all types, '', has a column of categories where one of its types has it.
  const categoricalOf = (table: string, column: string) =>
    Object.entries(inputs.types).some(
      ([own, input]) => (table === '' || own === table) && input.kind !== 'random' && isTextInput(input, column),
    );
  const data = await loadHeteroGraph(path, { ...options, target: `${type}.${target}`, categoricalOf });
  for (const text of data.notes) note(text);
  const nodes = data.nodes.get(type);
  if (!nodes) throw new Error(`"${path}" has no nodes of type "${type}", which the model classifies`);
  const probabilities = model.predictProba(data, note);
  return {
    columns: [type, target, ...(task === 'class' ? ['probability'] : []), ...classes.map((name) => `p(${name})`)],
    rows: nodes.nodeNames.map((node, v) => {
      const { code, probability, all } = classOfRow(probabilities, classes.length, v);
      if (task === 'class') return [node, classes[code] as string, probability, ...all];
      const own = classes.filter((_, c) => (probabilities[v * classes.length + c] as number) > 0.5);
      return [node, own.join(';'), ...all];
    }),
  };
}

function descriptionOf({ network, description }: RpHGNNModel): string[] {
  const { type, target, task, classes, inputs, relations, groups, collection, known, trained, scores } = description;
  const some = (names: readonly string[]) =>
    `${names.slice(0, 12).join(', ')}${names.length > 12 ? `, … (${names.length})` : ''}`;
  return [
    `Classifies nodes of type "${type}" by "${target}" (${task === 'labels' ? 'any number of ' : ''}${some(classes)})`,
    `Network     RpHGNN: ${collection.iterations} iterations, ${groups.length} groups of tensors${known ? ', classes travel along relations' : ''}`,
    `Relations   ${relations.map(([source, name, end]) => `${source} ${name} ${end}`).join(', ')}`,
    ...Object.entries(inputs.types).map(([own, input]) => {
      if (input.kind === 'random') return `Attributes  ${own}: none; random vectors of ${input.width} numbers by name`;
      const names = inputNames(input);
      return `Attributes  ${own}: ${names.length > 0 ? some(names) : 'a matrix of features'}`;
    }),
    `Trained on  ${trained.data}: ${trained.nodes} nodes, ${trained.edges} edges, ${trained.labelled} labels`,
    `Size        ${parameterCount(network).toLocaleString('en')} parameters`,
    ...heteroScoreLines(scores).map((line) => `Scores      ${line}`),
  ];
}
