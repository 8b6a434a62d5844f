#!/usr/bin/env python3
"""What Hugging Face transformers answers, in float32, for the one-pass models that ship; and whether the server answers the same.

  python3 tests/golden/shipped_encoders.py golden
      writes tests/golden/embed-en-de.json, classify-language.json and classify-cifar10.json, for ./test

  cut -f 1 held-out.tsv > texts; cut -f 2 held-out.tsv >> texts          (of models/recipes/train_embedding.py)
  attendant embed --model embed-en-de --input texts --format npy --output vectors.npy
  python3 tests/golden/shipped_encoders.py embeddings --texts texts --vectors vectors.npy
      prints the least cosine between ours and theirs, and P@1 of both halves of the texts
  PYTHONPATH=/tmp/st-site python3 tests/golden/shipped_encoders.py sentence_transformers
      prints the least cosine between embed-en-de.json and SentenceTransformer (make_sentence_golden.py says how to install it)

  cut -f 2 held-out.tsv > texts                                          (of models/recipes/train_language.py)
  attendant classify --model classify-language --texts texts --json --output classes.json
  python3 tests/golden/shipped_encoders.py classes --texts texts --classes classes.json [--truth held-out.tsv]
      prints on how many texts the first class is the same, and the accuracy

  attendant classify --model classify-cifar10 --json --output classes.json test/         (of the archive of models/recipes/train_cifar10.py)
  python3 tests/golden/shipped_encoders.py images --classes classes.json
      the same for pictures, whose folders are named by their class
"""

import argparse
import json
import pathlib

import numpy as np
import torch
from PIL import Image, ImageOps
from tokenizers import Tokenizer
from transformers import BertForSequenceClassification, BertModel, ViTForImageClassification

from make_encoder_golden import slow_processor_class

TREE = pathlib.Path(__file__).resolve().parents[2]
EMBED, CLASSIFY, CIFAR = TREE / "models/embed-en-de", TREE / "models/classify-language", TREE / "models/classify-cifar10"
PICTURES = TREE / "tests/golden/images"
PICTURE_NAMES = ["basn2c16.png", "gen-420.jpg", "gen-cmyk.jpg", "gen-lossless-alpha.webp", "gen-orientation-6.jpg", "exif-xmp-metadata.jpg"]
TEXTS = [
    "Good morning!", "Guten Morgen!", "Tom asked me if I could help him with his homework.",
    "Tom hat mich gefragt, ob ich ihm bei seinen Hausaufgaben helfen könnte.", "Je ne sais pas où il habite.",
    "¿Dónde está la estación?", "Die Äpfel sind noch nicht reif; wir müssen warten.", "It's 7:45 a.m. -- hurry up!",
    "STRASSE, straße, Straße", "naïve café", "日本語 and emoji 🙂", "a", "  spaces   and\ttabs  ", "...?!",
    "word " * 200,
]


def encode(tokenizer, text):
    return torch.tensor([tokenizer.encode(text).ids])


@torch.no_grad()
def embed(texts):
    tokenizer = Tokenizer.from_file(str(EMBED / "tokenizer.json"))
    model = BertModel.from_pretrained(EMBED, dtype=torch.float32, add_pooling_layer=False, attn_implementation="eager").eval()
    means = [model(input_ids=encode(tokenizer, text)).last_hidden_state[0].mean(0) for text in texts]
    return torch.nn.functional.normalize(torch.stack(means), dim=1).numpy()


@torch.no_grad()
def classify(texts):
    tokenizer = Tokenizer.from_file(str(CLASSIFY / "tokenizer.json"))
    model = BertForSequenceClassification.from_pretrained(CLASSIFY, dtype=torch.float32, attn_implementation="eager").eval()
    return np.stack([model(input_ids=encode(tokenizer, text)).logits[0].numpy() for text in texts]), model.config.id2label


@torch.no_grad()
def classify_pictures(paths):
    model = ViTForImageClassification.from_pretrained(CIFAR, dtype=torch.float32, attn_implementation="eager").eval()
    processor = slow_processor_class().from_pretrained(CIFAR)
    rows = []
    for begin in range(0, len(paths), 100):
        pictures = [ImageOps.exif_transpose(Image.open(path)).convert("RGB") for path in paths[begin:begin + 100]]
        rows.append(model(processor(pictures, return_tensors="pt").pixel_values).logits.numpy())
    return np.concatenate(rows), model.config.id2label


