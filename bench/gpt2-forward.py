"""The loss of a GPT-2 file (safetensors, float32) on random tokens, by PyTorch alone.

python3 bench/gpt2-forward.py FILE HEADS [TOKENS]
"""

import json
import math
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

path, heads, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 32
torch.set_num_threads(1)
started = time.time()
with open(path, "rb") as file:
    length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(length))
header.pop("__metadata__", None)
data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length)
weights, numbers = {}, 0
for name, entry in header.items():
    assert entry["dtype"] == "F32", (name, entry["dtype"])
    begin, end = entry["data_offsets"]
    array = np.frombuffer(data[begin:end], dtype=np.float32).reshape(entry["shape"])
    weights[name.removeprefix("transformer.")] = torch.from_numpy(array.copy())
    numbers += array.size
finite = all(torch.isfinite(w).all().item() for w in weights.values())
loaded = time.time() - started


def norm(x, name):
    return F.layer_norm(x, x.shape[-1:], weights[name + ".weight"], weights[name + ".bias"])


def linear(x, name):
    return x @ weights[name + ".weight"] + weights[name + ".bias"]


torch.manual_seed(0)
vocabulary, width = weights["wte.weight"].shape
tokens = torch.randint(vocabulary, (count + 1,))
layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("h."))
started = time.time()
with torch.no_grad():
    x = weights["wte.weight"][tokens[:-1]] + weights["wpe.weight"][:count]
    mask = torch.full((count, count), -math.inf).triu(1)
    for i in range(layers):
        q, k, v = linear(norm(x, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn").split(width, -1)
        split = lambda y: y.view(count, heads, -1).transpose(0, 1)
        q, k, v = split(q), split(k), split(v)
        a = (q @ k.transpose(1, 2) / math.sqrt(width / heads) + mask).softmax(-1) @ v
        x = x + linear(a.transpose(0, 1).reshape(count, width), f"h.{i}.attn.c_proj")
        y = F.gelu(linear(norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc"), approximate="tanh")
        x = x + linear(y, f"h.{i}.mlp.c_proj")
    logits = norm(x, "ln_f") @ weights.get("lm_head.weight", weights["wte.weight"]).T
    loss = F.cross_entropy(logits, tokens[1:]).item()
print(
    f"{len(weights)} tensors, {numbers} numbers, {layers} layers, all finite: {finite}; "
    f"read in {loaded:.1f} s; loss on {count} random tokens {loss:.3f} (equal odds {math.log(vocabulary):.3f}) "
    f"in {time.time() - started:.1f} s; {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"
)
