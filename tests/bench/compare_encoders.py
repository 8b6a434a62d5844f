#!/usr/bin/env python3
"""The engine's encoders beside ONNX Runtime, OpenVINO and PyTorch: same weights and inputs, float32, same cores, taking turns in one run.

  python3 -m venv build/peers && build/peers/bin/pip install onnxruntime openvino onnx numpy safetensors sympy
  build/peers/bin/pip install torch transformers --extra-index-url https://download.pytorch.org/whl/cpu
  build/peers/bin/python tests/golden/make_encoder_golden.py --out build/encoders minilm-l6 vit-base
  taskset -c 0,1 build/peers/bin/python tests/bench/compare_encoders.py build/encoders/minilm-l6 build/encoders/vit-base

Run it in the root of the checkout, on cores with nothing else to do. --engine says which encoder_bench; where PyTorch and transformers
live in another Python, --torch-python says how to start that; --peers leaves peers out.

Texts are 16, 128 and 512 tokens, 1 and 64 at once; images 1 and 8 at once: so many are always outstanding. Every side uses all cores that
the process may use. A peer runs at the best of its settings for each load, found in a short run of each beforehand: 1 stream with all
threads or a stream for each core with 1 thread; whatever waits goes as one batch, a share of it for each stream, or in batches of 8;
for ONNX Runtime, its graph as it is or after its offline fusions; for PyTorch (eager: torch.compile is not tried), its own Linear layers or oneDNN's with packed weights.
A turn takes about --seconds, and at least as many inputs as are outstanding at once; the whole about six minutes on two cores.
First, the answers are compared: over 1e-4 of the largest value is the end.

Prints the median of the rounds for each side, and of the rounds' ratios (engine over peer, above 1: the engine is faster) with their
spread; "*" is the fastest peer. The share of peak is of what all cores multiply at best, measured with oneDNN at each turn.
"""

import argparse
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from encoder_onnx import write_fused, write_onnx

VARIANTS = {"onnxruntime": ("plain", "fused"), "openvino": ("plain",), "torch": ("plain", "packed")}
TEXT_LOADS, IMAGE_LOADS = "16:1,128:1,512:1,16:64,128:64,512:64", "0:1,0:8"
SMALL_BATCH = 8


