// A lock between processes: a file that its holder touches while it works. One whose process has
// ended, or that was not touched for a minute, is taken over.

import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';

/** Options of `withLock`. */
export interface LockOptions {
  /** Called once when another process holds the lock. */
  readonly onWait?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds between attempts. Default: 200. */
  readonly poll?: number | undefined;
}

const STALE = 60_000;
const TOUCH = 10_000;

interface Holder {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
}

/** Runs `body` while no other process holds the lock. */
export async function withLock<T>(path: string, body: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const { onWait, signal, poll = 200 } = options;
  const own: Holder = { id: randomUUID(), pid: process.pid, host: hostname() };
  mkdirSync(dirname(path), { recursive: true });
  for (let waited = false; !acquire(path, own); waited = true) {
    if (!waited) onWait?.();
    await after(poll, undefined, { signal });
  }
  const timer = setInterval(() => {
    const now = new Date();
    if (holderOf(path)?.id === own.id) utimesSync(path, now, now);
  }, TOUCH);
  timer.unref();
  try {
    return await body();
  } finally {
    clearInterval(timer);
    if (holderOf(path)?.id === own.id) rmSync(path, { force: true });
  }
}

function acquire(path: string, own: Holder): boolean {
  try {
    writeFileSync(path, JSON.stringify(own), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const seen = holderOf(path)?.id;
  if (isStale(path)) moveAway(path, seen, `${path}.${own.id}`);
  return false;
}

/** Removes a stale lock; one that another process has taken over meanwhile is put back. */
function moveAway(path: string, seen: string | undefined, away: string): void {
  try {
    renameSync(path, away);
    if (holderOf(away)?.id !== seen) linkSync(away, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    rmSync(away, { force: true });
  }
}

function isStale(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return false;
  if (Date.now() - stats.mtimeMs > STALE) return true;
  const holder = holderOf(path);
  return holder !== undefined && holder.host === hostname() && holder.pid !== process.pid && !isAlive(holder.pid);
}

/** Who holds a lock; undefined while nobody does, or its file is being written. */
function holderOf(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
