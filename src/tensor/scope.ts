// Scopes: intermediate tensors are freed when the scope that made them ends. Tensors outside any
// scope are freed when JavaScript collects them.

import { type Buffer, type Device, refuseForeign } from '../engine/index.js';
import { close, enclosing, type Frame, innermostFrame, moveTo, openBody, openHeld, type Scoped } from './frames.js';
import { leaves } from './tree.js';

/**
 * Gradient tapes that are recording: they may need any tensor again, so inner scopes pass theirs to
 * the outer one.
 */
let recording = 0;

/** Drops one reference; the last gives the memory back. */
export function releaseBuffer(buffer: Buffer, device: Device): void {
  buffer.references -= 1;
  if (buffer.references === 0) device.free(buffer);
}

/** Called for each new tensor. */
export function adopt(tensor: Scoped): void {
  const frame = innermostFrame();
  if (frame) {
    frame.tensors.add(tensor);
    tensor.frame = frame;
  } else {
    tensor.device.watch(tensor.buffer);
  }
}

/** Called when a tensor is disposed. */
export function forget(tensor: Scoped): void {
  tensor.frame?.tensors.delete(tensor);
}

function isScoped(value: unknown): value is Scoped {
  return typeof value === 'object' && value !== null && 'buffer' in value && (value as Scoped).frame !== undefined;
}

/** @throws Error naming both copies for a tensor of another copy of the library. */
function ownLeaves(operation: string, tree: unknown): unknown[] {
  const all = leaves(tree);
  for (const leaf of all) refuseForeign(operation, leaf);
  return all;
}

/**
 * Ends a scope whose result or kept trees are `kept`.
 *
 * @returns an error message if inner ones are open
 */
function end(frame: Frame, kept: unknown): string | undefined {
  const wrong = close(frame);
  const outer = enclosing(frame);
  for (const leaf of leaves(kept)) {
    if (isScoped(leaf) && leaf.frame === frame) moveTo(outer, leaf);
  }
  for (const tensor of [...frame.tensors]) {
    if (tensor.role !== undefined || recording > 0) moveTo(outer, tensor);
    else tensor.dispose();
  }
  return wrong;
}

/**
 * An open scope: at the end of its block, `using s = scope()` frees the tensors made since, except
 * those given to `s.keep`.
 *
 * It may be held over an `await`. In Node each asynchronous task has its own innermost scope, known
 * from where the task went through its first `await` with the scope open; a task that is started
 * while its caller goes on should await something before it opens one, or the caller's tensors
 * belong to it until the caller awaits. Browsers cannot tell tasks apart: there one task at a time
 * may hold scopes over an `await`.
 */
export class Scope {
  readonly #frame: Frame = openHeld();
  readonly #kept: unknown[] = [];

  /**
   * Lets a tree of tensors outlive the scope: in the enclosing one if both are in one function body
   * that `scope(body)` runs, else until it is collected.
   */
  keep<T>(tree: T): T {
    ownLeaves('keep', tree);
    this.#kept.push(tree);
    return tree;
  }

  /**
   * Disposes the tensors made in the scope, except kept ones; parameters, buffers and whatever an
   * open gradient tape may need live on like kept ones. A second call does nothing.
   *
   * @throws Error when an inner scope is still open; this one has ended nevertheless.
   */
  end(): void {
    if (!this.#frame.open) return;
    const wrong = end(this.#frame, this.#kept);
    if (wrong) throw new Error(wrong);
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
 * @throws Error when the body is asynchronous or leaves a scope of its own open.
 */
export function scope(): Scope;
export function scope<T>(body: () => T): T;
export function scope<T>(body?: () => T): T | Scope {
  if (!body) return new Scope();
  const frame = openBody();
  let result: T | undefined;
  let wrong: string | undefined;
  try {
    result = body();
    if (result instanceof Promise)
      throw new Error('scope: the body must not be asynchronous; await outside, or use `using s = scope()`');
  } finally {
    wrong = end(frame, result);
  }
  if (wrong) throw new Error(wrong);
  return result;
}

/** Takes a tree of tensors out of every scope: it lives until it is disposed or collected. */
export function keep<T>(tree: T): T {
  for (const leaf of ownLeaves('keep', tree)) {
    if (isScoped(leaf)) moveTo(undefined, leaf);
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