class Process:
    """Takes a line, answers with a line of JSON; idle while it is not asked."""

    def __init__(self, command):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        if words:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{shlex.join(self.command)}: ended without an answer")
        answer = json.loads(line)
        if "error" in answer:
            raise SystemExit(f"{shlex.join(self.command)}: {words}: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def whole_rounds(rate, concurrency, seconds):
    return concurrency * max(1, round(seconds * rate / concurrency))


class Engine:
    name = "engine"
    setting = ""

    def __init__(self, binary, model):
        self.process = Process([binary, model, "--commands"])
        self.counts = {}

    def run(self, tokens, concurrency):
        return self.process.ask("run", tokens, concurrency, self.counts[tokens, concurrency])

    def choose(self, tokens, concurrency, seconds):
        for _ in range(2):  # The first warms: kernels compiled, workspaces grown.
            rate = self.process.ask("run", tokens, concurrency, concurrency)["inputs_per_s"]
        self.counts[tokens, concurrency] = whole_rounds(rate, concurrency, seconds)


class Peer:
    """One library: a process for each number of streams, since their threads stand in each other's way in one."""

    def __init__(self, name, python, model, onnx_dir, cores):
        self.name, self.settings = name, {}
        script = os.path.relpath(pathlib.Path(__file__).parent / "encoder_peer.py")
        self.processes = {}
        for streams, threads in sorted({(1, cores), (cores, 1)}):
            self.processes[streams] = Process([*python, script, name, model, onnx_dir, str(streams), str(threads)])
        self.threads = {streams: cores // streams for streams in self.processes}

    def wait_until_ready(self):
        self.version = [process.ask()["version"] for process in self.processes.values()][0]

    def measure(self, setting, tokens, concurrency, count):
        streams, variant, batch = setting
        return self.processes[streams].ask("run", variant, tokens, concurrency, count, batch)

    def run(self, tokens, concurrency):
        setting, count = self.settings[tokens, concurrency]
        return self.measure(setting, tokens, concurrency, count)

    def describe(self, tokens, concurrency):
        (streams, variant, batch), _ = self.settings[tokens, concurrency]
        return f"{streams}x{self.threads[streams]} {variant}, batches of {batch}"

    def choose(self, tokens, concurrency, seconds):
        """Streams and variant with small batches, then, with those, how much goes as one batch."""
        rates = {}

        def try_out(streams, variant, batch):
            streams_busy = min(streams, concurrency)
            setting, one_each = (streams, variant, batch), batch * streams_busy
            rate = self.measure(setting, tokens, concurrency, one_each)["inputs_per_s"]
            longer = whole_rounds(rate, one_each, seconds / 2)
            if longer > one_each and rate > max(rates.values(), default=0) / 2:
                rate = self.measure(setting, tokens, concurrency, longer)["inputs_per_s"]
            rates[setting] = rate

        share = lambda streams: max(1, concurrency // streams)
        for streams in self.processes:
            for variant in VARIANTS[self.name]:
                try_out(streams, variant, min(SMALL_BATCH, share(streams)))
        streams, variant, batch = max(rates, key=rates.get)
        if share(streams) > batch:
            try_out(streams, variant, share(streams))
        best = max(rates, key=rates.get)
        self.settings[tokens, concurrency] = best, whole_rounds(rates[best], concurrency, seconds)


def check(engine, peers, lengths, directory):
    """Every variant of every peer against the engine, on input 0."""
    def read(path):
        return np.fromfile(path, np.float32).astype(np.float64)

    for tokens in lengths:
        path = os.path.join(directory, f"engine-{tokens}.bin")
        engine.process.ask("write", tokens, path)
        ours = read(path)
        for peer in peers:
            for variant in VARIANTS[peer.name]:
                path = os.path.join(directory, f"{peer.name}-{variant}-{tokens}.bin")
                peer.processes[1].ask("write", variant, tokens, path)
                theirs = read(path)
                difference = np.abs(ours - theirs).max() / np.abs(theirs).max() if ours.shape == theirs.shape else float("inf")
                if not difference <= 1e-4:
                    raise SystemExit(f"{peer.name} {variant}, {tokens or 'image'}: answers differ by {difference:.1e} of the largest value")
                print(f"answers agree: {tokens or 'image'}, {peer.name} {variant}: {difference:.1e}")


def compare(engine, peers, tokens, concurrency, rounds, seconds):
    for side in [engine] + peers:
        side.choose(tokens, concurrency, seconds)
    ours, theirs = [], {peer.name: [] for peer in peers}
    for _ in range(rounds):  # A, B, C, A, B, C: what drifts, drifts under all.
        ours.append(engine.run(tokens, concurrency))
        for peer in peers:
            theirs[peer.name].append(peer.run(tokens, concurrency))

    middle = lambda runs, key: statistics.median(run[key] for run in runs)
    peak = [run["inputs_per_s"] / run["share_of_peak"] for run in ours]  # In inputs a second.

    def line(name, runs, more):
        share = statistics.median(run["inputs_per_s"] / at_peak for run, at_peak in zip(runs, peak))
        what = f"{tokens} tokens" if tokens else "images"
        print(f"{what:>10} {concurrency:4d} | {name:12s} {middle(runs, 'inputs_per_s'):9.1f} {middle(runs, 'p50_ms'):9.2f} "
              f"{middle(runs, 'p95_ms'):9.2f} {100 * share:6.0f}% | {more}", flush=True)

    best = max(theirs, key=lambda name: middle(theirs[name], "inputs_per_s"), default=None)
    line("engine", ours, "")
    medians = {}
    for peer in peers:
        ratios = [a["inputs_per_s"] / b["inputs_per_s"] for a, b in zip(ours, theirs[peer.name])]
        medians[peer.name] = statistics.median(ratios)
        line(peer.name, theirs[peer.name], f"{medians[peer.name]:5.2f} ({min(ratios):.2f} to {max(ratios):.2f}){'*' if peer.name == best else ' '} "
             f"{peer.describe(tokens, concurrency)}")
    return medians.get(best)


def compare_model(args, model, cores):
    config = json.loads((pathlib.Path(model) / "config.json").read_text())
    is_text = config["model_type"] != "vit"
    loads = [tuple(map(int, load.split(":"))) for load in (args.text_loads if is_text else args.image_loads).split(",") if load]
    if not loads:
        return {}
    with tempfile.TemporaryDirectory() as directory:
        names = [name for name in args.peers.split(",") if name]
        if {"onnxruntime", "openvino"} & set(names):
            write_onnx(model, os.path.join(directory, "plain.onnx"))
        if "onnxruntime" in names:
            fused = write_fused(model, os.path.join(directory, "plain.onnx"), os.path.join(directory, "fused.onnx"))
            print(f"ONNX Runtime's offline fusions: {fused}")
        pythons = {"torch": shlex.split(args.torch_python)}
        peers = [Peer(name, pythons.get(name, [sys.executable]), model, directory, cores) for name in names]
        engine = Engine(args.engine, model)
        for peer in peers:
            peer.wait_until_ready()
        print(f"{model}: {cores} cores, {args.rounds} rounds; " + ", ".join(f"{peer.name} {peer.version}" for peer in peers))
        check(engine, peers, sorted({tokens for tokens, _ in loads}), directory)
        print("      load   at | side          inputs/s    p50 ms    p95 ms of peak | engine/peer (spread), peer's setting")
        ratios = {(tokens, concurrency): compare(engine, peers, tokens, concurrency, args.rounds, args.seconds)
                  for tokens, concurrency in loads}
        for process in [engine.process] + [process for peer in peers for process in peer.processes.values()]:
            process.close()
        return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="directories of a BertModel or a ViTForImageClassification")
    parser.add_argument("--engine", default="build/release/bin/encoder_bench")
    parser.add_argument("--peers", default="onnxruntime,openvino,torch")
    parser.add_argument("--torch-python", default=sys.executable, help="command that starts a Python with torch and transformers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each side's turn, about")
    parser.add_argument("--text-loads", default=TEXT_LOADS, help="TOKENS:AT_ONCE, comma-separated")
    parser.add_argument("--image-loads", default=IMAGE_LOADS, help="0:AT_ONCE, comma-separated")
    args = parser.parse_args()

    cores = len(os.sched_getaffinity(0))
    for model in args.models:
        for (tokens, concurrency), ratio in compare_model(args, model, cores).items():
            if ratio is not None:
                print(f"over the best peer: {tokens or 'image'} {concurrency} at once: {ratio:.2f}")


if __name__ == "__main__":
    main()
