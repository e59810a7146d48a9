"""Loads a Hugging Face folder and prints the tokens that transformers adds greedily, and the loss.

    python3 greedy_in_transformers.py FOLDER COUNT TOKEN...
"""
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, count, prompt = sys.argv[1], int(sys.argv[2]), [int(token) for token in sys.argv[3:]]
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained(folder)
text = tokenizer.decode(prompt)
assert tokenizer(text).input_ids == prompt, "the tokenizer does not give the bytes back"
with torch.no_grad():
    tokens = list(prompt)
    for _ in range(count):
        tokens.append(int(model(torch.tensor([tokens])).logits[0, -1].argmax()))
print(*tokens[len(prompt):])
