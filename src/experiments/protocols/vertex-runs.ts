// One seed of vertex classification: methods trained, scored and timed, and the student that is
// kept.

import { StudentModel } from '../../hypergraph/index.js';
import type { MLP } from '../../nn/index.js';
import { SparseMatrix } from '../../sparse/index.js';
import { predictionTable } from '../parts/artifacts.js';
import type { Artifacts, RunContext, SeedOutcome } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { PLUS, type StudentValues, type TrainedVertexModel, vertexMethods } from './vertex-methods.js';
import { type VertexData, type VertexTask, vertexLatencies, vertexScores, vertexTask } from './vertices.js';

/** Trains and scores every method, then times them in turns. */
export async function runVertexSeed(
  data: VertexData,
  values: StudentValues,
  context: RunContext,
): Promise<SeedOutcome> {
  const task = vertexTask(data, values, context.random);
  const models = new Map<string, TrainedVertexModel['model']>();
  const { methods } = await runMethods(vertexMethods(task, values), context, {
    score({ model }, { title }) {
      models.set(title, model);
      return vertexScores(model, task);
    },
  });
  const latencies = await vertexLatencies(Object.fromEntries(models), task, context.random.split('timing'));
  return {
    methods: methods.map((own) => ({
      ...own,
      scores: { ...own.scores, latency: latencies[own.method] as number },
    })),
    artifacts: () => studentArtifacts(models.get(PLUS) as MLP, data, task),
  };
}

/** The student as a file that answers for new vertices, and its predictions for all vertices. */
export function studentArtifacts(network: MLP, data: VertexData, task: VertexTask): Artifacts {
  const { classNames, vertexNames, labels, name, features, featureNames, structural } = data;
  const model = new StudentModel(classNames, network, {
    ...(featureNames && { columns: featureNames }),
    ...(structural && { structural }),
    ...(task.statistics && { statistics: task.statistics }),
    scaling: features instanceof SparseMatrix ? 'rows' : 'columns',
  });
  return {
    model: model.save({ data: name, method: PLUS }),
    predictions: predictionTable({
      row: 'vertex',
      rowNames: vertexNames,
      classNames,
      probabilities: model.classify(task.whole.features),
      labels,
    }),
  };
}
