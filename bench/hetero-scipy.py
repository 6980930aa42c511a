"""RpHGNN's pre-computation in SciPy: the same products on the same graphs, K = 3.

  GOSSAMER_DATA=… OPENBLAS_NUM_THREADS=1 python3 bench/hetero-scipy.py [--json out.json]

`sparse` multiplies by the projections as sparse matrices, `dense` by dense ones (BLAS), each after
the products with the graph; `dense, ordered` projects on the side with the fewest rows, as Gossamer
does. Projections are drawn beforehand; Gossamer draws them within its time.
"""

import argparse
import json
import os
import time

import numpy as np
import scipy.sparse as sp

K, WIDTH, S = 3, 256, 3
SETS = {"acm": "paper", "dblp": "author", "imdb": "movie"}
root = os.path.join(os.environ["GOSSAMER_DATA"], "hetero")


def load(name, target):
    data = np.load(os.path.join(root, name + ".npz"))
    shape = data[f"x_{target}_shape"]
    indices, indptr = data[f"x_{target}_indices"], data[f"x_{target}_indptr"]
    values = data[f"x_{target}_data"].astype(np.float32) if f"x_{target}_data" in data else np.ones(len(indices), np.float32)
    x = sp.csr_matrix((values, indices, indptr), shape)
    norms = np.sqrt(x.multiply(x).sum(1).A1) if hasattr(x.multiply(x).sum(1), "A1") else np.sqrt(np.asarray(x.multiply(x).sum(1)).ravel())
    x = (sp.diags(1 / np.maximum(norms, 1e-12)) @ x).tocsr().astype(np.float32)
    pairs = {key: data[key] for key in data.files if data[key].ndim == 2 and data[key].shape[1] == 2 and not key.startswith("x_")}
    counts = {target: x.shape[0]}
    for key, edges in pairs.items():
        for side, kind in enumerate(key.split("_")):
            if kind != target:
                counts[kind] = max(counts.get(kind, 0), int(edges[:, side].max()) + 1)
    relations = []
    for key, edges in pairs.items():
        s, t = key.split("_")
        relations += [(s, t, mean(edges[:, 1], edges[:, 0], counts[t], counts[s])), (t, s, mean(edges[:, 0], edges[:, 1], counts[s], counts[t]))]
    generator = np.random.default_rng(1)
    features = {kind: x if kind == target else (generator.standard_normal((count, WIDTH)) / WIDTH**0.5).astype(np.float32) for kind, count in counts.items()}
    return features, relations


def mean(rows, columns, n, m):
    a = sp.coo_matrix((np.ones(len(rows), np.float32), (rows, columns)), (n, m)).tocsr()
    a.data[:] = 1
    degrees = np.asarray(a.sum(1)).ravel()
    return (sp.diags(1 / np.maximum(degrees, 1)) @ a).tocsr().astype(np.float32)


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def needed(relations, target):
    """Types that reach the target, by the iterations that are left."""
    steps = [{target}]
    for _ in range(K):
        steps.append(steps[-1] | {s for s, t, _ in relations if t in steps[-1]})
    return steps


def draw(generator, rows, columns):
    signs = generator.choice(np.float32([-1, 0, 1]), (rows, columns), p=[1 / (2 * S), 1 - 1 / S, 1 / (2 * S)]) * np.float32(S**0.5)
    return signs


def projections(features, relations, target):
    generator = np.random.default_rng(2)
    reach = needed(relations, target)
    drawn = {}
    for k in range(K - 1):
        for r, (s, t, _) in enumerate(relations):
            width = features[s].shape[1]
            for parity, kind in (("odd", t), ("even", s)):
                if kind in reach[K - 1 - k]:
                    drawn[k, r, parity] = draw(generator, width, features[kind].shape[1])
    return drawn


def run(features, relations, target, drawn, form):
    """The tensors of the target type."""
    reverse = {r: r ^ 1 for r in range(len(relations))}
    x = {kind: own.toarray() if sp.issparse(own) else own for kind, own in features.items()}
    first = dict(features)
    collected = []
    for k in range(K):
        sums = {}
        for r, (s, t, m) in enumerate(relations):
            back = relations[reverse[r]][2]
            wanted = [parity for parity in ("odd", "even") if (k, r, parity) in drawn]
            lands = target in (s, t)
            if not (lands or wanted):
                continue
            cached = {}

            def at(step):
                if step not in cached:
                    cached[step] = x[s] if step == 0 else (m @ at(0) if step == 1 else back @ at(1))
                return cached[step]

            if t == target:
                collected.append(at(1))
            if s == target:
                collected.append(at(2))
            for parity in wanted:
                step = 1 if parity == "odd" else 2
                projection = drawn[k, r, parity]
                kind = t if parity == "odd" else s
                if form == "sparse":
                    term = at(step) @ projection
                elif form == "dense":
                    term = at(step) @ projection
                else:
                    start = first[s] if k == 0 else x[s]
                    rows = [start.nnz / start.shape[1] if sp.issparse(start) else start.shape[0], m.shape[0], back.shape[0]][: step + 1]
                    best = int(np.argmin(rows))
                    term = (start if best == 0 else at(best)) @ projection
                    for own in (m, back)[best:step]:
                        term = own @ term
                sums[kind] = sums.get(kind, 0) + unit(np.asarray(term))
        x = {**x, **sums}
    return collected


parser = argparse.ArgumentParser()
parser.add_argument("--json")
parser.add_argument("--rounds", type=int, default=3)
flags = parser.parse_args()
records = []
for name, target in SETS.items():
    features, relations = load(name, target)
    drawn = projections(features, relations, target)
    sparse = {key: sp.csr_matrix(own) for key, own in drawn.items()}
    for form in ("sparse", "dense", "dense, ordered"):
        own = sparse if form == "sparse" else drawn
        times = []
        for _ in range(flags.rounds):
            start = time.perf_counter()
            run(features, relations, target, own, form)
            times.append(time.perf_counter() - start)
        records.append({"task": f"RpHGNN's pre-computation, K = {K}, {name}", "engine": f"scipy, {form}", "threads": int(os.environ.get("OPENBLAS_NUM_THREADS", 0)), "minimumMs": 1000 * min(times)})
        print(f"{name}: scipy, {form}: {min(times):.3f} s")
if flags.json:
    with open(flags.json, "w") as file:
        json.dump(records, file, indent=2)
