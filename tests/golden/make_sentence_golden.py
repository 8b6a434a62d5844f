#!/usr/bin/env python3
"""Writes tiny sentence-transformers directories with random weights, and what SentenceTransformer.encode makes of texts in float32.

  pip install --no-deps --target /tmp/st-site sentence-transformers scikit-learn scipy joblib loky cloudpickle threadpoolctl narwhals tqdm typing_extensions
  PYTHONPATH=/tmp/st-site python3 tests/golden/make_sentence_golden.py --out tests/golden/sentence_transformers

Each folder is as save() leaves it (variants "old-..." as versions before 5.4 left it, "plain" as transformers does), and has a
golden.json with one line for each case:
  {"text", "prompt": a name or "", "dimensions": 0 for all, "normalize" (where encode was told to), "tokens", "embedding"}
"""

import argparse
import json
import pathlib
import shutil
import tempfile

import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig, BertModel, DistilBertConfig, DistilBertModel, MPNetConfig, MPNetModel, PreTrainedTokenizerFast, RobertaConfig,
    RobertaModel)

import reference
from make_encoder_golden import draw

DIM = 16
SMALL = dict(hidden_size=DIM, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
TEXTS = [
    "Good morning!", "guten Tag, Welt", "", "  spaces   and\ttabs \n", "Straße STRASSE ΟΔΟΣ İstanbul", "[SEP] and </s> inside", "bogen",
    "naïve café 日本 \U0001f642", "x", "the word " * 30,
]
WORDS = ["the", "and", "Frage", "Fragebogen", "word", "query", "Good", "good", "Welt", "##ing", "##en", "οδος", "οδοσ", "i"]
LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßéïοδσς0123456789!,.:?ABCDEFGHIJKLMNOPQRSTUVWXYZΟΔΣ\u0307"
MERGES = ["Ġ t", "h e", "Ġt he", "a n", "an d", "Ġ and", "o r", "or d", "g e", "w ord", "Ġ word", "q u", "F r", "b o", "Ġ Ġ"]


def word_piece():
    letters = list(dict.fromkeys(LETTERS))
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + c for c in letters), *WORDS]
    tokenizer = Tokenizer(models.WordPiece({t: i for i, t in enumerate(dict.fromkeys(tokens))}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")


def byte_level():
    merges = [tuple(m.split()) for m in MERGES]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *sorted(pre_tokenizers.ByteLevel.alphabet()), *("".join(m) for m in merges)]
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>", cls_token="<s>",
        sep_token="</s>", mask_token="<mask>")


def encoder(kind, folder, seed):
    tokenizer = byte_level() if kind in ("roberta", "mpnet") else word_piece()
    size = len(tokenizer)
    if kind == "bert":
        model = BertModel(BertConfig(vocab_size=size, max_position_embeddings=48, **SMALL))
    elif kind == "distilbert":
        model = DistilBertModel(DistilBertConfig(vocab_size=size, max_position_embeddings=48, dim=DIM, n_layers=1, n_heads=2, hidden_dim=32))
    elif kind == "roberta":
        model = RobertaModel(RobertaConfig(
            vocab_size=size, max_position_embeddings=50, type_vocab_size=1, layer_norm_eps=1e-5, **SMALL))
    else:
        model = MPNetModel(MPNetConfig(vocab_size=size, max_position_embeddings=50, **SMALL))
    draw(model, seed)
    # Positions begin at 2 in these two.
    tokenizer.model_max_length = 48
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def dense(rows, columns, activation, bias=True):
    module = Dense(rows, columns, bias=bias, activation_function=activation)
    draw(module, seed=rows + columns)
    return module


def old_format(folder, limits):
    """The same model as versions before 5.4 wrote it."""
    def rewrite(name, change):
        path = folder / name
        path.write_text(json.dumps(change(json.loads(path.read_text())), indent=2) + "\n")

    def pooling(config):
        modes = config["pooling_mode"]
        modes = [modes] if isinstance(modes, str) else modes
        flags = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens", "mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
                 "weightedmean": "weightedmean_tokens", "lasttoken": "lasttoken"}
        return {"word_embedding_dimension": config["embedding_dimension"],
                **{"pooling_mode_" + flag: mode in modes for mode, flag in flags.items()}, "include_prompt": config["include_prompt"]}

    rewrite("1_Pooling/config.json", pooling)
    rewrite("modules.json", lambda list_: [
        dict(m, type="sentence_transformers.models." + m["type"].split(".")[-1]) for m in list_])
    (folder / "sentence_bert_config.json").write_text(json.dumps(limits) + "\n")
    for normalize in folder.glob("*_Normalize"):
        shutil.rmtree(normalize)


