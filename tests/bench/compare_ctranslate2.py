#!/usr/bin/env python3
"""The engine beside CTranslate2: same weights, same token ids, float32, same cores, taking turns in one run.

  python3 -m venv build/peers && build/peers/bin/pip install ctranslate2 numpy
  build/peers/bin/python tests/bench/compare_ctranslate2.py --model models/translate-en-de --sources build/sources.ids

Both sides keep CONCURRENCY requests outstanding until every source is translated. CTranslate2 runs at the best of these settings for each
load: 1 worker with 2 threads and 2 workers with 1 thread (of the cores that the process may use); whatever has queued up, up to 64
requests, goes as one batch. Prints the median of the rounds' ratios (engine over the peer's best) with their spread.
"""

import argparse
import json
import multiprocessing
import os
import queue
import statistics
import subprocess
import tempfile
import threading
import time

import ctranslate2

from ctranslate2_model import convert


class Engine:
    """engine_bench in its own process, pinned to the same cores, idle while it is not asked."""

    def __init__(self, binary, model, sources, length):
        command = [binary, model, sources, "--commands"] + (["--length", str(length)] if length else [])
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def run(self, concurrency, beam):
        self.process.stdin.write(f"{concurrency} {beam}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


class Peer:
    """CTranslate2 with one choice of workers, threads and batching."""

    def __init__(self, model_dir, sources, workers, threads, buffered, length):
        self.sources, self.workers, self.buffered = sources, workers, buffered
        self.end_tokens = 0 if length else 1  # Counted by the engine, not in the peer's hypotheses.
        self.lengths = {"max_decoding_length": length or 256, "min_decoding_length": length or 1}
        self.translator = ctranslate2.Translator(model_dir, device="cpu", compute_type="float32",
                                                 inter_threads=workers, intra_threads=threads)

    def run(self, concurrency, beam):
        waiting, begun, latencies, tokens = queue.SimpleQueue(), {}, [], [0]
        lock, next_source, all_done = threading.Lock(), [0], threading.Event()

        def submit():
            with lock:
                index = next_source[0]
                next_source[0] += 1
            if index < len(self.sources):
                begun[index] = time.perf_counter()
                waiting.put(index)

        def work():
            while True:
                batch = [waiting.get()]
                # A fair share of what waits, as a user's queue in front of it would cut it.
                share = -(-concurrency // self.workers) if self.buffered else 1
                while len(batch) < min(share, 64):
                    try:
                        batch.append(waiting.get_nowait())
                    except queue.Empty:
                        break
                if None in batch:
                    waiting.put(None)  # The other workers' sign: this one may have taken it.
                    return
                results = self.translator.translate_batch([self.sources[i] for i in batch], beam_size=beam,
                                                          max_batch_size=64, **self.lengths)
                now = time.perf_counter()
                for index, result in zip(batch, results):
                    latencies.append(now - begun[index])
                    tokens[0] += len(result.hypotheses[0]) + self.end_tokens
                    submit()
                if len(latencies) == len(self.sources):
                    all_done.set()

        start = time.perf_counter()
        for _ in range(concurrency):
            submit()
        threads = [threading.Thread(target=work) for _ in range(min(self.workers, concurrency))]
        for thread in threads:
            thread.start()
        all_done.wait()  # Not by polling: that preempts the peer's threads at their barriers.
        seconds = time.perf_counter() - start
        waiting.put(None)
        for thread in threads:
            thread.join()
        latencies.sort()
        return {"tokens_per_s": tokens[0] / seconds, "tokens": tokens[0],
                "p50_ms": 1e3 * latencies[len(latencies) // 2], "p95_ms": 1e3 * latencies[int(0.95 * (len(latencies) - 1))]}


def serve_peer(pipe, *settings):
    peer = Peer(*settings)
    while True:
        try:
            load = pipe.recv()
        except EOFError:  # The other end is done.
            return
        pipe.send(peer.run(*load))


class PeerProcess:
    """A Peer in a process of its own: the thread teams of several in one process stand in each other's way."""

    def __init__(self, model_dir, sources, workers, threads, buffered, length):
        self.name = f"{workers}x{threads}" + (" buffered" if buffered else "")
        self.buffered = buffered
        self.pipe, theirs = multiprocessing.Pipe()
        settings = (theirs, model_dir, sources, workers, threads, buffered, length)
        multiprocessing.get_context("spawn").Process(target=serve_peer, args=settings, daemon=True).start()

    def run(self, concurrency, beam):
        self.pipe.send((concurrency, beam))
        return self.pipe.recv()


def compare(engine, peers, concurrency, beam, rounds):
    peers = [p for p in peers if p.buffered == (concurrency > 1)]  # Alone there is nothing to gather; together it always pays.
    ours, theirs = [], {p.name: [] for p in peers}
    for _ in range(rounds):  # A, B, A, B: what drifts, drifts under both.
        for peer in peers:
            theirs[peer.name].append(peer.run(concurrency, beam))
        ours.append(engine.run(concurrency, beam))
    best = max(theirs, key=lambda name: statistics.median(r["tokens_per_s"] for r in theirs[name]))
    ratios = [a["tokens_per_s"] / b["tokens_per_s"] for a, b in zip(ours, theirs[best])]
    middle = lambda runs, key: statistics.median(r[key] for r in runs)
    print(f"{concurrency:4d} {beam:4d} | {middle(ours, 'tokens_per_s'):8.0f} {middle(ours, 'p50_ms'):8.1f} "
          f"{middle(ours, 'p95_ms'):8.1f} {100 * middle(ours, 'share_of_peak'):5.0f}% | "
          f"{middle(theirs[best], 'tokens_per_s'):8.0f} {middle(theirs[best], 'p50_ms'):8.1f} "
          f"{middle(theirs[best], 'p95_ms'):8.1f} {best:13s} | "
          f"{statistics.median(ratios):5.2f}  ({min(ratios):.2f} to {max(ratios):.2f})", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--sources", required=True, help="token ids, a sentence a line, end token included")
    parser.add_argument("--engine", default="build/release/bin/engine_bench")
    parser.add_argument("--length", type=int, default=0, help="every translation has so many tokens: for random weights, which never end")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--loads", default="1:1,8:1,64:1,1:4,8:4,64:4", help="CONCURRENCY:BEAM, comma-separated")
    args = parser.parse_args()

    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as directory:
        tokens = convert(args.model, directory)
        sources = [[tokens[int(i)] for i in line.split()] for line in open(args.sources)]
        settings = {(1, cores), (cores, 1)}
        peers = [PeerProcess(directory, sources, w, t, buffered, args.length) for w, t in sorted(settings) for buffered in (False, True)]
        engine = Engine(args.engine, args.model, args.sources, args.length)
        print(f"{args.model}: {len(sources)} sources, {cores} cores, {args.rounds} rounds; CTranslate2 {ctranslate2.__version__}")
        print("load beam |    tok/s   p50 ms   p95 ms  peak | CT2 tok/s  p50 ms   p95 ms best setting  | ratio (spread)")
        for load in args.loads.split(","):
            concurrency, beam = map(int, load.split(":"))
            compare(engine, peers, concurrency, beam, args.rounds)


if __name__ == "__main__":
    main()