def write_golden(_):
    rounded = lambda values: [float(f"{v:.8g}") for v in values]
    cases = [{"text": text, "embedding": rounded(vector)} for text, vector in zip(TEXTS, embed(TEXTS))]
    (TREE / "tests/golden/embed-en-de.json").write_text(json.dumps({"cases": cases}, ensure_ascii=False) + "\n")
    logits, names = classify(TEXTS)
    cases = [{"text": text, "logits": rounded(row), "label": names[int(row.argmax())]} for text, row in zip(TEXTS, logits)]
    (TREE / "tests/golden/classify-language.json").write_text(json.dumps({"cases": cases}, ensure_ascii=False, indent=0) + "\n")
    logits, names = classify_pictures([PICTURES / name for name in PICTURE_NAMES])
    cases = [{"file": name, "logits": rounded(row), "label": names[int(row.argmax())]} for name, row in zip(PICTURE_NAMES, logits)]
    (TREE / "tests/golden/classify-cifar10.json").write_text(json.dumps({"cases": cases}, indent=0) + "\n")


def read_lines(path):
    return pathlib.Path(path).read_text(encoding="utf-8").split("\n")[:-1]


def check_embeddings(args):
    ours, theirs = np.load(args.vectors), embed(read_lines(args.texts))
    cosines = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    print(f"{len(ours)} texts, least cosine {cosines.min():.9f}")
    half = len(ours) // 2
    scores = ours[:half] @ ours[half:].T
    forth, back = ((scores.argmax(axis) == np.arange(half)).mean() for axis in (1, 0))
    print(f"P@1 of {half} pairs: {forth:.1%} forth, {back:.1%} back")


def check_sentence_transformers(_):
    from sentence_transformers import SentenceTransformer, __version__
    model = SentenceTransformer(str(EMBED), device="cpu", local_files_only=True, model_kwargs={"dtype": torch.float32})
    cases = json.loads((TREE / "tests/golden/embed-en-de.json").read_text())["cases"]
    theirs, golden = model.encode([case["text"] for case in cases]), np.array([case["embedding"] for case in cases])
    cosines = (theirs * golden).sum(1) / np.linalg.norm(theirs, axis=1) / np.linalg.norm(golden, axis=1)
    print(f"sentence-transformers {__version__}: {len(cases)} texts, least cosine {cosines.min():.9f}, "
          f"largest difference {abs(theirs - golden).max():.2e}")


def check_classes(args):
    texts = read_lines(args.texts)
    logits, names = classify(texts)
    theirs = [names[int(row.argmax())] for row in logits]
    ours = [json.loads(line)["labels"][0]["name"] for line in read_lines(args.classes)]
    print(f"{sum(a == b for a, b in zip(ours, theirs))} of {len(texts)} first classes are the same")
    if args.truth:
        truth = [line.split("\t")[0] for line in read_lines(args.truth)]
        print(f"accuracy {sum(a == b for a, b in zip(ours, truth)) / len(truth):.2%}")


def check_images(args):
    answers = [json.loads(line) for line in read_lines(args.classes)]
    paths = [pathlib.Path(answer["file"]) for answer in answers]
    logits, names = classify_pictures(paths)
    ours, theirs = [answer["labels"][0]["name"] for answer in answers], [names[int(row.argmax())] for row in logits]
    print(f"{sum(a == b for a, b in zip(ours, theirs))} of {len(paths)} first classes are the same")
    print(f"accuracy {sum(a == path.parent.name for a, path in zip(ours, paths)) / len(paths):.2%}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("golden").set_defaults(run=write_golden)
    embeddings = commands.add_parser("embeddings")
    embeddings.add_argument("--texts", required=True)
    embeddings.add_argument("--vectors", required=True)
    embeddings.set_defaults(run=check_embeddings)
    commands.add_parser("sentence_transformers").set_defaults(run=check_sentence_transformers)
    classes = commands.add_parser("classes")
    classes.add_argument("--texts", required=True)
    classes.add_argument("--classes", required=True)
    classes.add_argument("--truth")
    classes.set_defaults(run=check_classes)
    images = commands.add_parser("images")
    images.add_argument("--classes", required=True)
    images.set_defaults(run=check_images)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
