#!/usr/bin/env python3
"""The stock `openai` client against a running attendant-server.

  pip install openai
  attendant-server --models models --http 127.0.0.1:8080
  python3 tests/peers/openai_client.py --url http://127.0.0.1:8080/v1 --model embed-en-de
"""

import argparse
import array
import math

import openai

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--url", default="http://127.0.0.1:8080/v1")
parser.add_argument("--model", default="embed-en-de")
parser.add_argument("--key", default="none")
args = parser.parse_args()

client = openai.OpenAI(base_url=args.url, api_key=args.key, max_retries=0)
print("openai", openai.__version__)
print("models:", ", ".join(model.id for model in client.models.list()))
print("retrieve:", client.models.retrieve(args.model).id)

texts = ["The weather is nice today.", "Das Wetter ist heute schön.", "The train is late again."]
packed = client.embeddings.create(model=args.model, input=texts)  # The client asks for base64 by itself.
plain = client.embeddings.create(model=args.model, input=texts, encoding_format="float")
assert [item.index for item in packed.data] == [0, 1, 2]
for a, b in zip(packed.data, plain.data):
    assert array.array("f", a.embedding).tobytes() == array.array("f", b.embedding).tobytes(), "base64 and float differ"
print("dimensions:", len(packed.data[0].embedding), "usage:", packed.usage.prompt_tokens, packed.usage.total_tokens)


def cosine(a, b):
    dot = sum(x * y for x, y in zip(a, b))
    return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


vectors = [item.embedding for item in plain.data]
print(f"similarity: {cosine(vectors[0], vectors[1]):.3f} of the translation, {cosine(vectors[0], vectors[2]):.3f} of another")
assert cosine(vectors[0], vectors[1]) > cosine(vectors[0], vectors[2])

for what, call in {
    "unknown model": lambda: client.embeddings.create(model="no-such-model", input="a"),
    "token ids": lambda: client.embeddings.create(model=args.model, input=[1, 2, 3]),
    "empty list": lambda: client.embeddings.create(model=args.model, input=[]),
}.items():
    try:
        call()
        raise SystemExit(f"{what}: no error")
    except openai.APIStatusError as error:
        print(f"{what}: {type(error).__name__} {error.status_code} {error.body['message']}")
