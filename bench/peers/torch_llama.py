#!/usr/bin/env python3
"""Trains a small Llama in PyTorch, eager or compiled, on one machine; one JSON object on standard output.

usage: torch_llama.py --config tiny|small|124m|1b [--dtype bf16|fp32] [--compile] [--threads N] [--batch N] [--steps N]
                      [--device cpu|cuda]

What a careful user would write: fused RMSNorm, scaled_dot_product_attention, autocast for bf16 (fp32 weights), fused
AdamW, clipping to norm 1. Random tokens. Reported are the best step's tokens per second and per CPU-second.
"""
import argparse
import json
import resource
import time

import torch
from torch import nn
from torch.nn import functional as F

#          width, layers, heads, key/value heads, feed-forward, vocabulary, context
SHAPES = {"tiny": (256, 4, 4, 2, 704, 256, 256),
          "small": (512, 8, 8, 4, 1408, 4096, 512),
          "124m": (768, 12, 12, 12, 2048, 50304, 1024),
          "1b": (2048, 16, 32, 8, 8192, 32768, 2048)}


def linear(inputs, outputs):
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(layer.weight, std=0.02)
    return layer


class Layer(nn.Module):
    def __init__(self, width, heads, kv_heads, hidden):
        super().__init__()
        self.heads, self.kv_heads, self.head = heads, kv_heads, width // heads
        self.norm1, self.norm2 = nn.RMSNorm(width, eps=1e-5), nn.RMSNorm(width, eps=1e-5)
        self.q, self.k, self.v = (linear(width, n * self.head) for n in (heads, kv_heads, kv_heads))
        self.o = linear(width, width)
        self.gate, self.up, self.down = linear(width, hidden), linear(width, hidden), linear(hidden, width)

    def attend(self, x, cos, sin):
        batch, length, _ = x.shape

        def split(y, heads):
            return y.view(batch, length, heads, self.head).transpose(1, 2)

        def rotate(y):
            left, right = y.chunk(2, -1)
            return y * cos + torch.cat((-right, left), -1) * sin

        q, k, v = rotate(split(self.q(x), self.heads)), rotate(split(self.k(x), self.kv_heads)), split(self.v(x), self.kv_heads)
        if self.kv_heads != self.heads:
            k, v = (y.repeat_interleave(self.heads // self.kv_heads, 1) for y in (k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o(y.transpose(1, 2).reshape(batch, length, -1))

    def forward(self, x, cos, sin):
        x = x + self.attend(self.norm1(x), cos, sin)
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Model(nn.Module):
    def __init__(self, shape):
        super().__init__()
        width, layers, heads, kv_heads, hidden, vocab, context = shape
        self.embedding = nn.Embedding(vocab, width)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.layers = nn.ModuleList(Layer(width, heads, kv_heads, hidden) for _ in range(layers))
        self.norm, self.head = nn.RMSNorm(width, eps=1e-5), linear(width, vocab)
        pairs = torch.arange(0, width // heads, 2).float() / (width // heads)
        angles = torch.outer(torch.arange(context).float(), 10000.0 ** -pairs).repeat(1, 2)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, ids, targets):
        x = self.embedding(ids)
        cos, sin = self.cos[:ids.shape[1]].to(x.dtype), self.sin[:ids.shape[1]].to(x.dtype)
        for layer in self.layers:
            x = layer(x, cos, sin)
        return F.cross_entropy(self.head(self.norm(x)).float().flatten(0, 1), targets.flatten())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", choices=SHAPES, required=True)
    parser.add_argument("--dtype", choices=["bf16", "fp32"], default="bf16")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    shape = SHAPES[options.config]
    vocab, context = shape[5:]
    model = Model(shape).to(options.device)
    decayed, other = ([p for p in model.parameters() if (p.dim() > 1) == matrix] for matrix in (True, False))
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": other, "weight_decay": 0.0}],
                                  lr=1e-3, betas=(0.9, 0.95), fused=True)
    forward = torch.compile(model) if options.compile else model
    device = torch.device(options.device)

    def wait():
        if device.type == "cuda":
            torch.cuda.synchronize()

    def step():
        tokens = torch.randint(vocab, (options.batch, context + 1)).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=options.dtype == "bf16"):
            loss = forward(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        wait()

    walls, cpus = [], []
    uncounted = 1 if options.steps == 1 else 2
    for number in range(options.steps + uncounted):
        wall, cpu = time.perf_counter(), time.process_time()
        step()
        if number >= uncounted:
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
    tokens = options.batch * context
    peak = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else \
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"tokens_per_s": tokens / min(walls), "tokens_per_cpu_s": tokens / min(cpus), "peak_mib": peak,
                      "torch": torch.__version__}))


if __name__ == "__main__":
    main()
