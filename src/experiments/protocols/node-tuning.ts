// Node classifiers tuned alike: the choice of each is made by validation accuracy, among as many
// settings as its kind tries.

import {
  type DGMLP,
  DGMLPModel,
  type GraphModule,
  HopNetwork,
  type HopRows,
  hopRows,
  trainDecoupled,
  trainNodes,
} from '../../graph/index.js';
import { accuracy, type Features, featureCount, inference, predictedClasses } from '../../nn/index.js';
import { scope } from '../../tensor/index.js';
import type { Artifacts } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { tuned } from '../parts/tuning.js';
import type { NodeCandidate } from './node-candidates.js';
import type { FeatureForm, NodeSetting } from './node-settings.js';
import { classNamesOf, type NodeData, type NodeModel, type NodeTask, nodePredictions } from './nodes.js';

/** The model file of a trained DGMLP, and its predictions on all nodes. */
export function dgmlpArtifacts(model: TunedModel, data: NodeData): Artifacts {
  const network = model.network as DGMLP;
  const file = new DGMLPModel(network, {
    inFeatures: featureCount(data.features),
    classes: classNamesOf(data),
    scaleRows: model.setting.features === 'scaled',
    ...(data.structural && { structural: true }),
    options: network.layout,
    data: data.name,
    validated: model.validated,
  });
  return { model: file.save(), predictions: nodePredictions(model, data) };
}

/** A trained classifier, its setting, and its accuracy on the validation nodes. */
export interface TunedModel extends NodeModel {
  readonly setting: NodeSetting;
  readonly validated: number;
}

/** Settings that are tried for each kind of method, and how long a training is. */
export interface NodeBudget {
  /** Settings for each network on the graph. */
  readonly trials: number;
  /** Settings for each linear classifier on hops. */
  readonly hopTrials: number;
  /** Epochs at most, in trials of all. */
  readonly epochs: number;
  /** Epochs at most of the choice of patient candidates. */
  readonly patientEpochs: number;
}

/** What all tuned methods of a seed share. */
export interface NodeComparison extends NodeBudget {
  readonly data: NodeData;
  readonly task: NodeTask;
}

/** Candidates by kind. */
export interface NodeCandidates {
  readonly onGraph: readonly NodeCandidate[];
  readonly onHops: readonly NodeCandidate[];
}

/**
 * The methods of some candidates: the choice is made once where the split is fixed, else in each
 * seed.
 */
export function tunedNodeMethods(
  { onGraph, onHops }: NodeCandidates,
  comparison: NodeComparison,
): Method<TunedModel>[] {
  const { data, task, trials, hopTrials, epochs, patientEpochs } = comparison;
  const listed = [
    ...onGraph.map((own) => ({ own, settings: own.settings(trials) })),
    ...onHops.map((own) => ({ own, settings: own.settings(hopTrials) })),
  ];
  const hops = hopsOfTask(
    data,
    task,
    listed.flatMap(({ settings }) => settings),
  );
  return listed.map(({ own, settings }) => {
    const train = async (setting: NodeSetting, { random, hooks }: MethodRun, longest: number): Promise<TunedModel> => {
      const features = featuresOf(data, setting.features);
      const network = own.create(featureCount(features), data.classes, random.split('weights'), setting);
      const options = {
        ...own.training,
        epochs: longest,
        learningRate: setting.learningRate,
        weightDecay: own.decay?.(setting) ?? setting.weightDecay,
        ...hooks,
      };
      const input = { ...task, features };
      const { training } =
        network instanceof HopNetwork
          ? await trainDecoupled(network, input, random, { ...options, hops: hops(setting.features) })
          : await trainNodes(network, input, random, options);
      const known = own.training?.select === 'loss' ? undefined : training.bestMetric;
      return { network, features, setting, validated: known ?? validationAccuracy(network, input) };
    };
    return tuned<NodeSetting, TunedModel>({
      title: own.title,
      settings,
      ...(data.split && { once: data }),
      train: (setting, run) => train(setting, run, own.patient ? Math.max(epochs, patientEpochs) : epochs),
      trial: (setting, run) => train(setting, run, epochs),
      validation: ({ validated }) => validated,
    });
  });
}

function featuresOf({ features, scaled }: NodeData, form: FeatureForm): Features {
  return form === 'raw' ? features : scaled;
}

function validationAccuracy(network: GraphModule, { features, graph, labels, validation }: NodeTask): number {
  return scope(() => accuracy(predictedClasses(network.forward(features, graph, inference)), labels, validation));
}

/** Hops by form of the features, of data sets with a fixed split. */
const hopsOfData = new WeakMap<NodeData, Map<FeatureForm, HopRows>>();

/**
 * Hops of the training and validation nodes, computed once for each form of the features and
 * shared by all methods and trials, on a fixed split by all seeds.
 */
function hopsOfTask(data: NodeData, { graph, train, validation }: NodeTask, settings: readonly NodeSetting[]) {
  const steps = Math.max(0, ...settings.map(({ steps: own }) => (typeof own === 'number' ? own : 0)));
  const known = (data.split && hopsOfData.get(data)) ?? new Map<FeatureForm, HopRows>();
  if (data.split) hopsOfData.set(data, known);
  return (form: FeatureForm): HopRows => {
    const kept = known.get(form);
    if (kept && kept.hops.length > steps) return kept;
    const rows = Int32Array.of(...train, ...validation);
    const own = hopRows(featuresOf(data, form), graph, steps, rows);
    known.set(form, own);
    return own;
  };
}
