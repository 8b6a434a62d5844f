#!/usr/bin/env python3
"""Trains a bilingual sentence encoder from sentence pairs, as models/embed-en-de was made.

  python3 models/recipes/train_embedding.py --train train.tsv.xz --valid valid.tsv --out /tmp/embed-en-de

--train, --valid: SOURCE<TAB>TARGET per line, UTF-8, plain or .xz. --out receives a sentence-transformers directory (BERT, mean pooling,
normalised) in f16 at the end, and checkpoint.pt on the way: the same command line goes on where it stopped. Needs torch, transformers,
tokenizers and safetensors. A user of the server never needs this.
"""

import argparse
import math
import pathlib
import random
import time

import torch
from torch.nn import functional
from transformers import BertConfig, BertModel

from sentence_pairs import read_pairs
from wordpiece_bert import PAD, export, padded, train_tokenizer, write_json


# Data.

def distinct_pairs(pairs, known):
    """Pairs whose sides both stand in no other pair of the result, nor in `known`."""
    taken, kept = set(known), []
    for pair in pairs:
        if taken.isdisjoint(pair):
            taken.update(pair)
            kept.append(pair)
    return kept


def hold_out(train, valid, count, rng):
    """-> (train without what is held out, `count` pairs to retrieve): valid's first, then pairs taken out of train."""
    held = distinct_pairs(valid, ())[:count]
    taken = {text for pair in held for text in pair}
    shuffled = rng.sample(train, len(train))
    held += distinct_pairs(shuffled, taken)[:count - len(held)]
    taken = {text for pair in held for text in pair} | {text for pair in valid for text in pair}
    return [pair for pair in train if taken.isdisjoint(pair)], held


def batches(pairs, size, rng):
    """Pairs of like length together, which makes the others of a batch hard to tell apart; batches in random order."""
    order = sorted(pairs, key=lambda pair: len(pair[0][0]) + len(pair[0][1]) + rng.random() * 6)
    made = [order[begin:begin + size] for begin in range(0, len(order) - size + 1, size)]
    rng.shuffle(made)
    return made


def joined(pair, other):
    """Two pairs as one longer pair, so that positions beyond a short sentence learn too."""
    (source, target), text = pair
    (more_source, more_target), more_text = other
    return (source + more_source, target + more_target), tuple(map(" ".join, zip(text, more_text)))


def lengthen(batch, share, rng):
    return [joined(pair, rng.choice(batch)) if rng.random() < share else pair for pair in batch]


# Model.

def make_model(vocabulary, args):
    return BertModel(BertConfig(
        vocab_size=vocabulary, hidden_size=args.width, num_hidden_layers=args.layers, num_attention_heads=args.heads,
        intermediate_size=4 * args.width, max_position_embeddings=args.max_tokens, type_vocab_size=1,
        hidden_dropout_prob=args.dropout, attention_probs_dropout_prob=0.0, pad_token_id=PAD,
        attn_implementation="eager"), add_pooling_layer=False)


def embed(model, rows):
    ids, mask = padded(rows, model.device)
    hidden = model(input_ids=ids, attention_mask=mask.long()).last_hidden_state.float()
    return functional.normalize((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), dim=1)


def contrastive_loss(vectors, batch, temperature):
    """Each side must find its other side among the batch; a pair that says the same as another is no counterexample to it."""
    sources, targets = vectors.chunk(2)
    logits = sources @ targets.T / temperature
    number = {}
    labels = torch.tensor([[number.setdefault(text, len(number)) for text in pair] for _, pair in batch])
    same = (labels[:, None, :] == labels[None, :, :]).any(-1)
    same.fill_diagonal_(False)
    logits = logits.masked_fill(same.to(logits.device), -1e4)
    expected = torch.arange(len(batch), device=logits.device)
    return (functional.cross_entropy(logits, expected) + functional.cross_entropy(logits.T, expected)) / 2


@torch.no_grad()
def retrieval(model, pairs):
    """P@1 in both directions."""
    model.eval()
    sides = [torch.cat([embed(model, rows[i:i + 64]) for i in range(0, len(rows), 64)])
             for rows in ([s for (s, _), _ in pairs], [t for (_, t), _ in pairs])]
    model.train()
    scores, expected = sides[0] @ sides[1].T, torch.arange(len(pairs))
    return [(scores.argmax(dim).cpu() == expected).float().mean().item() for dim in (1, 0)]


# Export.

