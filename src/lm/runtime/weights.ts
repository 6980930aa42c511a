// The weights of a decoder by role: from GGUF, safetensors or memory, in any format.

import type { GgufFile, SafetensorsReader, TensorPart } from '../../data/index.js';
import type { Weights } from '../../nn/index.js';
import { blockFormats, type ExpertBlockSizes, type QuantizedFormat, RowMatrix } from '../../quantized/index.js';
import { concatenate, keep, reshape, slice, type Tensor, tensor } from '../../tensor/index.js';
import { type BlockMatrices, blockDown, blockShape, blockUp, type StackedBlocks } from './block-weights.js';
import type { LanguageModelConfig } from './config.js';
import { MoePlusPlusNames } from './families/moepp.js';
import { floatForm, ggufForm, hasRows, type Layout, storedIn } from './forms.js';
import { DenseMatrix, type LoadedMatrix, LowRankMatrix, type WeightMatrix, type WeightUse } from './matrix.js';
import { ByNeuron } from './neurons.js';
import { WeightStore } from './store.js';
import {
  decoderName,
  type GlobalRole,
  ggufGlobal,
  ggufLayer,
  huggingFaceGlobal,
  huggingFaceLayer,
  type LayerRole,
  nameIn,
} from './weight-names.js';

/** Gives weights by role; undefined for those that a file lacks. */
export interface WeightSource {
  /** The matrix [out, in] of a role; `layer` is left out for global roles. */
  matrix(role: LayerRole | GlobalRole, layer?: number): WeightMatrix | undefined;
  /**
   * The embedding or the head in a form of which single rows can be used.
   *
   * @throws Error when its format has no such form.
   */
  rows(role: 'embedding' | 'head'): WeightMatrix | undefined;
  /** The vector of a role, such as a bias or the scale of a norm. */
  vector(role: LayerRole | GlobalRole, layer?: number): Tensor | undefined;
  /**
   * The matrix of each expert of a layer; `sparse` where products need single neurons.
   *
   * @throws Error naming an expert whose matrix is missing.
   */
  experts(
    role: 'gate' | 'up' | 'down',
    layer: number,
    count: number,
    sparse?: boolean,
  ): readonly WeightMatrix[] | undefined;
  /** W_up and W_down of a layer of blocks. */
  blocks?(layer: number, sizes: ExpertBlockSizes, execution: 'sparse' | 'dense'): BlockMatrices | undefined;
}

const plain: readonly string[] = ['F32', 'F16', 'BF16'];

/**
 * Weights of GGUF files (the parts of one model), in their stored formats, read on demand.
 *
 * @throws Error naming a tensor whose type is not supported.
 */
export function ggufWeights(files: readonly GgufFile[], store = new WeightStore()): WeightSource {
  const nameOf = nameIn(ggufLayer, ggufGlobal, 'blk');
  const fileWith = (name: string) => files.find(({ tensors }) => tensors.has(name));
  return {
    matrix: (role, layer) => {
      const file = fileWith(nameOf(role, layer));
      return file && ggufMatrix(file, nameOf(role, layer), store);
    },
    rows: (role) => {
      const file = fileWith(nameOf(role));
      return file && ggufMatrix(file, nameOf(role), store, {}, 'rows');
    },
    vector: (role, layer) => {
      const file = fileWith(nameOf(role, layer));
      return file && keep(file.tensor(nameOf(role, layer)));
    },
    experts: (role, layer, count, sparse = false) => {
      const name = `blk.${layer}.ffn_${role}_exps.weight`;
      const file = fileWith(name);
      // PowerInfer's files store down projections by neuron, in the shape of the up projections.
      const shape = file?.tensors.get(name)?.shape ?? [];
      const upName = `blk.${layer}.ffn_up_exps.weight`;
      const up = fileWith(upName)?.tensors.get(upName)?.shape;
      const byNeuron = role === 'down' && shape[1] !== shape[2] && String(shape) === String(up);
      return (
        file &&
        Array.from({ length: count }, (_, part) => {
          const { type = '' } = file.tensors.get(name) ?? {};
          if (byNeuron) return new ByNeuron(ggufMatrix(file, name, store, { part }, hasRows(type) ? 'rows' : 'whole'));
          if (role !== 'down')
            return ggufMatrix(
              file,
              name,
              store,
              { part },
              sparse && (plain.includes(type) || hasRows(type)) ? 'rows' : 'whole',
            );
          // A quantised down projection stays as it is: turned, it would be quantised again.
          const turns = sparse && plain.includes(type);
          const matrix = ggufMatrix(file, name, store, { part }, turns ? 'neurons' : 'whole');
          return turns ? new ByNeuron(matrix) : matrix;
        })
      );
    },
  };
}

/**
 * A matrix, one of a stack [experts, rows, columns], or rows of it; those of a stack are experts'
 * unless `use` says otherwise.
 */
