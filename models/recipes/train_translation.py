#!/usr/bin/env python3
"""Trains a Marian translation model from sentence pairs, as models/translate-en-de was made.

  python3 models/recipes/train_translation.py --train train.tsv.xz --valid valid.tsv --out /tmp/translate-en-de

--train, --valid: SOURCE<TAB>TARGET per line, UTF-8, plain or .xz. --out receives a Hugging Face MarianMT directory in f16 at the end, and
checkpoint.pt on the way: the same command line goes on where it stopped. Needs torch, transformers and sentencepiece.
A user of the server never needs this.
"""

import argparse
import json
import math
import pathlib
import random
import sys
import time

import sentencepiece
import torch
from torch.nn import functional
from transformers import AttentionInterface, GenerationConfig, MarianConfig, MarianMTModel
from transformers.masking_utils import AttentionMaskInterface, eager_mask

from sentence_pairs import read_pairs

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"))
from metrics import bleu  # noqa: E402

EOS, UNK, FIRST_PIECE = 0, 1, 2


def attention_f32(module, query, key, value, mask, scaling=None, dropout=0.0, **_):
    """Attention in f32 also under autocast: for short sentences faster than in bf16, and more exact."""
    with torch.autocast(query.device.type, enabled=False):
        scores = torch.matmul(query.float(), key.float().transpose(2, 3)) * (scaling or query.size(-1) ** -0.5)
        if mask is not None:
            scores = scores + mask
        weights = functional.dropout(torch.softmax(scores, -1), p=dropout, training=module.training)
        return torch.matmul(weights, value.float()).transpose(1, 2).contiguous(), weights


AttentionInterface.register("f32", attention_f32)
AttentionMaskInterface.register("f32", eager_mask)


# Data: a pair is (source ids, target ids), each with the end token.

class Vocabulary:
    """Joint SentencePiece model. Ids: </s> 0, <unk> 1, pieces, <pad> last."""

    def __init__(self, model_path):
        self.path = model_path
        self.spm = sentencepiece.SentencePieceProcessor(model_file=str(model_path))
        pieces = [self.spm.id_to_piece(i) for i in range(self.spm.get_piece_size())]
        self.tokens = ["</s>", "<unk>", *[p for p in pieces if p != "<unk>"], "<pad>"]
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        self.pad = len(self.tokens) - 1

    @staticmethod
    def train(pairs, model_path, pieces):
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=(text for pair in pairs for text in pair), model_prefix=str(model_path.with_suffix("")),
            vocab_size=pieces, model_type="unigram", normalization_rule_name="nmt_nfkc", character_coverage=1.0,
            bos_id=-1, eos_id=-1, pad_id=-1, unk_id=0, minloglevel=1)
        model_path.with_suffix(".model").rename(model_path)
        model_path.with_suffix(".vocab").unlink()

    def encode(self, text):
        return [self.ids.get(piece, UNK) for piece in self.spm.encode(text, out_type=str)] + [EOS]

    def decode(self, ids):
        return self.spm.decode_pieces([self.tokens[i] for i in ids if i not in (EOS, UNK, self.pad)])


def encode_pairs(vocabulary, pairs, max_tokens):
    encoded = [(vocabulary.encode(source), vocabulary.encode(target)) for source, target in pairs]
    return [pair for pair in encoded if max(map(len, pair)) <= max_tokens]


def batches(pairs, budget_tokens, rng):
    """Pairs of like length together, at most budget_tokens with padding on either side; the batches in random order."""
    order = sorted(pairs, key=lambda pair: (max(map(len, pair)) + rng.random() * 2, rng.random()))
    made, batch, width = [], [], 0
    for pair in order:
        longest = max(width, *map(len, pair))
        if batch and longest * (len(batch) + 1) > budget_tokens:
            made.append(batch)
            batch, longest = [], max(map(len, pair))
        batch.append(pair)
        width = longest
    if batch:
        made.append(batch)
    rng.shuffle(made)
    return made


def collate(batch, pad, device):
    def padded(rows, filler):
        width = max(map(len, rows))
        return torch.tensor([row + [filler] * (width - len(row)) for row in rows], device=device)
    sources, targets = padded([s for s, _ in batch], pad), padded([t for _, t in batch], -100)
    fed = padded([[pad] + t[:-1] for _, t in batch], pad)
    return sources, fed, targets


# Model and optimiser.

