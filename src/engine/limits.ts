// The limits that decide how work and memory are divided. Work is in rough nanoseconds on one
// thread, as the costs in cpu/routines/ estimate it.

/**
 * Work below which a kernel call stays on the calling thread. Handing a call to the pool costs 1 µs
 * while its workers spin and tens when they sleep, so a call must be worth several times that.
 */
export const PARALLEL_WORK = 20_000;

/**
 * Work below which a step of a running program stays in one piece. Its threads are inside the
 * program already, so that cutting a step costs a few atomic additions and no wake-up: half of what
 * a call of its own must be worth.
 */
export const PARALLEL_STEP_WORK = 10_000;

/**
 * Least work of a chunk: taking one costs an atomic addition and a call, together well below a
 * tenth of this.
 */
export const CHUNK_WORK = 4_000;

/**
 * Chunks a thread gets on average, so that a slow thread holds the others up by a quarter of its
 * share at most.
 */
export const CHUNKS_PER_THREAD = 4;

/** Chunks into which a loop of `work` is cut for so many threads. */
export function chunkCount(work: number, threads: number): number {
  return Math.min(threads * CHUNKS_PER_THREAD, Math.ceil(work / CHUNK_WORK));
}

/**
 * Columns of a packed panel of B: two vectors, of which a tile of the matrix product holds 4 or 6
 * rows in registers.
 */
export const PANEL = 8;

/**
 * Length of the shared dimension of a product that is taken at a time: a panel of it is 16 KiB and
 * stays in L1.
 */
export const GEMM_DEPTH = 512;

/**
 * Rows of A up to which B is read where it lies, because packing it would cost more than it saves.
 */
export const FEW_ROWS = 4;

/**
 * Most rows of A in a block, a multiple of both tiles' rows: 72 × 512 floats are 144 KiB and stay
 * in L2.
 */
export const LARGEST_ROW_BLOCK = 72;

/**
 * Row blocks a thread gets in a matrix product, enough that no thread has much more than its share.
 */
export const ROW_BLOCKS_PER_THREAD = 12;

/**
 * Rows of a block of a grouped product: groups are often short, so it is below `LARGEST_ROW_BLOCK`.
 */
export const GROUP_ROWS = 48;

/**
 * Steps of a reduced axis that one partial result covers, and columns that are reduced together.
 */
export const REDUCE_BLOCK = 4096;
export const REDUCE_COLUMNS = 16;

/** Bytes of unfolded windows in a block of a convolution: they stay in L2 beside the filters. */
export const WINDOW_BYTES = 192 * 1024;
/**
 * Most panels of pixels in a block of a convolution, and blocks that each thread gets where images
 * are small.
 */
export const WINDOW_PANELS = 32;
export const WINDOW_BLOCKS_PER_THREAD = 3;

/**
 * Output pixels of a block of an int8 convolution and bytes of their windows: they stay in L2, and
 * small images are shared.
 */
export const INT8_PIXELS = 32;
export const INT8_WINDOW_BYTES = 64 * 1024;

/** Queries and keys of a block of attention. */
export const ATTENTION_BLOCK = 64;

/**
 * Share of the memory that a job may plan to fill. The allocator rounds to size classes, which
 * takes up to a quarter more than was asked for, of large blocks a sixteenth: at most 94 %, and the
 * rest is for scratch, guard and what the plan did not count.
 */
export const PLANNED_SHARE = 0.75;
