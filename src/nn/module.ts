// Modules are data: plain objects whose tensors are parameters (trained) or buffers
// (saved but not trained), nested to any depth. Names are field paths, as in PyTorch:
// `layers.0.weight`.

import { refuseForeign } from '../engine/index.js';
import { add, keep, type Random, type Role, Tensor } from '../tensor/index.js';

/** How a forward pass runs. */
export interface Mode {
  /** Whether dropout is active and batch norm uses the statistics of the batch. */
  readonly training: boolean;
  /** Random stream of dropout and other draws; needed only in training. */
  readonly random?: Random;
  /**
   * Takes a term that a layer adds to the loss, such as one that balances loads. `fit` sets it;
   * where it is missing, such terms are not made.
   */
  readonly addLoss?: (term: Tensor) => void;
}

/** The mode of evaluation: no dropout, running statistics in batch norm. */
export const inference: Mode = { training: false };

/** A training mode with draws from the given random stream. */
export function training(random: Random): Mode {
  return { training: true, random };
}

/** The loss of a pass, and the terms that layers add to it meanwhile. */
export function lossWithTerms(mode: Mode, loss: (mode: Mode) => Tensor): Tensor {
  const terms: Tensor[] = [];
  const own = loss({ ...mode, addLoss: (term) => terms.push(term) });
  return terms.reduce((total, term) => add(total, term), own);
}

/** The random stream of a training pass. @throws Error naming `layer` when the mode has none. */
export function randomOf(mode: Mode, layer: string): Random {
  if (!mode.random) throw new Error(`${layer}: a training pass needs random numbers: pass training(random)`);
  return mode.random;
}

function withRole(tensor: Tensor, role: Role): Tensor {
  tensor.role = role;
  return keep(tensor);
}

/** Marks a tensor as a trainable parameter of the module that holds it. */
export function parameter(tensor: Tensor): Tensor {
  return withRole(tensor, 'parameter');
}

/**
 * Marks a tensor as state that is saved with the module but not trained, such as running
 * statistics.
 */
export function buffer(tensor: Tensor): Tensor {
  return withRole(tensor, 'buffer');
}

/** Weights by dotted name. */
export type Weights = Readonly<Record<string, Tensor>>;

/** The field of a module, or of a module nested in it, that holds a weight. */
export interface Slot {
  /** Dotted path of the field, such as `layers.0.weight`. */
  readonly name: string;
  /** The object with the field. */
  readonly owner: Record<string, unknown>;
  /** Name of the field in `owner`. */
  readonly key: string;
}

/** Roles of the fields whose tensors `withWeights` has replaced, while it runs. */
const borrowed = new WeakMap<object, Map<string, Role>>();

function* slots(module: object, role: Role, path: string, seen: Set<unknown>): Generator<Slot> {
  if (seen.has(module)) return;
  seen.add(module);
  const owner = module as Record<string, unknown>;
  for (const key of Object.keys(owner)) {
    const value = owner[key];
    if (value instanceof Tensor) {
      if ((borrowed.get(owner)?.get(key) ?? value.role) === role) yield { name: path + key, owner, key };
    } else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      refuseForeign(`module field ${path}${key}`, value);
      yield* slots(value, role, `${path}${key}.`, seen);
    }
  }
}

function collect(module: object, role: Role): Record<string, Tensor> {
  const found: Record<string, Tensor> = {};
  const seen = new Set<Tensor>();
  for (const { name, owner, key } of slots(module, role, '', new Set())) {
    const tensor = owner[key] as Tensor;
    if (!seen.has(tensor)) found[name] = tensor;
    seen.add(tensor);
  }
  return found;
}

/**
 * Parameters by dotted name. A tensor shared by two fields (tied weights) appears once, under its
 * first name.
 */
export function parameters(module: object): Record<string, Tensor> {
  return collect(module, 'parameter');
}

/** Buffers by dotted name. */
export function buffers(module: object): Record<string, Tensor> {
  return collect(module, 'buffer');
}

/** Parameters and buffers by dotted name: the contents of a checkpoint of the module. */
export function stateOf(module: object): Record<string, Tensor> {
  return { ...parameters(module), ...buffers(module) };
}

