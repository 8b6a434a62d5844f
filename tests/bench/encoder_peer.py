#!/usr/bin/env python3
"""One peer in a process of its own, for compare_encoders.py.

  encoder_peer.py {onnxruntime,openvino,torch} MODEL_DIR ONNX_DIR STREAMS THREADS

Reads lines from stdin and answers each with a line of JSON: "run VARIANT TOKENS CONCURRENCY COUNT BATCH" and "write VARIANT TOKENS FILE",
TOKENS 0 for images. STREAMS Python threads each run batches of BATCH back to back, THREADS threads to each.
"""

import json
import os
import pathlib
import sys
import threading
import time

NUM_TEXTS, NUM_IMAGES = 64, 8


def draw(seed, count):
    """As encoder_subject.cc draws."""
    values, state = [], seed
    for _ in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values.append(state >> 16)
    return values


class Inputs:
    """Batches of the drawn inputs; made once, so that making them takes no part in what is measured."""

    def __init__(self, config):
        import numpy as np
        self.np, self.batches = np, {}
        if config["model_type"] == "vit":
            size = config["image_size"]
            drawn = np.array([draw(i, 3 * size * size) for i in range(NUM_IMAGES)])
            self.all = ((drawn - 32768) / np.float32(32768)).astype(np.float32).reshape(-1, 3, size, size)
        else:
            drawn = np.array([draw(i, config["max_position_embeddings"]) for i in range(NUM_TEXTS)])
            self.all = 3 + drawn % (config["vocab_size"] - 3)

    def batch(self, begin, size, tokens):
        begin %= len(self.all)
        if (begin, size, tokens) not in self.batches:
            chosen = self.all[self.np.arange(begin, begin + size) % len(self.all)]
            self.batches[begin, size, tokens] = self.np.ascontiguousarray(chosen[:, :tokens] if tokens else chosen)
        return self.batches[begin, size, tokens]


class OnnxRuntime:
    """Variants: the plain graph, and the one after ONNX Runtime's offline fusions."""

    def __init__(self, model_dir, onnx_dir, streams, threads):
        import onnxruntime
        self.ort, self.onnx_dir, self.threads, self.sessions = onnxruntime, onnx_dir, threads, {}
        self.version = onnxruntime.__version__

    def runner(self, variant, batch, tokens):
        if variant not in self.sessions:
            options = self.ort.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
            path = str(self.onnx_dir / f"{variant}.onnx")
            self.sessions[variant] = self.ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        session = self.sessions[variant]
        source = session.get_inputs()[0].name
        return lambda array: session.run(None, {source: array})[0]


class OpenVino:
    """Compiled for each shape, which is faster than with dynamic ones. In float32: its default is bfloat16 where the processor has it."""

    def __init__(self, model_dir, onnx_dir, streams, threads):
        import openvino
        self.openvino, self.core, self.path = openvino, openvino.Core(), str(onnx_dir / "plain.onnx")
        self.settings = {"NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": streams * threads, "INFERENCE_PRECISION_HINT": "f32"}
        self.compiled, self.lock, self.version = {}, threading.Lock(), openvino.__version__.split("-")[0]

    def runner(self, variant, batch, tokens):
        with self.lock:
            if (batch, tokens) not in self.compiled:
                model = self.core.read_model(self.path)
                shape = [batch, tokens] if tokens else [batch] + [d.get_length() for d in list(model.input(0).partial_shape)[1:]]
                model.reshape({model.input(0): shape})
                self.compiled[batch, tokens] = self.core.compile_model(model, "CPU", self.settings)
            request = self.compiled[batch, tokens].create_infer_request()
        return lambda array: request.infer([array], share_inputs=True, share_outputs=True)[0]


