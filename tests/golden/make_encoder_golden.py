#!/usr/bin/env python3
"""Writes tiny encoders with random weights, and what Hugging Face transformers answers for them in float32.

  python3 tests/golden/make_encoder_golden.py --out tests/golden/encoders            every tiny variant
  python3 tests/golden/make_encoder_golden.py --out /tmp/encoders vit-base deit-base bert-base mpnet-base

Each folder gets config.json, model.safetensors and golden.json:
  text:   {"cases": [{"ids", "types" (or absent), "hidden": [token][hidden_dim], "logits" (with a head)}]}
  image:  {"cases": [{"seed", "hidden": [token][hidden_dim], "logits" or "pooled", "attention": [patch]}]}
Text models also get a tokenizer.json in which "tN" is the token N and nothing is added, image models a preprocessor_config.json and, in
golden.json, {"files": [{"file" (in tests/golden/images), "logits" or "pooled"}]}: what processor and model make of real files.
The pixels of an image follow from its seed by a formula that the test computes as well (pixels() below). The full-size variants are not
in the tree: tests/golden/model_parity.py compares them.
"""

import argparse
import json
import math
import pathlib

import numpy as np
import torch
from transformers import (
    BertConfig, BertForSequenceClassification, BertForTokenClassification, BertModel, DeiTConfig,
    DeiTForImageClassificationWithTeacher, DistilBertConfig, DistilBertForSequenceClassification, MPNetConfig, MPNetModel,
    RobertaConfig, RobertaForSequenceClassification, ViTConfig, ViTForImageClassification, ViTModel, XLMRobertaConfig,
    XLMRobertaForTokenClassification)

IMAGES = pathlib.Path(__file__).parent / "images"
SMALL = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
LABELS = {0: "bad", 1: "good", 2: "so-so"}
# class, configuration, image size fed (None: text; a size other than the configuration's makes positions interpolate).
VARIANTS = {
    "bert": (BertModel, BertConfig(vocab_size=100, max_position_embeddings=48, **SMALL), None),
    "bert-sequence": (BertForSequenceClassification, BertConfig(
        vocab_size=90, max_position_embeddings=40, hidden_act="gelu_new", id2label=LABELS, **SMALL), None),
    "bert-tokens": (BertForTokenClassification, BertConfig(
        vocab_size=80, max_position_embeddings=40, hidden_act="relu", id2label=LABELS, type_vocab_size=3, **SMALL), None),
    "roberta-sequence": (RobertaForSequenceClassification, RobertaConfig(
        vocab_size=100, max_position_embeddings=50, type_vocab_size=1, layer_norm_eps=1e-5, id2label=LABELS,
        problem_type="multi_label_classification", **SMALL), None),
    "xlm-roberta-tokens": (XLMRobertaForTokenClassification, XLMRobertaConfig(
        vocab_size=120, max_position_embeddings=50, type_vocab_size=1, layer_norm_eps=1e-5, id2label=LABELS, **SMALL), None),
    "distilbert-sequence": (DistilBertForSequenceClassification, DistilBertConfig(
        vocab_size=100, max_position_embeddings=48, dim=36, n_layers=2, n_heads=3, hidden_dim=50, id2label=LABELS), None),
    "mpnet": (MPNetModel, MPNetConfig(vocab_size=100, max_position_embeddings=180, **SMALL), None),
    "vit": (ViTModel, ViTConfig(image_size=24, patch_size=8, **SMALL), 24),
    "vit-classes": (ViTForImageClassification, ViTConfig(image_size=24, patch_size=8, id2label=LABELS, **SMALL), 24),
    "vit-interpolated": (ViTForImageClassification, ViTConfig(image_size=24, patch_size=8, id2label=LABELS, **SMALL), 40),
    "deit-teacher": (DeiTForImageClassificationWithTeacher, DeiTConfig(
        image_size=16, patch_size=4, hidden_act="gelu", id2label=LABELS, **SMALL), 16),
    "vit-base": (ViTForImageClassification, ViTConfig(id2label={i: str(i) for i in range(1000)}), 224),
    "deit-base": (DeiTForImageClassificationWithTeacher, DeiTConfig(id2label={i: str(i) for i in range(1000)}), 224),
    "bert-base": (BertForSequenceClassification, BertConfig(id2label=LABELS), None),
    "roberta-base": (RobertaForSequenceClassification, RobertaConfig(
        max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, id2label=LABELS), None),
    "xlm-roberta-base": (XLMRobertaForTokenClassification, XLMRobertaConfig(
        vocab_size=250002, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, id2label=LABELS), None),
    "distilbert-base": (DistilBertForSequenceClassification, DistilBertConfig(id2label=LABELS), None),
    "mpnet-base": (MPNetModel, MPNetConfig(max_position_embeddings=514), None),
    "minilm-l6": (BertModel, BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536), None),
}
FULL_SIZE = [name for name in VARIANTS if name.endswith(("-base", "-l6"))]


def pixels(seed, size):
    """[3, size, size] in [-1, 1): a linear congruential sequence, exact in float32."""
    values = np.empty(3 * size * size, np.float32)
    state = np.uint32(seed)
    with np.errstate(over="ignore"):
        for i in range(values.size):
            state = state * np.uint32(1664525) + np.uint32(1013904223)
            values[i] = np.float32(int(state >> np.uint32(16)) - 32768) / np.float32(32768)
    return values.reshape(3, size, size)


