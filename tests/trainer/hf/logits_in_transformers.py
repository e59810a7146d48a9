"""Loads a Hugging Face folder and prints the largest difference of its logits from expected ones.

    python3 logits_in_transformers.py FOLDER EXPECTED.safetensors
"""
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
expected = load_file(sys.argv[2])
with torch.no_grad():
    logits = model(expected["input_ids"]).logits
print(float((logits - expected["logits"]).abs().max()))