class Torch:
    """Variants: plain (transformers with scaled_dot_product_attention), and packed (its Linear layers through oneDNN with packed weights,
    as torch.compile's freezing has it)."""

    def __init__(self, model_dir, onnx_dir, streams, threads):
        import torch
        import transformers
        self.torch, self.version, self.models = torch, f"{torch.__version__} (transformers {transformers.__version__})", {}
        torch.set_num_threads(threads)
        transformers.utils.logging.disable_progress_bar()
        self.transformers, self.model_dir = transformers, model_dir

    def load(self, variant):
        config = self.transformers.AutoConfig.from_pretrained(self.model_dir)
        of_class = getattr(self.transformers, config.architectures[0])
        model = of_class.from_pretrained(self.model_dir, attn_implementation="sdpa", dtype=self.torch.float32).eval()
        if variant == "packed":
            self.pack(model)
        return model

    def pack(self, model):
        torch = self.torch

        class Packed(torch.nn.Module):
            def __init__(self, linear):
                super().__init__()
                self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)
                self.bias = linear.bias.detach()

            def forward(self, x):
                return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")

        with torch.inference_mode():
            for parent in list(model.modules()):
                for name, child in list(parent.named_children()):
                    if isinstance(child, torch.nn.Linear):
                        setattr(parent, name, Packed(child))

    def runner(self, variant, batch, tokens):
        if variant not in self.models:
            self.models[variant] = self.load(variant)
        model, torch = self.models[variant], self.torch
        key = "input_ids" if tokens else "pixel_values"

        def run(array):
            with torch.inference_mode():
                answer = model(**{key: torch.from_numpy(array)})
                return (answer.last_hidden_state if tokens else answer.logits).numpy()
        return run


class Load:
    """CONCURRENCY inputs outstanding, first come first served, in full batches of one size."""

    def __init__(self, peer, inputs, streams):
        self.peer, self.inputs, self.streams, self.warm = peer, inputs, streams, set()

    def run(self, variant, tokens, concurrency, count, batch):
        streams = min(self.streams, concurrency // batch)
        runners = [self.peer.runner(variant, batch, tokens) for _ in range(streams)]
        batches = [self.inputs.batch(begin, batch, tokens) for begin in range(0, min(count, len(self.inputs.all)), batch)]
        if (variant, tokens, batch) not in self.warm:
            runners[0](batches[0])
            self.warm.add((variant, tokens, batch))
        lock, ends, begins, taken = threading.Lock(), [], [], [0]

        def work(runner):
            while True:
                with lock:
                    begin = taken[0]
                    taken[0] += batch
                    if begin >= count:
                        return
                    # An input comes when an earlier one is answered.
                    came = [ends[i - concurrency] if i >= concurrency else start for i in range(begin, begin + batch)]
                runner(batches[begin // batch % len(batches)])
                with lock:
                    begins.extend(came)
                    ends.extend([time.perf_counter()] * batch)

        start = time.perf_counter()
        threads = [threading.Thread(target=work, args=(runner,)) for runner in runners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = ends[-1] - start
        latencies = sorted(end - begin for begin, end in zip(begins, ends))
        at = lambda quantile: 1e3 * latencies[int(quantile * (len(latencies) - 1) + 0.5)]
        return {"inputs_per_s": len(ends) / seconds, "p50_ms": at(0.5), "p95_ms": at(0.95)}

    def write(self, variant, tokens, path):
        answer = self.peer.runner(variant, 1, tokens)(self.inputs.batch(0, 1, tokens))
        answer.astype("float32").tofile(path)
        return {"floats": int(answer.size)}


def main():
    kind, model_dir, onnx_dir, streams, threads = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), *map(int, sys.argv[4:6])
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)  # Before any library reads it.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What libraries print is no answer.
    peer = {"onnxruntime": OnnxRuntime, "openvino": OpenVino, "torch": Torch}[kind](model_dir, onnx_dir, streams, threads)
    load = Load(peer, Inputs(json.loads((model_dir / "config.json").read_text())), streams)
    print(json.dumps({"version": peer.version}), file=answers, flush=True)
    for line in sys.stdin:
        command, variant, *words = line.split()
        answer = load.run(variant, *map(int, words)) if command == "run" else load.write(variant, int(words[0]), words[1])
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
