#!/usr/bin/env python3
"""Writes the token ids of a text's lines, end token included, for engine_bench and its peers.

  pip install sentencepiece
  python3 tests/bench/make_sources.py --model models/translate-en-de --text sentences.txt --limit 500 > build/sources.ids

A line of a tab-separated file counts up to its first tab; repeated sentences count once.
"""

import argparse
import json

import sentencepiece

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True)
parser.add_argument("--text", required=True)
parser.add_argument("--limit", type=int, default=500)
args = parser.parse_args()

pieces = sentencepiece.SentencePieceProcessor(model_file=f"{args.model}/source.spm")
vocabulary = json.load(open(f"{args.model}/vocab.json"))
lines = dict.fromkeys(line.rstrip("\n").split("\t")[0] for line in open(args.text, encoding="utf-8"))
for line in list(lines)[: args.limit]:
    ids = [vocabulary.get(piece, vocabulary["<unk>"]) for piece in pieces.encode(line, out_type=str)]
    print(*ids, vocabulary["</s>"])
