#!/usr/bin/env python3
"""Translates a file of sentences through a running server, greedy and beam 4, and writes what parity_corpus.py reads.

  build/release/bin/attendant-server --models models/ &
  python3 tests/golden/server_outputs.py --sources sources.txt --out ours.jsonl

Needs no package. Sentences are not split and the repetition guard is off: the reference has neither.
"""

import argparse
import json
import subprocess

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--client", default="build/release/bin/attendant")
parser.add_argument("--sources", required=True, help="a sentence a line")
parser.add_argument("--out", required=True)
parser.add_argument("--end-token", type=int, default=0)
args = parser.parse_args()


def translate(beam):
    command = [args.client, "translate", "--json", "--no-split", "--beam", str(beam), "--repetition-guard", "0",
               "--input", args.sources]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    for answer in map(json.loads, lines):
        best = answer["sentences"][0]["hypotheses"][0]
        ends = best["finish_reason"] == "end_token"
        yield answer["source"], {"ids": best["token_ids"] + [args.end_token] * ends, "score": best["score"],
                                 "text": answer["translation"]}


with open(args.out, "w", encoding="utf-8") as out:
    for (text, greedy), (_, beam4) in zip(translate(1), translate(4)):
        out.write(json.dumps({"text": text, "greedy": greedy, "beam4": beam4}, ensure_ascii=False) + "\n")