function ggufMatrix(
  file: GgufFile,
  name: string,
  store: WeightStore,
  wanted: TensorPart = {},
  layout: Layout = 'whole',
  use: WeightUse = wanted.part === undefined ? 'always' : 'chosen',
): WeightMatrix {
  const { type, shape, position } = file.place(name, wanted);
  const [rows, columns] = shape.slice(-2) as [number, number];
  const isPlain = plain.includes(type);
  if (!isPlain && !Object.hasOwn(blockFormats, type))
    throw new Error(
      `tensor "${name}" is in ${type}; supported are ${[...plain, ...Object.keys(blockFormats)].join(', ')}`,
    );
  const form = (height: number) => ggufForm(type, height, columns, layout);
  if (layout === 'rows' && !isPlain && !hasRows(type))
    throw new Error(`tensor "${name}" is in ${type}: single rows of it can be used in F32, F16, BF16, Q8_0 and Q4_0`);
  const own = storedIn(file.source, position, form, { rows, columns, layout });
  if (use === 'chosen' || layout === 'rows') return store.add({ ...own, use });
  // On this thread in parts, so that large ones are not in memory twice.
  const read = (range?: TensorPart['rows']): LoadedMatrix =>
    isPlain ? new DenseMatrix(keep(file.tensor(name, { rows: range }))) : file.blocks(name, { rows: range });
  return store.add({ ...own, use, read });
}

/**
 * Weights of a GGUF file under the names of a `Decoder`, in their stored formats, read on demand.
 *
 * @throws Error for blocks of BlockFFN, which such files do not hold.
 */
export function namedGgufWeights(file: GgufFile, store = new WeightStore()): WeightSource {
  const { tensors } = file;
  return huggingFaceWeights(
    (name) => tensors.get(name)?.shape,
    (name, use, wanted, layout) => (tensors.has(name) ? ggufMatrix(file, name, store, wanted, layout, use) : undefined),
    (name) => {
      if (!tensors.has(name)) return undefined;
      const values = file.tensor(name);
      return keep(name.endsWith('Rows') ? tensor(Int32Array.from(values.dataSync()), values.shape) : values);
    },
    (name) => {
      throw new Error(`tensor "${name}" of a GGUF file is no layer of blocks`);
    },
  );
}

/** A matrix by name, or one expert of a stack. */
type FindMatrix = (name: string, use: WeightUse, part?: TensorPart, layout?: Layout) => WeightMatrix | undefined;
/** W_up or W_down of the blocks of a layer by name. */
type FindBlocks = (name: string, blocks: StackedBlocks) => WeightMatrix;

/**
 * Weights under Hugging Face's names, or under those of a `Decoder`, which stacks its experts [E,
 * 2f, d] and [E, d, f].
 */