def make_model(vocabulary, args):
    pad = vocabulary.pad
    config = MarianConfig(
        vocab_size=len(vocabulary.tokens), decoder_vocab_size=len(vocabulary.tokens), d_model=args.width,
        encoder_layers=args.encoder_layers, decoder_layers=args.decoder_layers, encoder_attention_heads=args.heads,
        decoder_attention_heads=args.heads, encoder_ffn_dim=4 * args.width, decoder_ffn_dim=4 * args.width,
        activation_function="swish", scale_embedding=True, max_position_embeddings=512, dropout=args.dropout,
        attention_dropout=0.0, activation_dropout=0.0, pad_token_id=pad, eos_token_id=EOS, bos_token_id=EOS,
        forced_eos_token_id=EOS, decoder_start_token_id=pad, attn_implementation="f32")
    model = MarianMTModel(config)
    for name, weight in model.named_parameters():
        if weight.dim() == 2 and "embed" not in name and "shared" not in name and "lm_head" not in name:
            torch.nn.init.xavier_uniform_(weight)
    torch.nn.init.normal_(model.model.shared.weight, std=args.width ** -0.5)
    model.generation_config = GenerationConfig(
        bos_token_id=EOS, eos_token_id=EOS, pad_token_id=pad, decoder_start_token_id=pad, forced_eos_token_id=EOS,
        bad_words_ids=[[pad]], num_beams=4, max_length=512)
    return model


def make_optimizer(model, args):
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [{"params": [p for p in trained if p.dim() > 1], "weight_decay": 0.01},
              {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=args.rate, betas=(0.9, 0.98))


def rate_at(step, total, args):
    """Linear warm-up, then linear decay to 4 % of the peak at the last step."""
    if step < args.warmup:
        return args.rate * (step + 1) / args.warmup
    done = min(1.0, (step - args.warmup) / max(1, total - args.warmup))
    return args.rate * (1 - 0.96 * done)


def loss_of(model, batch, pad, smoothing, reduction):
    sources, fed, targets = collate(batch, pad, model.device)
    with torch.autocast(model.device.type, dtype=torch.bfloat16):
        logits = model(input_ids=sources, attention_mask=(sources != pad).long(), decoder_input_ids=fed).logits
    return functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=-100,
                                    label_smoothing=smoothing, reduction=reduction)


# Validation.

@torch.no_grad()
def validate(model, vocabulary, pairs, texts, limit):
    """Perplexity over pairs, and greedy BLEU over the first `limit` distinct sources against all of their references."""
    model.eval()
    rng = random.Random(0)
    loss = tokens = 0
    for batch in batches(pairs, 4096, rng):
        loss += loss_of(model, batch, vocabulary.pad, 0.0, "sum").item()
        tokens += sum(len(target) for _, target in batch)
    references = {}
    for source, target in texts:
        references.setdefault(source, []).append(target)
    sources = sorted(list(references)[:limit], key=len)
    hypotheses = []
    for begin in range(0, len(sources), 32):
        ids, _, _ = collate([(vocabulary.encode(s), [EOS]) for s in sources[begin:begin + 32]], vocabulary.pad,
                            model.device)
        out = model.generate(input_ids=ids, attention_mask=(ids != vocabulary.pad).long(), num_beams=1,
                             max_new_tokens=100)
        hypotheses += [vocabulary.decode(row) for row in out.tolist()]
    model.train()
    return math.exp(loss / max(1, tokens)), bleu(hypotheses, [references[s] for s in sources])


# Checkpoints and export.

def save_checkpoint(path, model, optimizer, progress):
    parts = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "progress": progress,
             "torch_rng": torch.get_rng_state()}
    temporary = path.with_suffix(".new")
    torch.save(parts, temporary)
    temporary.replace(path)


def load_checkpoint(path, model, optimizer):
    parts = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(parts["model"])
    optimizer.load_state_dict(parts["optimizer"])
    torch.set_rng_state(parts["torch_rng"])
    return parts["progress"]


