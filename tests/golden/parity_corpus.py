#!/usr/bin/env python3
"""Compares translations of the engine or the server with Hugging Face transformers' (float32, CPU) on the same sentences.

  python3 tests/golden/parity_corpus.py --model models/translate-en-de --ours ours.jsonl --cache /tmp/reference.jsonl \\
      [--tsv valid.tsv] [--limit 1000]

--ours: one JSON object per line and sentence,
  {"text": source sentence,
   "greedy": {"ids": [...], "score": x, "text": "..."},       beam size 1
   "beam4":  {"ids": [...], "score": x, "text": "..."}}       beam size 4, length penalty 1, best hypothesis
  ids: without the decoder's start token, with the end token. score: sum of log p of ids / number of ids (end token counted).
  text: optional, for BLEU; without it ids are decoded by the reference. Either of greedy and beam4 may be left out.
--cache: the reference's answers, {"text", "greedy": [ids, score], "beam4": [ids, score]} per line; made where a sentence is missing.
--tsv: SOURCE<TAB>REFERENCE lines; BLEU and chrF of both over the sentences that have references there (all of a source's lines).
--write-sources FILE (with --tsv, without --ours): the distinct sources, one per line, for the engine to translate.

Exit status 1 when fewer than 99.9 % of the greedy or 99.5 % of the beam answers are identical, or the score of an identical one is off
by more than 1e-4.
"""

import argparse
import json
import os
import sys
import time

import metrics
import reference

MODES = {"greedy": ({"num_beams": 1, "do_sample": False}, 0.999), "beam4": ({"num_beams": 4, "do_sample": False}, 0.995)}


def read_jsonl(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def read_references(path):
    references = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            source, target = line.rstrip("\n").split("\t")[:2]
            references.setdefault(source, []).append(target)
    return references


def missing_answers(model, tokenizer, texts, batch_size):
    """Yields the reference's answers, sentences of like length together."""
    sources = {text: tokenizer(text).input_ids for text in texts}
    order = sorted(texts, key=lambda text: len(sources[text]))
    for begin in range(0, len(order), batch_size):
        chunk = order[begin:begin + batch_size]
        batch = [sources[text] for text in chunk]
        answers = {mode: reference.generate_batch(model, batch, **options) for mode, (options, _) in MODES.items()}
        for i, text in enumerate(chunk):
            yield {"text": text, **{mode: list(answers[mode][i]) for mode in MODES}}
        print(f"reference: {begin + len(chunk)} of {len(order)}", file=sys.stderr)


def reference_answers(args, model, tokenizer, texts):
    known = {a["text"]: a for a in read_jsonl(args.cache)} if os.path.exists(args.cache) else {}
    wanted = [text for text in dict.fromkeys(texts) if text not in known]
    with open(args.cache, "a", encoding="utf-8") as cache:
        for answer in missing_answers(model, tokenizer, wanted, args.batch_size):
            known[answer["text"]] = answer
            cache.write(json.dumps(answer, ensure_ascii=False) + "\n")
            cache.flush()
    return known


def compare(mode, ours, theirs, show):
    """Prints how far both agree; returns whether it is enough."""
    pairs = [(o["text"], o[mode], theirs[o["text"]][mode]) for o in ours if mode in o]
    if not pairs:
        return True
    different = [(text, mine, ref) for text, mine, ref in pairs if mine["ids"] != ref[0]]
    identical = len(pairs) - len(different)
    gaps = [abs(mine["score"] - ref[1]) for _, mine, ref in pairs if mine["ids"] == ref[0]]
    worst = max(gaps, default=0.0)
    print(f"identical {mode}: {identical} of {len(pairs)} ({100 * identical / len(pairs):.2f} %), "
          f"max score difference {worst:.2e}")
    for text, mine, ref in different[:show]:
        print(f"  {text!r}\n    ours      {mine['score']:.6f} {mine['ids']}\n    reference {ref[1]:.6f} {ref[0]}")
    return identical >= MODES[mode][1] * len(pairs) and worst <= 1e-4


def report_quality(mode, ours, theirs, references, tokenizer):
    def as_text(ids):
        return tokenizer.decode(ids, skip_special_tokens=True)
    scored = [o for o in {o["text"]: o for o in ours if mode in o and o["text"] in references}.values()]
    if not scored:
        return
    refs = [references[o["text"]] for o in scored]
    mine = [o[mode].get("text") or as_text(o[mode]["ids"]) for o in scored]
    them = [as_text(theirs[o["text"]][mode][0]) for o in scored]
    print(f"quality {mode}, {len(scored)} sources: BLEU ours {metrics.bleu(mine, refs):.2f} reference "
          f"{metrics.bleu(them, refs):.2f}; chrF2 ours {metrics.chrf(mine, refs):.2f} reference "
          f"{metrics.chrf(them, refs):.2f}")


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="models/translate-en-de")
    parser.add_argument("--ours")
    parser.add_argument("--cache", default="/tmp/parity-reference.jsonl")
    parser.add_argument("--tsv")
    parser.add_argument("--write-sources")
    parser.add_argument("--limit", type=int, default=0, help="sentences at most; 0: all")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--show", type=int, default=5, help="differences to print per mode")
    return parser.parse_args()


def main():
    args = parse_args()
    references = read_references(args.tsv) if args.tsv else {}
    if args.write_sources:
        with open(args.write_sources, "w", encoding="utf-8") as out:
            out.writelines(f"{source}\n" for source in references)
        if not args.ours:
            return 0
    model, tokenizer = reference.load(args.model)
    # Without ours: fill the cache from the TSV, and measure the reference alone.
    ours = read_jsonl(args.ours) if args.ours else [{"text": source} for source in references]
    ours = ours[:args.limit] if args.limit else ours
    began = time.monotonic()
    theirs = reference_answers(args, model, tokenizer, [o["text"] for o in ours])
    print(f"reference ready after {time.monotonic() - began:.0f} s", file=sys.stderr)
    if not args.ours:
        ours = [{"text": o["text"], **{m: dict(zip(("ids", "score"), theirs[o["text"]][m])) for m in MODES}} for o in ours]
    agree = [compare(mode, ours, theirs, args.show) for mode in MODES]
    for mode in MODES:
        report_quality(mode, ours, theirs, references, tokenizer)
    return 0 if all(agree) else 1


if __name__ == "__main__":
    sys.exit(main())