function huggingFaceWeights(
  shapeOf: (name: string) => readonly number[] | undefined,
  matrix: FindMatrix,
  vector: (name: string) => Tensor | undefined,
  blockMatrix: FindBlocks,
): WeightSource {
  const nameOf = nameIn(huggingFaceLayer, huggingFaceGlobal, 'model.layers');
  const named = (role: LayerRole | GlobalRole, layer?: number) => {
    const name = nameOf(role, layer);
    if (shapeOf(name)) return name;
    const other =
      role === 'router' ? otherRouters.map((own) => `model.layers.${layer}.${own}`).find(shapeOf) : undefined;
    return other ?? decoderName(name);
  };
  const stacked = (role: 'gate' | 'up' | 'down', layer: number, count: number, layout: Layout) => {
    const name = `model.layers.${layer}.mlp.experts.${role === 'down' ? 'down' : 'up'}`;
    const [, rows = 0] = shapeOf(name) ?? [];
    const [, , hidden = 0] = shapeOf(`model.layers.${layer}.mlp.experts.down`) ?? [];
    // Gate rows come before up rows in gated experts.
    const first = role === 'up' ? rows - hidden : 0;
    const range = role === 'down' ? undefined : ([first, first + hidden] as const);
    return Array.from({ length: count }, (_, part) => matrix(name, 'chosen', { part, rows: range }, layout));
  };
  const lowRank = (role: 'gate' | 'up' | 'down', layer: number, count: number) => {
    const name = `model.layers.${layer}.mlp.experts.${role}`;
    const kept = vector(`${name}Rows`)?.view<Int32Array>() ?? new Int32Array(0);
    const [, height = 0] = shapeOf(`${name}Left`) ?? [];
    const first = Array.from({ length: count + 1 }, (_, part) => kept.filter((row) => row < part * height).length);
    return Array.from({ length: count }, (_, part) => {
      const [left, right] = ['Left', 'Right'].map((side) => matrix(name + side, 'chosen', { part }));
      const range = [first[part] as number, first[part + 1] as number] as const;
      const values = range[0] < range[1] ? matrix(`${name}Values`, 'chosen', { rows: range }) : undefined;
      const rows = kept.slice(...range).map((row) => row - part * height);
      return left && right && new LowRankMatrix(left, right, values && { rows, values });
    });
  };
  const plusPlus = new MoePlusPlusNames({ shapeOf, matrix, vector });
  return {
    matrix: (role, layer) => matrix(named(role, layer), 'always'),
    rows: (role) => matrix(named(role), 'always', {}, 'rows'),
    vector: (role, layer) => vector(named(role, layer)) ?? plusPlus.vector(role, layer),
    blocks: (layer, sizes, execution) => {
      // The checkpoints' stacks have no ".weight".
      const [up, down] = (['up_proj', 'down_proj'] as const).map((part) => {
        const name = `model.layers.${layer}.mlp.${part}`;
        return [name, `${name}.weight`, decoderName(`${name}.weight`)].find((one) => shapeOf(one) !== undefined);
      });
      if (up === undefined || down === undefined) return undefined;
      const of = { sizes, execution };
      return { up: blockMatrix(up, { ...of, side: 'up' }), down: blockMatrix(down, { ...of, side: 'down' }) };
    },
    experts: (role, layer, count, sparse = false) => {
      const layout = sparse ? (role === 'down' ? 'neurons' : 'rows') : 'whole';
      const has = (name: string) => shapeOf(`model.layers.${layer}.mlp.experts.${name}`) !== undefined;
      const stack = has('upLeft') ? lowRank : has('up') ? stacked : undefined;
      const all =
        stack?.(role, layer, count, layout) ??
        plusPlus.experts(role, layer, count) ??
        Array.from({ length: count }, (_, expert) =>
          matrix(expertName(shapeOf, layer, expert, role), 'chosen', {}, layout),
        );
      const missing = all.indexOf(undefined);
      if (missing < 0) return all as WeightMatrix[];
      if (all.every((one) => one === undefined)) return undefined;
      throw new Error(`the model lacks the "${role}" matrix of expert ${missing} in layer ${layer}`);
    },
  };
}

/** Names of routers that begin otherwise: SmallThinker's and Mixtral's. */
const otherRouters = ['block_sparse_moe.primary_router.weight', 'block_sparse_moe.gate.weight'];

/** Mixtral's names of an expert's matrices. */
const mixtralNames = { gate: 'w1', up: 'w3', down: 'w2' } as const;

/** The name of an expert's matrix: as Qwen's models have it, SmallThinker's or Mixtral's. */
function expertName(
  isThere: (name: string) => unknown,
  layer: number,
  expert: number,
  role: 'gate' | 'up' | 'down',
): string {
  const other = `model.layers.${layer}.block_sparse_moe.experts.${expert}`;
  return (
    [`${other}.${role}.weight`, `${other}.${mixtralNames[role]}.weight`].find(isThere) ??
    `model.layers.${layer}.mlp.experts.${expert}.${role}_proj.weight`
  );
}

const matrixRoles = ['q', 'k', 'v', 'o'] as const;
const vectorRoles = ['attentionNorm', 'feedForwardNorm', 'qBias', 'kBias', 'vBias', 'qNorm', 'kNorm'] as const;

/**
 * The weights of a `Decoder` in f32, under its names, from those of any source.
 *
 * @throws Error for experts that are merged already or cost nothing.
 */
export function decoderState(source: WeightSource, { layers, experts, blocks }: LanguageModelConfig): Weights {
  if (blocks) throw new Error('the model has blocks that tokens choose freely (BlockFFN), not a mixture of experts');
  if (experts?.groups) throw new Error('the experts of the model are merged already');
  if (experts?.zeroComputation) throw new Error('experts of MoE++ are not read as those of a plain mixture');
  const nameOf = nameIn(huggingFaceLayer, huggingFaceGlobal, 'model.layers');
  const state: Record<string, Tensor> = {};
  const whole = (matrix: WeightMatrix) => matrix.rowsAt(Int32Array.from({ length: matrix.rows }, (_, row) => row));
  const put = (role: LayerRole | GlobalRole, layer: number | undefined, values: Tensor | undefined) => {
    if (values) state[decoderName(nameOf(role, layer))] = values;
  };
  const matrix = (role: LayerRole | GlobalRole, layer?: number) => {
    const found = source.matrix(role, layer);
    put(role, layer, found && whole(found));
  };
  for (const role of ['embedding', 'head'] as const) matrix(role);
  put('norm', undefined, source.vector('norm'));
  for (let layer = 0; layer < layers; layer++) {
    for (const role of [...matrixRoles, ...(experts ? (['router'] as const) : (['gate', 'up', 'down'] as const))])
      matrix(role, layer);
    for (const role of vectorRoles) put(role, layer, source.vector(role, layer));
    if (!experts) continue;
    const stack = (role: 'gate' | 'up' | 'down') => source.experts(role, layer, experts.count)?.map(whole);
    const [gates, ups, downs] = [stack('gate'), stack('up'), stack('down')];
    const stacked = (parts: readonly Tensor[]) => stackRows(parts, experts.count);
    const path = `model.layers.${layer}.mlp.experts`;
    // Without a gate, gates are rows before the first.
    const hasGate = gates?.every(({ shape }) => shape[0] !== 0);
    if (ups) state[`${path}.up`] = stacked(ups.flatMap((up, e) => (hasGate ? [gates?.[e] as Tensor, up] : [up])));
    if (downs) state[`${path}.down`] = stacked(downs);
  }
  return state;
}

