"""What the recipes of BERT models share: a WordPiece vocabulary of texts, and a Hugging Face directory in f16."""

import json

import tokenizers
import torch
from safetensors.torch import save_file

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PAD = 0


def train_tokenizer(texts, pieces):
    """Lower-cases, keeps accents, puts nothing before or after a text."""
    tokenizer = tokenizers.BertWordPieceTokenizer(lowercase=True, strip_accents=False)
    tokenizer.train_from_iterator(texts, vocab_size=pieces, min_frequency=2, special_tokens=SPECIAL_TOKENS,
                                  show_progress=False)
    return tokenizer


def padded(rows, device):
    """Rows of ids -> (ids, mask), both [row][longest]."""
    width = max(map(len, rows))
    ids = torch.tensor([row + [PAD] * (width - len(row)) for row in rows], device=device)
    return ids, ids != PAD


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def export(model, tokenizer, out, max_tokens):
    """config.json, model.safetensors, tokenizer.json and tokenizer_config.json in the folder `out`."""
    tokenizer.enable_truncation(max_tokens)
    tokenizer.save(str(out / "tokenizer.json"))
    tokenizer.no_truncation()
    write_json(out / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": max_tokens,
        "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"})
    config = json.loads(model.config.to_json_string())
    config.update(architectures=[type(model).__name__], dtype="float16")
    write_json(out / "config.json", config)
    weights = {name: w.half().contiguous() for name, w in model.state_dict().items() if w.is_floating_point()}
    save_file(weights, str(out / "model.safetensors"), metadata={"format": "pt"})
