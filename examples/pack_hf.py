#!/usr/bin/env python3
"""Packs text with a Hugging Face tokenizer.json into the folder that `muster data pack` makes.

    pip install tokenizers
    python3 examples/pack_hf.py --tokenizer tokenizer.json --to data web.jsonl books/

Sources are text files, JSON lines (.jsonl, .ndjson) and folders of them; each file, or each line, is a document.
docs/data.md describes the format; `muster data check data` hashes the result.
"""
import argparse
import hashlib
import json
import math
import os
import shutil
import struct
import sys

from tokenizers import Tokenizer

PART_BYTES = 4 << 20  # of a Merkle leaf
SHARD_TOKENS_MAX = 2**31 - 1
BATCH_DOCUMENTS = 256


def tagged_hash(tag, *parts):
    sha = hashlib.sha256()
    for part in (tag.encode(), *parts):
        sha.update(struct.pack("<Q", len(part)))
        sha.update(part)
    return sha.digest()


def merkle_root(leaves):
    level = list(leaves)
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [tagged_hash("muster/merkle-node", *pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return tagged_hash("muster/merkle-root", struct.pack("<Q", len(leaves)), level[0] if level else b"")


def file_root(path):
    with open(path, "rb") as file:
        return merkle_root([tagged_hash("muster/merkle-leaf", part) for part in iter(lambda: file.read(PART_BYTES), b"")])


class Split:
    """The shards of one split, written as tokens come."""

    def __init__(self, folder, name, wide, shard_tokens):
        self.folder, self.name, self.wide, self.shard_tokens = folder, name, wide, shard_tokens
        self.shards, self.file, self.count = [], None, 0

    def header(self):
        magic, version = (20240801, 7) if self.wide else (20240520, 1)
        return struct.pack("<3I", magic, version, self.count) + bytes(1024 - 12)

    def append(self, tokens):
        while tokens:
            if self.file is None:
                self.file, self.count = open(self.temporary(), "wb"), 0
                self.file.write(self.header())
            now = tokens[: self.shard_tokens - self.count]
            tokens = tokens[len(now) :]
            self.file.write(struct.pack(f"<{len(now)}{'I' if self.wide else 'H'}", *now))
            self.count += len(now)
            if self.count == self.shard_tokens:
                self.close()

    def temporary(self):
        return os.path.join(self.folder, self.name + ".tmp")

    def close(self):
        if self.file is None:
            return
        self.file.seek(0)
        self.file.write(self.header())
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self.file = None
        name = f"{self.name}-{len(self.shards):05d}.bin"
        root = file_root(self.temporary())
        os.rename(self.temporary(), os.path.join(self.folder, name))
        self.shards.append((name, self.count, root))

    def manifest(self):
        return {
            "tokens": sum(count for _, count, _ in self.shards),
            "root": merkle_root([root for _, _, root in self.shards]).hex(),
            "shards": [{"file": file, "tokens": count, "root": root.hex()} for file, count, root in self.shards],
        }


def files(sources):
    for source in sources:
        if not os.path.isdir(source):
            yield source
            continue
        for name in sorted(os.listdir(source)):
            path = os.path.join(source, name)
            if not name.startswith(".") and not os.path.islink(path):
                yield from files([path])


def documents(sources, field):
    for path in files(sources):
        if not path.endswith((".jsonl", ".ndjson")):
            with open(path, encoding="utf-8", errors="replace", newline="") as file:
                yield file.read()
            continue
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    yield json.loads(line)[field]
                except (ValueError, KeyError, TypeError) as error:
                    sys.exit(f"{path}:{number}: no JSON object with a text {field!r}: {error}")


def batches(items, size):
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--to", required=True, help="folder to make")
    parser.add_argument("--tokenizer", required=True, help="a tokenizer.json")
    parser.add_argument("--end", help="token behind each document; default: the first of </s>, <|endoftext|>, "
                                      "<|end_of_text|>, <eos> that the vocabulary has")
    parser.add_argument("--context", type=int, default=1024)
    parser.add_argument("--shard-tokens", type=int, default=100_000_000)
    parser.add_argument("--held-out", type=float, default=0.01, help="share of the documents")
    parser.add_argument("--field", default="text")
    options = parser.parse_args()
    width = options.context + 1
    if not 1 <= width <= options.shard_tokens <= SHARD_TOKENS_MAX:
        sys.exit(f"--shard-tokens must be from context + 1 = {width} to {SHARD_TOKENS_MAX}")
    if not 0 <= options.held_out <= 0.5:
        sys.exit("--held-out must be from 0 to 0.5")

    tokenizer = Tokenizer.from_file(options.tokenizer)
    vocab = max(tokenizer.get_vocab(with_added_tokens=True).values()) + 1
    ends = [options.end] if options.end else ["</s>", "<|endoftext|>", "<|end_of_text|>", "<eos>"]
    end = next((tokenizer.token_to_id(token) for token in ends if tokenizer.token_to_id(token) is not None), None)
    if options.end and end is None:
        sys.exit(f"{options.tokenizer} has no token {options.end!r}")

    os.makedirs(options.to, exist_ok=True)
    if os.listdir(options.to):
        sys.exit(f"{options.to} is not empty; delete it or choose another folder")
    shard_tokens = options.shard_tokens // width * width
    splits = [Split(options.to, name, vocab > 65536, shard_tokens) for name in ("train", "held_out")]
    number = 0
    for batch in batches(documents(options.sources, options.field), BATCH_DOCUMENTS):
        for encoded in tokenizer.encode_batch(batch, add_special_tokens=False):
            # The middle one of every 1/held_out documents.
            share = options.held_out
            held_out = math.floor((number + 1) * share + 0.5) > math.floor(number * share + 0.5)
            splits[held_out].append(encoded.ids + ([] if end is None else [end]))
            number += 1
    for split in splits:
        split.close()

    shutil.copyfile(options.tokenizer, os.path.join(options.to, "tokenizer.json"))
    beside = os.path.join(os.path.dirname(options.tokenizer), "tokenizer_config.json")
    if os.path.exists(beside):
        shutil.copyfile(beside, os.path.join(options.to, "tokenizer_config.json"))
    with open(options.tokenizer, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    manifest = {
        "format": "muster-tokens",
        "version": 1,
        "vocab": vocab,
        "context": options.context,
        "tokenizer": {"kind": "huggingface", "file": "tokenizer.json", "sha256": digest},
        "splits": {split.name: split.manifest() for split in splits if split.shards},
    }
    temporary = os.path.join(options.to, "manifest.json.tmp")
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1)
        file.write("\n")
    os.rename(temporary, os.path.join(options.to, "manifest.json"))
    for split in splits:
        print(f"{split.name:9} {split.manifest()['tokens']} tokens in {len(split.shards)} shards, "
              f"root {split.manifest()['root']}")


if __name__ == "__main__":
    main()
