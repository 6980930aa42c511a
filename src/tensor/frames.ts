// Frames: what an open scope holds, and which one new tensors go to.
//
// Scopes of a function body nest as calls do, so a variable says which is innermost. A scope that
// is held by `using` may stay open over an await, while other tasks run; which of those is
// innermost depends on the task. `AsyncLocalStorage` tells tasks apart; a runtime without it, as
// browsers are, has one list for all tasks.

import type { AsyncLocalStorage } from 'node:async_hooks';
import { type Buffer, type Device, nodeModule } from '../engine/index.js';

/** The part of a tensor that scopes use. */
export interface Scoped {
  readonly buffer: Buffer;
  readonly device: Device;
  readonly disposed: boolean;
  readonly role: string | undefined;
  /** The frame that frees it; none for what is freed when it is collected. */
  frame: Frame | undefined;
  dispose(): void;
}

/** What a scope frees at its end. */
export interface Frame {
  readonly tensors: Set<Scoped>;
  /** The frame that was innermost when it was opened. */
  readonly outer: Frame | undefined;
  /** Whether it is held, rather than that of a function body or of a scope within one. */
  readonly held: boolean;
  open: boolean;
}

/** The nearest open frame, from `frame` outwards. */
function openFrom(frame: Frame | undefined): Frame | undefined {
  let found = frame;
  while (found && !found.open) found = found.outer;
  return found;
}

/** Which of the frames that are held is innermost for the running task. */
interface Tasks {
  innermost(): Frame | undefined;
  enter(frame: Frame): void;
  /** Called when a frame was closed. @returns an error message if an inner one is still open */
  leave(frame: Frame): string | undefined;
}

const STILL_OPEN = 'scope: an inner scope is still open; end scopes in reverse order';

function tasksOf(storage: AsyncLocalStorage<Frame | undefined>): Tasks {
  const innermost = () => openFrom(storage.getStore());
  return {
    innermost,
    enter: (frame) => storage.enterWith(frame),
    leave(frame) {
      let inner = innermost();
      if (storage.getStore() === frame) storage.enterWith(inner);
      while (inner && inner.outer !== frame) inner = inner.outer;
      return inner && STILL_OPEN;
    },
  };
}

function oneTask(): Tasks {
  const held: Frame[] = [];
  return {
    innermost: () => held.at(-1),
    enter: (frame) => held.push(frame),
    leave(frame) {
      const at = held.lastIndexOf(frame);
      held.splice(at, 1);
      if (at === held.length) return undefined;
      return (
        `${STILL_OPEN}. If two asynchronous tasks hold scopes at once: this runtime has no AsyncLocalStorage to tell ` +
        'them apart, so await outside of scopes'
      );
    },
  };
}

let tasks: Tasks | undefined;
/** Frames in `tasks` that are open. */
let held = 0;
/** The innermost frame of the function bodies that are running. */
let running: Frame | undefined;

/** The frame that new tensors go to. */
export function innermostFrame(): Frame | undefined {
  return running ?? (held > 0 ? tasks?.innermost() : undefined);
}

/** Opens the frame of a function body, to be closed by `close` when the body returns. */
export function openBody(): Frame {
  running = { tensors: new Set(), outer: innermostFrame(), held: false, open: true };
  return running;
}

/** Opens a frame that stays open until `close`, over the turns of the event loop. */
export function openHeld(): Frame {
  // Within a function body it must end before the body does, as calls nest.
  if (running) return openBody();
  if (!tasks) {
    const hooks = nodeModule('node:async_hooks');
    tasks = hooks ? tasksOf(new hooks.AsyncLocalStorage<Frame | undefined>()) : oneTask();
  }
  const frame: Frame = { tensors: new Set(), outer: tasks.innermost(), held: true, open: true };
  held += 1;
  tasks.enter(frame);
  return frame;
}

/**
 * Closes a frame. Inner frames of the same function body close with it and leave it their tensors.
 *
 * @returns an error message if there were inner frames.
 */
export function close(frame: Frame): string | undefined {
  frame.open = false;
  if (frame.held) {
    held -= 1;
    return tasks?.leave(frame);
  }
  const clean = running === frame;
  for (let inner = running; inner && inner !== frame; inner = inner.outer) {
    inner.open = false;
    for (const tensor of inner.tensors) moveTo(frame, tensor);
  }
  running = frame.outer?.held ? undefined : frame.outer;
  return clean ? undefined : STILL_OPEN;
}

/**
 * The frame around one that is closing. A held frame has none: the frame that was innermost when it
 * was opened may be that of another task.
 */
export function enclosing(frame: Frame): Frame | undefined {
  return frame.held ? undefined : openFrom(frame.outer);
}

/** Gives a tensor to a frame, or to nobody: then it is freed when JavaScript collects it. */
export function moveTo(frame: Frame | undefined, tensor: Scoped): void {
  tensor.frame?.tensors.delete(tensor);
  tensor.frame = frame;
  if (frame) frame.tensors.add(tensor);
  else tensor.device.watch(tensor.buffer);
}
