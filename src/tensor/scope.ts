// Scopes: intermediate tensors are freed when the scope that made them ends. Tensors outside any
// scope are freed when JavaScript collects them.

import type { Buffer, Device } from '../engine/index.js';
import { leaves } from './tree.js';

/** The part of a tensor that scopes use. */
interface Scoped {
  readonly buffer: Buffer;
  readonly device: Device;
  readonly disposed: boolean;
  readonly role: string | undefined;
  /** The scope that frees it; none for what is freed when it is collected. */
  frame: Frame | undefined;
  dispose(): void;
}

/** What a scope frees at its end. */
export type Frame = Set<Scoped>;

const frames: Frame[] = [];
/**
 * Gradient tapes that are recording: they may need any tensor again, so inner scopes pass theirs to
 * the outer one.
 */
let recording = 0;

const collected = new FinalizationRegistry<{ buffer: Buffer; device: Device }>(({ buffer, device }) => {
  releaseBuffer(buffer, device);
});

/** Drops one reference; the last gives the memory back. */
export function releaseBuffer(buffer: Buffer, device: Device): void {
  buffer.references -= 1;
  if (buffer.references === 0) device.free(buffer);
}

/** Called for each new tensor. */
export function adopt(tensor: Scoped): void {
  const frame = frames.at(-1);
  if (frame) {
    frame.add(tensor);
    tensor.frame = frame;
  } else {
    collected.register(tensor, { buffer: tensor.buffer, device: tensor.device }, tensor);
  }
}

/** Called when a tensor is disposed. */
export function forget(tensor: Scoped): void {
  if (tensor.frame) tensor.frame.delete(tensor);
  else collected.unregister(tensor);
}

function isScoped(value: unknown): value is Scoped {
  return (
    typeof value === 'object' &&
    value !== null &&
    'buffer' in value &&
    'dispose' in value &&
    (value as Scoped).frame !== undefined
  );
}

function moveOut(tensor: Scoped): void {
  tensor.frame?.delete(tensor);
  tensor.frame = undefined;
  adopt(tensor);
}

/**
 * An open scope: at the end of its block, `using s = scope()` frees the tensors made since, except
 * those given to `s.keep`.
 */
export class Scope {
  readonly #frame: Frame = new Set();
  readonly #kept: unknown[] = [];

  constructor() {
    frames.push(this.#frame);
  }

  /** Lets a tree of tensors live on in the enclosing scope. */
  keep<T>(tree: T): T {
    this.#kept.push(tree);
    return tree;
  }

  /**
   * Disposes the tensors made in the scope, except kept ones; parameters, buffers and whatever an
   * open gradient tape may need pass to the enclosing scope. A second call does nothing.
   *
   * @throws Error when an inner scope is still open.
   */
  end(): void {
    const index = frames.lastIndexOf(this.#frame);
    if (index < 0) return;
    if (index !== frames.length - 1)
      throw new Error('scope: an inner scope is still open; end scopes in reverse order');
    frames.pop();
    for (const leaf of leaves(this.#kept)) {
      if (isScoped(leaf) && this.#frame.has(leaf)) moveOut(leaf);
    }
    for (const tensor of [...this.#frame]) {
      if (tensor.role !== undefined || recording > 0) moveOut(tensor);
      else tensor.dispose();
    }
  }

  /** Ends the scope at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.end();
  }
}

/**
 * Runs `body` and frees every tensor that it made, except those in the tree it returns, and
 * parameters and buffers of modules. Without a body, opens a scope for `using`.
 *
 * @example const loss = scope(() => mean(square(sub(prediction, target))));
 */
export function scope(): Scope;
export function scope<T>(body: () => T): T;
export function scope<T>(body?: () => T): T | Scope {
  const opened = new Scope();
  if (!body) return opened;
  try {
    const result = body();
    if (result instanceof Promise)
      throw new Error('scope: the body must not be asynchronous; await outside, or use `using s = scope()`');
    return opened.keep(result);
  } finally {
    opened.end();
  }
}

/** Takes a tree of tensors out of every scope: it lives until it is disposed or collected. */
export function keep<T>(tree: T): T {
  for (const leaf of leaves(tree)) {
    if (!isScoped(leaf)) continue;
    leaf.frame?.delete(leaf);
    leaf.frame = undefined;
    collected.register(leaf, { buffer: leaf.buffer, device: leaf.device }, leaf);
  }
  return tree;
}

/** Marks a gradient tape as recording while `body` runs. */
export function whileRecording<T>(body: () => T): T {
  recording += 1;
  try {
    return body();
  } finally {
    recording -= 1;
  }
}
