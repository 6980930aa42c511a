// Which thread an instance belongs to: kernels that need working memory get a share of it each.

import { prepareConstants } from "./math";

let thread: usize = 0;

/** To be called once on every instance before any kernel; the calling thread is 0. */
export function initialize(index: i32): void {
  thread = index;
  prepareConstants();
}

/** This thread's part of working memory that holds `bytes` for each thread. */
export function ownScratch(scratch: usize, bytes: i32): usize {
  return scratch + thread * <usize>bytes;
}

/**
 * Where the tiles of the threads lie in the reserved first page, behind the pool's control block,
 * and bytes of each.
 */
const TILES: usize = 16384;
const TILE_BYTES: usize = 512;

/** A small block of memory of this thread's own. */
// @ts-ignore: decorator
@inline
export function ownTile(): usize {
  return TILES + thread * TILE_BYTES;
}
