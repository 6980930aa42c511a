// MPI through koffi, for Open MPI and MPICH. Messages are sent and received in the memory of typed
// arrays, tensors included, without a copy.

import { type Communicator, makeLike, type Numbers, type Reduction, requireCounts } from './communicator.js';

type Pointer = bigint | number | null;
type Call = (...args: unknown[]) => number;

/** Constants of an MPI implementation. */
interface Handles {
  readonly world: Pointer;
  readonly inPlace: Pointer;
  readonly ignoreStatus: Pointer;
  readonly types: Readonly<Record<string, Pointer>>;
  readonly reductions: Readonly<Record<Reduction, Pointer>>;
  /** C type of handles: pointers in Open MPI, integers in MPICH. */
  readonly handle: 'void *' | 'int';
}

const libraries = [
  'libmpi.so.40',
  'libmpi.so.12',
  'libmpich.so.12',
  'libmpi.so',
  'libmpi.40.dylib',
  'libmpi.dylib',
  'msmpi.dll',
];

/** Whether an MPI launcher such as `mpirun` started this process. */
export function underMpi(environment: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return ['OMPI_COMM_WORLD_SIZE', 'PMI_SIZE', 'PMIX_RANK', 'MPI_LOCALNRANKS'].some(
    (name) => environment[name] !== undefined,
  );
}

/**
 * The communicator of `mpirun -n K node program`; a process started without mpirun is a single
 * rank.
 *
 * @param library path of libmpi. Default: `GOSSAMER_MPI`, else the library found by the system
 * @throws Error that says what to install when koffi or MPI is missing.
 */
export async function mpiCommunicator(library = process.env.GOSSAMER_MPI): Promise<Communicator> {
  const koffi = await import('koffi').catch(() => {
    throw new Error('MPI needs the package "koffi": npm install koffi');
  });
  const { default: api } = koffi as unknown as { default: Koffi };
  return new Mpi(load(api, library));
}

interface Koffi {
  load(path: string): Library;
}

interface Library {
  func(signature: string): Call;
  symbol(name: string, type: string): Pointer;
}

function load(koffi: Koffi, path: string | undefined): Library {
  const tried = path ? [path] : libraries;
  for (const name of tried) {
    try {
      return koffi.load(name);
    } catch {
      // Try the next name.
    }
  }
  throw new Error(
    `no MPI library found (tried ${tried.join(', ')}): install Open MPI or MPICH, or set GOSSAMER_MPI to the path of libmpi`,
  );
}

function handlesOf(library: Library): Handles {
  try {
    const at = (name: string) => library.symbol(name, 'int');
    return {
      handle: 'void *',
      world: at('ompi_mpi_comm_world'),
      inPlace: 1n,
      ignoreStatus: null,
      types: {
        f32: at('ompi_mpi_float'),
        f64: at('ompi_mpi_double'),
        i32: at('ompi_mpi_int'),
        u8: at('ompi_mpi_unsigned_char'),
      },
      reductions: { sum: at('ompi_mpi_op_sum'), max: at('ompi_mpi_op_max'), min: at('ompi_mpi_op_min') },
    };
  } catch {
    // MPICH's handles are integers fixed by its ABI.
    return {
      handle: 'int',
      world: 0x44000000,
      inPlace: -1n & 0xffffffffffffffffn,
      ignoreStatus: 1n,
      types: { f32: 0x4c00040a, f64: 0x4c00080b, i32: 0x4c000405, u8: 0x4c000102 },
      reductions: { sum: 0x58000003, max: 0x58000001, min: 0x58000002 },
    };
  }
}

function typeOf(data: Numbers): string {
  if (data instanceof Float32Array) return 'f32';
  if (data instanceof Float64Array) return 'f64';
  return data instanceof Int32Array ? 'i32' : 'u8';
}