def export_sentence_encoder(model, tokenizer, args):
    out = args.out
    export(model, tokenizer, out, args.max_tokens)
    library = "sentence_transformers.models."
    write_json(out / "modules.json", [
        {"idx": 0, "name": "0", "path": "", "type": library + "Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": library + "Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": library + "Normalize"}])
    write_json(out / "1_Pooling" / "config.json", {"word_embedding_dimension": args.width, "pooling_mode_mean_tokens": True})
    write_json(out / "sentence_bert_config.json", {"max_seq_length": args.max_tokens, "do_lower_case": False})


# Training.

def rate_at(step, total, args):
    """Linear warm-up, then linear decay to 2 % of the peak at the last step."""
    if step < args.warmup:
        return args.rate * (step + 1) / args.warmup
    return args.rate * (1 - 0.98 * min(1.0, (step - args.warmup) / max(1, total - args.warmup)))


def save_checkpoint(path, model, optimizer, step):
    temporary = path.with_suffix(".new")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, temporary)
    temporary.replace(path)


def make_optimizer(model, args):
    groups = [{"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 0.01},
              {"params": [p for p in model.parameters() if p.dim() <= 1], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=args.rate, betas=(0.9, 0.98))


def train(model, pairs, held, args):
    optimizer, path, step = make_optimizer(model, args), args.out / "checkpoint.pt", 0
    per_epoch = len(pairs) // args.batch
    if per_epoch == 0:
        raise SystemExit(f"{len(pairs)} pairs are fewer than a step's {args.batch}: see --batch")
    total = int(args.epochs * per_epoch)
    if path.exists():
        parts = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(parts["model"])
        optimizer.load_state_dict(parts["optimizer"])
        step = parts["step"]
        print(f"goes on at step {step} of {total}", flush=True)
    model.train()
    begun, losses = time.time(), []
    for epoch in range(step // per_epoch, math.ceil(args.epochs)):
        rng = random.Random(args.seed + epoch)
        for batch in batches(pairs, args.batch, rng)[step - epoch * per_epoch:total - epoch * per_epoch]:
            batch = lengthen(batch, args.join, rng)
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step, total, args)
            with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=args.bf16):
                vectors = embed(model, [s for (s, _), _ in batch] + [t for (_, t), _ in batch])
            loss = contrastive_loss(vectors, batch, args.temperature)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
            step += 1
            if step % 50 == 0 or step == total:
                print(f"epoch {epoch + 1} step {step}/{total} loss {sum(losses) / len(losses):.4f} "
                      f"{(time.time() - begun) / len(losses):.2f} s/step", flush=True)
                begun, losses = time.time(), []
            if step % 100 == 0 or step == total:
                save_checkpoint(path, model, optimizer, step)
                forth, back = retrieval(model, held)
                print(f"P@1 of {len(held)} pairs: {forth:.1%} forth, {back:.1%} back", flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True)
    parser.add_argument("--valid", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--pieces", type=int, default=12000)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--heads", type=int, default=3)
    parser.add_argument("--max-tokens", type=int, default=128)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--epochs", type=float, default=1.5)
    parser.add_argument("--batch", type=int, default=512, help="pairs a step")
    parser.add_argument("--join", type=float, default=0.1, help="share of pairs made longer by another")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--warmup", type=int, default=300)
    parser.add_argument("--temperature", type=float, default=0.05)
    parser.add_argument("--held-out", type=int, default=1000)
    parser.add_argument("--max-pairs", type=int, default=0, help="0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="multiply in bfloat16")
    return parser.parse_args()


def main():
    args = parse_arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    texts, held = hold_out(read_pairs(args.train), read_pairs(args.valid), args.held_out, random.Random(args.seed))
    if args.max_pairs:
        texts = texts[:args.max_pairs]
    tokenizer = train_tokenizer((text for pair in texts for text in pair), args.pieces)
    encoded = lambda pairs: [(tuple(tokenizer.encode(text).ids[:args.max_tokens // 2] for text in pair), pair) for pair in pairs]
    pairs, held_encoded = encoded(texts), encoded(held)
    (args.out / "held-out.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in held), encoding="utf-8")
    model = make_model(tokenizer.get_vocab_size(), args).to("cuda" if torch.cuda.is_available() else "cpu")
    print(f"{len(pairs)} pairs, {len(held)} held out, {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters", flush=True)
    train(model, pairs, held_encoded, args)
    export_sentence_encoder(model.cpu(), tokenizer, args)
    forth, back = retrieval(model.half().float(), held_encoded)
    print(f"in f16: P@1 of {len(held)} pairs: {forth:.1%} forth, {back:.1%} back")


if __name__ == "__main__":
    main()
