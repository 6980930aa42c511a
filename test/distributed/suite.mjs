// The same programs on any communicator; each returns plain data to be compared.

import { Random, scope, tensor } from 'gossamer';
import { shareOf } from 'gossamer/distributed';
import { distributedPageRank, RankMatrices, startGraphVite } from 'gossamer/embedding';
import { crossEntropy, fit, inference, MLP, minibatches, SGD, stateOf } from 'gossamer/nn';
import { Graph } from 'gossamer/structure';

/**
 * Every call of the interface once, on lengths that are not round and on messages larger than a
 * mailbox.
 */
export function exercise(communicator) {
  const { rank, size } = communicator;
  const results = { rank, size };
  const ring = new Int32Array(3);
  if (size > 1) {
    if (rank === 0) {
      communicator.send(Int32Array.of(7, 8, 9), 1);
      communicator.receive(ring, size - 1);
    } else {
      communicator.receive(ring, rank - 1);
      communicator.send(
        ring.map((v) => v + rank),
        (rank + 1) % size,
      );
    }
  }
  results.ring = Array.from(ring);
  const shared = rank === 1 % size ? Float32Array.of(1.5, -2, 3) : new Float32Array(3);
  communicator.broadcast(shared, 1 % size);
  results.broadcast = Array.from(shared);
  const large = Float64Array.from({ length: 100_003 }, (_, i) => Math.sin(i + rank));
  communicator.allReduce(large);
  results.sum = [large[0], large[50_000], large[100_002]];
  const extremes = Int32Array.of(rank, -rank);
  communicator.allReduce(extremes, 'max');
  results.max = Array.from(extremes);
  const smallest = Float32Array.of(rank + 0.5);
  communicator.allReduce(smallest, 'min');
  results.min = smallest[0];
  results.gathered = communicator
    .allGather(Int32Array.from({ length: rank + 1 }, () => rank))
    .map((part) => Array.from(part));
  const counts = Array.from({ length: size }, (_, r) => (rank + 1) * (r + 1));
  const data = Int32Array.from(counts.flatMap((count, r) => new Array(count).fill(100 * rank + r)));
  const swapped = communicator.allToAll(data, counts);
  results.swapped = { data: Array.from(swapped.data), counts: swapped.counts };
  communicator.barrier();
  // Memory of tensors, in place.
  results.tensor = scope(() => {
    const t = tensor(Float32Array.of(rank + 1, 2 * (rank + 1)));
    communicator.allReduce(t.view());
    return Array.from(t.view());
  });
  return results;
}

/** Trains on shares of each batch: the weights must be those of one process on whole batches. */
export async function train(communicator) {
  const random = new Random(3);
  const n = 96;
  const x = tensor(
    Float32Array.from({ length: n * 5 }, (_, i) => Math.sin(i * 1.7)),
    [n, 5],
  );
  const labels = Int32Array.from({ length: n }, (_, i) => i % 3);
  const model = new MLP([5, 8, 3], new Random(communicator.rank === 0 ? 1 : 99));
  await fit({
    model,
    loss: (live, rows) =>
      crossEntropy(live.forward(x.gatherRows(tensor(rows)), inference), tensor(rows.map((r) => labels[r]))),
    batches: function* (order) {
      for (const rows of minibatches(n, 20, order)) {
        const [begin, end] = shareOf(rows.length, communicator);
        yield rows.slice(begin, end);
      }
    },
    weightOf: (rows) => rows.length,
    communicator,
    optimizer: new SGD({ learningRate: 0.1, momentum: 0.9 }),
    epochs: 3,
    random,
  });
  return Object.values(stateOf(model)).flatMap((weight) => Array.from(weight.view()));
}

/** A weighted graph with a hub, dangling nodes and self-loops. */
export function hubGraph() {
  const random = new Random(5);
  const n = 120;
  const edges = Array.from({ length: 700 }, () => [random.integer(n - 10), random.integer(n), 1 + random.integer(4)]);
  for (let v = 1; v < n; v++) edges.push([0, v, 1 + (v % 3)]);
  const column = (i) => edges.map((edge) => edge[i]);
  return Graph.fromEdges(n, column(0), column(1), { directed: true, weights: column(2), duplicates: 'sum' });
}

/** Rows of this rank's sources, plain walks and walks with units and big moves. */
export function pageRank(communicator) {
  // The first rank alone reads the graph.
  const graph = communicator.rank === 0 ? hubGraph() : undefined;
  const plain = (options) => {
    const { rows, ...rest } = distributedPageRank(graph, communicator, { walks: 50, ...options });
    const { sources, indptr, targets, counts } = rows;
    return { ...rest, sources: [...sources], indptr: [...indptr], targets: [...targets], counts: [...counts] };
  };
  return {
    plain: plain({ gamma: 7 }),
    cut: plain({ gamma: 50, largestUnit: 8, bigMoves: { moves: 4, pool: 40, degree: 8 } }),
  };
}

export function fail(communicator) {
  if (communicator.rank === 1) throw new Error('this rank gives up');
  communicator.barrier();
}

/** Rows of V and of C in the order of places, on rank 0, after a stop and a resumption. */
export async function graphVite(communicator) {
  const random = new Random(4);
  const ends = () => Int32Array.from({ length: 600 }, () => random.integer(90));
  const graph = Graph.fromEdges(90, ends(), ends());
  const options = { dim: 8, epochs: 40, batch: 50, parts: 6, step: 2, walkLength: 6, episode: 3 };
  const first = startGraphVite(graph, options, { ranks: communicator });
  const controller = new AbortController();
  let groups = 0;
  const onProgress = () => {
    // One rank is enough to stop all.
    if (communicator.rank === communicator.size - 1 && ++groups === 8) controller.abort();
  };
  const stopped = await first.train({ onProgress, signal: controller.signal });
  const { state } = first;
  first.dispose();
  const trainer = startGraphVite(graph, options, { ranks: communicator, state });
  const ended = await trainer.train();
  const { matrices } = trainer;
  const rows = (side) =>
    Array.from(matrices instanceof RankMatrices ? (matrices.gather(side) ?? []) : matrices[side].view());
  const result = {
    stopped,
    ended,
    vertices: rows('vertices'),
    contexts: rows('contexts'),
    moved: trainer.counts.movedBytes,
  };
  trainer.dispose();
  return result;
}
