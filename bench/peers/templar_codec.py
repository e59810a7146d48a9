#!/usr/bin/env python3
"""Times Templar's own gradient codec as its miners and validators call it; JSON on standard output.

usage: templar_codec.py COMPRESS_PY [--data FILE] [--params N] [--keep 64] [--threads 1] [--reps 5]

COMPRESS_PY is src/tplr/compress.py of github.com/one-covenant/templar (MIT), which is loaded as it is.
--data: raw fp32 numbers, repeated as often as needed; else normally distributed ones.
Steps as in its neurons.py: e = decay * e + gradient, chunk, top-k, quantise, pack, decode, subtract; and for an
aggregate: dequantise, norms, clip, scatter and average of 16 payloads. Needs torch, numpy and einops.
"""
import argparse
import importlib.util
import json
import sys
import time
import types

import numpy
import torch

COLUMNS = 4096
PEERS = 16


def load_codec(path):
    logger = types.SimpleNamespace(**{level: print for level in ("debug", "info", "warning", "error")})
    sys.modules["tplr"] = types.SimpleNamespace(logger=logger)
    spec = importlib.util.spec_from_file_location("templar_compress", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_numbers(path, count):
    if path is None:
        return torch.randn(count, generator=torch.Generator().manual_seed(1))
    numbers = numpy.fromfile(path, dtype=numpy.float32)
    return torch.from_numpy(numpy.resize(numbers, count))


def best_seconds(work, reps):
    work()
    times = []
    for _ in range(reps):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("compress_py")
    parser.add_argument("--data")
    parser.add_argument("--params", type=int, default=1 << 24)
    parser.add_argument("--keep", type=int, default=64, help="of a chunk of 4096")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--reps", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    codec = load_codec(options.compress_py)
    shape = (max(64, options.params // COLUMNS // 64 * 64), COLUMNS)
    gradient = read_numbers(options.data, shape[0] * shape[1]).reshape(shape)
    model = torch.nn.Module()
    model.weight = torch.nn.Parameter(torch.zeros(shape))
    chunks = codec.ChunkingTransformer(model, target_chunk=64)
    compressor = codec.TopKCompressor(use_quantization=True, quantization_bins=4, quantization_range=6)
    parameter, feedback = model.weight.data, torch.zeros(shape)

    def compress_with_feedback():
        feedback.mul_(0.95).add_(gradient)
        payload = compressor.compress(chunks.encode(feedback, use_dct=False), options.keep)
        feedback.sub_(chunks.decode(compressor.decompress(parameter, *payload), use_dct=False))
        return payload

    def aggregate(payloads):
        values = compressor.maybe_dequantize_values([p[1] for p in payloads], [p[4] for p in payloads],
                                                    torch.device("cpu"))
        norms = torch.stack([torch.norm(v, p=2) for v in values])
        summed = compressor.batch_decompress(torch.empty_like(parameter), [p[0] for p in payloads], values,
                                             payloads[0][2], payloads[0][3], quantize_params=None,
                                             block_norms=norms, clip_norm=True)
        return chunks.decode(summed, use_dct=False)

    with torch.no_grad():
        payloads = [compress_with_feedback() for _ in range(PEERS)]
        sent = sum(part.numel() * part.element_size() for part in payloads[0][:2])
        result = {"codec": "templar", "torch": torch.__version__, "threads": options.threads,
                  "parameters": gradient.numel(), "k": options.keep,
                  "bytes_per_parameter": sent / gradient.numel(),
                  "compress_params_per_s": gradient.numel() / best_seconds(compress_with_feedback, options.reps),
                  "aggregate16_params_per_s": gradient.numel() / best_seconds(lambda: aggregate(payloads),
                                                                              options.reps)}
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
