// Loads the compiled kernels: picks the feature level of this host, compiles the module and
// instantiates it on the heap.

/** SIMD alone, or SIMD with relaxed instructions (fused multiply-add). */
export type FeatureLevel = 'simd' | 'relaxed';

/**
 * A module whose one function uses `f32x4.relaxed_madd`: it validates where relaxed SIMD exists.
 */
const RELAXED_PROBE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00, 0x0a,
  0x14, 0x01, 0x12, 0x00, 0x41, 0x00, 0xfd, 0x11, 0x41, 0x00, 0xfd, 0x11, 0x41, 0x00, 0xfd, 0x11, 0xfd, 0x85, 0x02,
  0x1a, 0x0b,
]);

/** The environment variable `name` in Node; undefined in a browser. */
export function environment(name: string): string | undefined {
  return globalThis.process?.env?.[name];
}

/**
 * The level that this runtime has, or the one that `GOSSAMER_KERNELS` asks for.
 *
 * @throws Error for an unknown level, or one that the runtime lacks.
 */
export function featureLevel(): FeatureLevel {
  const asked = environment('GOSSAMER_KERNELS');
  if (asked === 'simd') return 'simd';
  if (asked !== undefined && asked !== 'relaxed') {
    throw new Error(`GOSSAMER_KERNELS: expected simd or relaxed, got "${asked}"`);
  }
  const available = WebAssembly.validate(RELAXED_PROBE);
  if (asked && !available) throw new Error('GOSSAMER_KERNELS=relaxed: this runtime has no relaxed SIMD');
  return available ? 'relaxed' : 'simd';
}

/** Compiles the kernels of a level for a memory that is shared or not. */
export async function loadModule(level: FeatureLevel, shared: boolean): Promise<WebAssembly.Module> {
  const { default: encoded } = await (level === 'relaxed'
    ? import('./generated/relaxed.js')
    : import('./generated/simd.js'));
  const deflated = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  const inflated = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate'));
  const bytes = new Uint8Array(await new Response(inflated).arrayBuffer());
  return WebAssembly.compile(shared ? bytes : withoutSharedMemory(bytes));
}

const PAGE = 65536;
const INITIAL_PAGES = 256;
const MAXIMUM_PAGES = 65536;

/**
 * Whether worker threads can be given the memory: always in Node, in browsers where the page is
 * cross-origin isolated.
 */
export const sharesMemory: boolean =
  typeof SharedArrayBuffer !== 'undefined' &&
  (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false;

/** The kernels' memory. */
export interface KernelMemory {
  readonly memory: WebAssembly.Memory;
  /** Bytes to which it may grow. */
  readonly maximumBytes: number;
  /** Whether views of it stay valid while it grows, and kernels must import it as shared. */
  readonly shared: boolean;
}

/**
 * A memory of at most 4 GiB (or `GOSSAMER_MEMORY_MIB`). Where so much address space cannot be
 * reserved, as on phones, smaller ones are tried.
 *
 * It is shared even where no other thread can have it, since growth detaches the views of a memory
 * that is not. A runtime without shared memory gets one of full size that never grows.
 */
export function createMemory(): KernelMemory {
  const limit = Number(environment('GOSSAMER_MEMORY_MIB') ?? 4096);
  if (!(limit >= 16)) throw new Error(`GOSSAMER_MEMORY_MIB: expected a number of at least 16, got "${limit}"`);
  const wanted = Math.min(Math.floor(limit * 16), MAXIMUM_PAGES);
  const shared = allowsSharedMemory();
  for (let maximum = wanted; ; maximum = Math.floor(maximum / 2)) {
    try {
      const initial = shared ? Math.min(INITIAL_PAGES, maximum) : maximum;
      return { memory: new WebAssembly.Memory({ initial, maximum, shared }), maximumBytes: maximum * PAGE, shared };
    } catch (error) {
      if (maximum < 2 * INITIAL_PAGES) throw error;
    }
  }
}

function allowsSharedMemory(): boolean {
  try {
    return Boolean(new WebAssembly.Memory({ initial: 0, maximum: 1, shared: true }));
  } catch {
    // The runtime lacks the threads proposal.
    return false;
  }
}

/**
 * The same module with its memory import declared unshared: one flag byte after the import's name.
 */
function withoutSharedMemory(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const name = [6, ...'memory'].map((part) => (typeof part === 'number' ? part : part.charCodeAt(0)));
  const start = bytes.findIndex((_, index) => name.every((value, offset) => bytes[index + offset] === value));
  const flags = start + name.length + 1;
  if (start < 0 || bytes[flags - 1] !== 0x02 || bytes[flags] !== 0x03)
    throw new Error('kernels: unexpected memory import');
  const copy = bytes.slice();
  copy[flags] = 0x01;
  return copy;
}