PROMPTS = {"query": "query: ", "glued": "Frage", "none": ""}
ALL_MODES = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
# encoder, pooling, further modules, more: prompts, default (a prompt's name), include_prompt, max_tokens, lower_case, old (format).
VARIANTS = {
    "mean-normalize": ("bert", "mean", [Normalize()], {}),
    "cls": ("distilbert", "cls", [], {}),
    "max": ("mpnet", "max", [Normalize()], {}),
    "last-token": ("roberta", "lasttoken", [], {}),
    "weighted-mean": ("roberta", "weightedmean", [Normalize()], {"prompts": PROMPTS, "default": "query"}),
    "side-by-side": ("bert", ["lasttoken", "mean_sqrt_len_tokens", "cls"], [], {}),
    "dense-tanh": ("bert", "mean", [dense(DIM, 24, torch.nn.Tanh()), Normalize()], {}),
    "dense-relu-none": ("mpnet", ["mean", "max"], [
        dense(2 * DIM, 24, torch.nn.ReLU(), bias=False), dense(24, 8, torch.nn.Identity())], {}),
    "dense-gelu-silu": ("distilbert", "mean", [dense(DIM, 24, torch.nn.GELU()), dense(24, 12, torch.nn.SiLU())], {}),
    "prompts-pooled": ("bert", "mean", [], {"prompts": PROMPTS, "default": "query"}),
    "prompts-left-out": ("bert", ALL_MODES, [], {"prompts": PROMPTS, "default": "query", "include_prompt": False}),
    "prompts-left-out-bytes": ("roberta", ALL_MODES, [], {"prompts": PROMPTS, "include_prompt": False}),
    "lower-case": ("bert", "mean", [], {"lower_case": True, "max_tokens": 23}),
    "old-lower-case": ("bert", "cls", [Normalize()], {"lower_case": True, "max_tokens": 22, "old": True}),
    "old-all": ("roberta", ALL_MODES, [dense(6 * DIM, 20, torch.nn.Tanh())], {
        "prompts": PROMPTS, "include_prompt": False, "old": True}),
    "plain": ("bert", None, [], {}),
}


def load(folder):
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True, model_kwargs={"dtype": torch.float32})


def write_model(name, folder):
    kind, pooling, more, options = VARIANTS[name]
    if pooling is None:
        return encoder(kind, folder, seed=sum(name.encode()))
    with tempfile.TemporaryDirectory() as base:
        encoder(kind, base, seed=sum(name.encode()))
        is_old = options.get("old", False)
        limits = {"max_seq_length": options.get("max_tokens"), "do_lower_case": options.get("lower_case", False)}
        modules = [Transformer(base, **({} if is_old else limits)),
                   Pooling(DIM, pooling_mode=pooling, include_prompt=options.get("include_prompt", True)), *more]
        model = SentenceTransformer(
            modules=modules, device="cpu", prompts=options.get("prompts"), default_prompt_name=options.get("default"))
        model.save(str(folder), create_model_card=False)
    if is_old:
        old_format(folder, limits)


def cases(model, prompts):
    def ask(texts, prompt="", **options):
        vectors = model.encode(texts, prompt_name=prompt or None, **options)
        before = model.prompts.get(prompt or model.default_prompt_name) or ""
        for text, vector in zip(texts, vectors):
            yield {"text": text, "prompt": prompt, "dimensions": options.get("truncate_dim", 0),
                   **({"normalize": True} if options.get("normalize_embeddings") else {}),
                   "tokens": model.preprocess([before + text])["input_ids"].shape[-1], "embedding": vector.tolist()}

    yield from ask(TEXTS)
    for prompt in prompts or []:
        yield from ask(TEXTS[:2] + TEXTS[5:8], prompt)
    yield from ask(TEXTS[:2], truncate_dim=5, normalize_embeddings=True)


def make(name, out):
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    write_model(name, out)
    model = load(out)
    found = list(cases(model, VARIANTS[name][3].get("prompts")))
    head = {"versions": {"sentence_transformers": sentence_transformers.__version__, **reference.versions()}}
    reference.write_json(out / "golden.json", head, "cases", found)
    size = sum(f.stat().st_size for f in out.rglob("*") if f.is_file())
    print(f"{out}: {len(found)} cases, {size:,} bytes", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("variant", nargs="*", metavar="VARIANT")
    args = parser.parse_args()
    for name in args.variant or VARIANTS:
        make(name, args.out / name)


if __name__ == "__main__":
    main()