/** Matrices of equal width one above the other, as a stack [count, rows, columns]. */
function stackRows(parts: readonly Tensor[], count: number): Tensor {
  const all = concatenate(parts);
  return reshape(all, [count, (all.shape[0] as number) / count, all.shape[1] as number]);
}

/**
 * Weights of a state in memory.
 *
 * @param transform makes matrices for products, such as quantised ones
 */
export function namedWeights(
  weights: Weights,
  transform: (values: Tensor, name: string) => WeightMatrix = (values) => new DenseMatrix(values),
): WeightSource {
  const partOfTensor = (values: Tensor, { part, rows }: TensorPart) => {
    const matrix = part === undefined ? values : reshape(slice(values, [part, part + 1]), values.shape.slice(1));
    return keep(rows ? slice(matrix, [...rows]) : matrix);
  };
  return huggingFaceWeights(
    (name) => weights[name]?.shape,
    (name, _, part, layout) => {
      const values = weights[name];
      const isWhole = part?.part === undefined && part?.rows === undefined;
      if (values && layout === 'rows' && isWhole) return RowMatrix.from(values, 'F32');
      return values && transform(part && Object.keys(part).length > 0 ? partOfTensor(values, part) : values, name);
    },
    (name) => weights[name],
    (name, blocks) => {
      const values = weights[name] as Tensor;
      return blocks.side === 'up' ? blockUp(values, blocks.sizes) : blockDown(values, blocks);
    },
  );
}

/**
 * Weights of safetensors files (the parts of one model), read on demand.
 *
 * @param format quantisation of matrices except routers; float32 when left out
 */
export function safetensorsWeights(
  files: readonly SafetensorsReader[],
  store = new WeightStore(),
  format?: QuantizedFormat,
): WeightSource {
  const fileWith = (name: string) => files.find(({ shapes }) => shapes.has(name));
  const matrix: FindMatrix = (name, use, wanted = {}, layout = 'whole') => {
    const file = fileWith(name);
    if (!file) return undefined;
    const { dtype, shape, position } = file.place(name, wanted);
    const [rows, columns] = shape.slice(-2) as [number, number];
    const quantised = isRouter(name) ? undefined : format;
    const isFloat = dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
    const form = (height: number) => floatForm(isFloat ? dtype : 'F32', height, columns, layout, quantised);
    const own = isFloat && storedIn(file.source, position, form, { rows, columns, layout });
    if (own && (use === 'chosen' || layout === 'rows')) {
      const stored = store.add({ ...own, use });
      return layout === 'neurons' ? new ByNeuron(stored) : stored;
    }
    const { bytes } = floatForm('F32', rows, columns, 'whole', quantised);
    const first = wanted.rows?.[0] ?? 0;
    const read = ([from, to] = [0, rows] as TensorPart['rows'] & {}): LoadedMatrix => {
      const values = file.tensor(name, { part: wanted.part, rows: [first + from, first + to] });
      return floatForm('F32', to - from, columns, 'whole', quantised).finish(keep(values));
    };
    return store.add({ ...own, rows, columns, bytes, use, read });
  };
  return huggingFaceWeights(
    (name) => fileWith(name)?.shapes.get(name),
    matrix,
    (name) => {
      const values = fileWith(name)?.tensor(name);
      return values && keep(values);
    },
    (name, blocks) => {
      const file = fileWith(name) as SafetensorsReader;
      const read = (): LoadedMatrix => {
        const values = file.tensor(name);
        try {
          return blocks.side === 'up' ? blockUp(values, blocks.sizes, format) : blockDown(values, blocks, format);
        } finally {
          values.dispose();
        }
      };
      return store.add({ ...blockShape(blocks, format), use: 'always', read });
    },
  );
}

/** Routers are not quantised: routing depends on small differences of logits. */
export const isRouter = (name: string): boolean =>
  [huggingFaceLayer.router, huggingFaceLayer.blockRouter, ...otherRouters].some(
    (own) => name.endsWith(own) || name.endsWith(decoderName(own)),
  );
