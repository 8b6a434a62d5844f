#!/usr/bin/env python3
"""Writes Marian directories with random weights from fixed seeds: every switch of the architecture, and a full-size one.

  python3 tests/golden/make_random_marian.py --out tests/golden tiny-relu tiny-gelu tiny-separate tiny-untied
  python3 tests/golden/make_random_marian.py --out /tmp/random opus

The tiny ones are in the tree. `opus` has the shape of Helsinki-NLP/opus-mt-en-de (about 300 MB) and the vocabulary of
models/translate-en-de, filled up with pieces that no text contains. Weights are drawn so that logits spread over several units: a
wrong bias, scale or transposition then shows in every one of them. Needs torch, transformers and sentencepiece.
"""

import argparse
import io
import json
import math
import pathlib
import shutil

import sentencepiece
import torch
from transformers import GenerationConfig, MarianConfig, MarianMTModel

SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "models" / "translate-en-de"
TEXT = {
    "source": "The quick brown fox jumps over the lazy dog while seven wizards pack five boxes of jam. Is it raining? No! "
              "She said: \"Wait for me at the old bridge, near the mill.\" They walked home, singing, and nobody minded the cold.",
    "target": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. Regnet es? Nein! Sie sagte: „Warte auf mich an der alten "
              "Brücke, bei der Mühle.“ Sie gingen singend nach Hause, und niemand störte sich an der Kälte.",
}

# dtype is how the weights are stored; pieces are those of source and target, without </s>, <unk> and <pad>.
VARIANTS = {
    "tiny-relu": dict(seed=1, dtype=torch.float32, pieces=(125, None), config=dict(
        d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4,
        encoder_ffn_dim=64, decoder_ffn_dim=64, activation_function="relu", scale_embedding=True,
        max_position_embeddings=48)),
    # Head widths 12 and 18, which no vector register divides; different sizes on both sides.
    "tiny-gelu": dict(seed=2, dtype=torch.bfloat16, pieces=(125, None), config=dict(
        d_model=36, encoder_layers=3, decoder_layers=1, encoder_attention_heads=3, decoder_attention_heads=2,
        encoder_ffn_dim=80, decoder_ffn_dim=52, activation_function="gelu", scale_embedding=False,
        max_position_embeddings=64)),
    "tiny-separate": dict(seed=3, dtype=torch.float32, pieces=(75, 70), shard="80KB", config=dict(
        d_model=32, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=4,
        encoder_ffn_dim=64, decoder_ffn_dim=48, activation_function="swish", scale_embedding=True,
        max_position_embeddings=48, share_encoder_decoder_embeddings=False)),
    "tiny-untied": dict(seed=4, dtype=torch.float16, pieces=(72, 64), config=dict(
        d_model=32, encoder_layers=2, decoder_layers=1, encoder_attention_heads=4, decoder_attention_heads=2,
        encoder_ffn_dim=48, decoder_ffn_dim=64, activation_function="swish", scale_embedding=False,
        max_position_embeddings=48, share_encoder_decoder_embeddings=False, tie_word_embeddings=False)),
    "opus": dict(seed=5, dtype=torch.float32, vocab_size=58101, config=dict(
        d_model=512, encoder_layers=6, decoder_layers=6, encoder_attention_heads=8, decoder_attention_heads=8,
        encoder_ffn_dim=2048, decoder_ffn_dim=2048, activation_function="swish", scale_embedding=True,
        max_position_embeddings=512)),
}


