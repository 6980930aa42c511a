"""PyTorch's training steps of the ResNet-20 and decoder tasks, in the benchmark's record format.

  python3 bench/steps-torch.py [--json out.json]
"""

import argparse
import json
import time

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, inner, outer, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(outer), nn.BatchNorm2d(outer)
        self.extra = outer - inner

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        if self.extra:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.extra // 2, self.extra // 2))
        return F.relu(y + x)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        layers, width = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
        for outer in (16, 32, 64):
            for i in range(3):
                layers.append(Block(width, outer, 2 if outer > 16 and i == 0 else 1))
                width = outer
        self.features, self.head = nn.Sequential(*layers), nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))


class Layer(nn.Module):
    """Pre-norm attention and SwiGLU. LayerNorm stands for RMSNorm and there is no rotary embedding, which PyTorch 1.13 lacks: slightly less work than ours."""

    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.gate, self.up, self.down = (nn.Linear(*s, bias=False) for s in ((width, hidden), (width, hidden), (hidden, width)))
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x, mask):
        batch, length, width = x.shape
        q, k, v = (t.view(batch, length, self.heads, -1).transpose(1, 2) for t in self.qkv(self.norm1(x)).chunk(3, -1))
        weights = (q @ k.transpose(-1, -2) / (width // self.heads) ** 0.5 + mask).softmax(-1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(batch, length, width))
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.norm = nn.Embedding(256, 128), nn.LayerNorm(128)
        self.layers = nn.ModuleList([Layer(128, 4, 344) for _ in range(4)])
        self.mask = torch.full((128, 128), float("-inf")).triu(1)

    def forward(self, tokens):
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x, self.mask)
        return self.norm(x) @ self.embedding.weight.T


def measure(task, model, loss, threads, gflop, rounds=20):
    torch.set_num_threads(threads)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    times = []
    for i in range(rounds + 3):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        if i >= 3:
            times.append((time.perf_counter() - start) * 1000)
    times.sort()
    return {"task": task, "engine": "pytorch", "detail": torch.__version__, "threads": threads, "minimumMs": times[0], "medianMs": times[rounds // 2], "gflops": gflop / times[0] * 1000}


parser = argparse.ArgumentParser()
parser.add_argument("--json")
flags = parser.parse_args()
images, labels = torch.randn(64, 3, 32, 32), torch.arange(64) % 10
tokens, targets = (torch.arange(2048) * 7 % 256).view(16, 128), torch.arange(2048) * 5 % 256
records = []
for threads in (1, 2):
    resnet, decoder = ResNet20(), Decoder()
    records.append(measure("ResNet-20 step, batch 64, 32×32", resnet, lambda: F.cross_entropy(resnet(images), labels), threads, 15.571))
    records.append(measure("decoder step, 4 layers of 128, batch 16 × 128 tokens", decoder, lambda: F.cross_entropy(decoder(tokens).view(-1, 256), targets), threads, 11.76))
for record in records:
    print(f"{record['task']}  {record['threads']} threads  min {record['minimumMs']:.1f} ms  median {record['medianMs']:.1f} ms")
if flags.json:
    with open(flags.json, "w") as file:
        json.dump(records, file)
