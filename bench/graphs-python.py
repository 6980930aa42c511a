"""The graph tasks in PyTorch (sparse) and SciPy: a GCN epoch, and FastRP's arithmetic.

  GOSSAMER_DATA=… python3 bench/graphs-python.py
"""

import os
import time

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F

root = os.path.join(os.environ["GOSSAMER_DATA"], "directed-attributed")


def load(name):
    data = np.load(os.path.join(root, name + ".npz"))
    labels = data["labels"].astype(np.int64)
    n = len(labels)
    u, v = data["edges"].T
    a = sp.coo_matrix((np.ones(2 * len(u)), (np.r_[u, v], np.r_[v, u])), (n, n)).tocsr()
    a.setdiag(0)
    a.eliminate_zeros()
    a.data[:] = 1
    if "x_packed" in data:
        x = sp.csr_matrix(np.unpackbits(data["x_packed"], axis=1, bitorder="little")[:, : data["x_shape"][1]].astype(np.float32))
    else:
        values = data["x_data"].astype(np.float32) if "x_data" in data else np.ones(len(data["x_indices"]), np.float32)
        x = sp.csr_matrix((values, data["x_indices"], data["x_indptr"]), data["x_shape"])
    x = sp.diags(1 / np.maximum(x.sum(1).A1, 1)) @ x
    return a, x.tocsr().astype(np.float32), labels


def tensor(m):
    m = m.tocsr()
    m.sort_indices()
    return torch.sparse_csr_tensor(torch.from_numpy(m.indptr.astype(np.int64)), torch.from_numpy(m.indices.astype(np.int64)), torch.from_numpy(m.data.astype(np.float32)), m.shape)


class Product(torch.autograd.Function):
    """A constant sparse matrix times a dense one; PyTorch 1.13 has no gradient of its own for CSR."""

    @staticmethod
    def forward(ctx, a, at, x):
        ctx.at = at
        return a @ x

    @staticmethod
    def backward(ctx, g):
        return None, None, ctx.at @ g


def gcn(name, threads):
    torch.set_num_threads(threads)
    a, x, labels = load(name)
    loops = a + sp.eye(a.shape[0])
    d = sp.diags(loops.sum(1).A1 ** -0.5)
    op = tensor(d @ loops @ d)
    xs, xt = tensor(x), tensor(x.T)
    classes = labels.max() + 1
    w1 = torch.nn.Parameter(torch.randn(x.shape[1], 64) * 0.05)
    w2 = torch.nn.Parameter(torch.randn(64, classes) * 0.1)
    optimizer = torch.optim.Adam([w1, w2], 0.01)
    rows, truth = torch.arange(20 * classes), torch.from_numpy(labels[: 20 * classes])
    times = []
    for i in range(23):
        start = time.perf_counter()
        optimizer.zero_grad()
        h = F.relu(Product.apply(op, op, Product.apply(xs, xt, w1)))
        out = Product.apply(op, op, F.dropout(h, 0.5) @ w2)
        F.cross_entropy(out[rows], truth).backward()
        optimizer.step()
        if i >= 3:
            times.append(time.perf_counter() - start)
    print(f"GCN epoch, hidden 64, {name}  torch.sparse  {threads} threads  min {min(times) * 1000:.2f} ms")


def fastrp():
    a, _, _ = load("coauthor_cs")
    n, dim = a.shape[0], 128
    times = []
    for _ in range(6):
        start = time.perf_counter()
        degree = a.sum(1).A1
        p = sp.diags(1 / np.maximum(degree, 1)).astype(np.float32) @ a.astype(np.float32)
        r = sp.random(n, dim, 1 / np.sqrt(n), "csr", np.float32)
        r.data = np.sign(r.data - 0.5).astype(np.float32)
        current = (p @ (sp.diags(np.maximum(degree, 1) ** -0.64).astype(np.float32) @ r)).toarray()
        total = np.zeros((n, dim), np.float32)
        for weight in (0, 0, 1, 6.67):
            if weight:
                total += weight * current / np.maximum(np.linalg.norm(current, axis=1, keepdims=True), 1e-12)
            current = p @ current
        total = (total - total.mean(0)) / total.std(0)
        times.append(time.perf_counter() - start)
    print(f"FastRP, 128 columns, four orders, coauthor-cs  scipy  1 thread  min {min(times) * 1000:.2f} ms")


for threads in (1, 2):
    for name in ("coauthor_cs", "amazon_computers"):
        gcn(name, threads)
fastrp()
