"""The networks of cells.mjs in PyTorch: SSWL⁺ in three forms of the sums over neighbours (messages that
are added by index, products with padded dense adjacencies, and sparse products), and PPGN++ on padded
batches with a mask, channels first, as in the released code. Batches are made beforehand and not timed.

  python3 bench/cells-torch.py graphs.json [--threads 1,2] [--epochs 8]
"""

import argparse
import json
import time

import torch
import torch.nn.functional as F
from torch import nn


def distances(n, edges):
    d = [[0 if u == v else 5 for v in range(n)] for u in range(n)]
    for u, v in edges:
        d[u][v] = d[v][u] = 1
    for w in range(n):
        for u in range(n):
            for v in range(n):
                d[u][v] = min(d[u][v], d[u][w] + d[w][v])
    return d


class Batch:
    """Cells (u, v) of graphs, row after row, and what each form of a layer reads."""

    def __init__(self, graphs, targets, form):
        self.form, self.targets = form, torch.tensor(targets)[:, None]
        distance, diagonal, row, graph_of_row, padded = [], [], [], [], []
        ends = {"uL": ([], []), "vL": ([], [])}
        most = max(g["nodes"] for g in graphs)
        adjacency = torch.zeros(len(graphs), most, most)
        start = rows = 0
        for index, g in enumerate(graphs):
            n, d = g["nodes"], distances(g["nodes"], g["edges"])
            for u in range(n):
                graph_of_row.append(index)
                for v in range(n):
                    distance.append(d[u][v])
                    diagonal.append(start + v * n + v)
                    row.append(rows + u)
                    padded.append((index * most + u) * most + v)
            for a, b in g["edges"]:
                for v, w in ((a, b), (b, a)):
                    adjacency[index, v, w] = 1
                    for x in range(n):
                        ends["uL"][0].append(start + x * n + v), ends["uL"][1].append(start + x * n + w)
                        ends["vL"][0].append(start + v * n + x), ends["vL"][1].append(start + w * n + x)
            start, rows = start + n * n, rows + n
        as_tensor = lambda x: torch.tensor(x, dtype=torch.int64)
        self.distance, self.diagonal, self.row = as_tensor(distance), as_tensor(diagonal), as_tensor(row)
        self.graph_of_row, self.padded, self.rows = as_tensor(graph_of_row), as_tensor(padded), rows
        self.ends = {name: tuple(as_tensor(x) for x in own) for name, own in ends.items()}
        self.adjacency, self.most = adjacency, most
        self.sizes = torch.bincount(self.graph_of_row)[:, None].float()
        if form == "sparse":
            count = len(distance)
            self.sparse = {
                name: torch.sparse_coo_tensor(torch.stack(own), torch.ones(len(own[0])), (count, count)).coalesce()
                for name, own in self.ends.items()
            }

    def local(self, h, name):
        x = F.relu(h)
        if self.form == "index":
            to, source = self.ends[name]
            return torch.zeros_like(h).index_add_(0, to, x[source])
        if self.form == "sparse":
            return torch.sparse.mm(self.sparse[name], x)
        count, d = len(self.adjacency), h.shape[1]
        dense = h.new_zeros(count * self.most**2, d).index_copy(0, self.padded, x)
        dense = dense.view(count, self.most, self.most, d)
        if name == "uL":
            y = torch.matmul(self.adjacency[:, None], dense)
        else:
            y = torch.matmul(self.adjacency, dense.reshape(count, self.most, -1)).view_as(dense)
        return y.reshape(-1, d)[self.padded]


class MLP(nn.Sequential):
    def __init__(self, d):
        super().__init__(nn.Linear(d, d), nn.BatchNorm1d(d), nn.ReLU(), nn.Linear(d, d))