def train_pieces(text, size):
    """A Unigram model of exactly `size` pieces; identity normalisation keeps the file small."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text.split(". ") + text.split()), model_writer=model, vocab_size=size + 3,
        model_type="unigram", normalization_rule_name="identity", character_coverage=1.0, minloglevel=2,
        bos_id=-1, pad_id=-1, eos_id=1, unk_id=0)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    pieces = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    return model.getvalue(), [p for p in pieces if p not in ("<unk>", "<s>", "</s>")]


def marian_vocab(pieces):
    return {token: i for i, token in enumerate(["</s>", "<unk>", *pieces, "<pad>"])}


def write_vocab(path, vocab):
    path.write_text(json.dumps(vocab, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def write_tiny_tokenizer(out, sizes):
    """Returns (source, target) vocabulary sizes; target size None: one vocabulary for both."""
    if sizes[1] is None:
        spm, pieces = train_pieces(TEXT["source"] + " " + TEXT["target"], sizes[0])
        (out / "source.spm").write_bytes(spm)
        (out / "target.spm").write_bytes(spm)
        write_vocab(out / "vocab.json", marian_vocab(pieces))
        return len(pieces) + 3, None
    counts = []
    for side, size, name in (("source", sizes[0], "vocab.json"), ("target", sizes[1], "target_vocab.json")):
        spm, pieces = train_pieces(TEXT[side], size)
        (out / f"{side}.spm").write_bytes(spm)
        write_vocab(out / name, marian_vocab(pieces))
        counts.append(len(pieces) + 3)
    return counts[0], counts[1]


def write_padded_tokenizer(out, size):
    for name in ("source.spm", "target.spm"):
        shutil.copyfile(SHIPPED / name, out / name)
    pieces = [p for p in json.loads((SHIPPED / "vocab.json").read_text(encoding="utf-8"))][2:-1]
    pieces += [f"▁filler-{i}" for i in range(size - 3 - len(pieces))]
    write_vocab(out / "vocab.json", marian_vocab(pieces))


def write_tokenizer_config(out, separate):
    (out / "tokenizer_config.json").write_text(json.dumps({
        "source_lang": "en", "target_lang": "de", "model_max_length": 512, "separate_vocabs": separate,
        "unk_token": "<unk>", "eos_token": "</s>", "pad_token": "<pad>", "tokenizer_class": "MarianTokenizer"},
        indent=2) + "\n")


def draw(model, seed):
    """Fills every parameter but the positions, which are a formula."""
    generator = torch.Generator().manual_seed(seed)
    state = dict(model.named_parameters()) | {"final_logits_bias": model.final_logits_bias}
    with torch.no_grad():
        for name in sorted(state):
            tensor = state[name]
            if "embed_positions" in name:
                continue
            noise = torch.randn(tensor.shape, generator=generator)
            if "layer_norm" in name:
                value = 0.1 * noise + (1.0 if name.endswith("weight") else 0.0)
            elif "embed_tokens" in name or "shared" in name or "lm_head" in name:
                value = noise * (2 / math.sqrt(model.config.d_model))
            elif name == "final_logits_bias":
                value = 0.5 * noise
            elif name.endswith("bias"):
                value = 0.1 * noise
            else:
                value = noise / math.sqrt(tensor.shape[1])
            tensor.copy_(value)


def make(name, out):
    variant = VARIANTS[name]
    out.mkdir(parents=True, exist_ok=True)
    if "pieces" in variant:
        vocab, target = write_tiny_tokenizer(out, variant["pieces"])
    else:
        vocab, target = variant["vocab_size"], None
        write_padded_tokenizer(out, vocab)
    write_tokenizer_config(out, target is not None)
    pad = (target or vocab) - 1
    config = MarianConfig(vocab_size=vocab, decoder_vocab_size=target or vocab, pad_token_id=pad, eos_token_id=0,
                          bos_token_id=0, forced_eos_token_id=0, decoder_start_token_id=pad, **variant["config"])
    model = MarianMTModel(config)
    draw(model, variant["seed"])
    model.generation_config = GenerationConfig(
        bos_token_id=0, eos_token_id=0, pad_token_id=pad, decoder_start_token_id=pad, forced_eos_token_id=0,
        bad_words_ids=[[pad]], num_beams=4, max_length=min(512, config.max_position_embeddings))
    model.to(variant["dtype"]).save_pretrained(out, max_shard_size=variant.get("shard", "10GB"))
    for file in (out / "config.json", out / "generation_config.json"):  # The library's version is noise in a diff.
        fields = json.loads(file.read_text())
        fields.pop("transformers_version", None)
        file.write_text(json.dumps(fields, indent=2) + "\n")
    for file in out.iterdir():
        file.chmod(0o644)
    print(f"{out}: {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, "
          f"{sum(f.stat().st_size for f in out.iterdir()):,} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder that receives one folder per variant")
    parser.add_argument("variant", nargs="+", choices=list(VARIANTS))
    args = parser.parse_args()
    for name in args.variant:
        make(name, args.out / name)


if __name__ == "__main__":
    main()
