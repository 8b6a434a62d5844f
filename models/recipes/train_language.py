#!/usr/bin/env python3
"""Trains a classifier that tells in which language a text is written, as models/classify-language was made.

  python3 models/recipes/train_language.py --pairs de=train.tsv.xz --pairs fr=fra.tsv.xz --pairs es=spa.tsv.xz --out /tmp/classify-language

--pairs CODE=FILE: ENGLISH<TAB>TEXT per line, UTF-8, plain or .xz; CODE is the language of TEXT. --out receives a Hugging Face
BertForSequenceClassification directory in f16. Needs torch, transformers, tokenizers and safetensors. A user of the server never needs this.
"""

import argparse
import pathlib
import random
import time

import torch
from torch.nn import functional
from transformers import BertConfig, BertForSequenceClassification

from sentence_pairs import read_pairs
from wordpiece_bert import PAD, export, padded, train_tokenizer


# Data.

def texts_of(sources):
    """-> {language: its distinct texts, in a fixed order}, without what more than one language says (names, "OK")."""
    texts = {"en": set()}
    for source in sources:
        code, path = source.split("=", 1)
        pairs = read_pairs(path)
        texts["en"].update(english for english, _ in pairs)
        texts.setdefault(code, set()).update(text for _, text in pairs)
    seen = {}
    for code, of_language in texts.items():
        for text in of_language:
            seen.setdefault(text, set()).add(code)
    return {code: sorted(t for t in of_language if len(seen[t]) == 1) for code, of_language in texts.items()}


def split(texts, held_out, per_language, rng):
    train, held = [], []
    for label, code in enumerate(texts):
        shuffled = rng.sample(texts[code], len(texts[code]))
        held += [(text, label) for text in shuffled[:held_out]]
        train += [(text, label) for text in shuffled[held_out:held_out + per_language]]
    return train, held


def excerpt(text, rng):
    """Now and then only some words of it: what users type is not always a sentence."""
    words = text.split()
    if len(words) < 4 or rng.random() > 0.3:
        return text
    length = rng.randint(2, len(words))
    begin = rng.randint(0, len(words) - length)
    return " ".join(words[begin:begin + length])


# Model.

def make_model(tokenizer, languages, args):
    return BertForSequenceClassification(BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=args.width, num_hidden_layers=args.layers,
        num_attention_heads=args.heads, intermediate_size=4 * args.width, max_position_embeddings=args.max_tokens,
        type_vocab_size=1, pad_token_id=PAD, num_labels=len(languages), id2label=dict(enumerate(languages)),
        label2id={code: i for i, code in enumerate(languages)}, attn_implementation="eager"))


def logits_of(model, rows):
    ids, mask = padded(rows, model.device)
    return model(input_ids=ids, attention_mask=mask.long()).logits


@torch.no_grad()
def accuracy(model, tokenizer, held):
    model.eval()
    right = 0
    for begin in range(0, len(held), 100):
        part = held[begin:begin + 100]
        best = logits_of(model, [tokenizer.encode(text).ids for text, _ in part]).argmax(1).tolist()
        right += sum(guess == label for guess, (_, label) in zip(best, part))
    model.train()
    return right / len(held)


def train(model, tokenizer, examples, held, args):
    rng = random.Random(args.seed)
    rng.shuffle(examples)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=0.01)
    total = len(examples) // args.batch
    model.train()
    begun = time.time()
    for step in range(total):
        batch = examples[step * args.batch:(step + 1) * args.batch]
        for group in optimizer.param_groups:
            group["lr"] = args.rate * min((step + 1) / args.warmup, 1 - step / total)
        logits = logits_of(model, [tokenizer.encode(excerpt(text, rng)).ids for text, _ in batch])
        loss = functional.cross_entropy(logits, torch.tensor([label for _, label in batch]))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % 100 == 0 or step + 1 == total:
            print(f"step {step + 1}/{total} loss {loss.item():.4f} {time.time() - begun:.0f} s", flush=True)
    print(f"accuracy on {len(held)} held out: {accuracy(model, tokenizer, held):.2%}", flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", action="append", required=True, metavar="CODE=FILE")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--pieces", type=int, default=6000)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--max-tokens", type=int, default=128)
    parser.add_argument("--per-language", type=int, default=20000, help="texts of each, at most")
    parser.add_argument("--held-out", type=int, default=2000, help="texts of each")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--warmup", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    args = parse_arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    texts = texts_of(args.pairs)
    examples, held = split(texts, args.held_out, args.per_language, random.Random(args.seed))
    tokenizer = train_tokenizer((text for text, _ in examples), args.pieces)
    model = make_model(tokenizer, list(texts), args)
    print(f"{len(examples)} texts, {len(held)} held out, {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters", flush=True)
    train(model, tokenizer, examples, held, args)
    export(model, tokenizer, args.out, args.max_tokens)
    labels = list(texts)
    (args.out / "held-out.tsv").write_text("".join(f"{labels[label]}\t{text}\n" for text, label in held), encoding="utf-8")
    print(f"in f16: accuracy {accuracy(model.half().float(), tokenizer, held):.2%}")


if __name__ == "__main__":
    main()