def export(model, vocabulary, out, languages):
    model.cpu().half().save_pretrained(out)
    for name in ("source.spm", "target.spm"):
        (out / name).write_bytes(vocabulary.path.read_bytes())
    (out / "vocab.json").write_text(json.dumps(vocabulary.ids, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    (out / "tokenizer_config.json").write_text(json.dumps({
        "source_lang": languages[0], "target_lang": languages[1], "model_max_length": 512, "separate_vocabs": False,
        "unk_token": "<unk>", "eos_token": "</s>", "pad_token": "<pad>", "tokenizer_class": "MarianTokenizer"},
        indent=2) + "\n")
    _, info = MarianMTModel.from_pretrained(out, output_loading_info=True)
    wrong = {kind: sorted(keys) for kind, keys in info.items() if keys}
    if wrong:
        raise SystemExit(f"{out}: does not load cleanly: {wrong}")


def train(model, vocabulary, pairs, valid_pairs, valid_texts, args):
    optimizer = make_optimizer(model, args)
    checkpoint = args.out / "checkpoint.pt"
    progress = {"epoch": 0, "batch": 0, "step": 0}
    if checkpoint.exists():
        progress = load_checkpoint(checkpoint, model, optimizer)
        print(f"going on at step {progress['step']}")
    per_epoch = len(batches(pairs, args.batch_tokens, random.Random(f"{args.seed}-0")))
    total = min(args.epochs * per_epoch, args.max_steps or sys.maxsize)
    model.train()
    began, seen = time.monotonic(), 0
    while progress["step"] < total:
        todo = batches(pairs, args.batch_tokens, random.Random(f"{args.seed}-{progress['epoch']}"))
        for batch in todo[progress["batch"]:]:
            for group in optimizer.param_groups:
                group["lr"] = rate_at(progress["step"], total, args)
            loss = loss_of(model, batch, vocabulary.pad, 0.1, "mean")
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            progress["step"] += 1
            progress["batch"] += 1
            seen += sum(len(target) for _, target in batch)
            if progress["step"] % args.log_every == 0:
                print(f"step {progress['step']}/{total} loss {loss.item():.3f} "
                      f"{seen / (time.monotonic() - began):.0f} target tokens/s")
            if progress["step"] % args.save_every == 0:
                save_checkpoint(checkpoint, model, optimizer, progress)
            if progress["step"] >= total:
                break
        if progress["batch"] >= len(todo):
            progress["epoch"] += 1
            progress["batch"] = 0
        save_checkpoint(checkpoint, model, optimizer, progress)
        perplexity, score = validate(model, vocabulary, valid_pairs, valid_texts, args.valid_sources)
        print(f"epoch {progress['epoch']}, step {progress['step']}: perplexity {perplexity:.2f}, "
              f"greedy BLEU {score:.2f}")


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=pathlib.Path, required=True)
    parser.add_argument("--valid", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--languages", nargs=2, default=["en", "de"], metavar=("SOURCE", "TARGET"))
    parser.add_argument("--pieces", type=int, default=8000, help="SentencePiece vocabulary")
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--encoder-layers", type=int, default=6)
    parser.add_argument("--decoder-layers", type=int, default=3)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--max-steps", type=int, default=0, help="0: as many as the epochs have")
    parser.add_argument("--max-pairs", type=int, default=0, help="train on the first so many pairs; 0: all")
    parser.add_argument("--max-tokens", type=int, default=128, help="longer pairs are left out")
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--rate", type=float, default=1.2e-3, help="peak learning rate")
    parser.add_argument("--warmup", type=int, default=600, help="steps")
    parser.add_argument("--valid-sources", type=int, default=200, help="distinct sources for BLEU on the way")
    parser.add_argument("--log-every", type=int, default=50, help="steps")
    parser.add_argument("--save-every", type=int, default=500, help="steps")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def main():
    args = parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    texts = read_pairs(args.train)
    texts = texts[:args.max_pairs] if args.max_pairs else texts
    spm = args.out / "source.spm"
    if not spm.exists():
        Vocabulary.train(texts, spm, args.pieces)
    vocabulary = Vocabulary(spm)
    valid_texts = read_pairs(args.valid)
    pairs = encode_pairs(vocabulary, texts, args.max_tokens)
    model = make_model(vocabulary, args).to(args.device)
    print(f"{len(pairs)} pairs, {len(vocabulary.tokens)} tokens, "
          f"{sum(p.numel() for p in model.parameters() if p.requires_grad) / 1e6:.2f} M parameters, {args.device}")
    train(model, vocabulary, pairs, encode_pairs(vocabulary, valid_texts, 512), valid_texts, args)
    export(model, vocabulary, args.out, args.languages)
    print(f"{args.out}: ready; checkpoint.pt there may be removed")


if __name__ == "__main__":
    main()