class Layer(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.epsilon = nn.Parameter(torch.zeros(3))
        self.mlps = nn.ModuleList(MLP(d) for _ in range(3))
        self.norm = nn.BatchNorm1d(d)

    def forward(self, h, batch):
        messages = batch.local(h, "uL"), batch.local(h, "vL"), h[batch.diagonal]
        parts = [mlp((1 + self.epsilon[a]) * h + messages[a]) for a, mlp in enumerate(self.mlps)]
        return F.relu(self.norm(parts[0] + parts[1] + parts[2]))


class SSWLPlus(nn.Module):
    def __init__(self, d=32, layers=4):
        super().__init__()
        self.distances = nn.Embedding(6, d)
        self.layers = nn.ModuleList(Layer(d) for _ in range(layers))
        self.readout, self.norm = MLP(d), nn.BatchNorm1d(d)
        self.head = nn.Sequential(nn.Linear(d, 2 * d), nn.ReLU(), nn.Linear(2 * d, 1))

    def forward(self, batch):
        h = self.distances(batch.distance)
        for layer in self.layers:
            h = layer(h, batch)
        pooled = h.new_zeros(batch.rows, h.shape[1]).index_add_(0, batch.row, h)
        g = F.relu(self.norm(self.readout(pooled)))
        mean = h.new_zeros(len(batch.sizes), h.shape[1]).index_add_(0, batch.graph_of_row, g) / batch.sizes
        return self.head(mean)


class PairMLP(nn.Sequential):
    def __init__(self, channels, hidden):
        super().__init__(nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, hidden, 1), nn.ReLU())


class Block(nn.Module):
    def __init__(self, channels, hidden):
        super().__init__()
        self.left, self.right = PairMLP(2 * channels + 2, hidden), PairMLP(channels + 1, hidden)
        self.skip = nn.Conv2d(channels + 1 + hidden, hidden, 1)

    def forward(self, t, batch):
        t = torch.cat([t, batch.identity], 1)
        left = self.left(torch.cat([t, t.transpose(2, 3)], 1)) * batch.mask
        product = torch.matmul(left, self.right(t) * batch.mask)
        return self.skip(torch.cat([t, product], 1)) * batch.mask


class PPGN(nn.Module):
    def __init__(self, hidden=24, depth=3):
        super().__init__()
        self.blocks = nn.ModuleList(Block(1 if l == 0 else hidden, hidden) for l in range(depth))
        self.head = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, batch):
        t = batch.adjacency[:, None]
        for block in self.blocks:
            t = block(t, batch)
        n = batch.nodes[:, None]
        diagonal = torch.diagonal(t, dim1=2, dim2=3).sum(2)
        others = (t.sum((2, 3)) - diagonal) / (n * (n - 1))
        return self.head(torch.cat([diagonal / n, others], 1))


class Padded:
    """Adjacencies of graphs padded to the largest, with the mask of cells that are there."""

    def __init__(self, graphs, targets):
        self.nodes = torch.tensor([float(g["nodes"]) for g in graphs])
        most = int(self.nodes.max())
        self.targets = torch.tensor(targets)[:, None]
        self.adjacency, self.mask = torch.zeros(len(graphs), most, most), torch.zeros(len(graphs), 1, most, most)
        for index, g in enumerate(graphs):
            self.mask[index, :, : g["nodes"], : g["nodes"]] = 1
            for u, v in g["edges"]:
                self.adjacency[index, u, v] = self.adjacency[index, v, u] = 1
        self.identity = torch.eye(most)[None, None] * self.mask


parser = argparse.ArgumentParser()
parser.add_argument("graphs")
parser.add_argument("--threads", default="1,2")
parser.add_argument("--epochs", type=int, default=8)
flags = parser.parse_args()
with open(flags.graphs) as file:
    data = json.load(file)
print("torch", torch.__version__)
parts = [(data["graphs"][i : i + 40], data["targets"][i : i + 40]) for i in range(0, 240, 40)]
networks = [(f"SSWL⁺, {form}", SSWLPlus, [Batch(*part, form) for part in parts]) for form in ("index", "padded", "sparse")]
networks.append(("PPGN++, padded", PPGN, [Padded(*part) for part in parts]))
for title, network, batches in networks:
    for threads in map(int, flags.threads.split(",")):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        model = network()
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        best = float("inf")
        for _ in range(flags.epochs):
            start = time.perf_counter()
            for batch in batches:
                optimizer.zero_grad()
                (model(batch) - batch.targets).abs().mean().backward()
                optimizer.step()
            best = min(best, time.perf_counter() - start)
        print(f"{title:15} {threads} thr. {1000 * best:8.1f} ms an epoch", flush=True)
