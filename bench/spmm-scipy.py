"""SciPy's CSR product on the matrices of the SpMM tasks, in the benchmark's record format.

  python3 bench/spmm-scipy.py [--json out.json]
"""

import argparse
import json
import time

import numpy as np
import scipy.sparse


def measure(nodes, nnz, columns, rounds=30):
    generator = np.random.default_rng(1)
    per_row = round(nnz / nodes)
    indptr = np.arange(nodes + 1, dtype=np.int32) * per_row
    indices = generator.integers(0, nodes, nodes * per_row, dtype=np.int32)
    matrix = scipy.sparse.csr_matrix((generator.random(nodes * per_row, dtype=np.float32), indices, indptr), (nodes, nodes))
    x = generator.random((nodes, columns), dtype=np.float32)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        matrix @ x
        times.append((time.perf_counter() - start) * 1000)
    times = sorted(times)
    gflops = 2 * nnz * columns / times[0] / 1e6
    task = f"SpMM {nodes // 1000}k nodes, {nnz // 10**6}M non-zeros, {columns} columns"
    return {"task": task, "engine": "scipy", "detail": scipy.__version__, "threads": 1, "minimumMs": times[0], "medianMs": times[rounds // 2], "gflops": gflops}


parser = argparse.ArgumentParser()
parser.add_argument("--json")
flags = parser.parse_args()
records = [measure(100_000, 2_000_000, columns) for columns in (64, 8)]
for record in records:
    print(f"{record['task']}: scipy {record['detail']}, 1 thread, min {record['minimumMs']:.2f} ms, median {record['medianMs']:.2f} ms, {record['gflops']:.1f} GFLOP/s")
if flags.json:
    with open(flags.json, "w") as file:
        json.dump(records, file, indent=2)
