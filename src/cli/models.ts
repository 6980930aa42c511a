// The table of model files: the system that a file names, and the module that opens its models.
// Modules are imported when a file asks for them.

import { statSync } from 'node:fs';
import { isHubName, modelSystem } from '../data/index.js';
import { openBytes } from '../data/node.js';
import { localModel } from './hub.js';
import type { Predictor } from './models/predictor.js';

const openers = {
  'table-classifier': async (path: string) => (await import('./models/table-classifier.js')).open(path),
  'image-classifier': async (path: string) => (await import('./models/image-classifier.js')).open(path),
  'language-model': async (path: string) => (await import('./models/language-model.js')).open(path),
  'node-classifier': async (path: string) => (await import('./models/node-classifier.js')).open(path),
  'node-values': async (path: string) => (await import('./models/node-values.js')).open(path),
  'arc-classifier': async (path: string) => (await import('./models/arc-classifier.js')).open(path),
  fastrp: async (path: string) => (await import('./models/embedding.js')).open(path),
  'fully-ppr': async (path: string) => (await import('./models/ranking.js')).open(path),
  h4g: async (path: string) => (await import('./models/h4g.js')).open(path),
  dgmlp: async (path: string) => (await import('./models/dgmlp.js')).open(path),
  rphgnn: async (path: string) => (await import('./models/rphgnn.js')).open(path),
  lighthgnn: async (path: string) => (await import('./models/lighthgnn.js')).open(path),
  hyperagent: async (path: string) => (await import('./models/hyperagent.js')).open(path),
  conhd: async (path: string) => (await import('./models/conhd.js')).open(path),
  hyperpave: async (path: string) => (await import('./models/hyperpave.js')).open(path),
  hyperdrop: async (path: string) => (await import('./models/hyperdrop.js')).open(path),
  hypercluster: async (path: string) => (await import('./models/hypercluster.js')).open(path),
  'subgraph-gnn': async (path: string) => (await import('./models/subgraph-gnn.js')).open(path),
  'graph-readout': async (path: string) => (await import('./models/graph-readout.js')).open(path),
  'equivariant-polynomials': async (path: string) => (await import('./models/equivariant-polynomials.js')).open(path),
  continual: async (path: string) => (await import('./models/continual.js')).open(path),
  mip: async (path: string) => (await import('./models/mip.js')).open(path),
  nat: async (path: string) => (await import('./models/nat.js')).open(path),
  softhgnn: async (path: string) => (await import('./models/softhgnn.js')).open(path),
  metapruning: async (path: string) => (await import('./models/metapruning.js')).open(path),
  logah: async (path: string) => (await import('./models/logah.js')).open(path),
  hdhgn: async (path: string) => (await import('./models/hdhgn.js')).open(path),
  recommender: async (path: string) => (await import('./models/recommender.js')).open(path),
  hypino: async (path: string) => (await import('./models/hypino.js')).open(path),
  'hypino-solution': async (path: string) => (await import('./models/hypino.js')).openSolution(path),
  'hypernet-review': async (path: string) => (await import('./models/hypernet-review.js')).open(path),
  'phnn-sound': async (path: string) => (await import('./models/phnn-sound.js')).open(path),
  semipfl: async (path: string) => (await import('./models/semipfl.js')).open(path),
} as const satisfies Readonly<Record<string, (path: string) => Promise<Predictor>>>;

/** What model files may name. */
export type ModelSystem = keyof typeof openers;

export type OpenedModel<System extends ModelSystem> = Awaited<ReturnType<(typeof openers)[System]>>;

/** Systems whose models can be opened. */
export const modelSystems = Object.keys(openers) as readonly ModelSystem[];

/**
 * Opens the model in a file or a Hugging Face folder, or of a name hf:owner/name[:file].
 *
 * @throws Error when there is none, or when its system is unknown
 */
export async function openModel(text: string): Promise<Predictor> {
  const path = await localModel(text);
  return openers[systemOf(path)](path);
}

/**
 * Opens a model that must belong to one system.
 *
 * @param memory most bytes of weights in memory, for models by name
 * @throws Error naming the command for the other system
 */
export async function openModelOf<System extends ModelSystem>(
  text: string,
  system: System,
  memory?: number,
): Promise<OpenedModel<System>> {
  if (system !== 'language-model' && isHubName(text))
    throw new Error(`"${text}" is the name of a language model; this command takes a file of "${system}"`);
  const path = await localModel(text, memory);
  const found = systemOf(path);
  if (found !== system)
    throw new Error(
      `file "${path}" is a model of "${found}", this command takes "${system}"; ${uses[found] ?? 'gossamer predict'} reads it`,
    );
  return (await openers[system](path)) as OpenedModel<System>;
}

/** The system whose model a file or folder holds. @throws Error as `openModel` */
export async function systemOfModel(text: string): Promise<ModelSystem> {
  return systemOf(await localModel(text));
}

/** The commands that read models of a system; gossamer predict where it is not listed. */
const uses: Readonly<Partial<Record<ModelSystem, string>>> = {
  'image-classifier': 'gossamer classify',
  'language-model': 'gossamer lm generate',
  metapruning: 'gossamer compress --metanetwork',
};

/** GGUF files and Hugging Face folders are language models; other files name their system. */
function systemOf(path: string): ModelSystem {
  if (path.endsWith('.gguf') || statSync(path, { throwIfNoEntry: false })?.isDirectory()) return 'language-model';
  const file = openBytes(path);
  try {
    const system = modelSystem(file);
    if (!Object.hasOwn(openers, system))
      throw new Error(
        `file "${path}" is a model of "${system}", which this version cannot open; known: ${modelSystems.join(', ')}`,
      );
    return system as ModelSystem;
  } finally {
    file.close();
  }
}
