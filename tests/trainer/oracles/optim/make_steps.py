#!/usr/bin/env python3
"""Makes steps.json: five steps of torch.optim.AdamW and torch.optim.Muon on four small tensors, in fp32.

Muon's Newton-Schulz iteration runs in fp32 instead of bf16; its learning rate is adjusted by match_rms_adamw.
"""
import json, os, torch
from torch.optim import _muon

torch.manual_seed(7)
shapes = {"model.embed_tokens.weight": (6, 4), "model.layers.0.input_layernorm.weight": (4,),
          "model.layers.0.mlp.gate_proj.weight": (8, 4), "model.layers.0.mlp.down_proj.weight": (4, 8)}
start = {n: torch.randn(s) for n, s in shapes.items()}
gradients = [{n: torch.randn(s) * 0.3 for n, s in shapes.items()} for _ in range(5)]
lr, decay, betas, eps = 0.02, 0.1, (0.9, 0.95), 1e-8


def run(split):
    p = {n: torch.nn.Parameter(t.clone()) for n, t in start.items()}
    optimizers = split(p)
    for g in gradients:
        for n in p:
            p[n].grad = g[n].clone()
        for o in optimizers:
            o.step()
    return {n: t.detach().flatten().tolist() for n, t in p.items()}


def adamw(params, wd):
    return torch.optim.AdamW(params, lr=lr, betas=betas, eps=eps, weight_decay=wd)


def on_matrices(p):
    return [adamw([t for t in p.values() if t.ndim > 1], decay), adamw([t for t in p.values() if t.ndim == 1], 0.0)]


def muon(p):
    hidden = [t for n, t in p.items() if t.ndim == 2 and "layers" in n]
    return [torch.optim.Muon(hidden, lr=lr, weight_decay=decay, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
            adamw([p["model.embed_tokens.weight"], p["model.layers.0.input_layernorm.weight"]], decay)]


torch.Tensor.bfloat16 = lambda self: self.float().clone()
out = {"torch": torch.__version__, "learning_rate": lr, "weight_decay": decay, "betas": betas, "epsilon": eps,
       "tensors": [{"name": n, "shape": list(s)} for n, s in shapes.items()],
       "start": {n: t.flatten().tolist() for n, t in start.items()},
       "gradients": [{n: t.flatten().tolist() for n, t in g.items()} for g in gradients],
       "adamw_all": run(lambda p: [adamw(list(p.values()), decay)]),
       "adamw_matrices": run(on_matrices), "muon": run(muon)}
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "steps.json"), "w") as f:
    json.dump(out, f)
    f.write("\n")