class Mpi implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly #handles: Handles;
  readonly #call: Readonly<Record<string, Call>>;

  constructor(library: Library) {
    this.#handles = handlesOf(library);
    const h = this.#handles.handle;
    const f = (signature: string) => library.func(signature.replaceAll('H', h));
    this.#call = {
      init: f('int MPI_Init(void *, void *)'),
      initialized: f('int MPI_Initialized(void *)'),
      finalize: f('int MPI_Finalize()'),
      rank: f('int MPI_Comm_rank(H, void *)'),
      size: f('int MPI_Comm_size(H, void *)'),
      send: f('int MPI_Send(void *, int, H, int, int, H)'),
      receive: f('int MPI_Recv(void *, int, H, int, int, H, void *)'),
      broadcast: f('int MPI_Bcast(void *, int, H, int, H)'),
      gather: f('int MPI_Allgatherv(void *, int, H, void *, void *, void *, H, H)'),
      allToAll: f('int MPI_Alltoallv(void *, void *, void *, H, void *, void *, void *, H, H)'),
      reduce: f('int MPI_Reduce(void *, void *, int, H, H, int, H)'),
      barrier: f('int MPI_Barrier(H)'),
    };
    const number = new Int32Array(1);
    this.#run('initialized', number);
    if (number[0] === 0) this.#run('init', null, null);
    this.#run('rank', this.#handles.world, number);
    this.rank = number[0] as number;
    this.#run('size', this.#handles.world, number);
    this.size = number[0] as number;
  }

  #run(name: string, ...args: unknown[]): void {
    const code = (this.#call[name] as Call)(...args);
    if (code !== 0) throw new Error(`MPI: ${name} failed with code ${code}`);
  }

  #type(data: Numbers): Pointer {
    return this.#handles.types[typeOf(data)] as Pointer;
  }

  send(data: Numbers, to: number): void {
    this.#run('send', data, data.length, this.#type(data), to, 0, this.#handles.world);
  }

  receive(data: Numbers, from: number): void {
    this.#run('receive', data, data.length, this.#type(data), from, 0, this.#handles.world, this.#handles.ignoreStatus);
  }

  broadcast(data: Numbers, root = 0): void {
    this.#run('broadcast', data, data.length, this.#type(data), root, this.#handles.world);
  }

  allReduce(data: Numbers, reduction: Reduction = 'sum'): void {
    // Reduce to rank 0, then broadcast: the same bits on all ranks, whatever algorithm the library
    // selects for the message size.
    const { world, inPlace, reductions } = this.#handles;
    const root = this.rank === 0;
    this.#run(
      'reduce',
      root ? inPlace : data,
      root ? data : null,
      data.length,
      this.#type(data),
      reductions[reduction],
      0,
      world,
    );
    this.broadcast(data, 0);
  }

  allGather<T extends Numbers>(data: T): T[] {
    const lengths = new Int32Array(this.size);
    const ones = new Int32Array(this.size).fill(1);
    const positions = Int32Array.from(ones, (_, r) => r);
    const ownLength = Int32Array.of(data.length);
    const { world } = this.#handles;
    this.#run('gather', ownLength, 1, this.#type(ownLength), lengths, ones, positions, this.#type(ownLength), world);
    const { offsets, total } = prefixSums(lengths);
    const all = makeLike(data, total);
    this.#run('gather', data, data.length, this.#type(data), all, lengths, offsets, this.#type(data), world);
    return Array.from(lengths, (length, r) => all.subarray(offsets[r], (offsets[r] as number) + length) as T);
  }

  allToAll<T extends Numbers>(data: T, counts: readonly number[]): { data: T; counts: number[] } {
    requireCounts(data, counts, this.size);
    const { world } = this.#handles;
    const sendCounts = Int32Array.from(counts);
    const receiveCounts = new Int32Array(this.size);
    const ones = new Int32Array(this.size).fill(1);
    const positions = Int32Array.from(ones, (_, r) => r);
    const int = this.#type(sendCounts);
    this.#run('allToAll', sendCounts, ones, positions, int, receiveCounts, ones, positions, int, world);
    const [sent, received] = [prefixSums(sendCounts), prefixSums(receiveCounts)];
    const result = makeLike(data, received.total);
    const type = this.#type(data);
    this.#run('allToAll', data, sendCounts, sent.offsets, type, result, receiveCounts, received.offsets, type, world);
    return { data: result, counts: Array.from(receiveCounts) };
  }

  barrier(): void {
    this.#run('barrier', this.#handles.world);
  }

  close(): void {
    this.#run('finalize');
  }
}

/** Exclusive prefix sums of lengths, and their total. */
function prefixSums(lengths: Int32Array): { offsets: Int32Array; total: number } {
  let total = 0;
  const offsets = lengths.map((length) => {
    total += length;
    return total - length;
  });
  return { offsets, total };
}