def draw(model, seed):
    """Values large enough that a wrong bias, scale or transposition shows."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in sorted(model.named_parameters()):
            noise = torch.randn(tensor.shape, generator=generator)
            if "norm" in name.lower():
                value = 0.1 * noise + (1.0 if name.endswith("weight") else 0.0)
            elif "embedding" in name and "projection" not in name or name.endswith(("cls_token", "distillation_token")):
                value = 0.5 * noise
            elif "relative_attention_bias" in name:
                value = noise
            elif name.endswith("bias"):
                value = 0.1 * noise
            else:
                value = noise / math.sqrt(tensor[0].numel())
            tensor.copy_(value)


def rollout(attentions, own_tokens):
    """Abnar and Zuidema 2020; the class token's row, as shares of what falls on patches."""
    product = torch.eye(attentions[0].shape[-1])
    for layer in attentions:
        product = (0.5 * layer[0].mean(0) + 0.5 * torch.eye(product.shape[0])) @ product
    row = product[0, own_tokens:]
    return row / row.sum()


def text_cases(model, config, lengths):
    generator = torch.Generator().manual_seed(7)
    for length in lengths:
        ids = torch.randint(3, config.vocab_size, (1, length), generator=generator)
        types = getattr(config, "type_vocab_size", 0)
        extra = {}
        if types > 1 and length % 2 == 0:
            extra["token_type_ids"] = torch.randint(0, types, (1, length), generator=generator)
        answer = model(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True, **extra)
        case = {"ids": ids[0].tolist(), "hidden": answer.hidden_states[-1][0].tolist()}
        if extra:
            case["types"] = extra["token_type_ids"][0].tolist()
        if hasattr(answer, "logits"):
            case["logits"] = answer.logits[0].tolist()
        yield case


def image_cases(model, config, size, seeds):
    own = 2 if config.model_type == "deit" else 1
    base = getattr(model, config.model_type, model)
    for seed in seeds:
        values = torch.tensor(pixels(seed, size))[None]
        more = {"interpolate_pos_encoding": True} if size != config.image_size else {}
        answer = model(pixel_values=values, output_attentions=True, **more)
        inner = base(pixel_values=values, **more)
        case = {"seed": seed, "size": size, "hidden": inner.last_hidden_state[0].tolist(),
                "attention": rollout(answer.attentions, own).tolist()}
        if hasattr(answer, "logits"):
            case["logits"] = answer.logits[0].tolist()
        else:
            case["pooled"] = answer.pooler_output[0].tolist()
        yield case


def write_tokenizer(config, out):
    from tokenizers import Tokenizer, models, pre_tokenizers
    tokenizer = Tokenizer(models.WordLevel({f"t{i}": i for i in range(config.vocab_size)}, unk_token="t0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)


def slow_processor_class():
    """The processor that resizes by Pillow, whatever this version of the library calls it."""
    import transformers
    return getattr(transformers, "ViTImageProcessorPil", None) or transformers.ViTImageProcessor


def slow_processor(size):
    return slow_processor_class()(size={"height": size, "width": size})


def file_cases(model, processor):
    from PIL import Image, ImageOps
    for name in ("basn2c16.png", "gen-420.jpg", "exif-xmp-metadata.jpg"):
        image = ImageOps.exif_transpose(Image.open(IMAGES / name)).convert("RGB")
        answer = model(processor(image, return_tensors="pt").pixel_values)
        value = answer.logits if hasattr(answer, "logits") else answer.pooler_output
        yield {"file": name, "logits" if hasattr(answer, "logits") else "pooled": value[0].tolist()}


def round_all(value, digits=7):
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, list):
        return [round_all(v, digits) for v in value]
    if isinstance(value, dict):
        return {k: round_all(v, digits) for k, v in value.items()}
    return value


def make(name, out):
    model_class, config, size = VARIANTS[name]
    config._attn_implementation = "eager"
    model = model_class(config).eval()
    draw(model, seed=sum(name.encode()))
    model.save_pretrained(out)
    full = name in FULL_SIZE
    golden = {}
    with torch.no_grad():
        if size is None and not full:
            write_tokenizer(config, out)
        elif size is not None and size == config.image_size and config.model_type == "vit":
            processor = slow_processor(size)
            processor.save_pretrained(out)
            golden["files"] = round_all(list(file_cases(model, processor)))
        if size is None:
            cases = list(text_cases(model, config, [2, 17, 128, 384] if full else [1, 2, 7, 16, 33, 150][:6 if name == "mpnet" else 5]))
        else:
            cases = list(image_cases(model, config, size, [1, 2] if full else [1, 2, 3]))
    golden["cases"] = round_all(cases)
    (out / "golden.json").write_text(json.dumps(golden) + "\n")
    (out / "generation_config.json").unlink(missing_ok=True)
    fields = json.loads((out / "config.json").read_text())
    fields.pop("transformers_version", None)
    (out / "config.json").write_text(json.dumps(fields, indent=2) + "\n")
    print(f"{out}: {sum(p.numel() for p in model.parameters()):,} parameters, {len(cases)} cases", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("variant", nargs="*", metavar="VARIANT")
    args = parser.parse_args()
    for name in args.variant or [n for n in VARIANTS if n not in FULL_SIZE]:
        make(name, args.out / name)


if __name__ == "__main__":
    main()