/** Copies of tensors by name, which outlive their scope; `disposeWeights` frees them. */
export function cloneWeights(weights: Weights): Weights {
  return Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, keep(weight.clone())]));
}

/** Frees tensors by name, such as the state of a module that is not used again. */
export function disposeWeights(weights: Weights = {}): void {
  for (const weight of Object.values(weights)) weight.dispose();
}

/** Number of trainable scalars. */
export function parameterCount(module: object): number {
  return Object.values(parameters(module)).reduce((total, { size }) => total + size, 0);
}

/**
 * Copies values into the parameters and buffers of a module, in place.
 *
 * @throws Error naming the first weight that is missing, unknown or of another shape.
 */
export function loadState(module: object, state: Weights): void {
  const targets = stateOf(module);
  for (const name of Object.keys(state))
    if (!targets[name]) throw new Error(`loadState: the module has no weight "${name}"`);
  for (const [name, target] of Object.entries(targets)) requireShape('loadState', name, target, state[name]);
  for (const [name, target] of Object.entries(targets)) target.assign(state[name] as Tensor);
}

function requireShape(
  operation: string,
  name: string,
  expected: Tensor,
  given: Tensor | undefined,
  networks?: number,
): void {
  if (!given) throw new Error(`${operation}: weight "${name}" is missing`);
  if (given.shape.join() === expected.shape.join()) return;
  const batched = networks === undefined ? undefined : [networks, ...expected.shape];
  if (given.shape.join() !== batched?.join())
    throw new Error(
      `${operation}: weight "${name}" is ${given}, expected ${expected}${batched ? `, or [${batched.join(', ')}] for ${networks} networks` : ''}`,
    );
}

/** All fields with parameters or buffers; tied weights appear once per field. */
export function weightSlots(module: object): readonly Slot[] {
  const roles = ['parameter', 'buffer'] as const;
  return roles.flatMap((role) => [...slots(module, role, '', new Set())]);
}

/** Parameters with the layer that holds each. A tied parameter appears once per field. */
export function parameterOwners(module: object): { name: string; owner: object; tensor: Tensor }[] {
  return [...slots(module, 'parameter', '', new Set())].map(({ name, owner, key }) => ({
    name,
    owner,
    tensor: owner[key] as Tensor,
  }));
}

/**
 * Runs `fn` with parameters of a module replaced by other tensors of the same shapes; gradients
 * flow to those tensors. Parameters not named in `weights` stay in place. Hypernetworks, averaged
 * weights and sub-networks of a search run a model this way.
 *
 * @param networks number of networks B: weights may then be [B, …shape], see `batched.ts`.
 * @throws Error when a name is unknown, a shape differs, or `fn` is asynchronous.
 */
export function withWeights<M extends object, T>(
  module: M,
  weights: Weights,
  fn: (module: M) => T,
  networks?: number,
): T {
  const parameterSlots = [...slots(module, 'parameter', '', new Set())];
  const byTensor = new Map<Tensor, Tensor>();
  for (const [name, weight] of Object.entries(weights)) {
    const slot = parameterSlots.find((candidate) => candidate.name === name);
    if (!slot)
      throw new Error(
        `withWeights: the module has no parameter "${name}"; it has ${parameterSlots.map((candidate) => candidate.name).join(', ')}`,
      );
    const original = slot.owner[slot.key] as Tensor;
    requireShape('withWeights', name, original, weight, networks);
    byTensor.set(original, weight);
  }
  const swapped = parameterSlots.filter(({ owner, key }) => byTensor.has(owner[key] as Tensor));
  const restore = swapped.map(({ owner, key }) => swap(owner, key, byTensor.get(owner[key] as Tensor) as Tensor));
  try {
    const result = fn(module);
    if (result instanceof Promise) throw new Error('withWeights: the function must not be asynchronous');
    return result;
  } finally {
    for (const undo of restore.reverse()) undo();
  }
}

function swap(owner: Record<string, unknown>, key: string, weight: Tensor): () => void {
  const original = owner[key];
  const roles = borrowed.get(owner) ?? new Map<string, Role>();
  const nested = roles.has(key);
  borrowed.set(owner, roles.set(key, 'parameter'));
  owner[key] = weight;
  return () => {
    owner[key] = original;
    if (!nested) roles.delete(key);
  };
}
