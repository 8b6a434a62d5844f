#!/usr/bin/env python3
"""Writes golden files: what Hugging Face transformers answers in float32, for the engine's tests to agree with.

  python3 tests/golden/make_golden.py translations --model models/translate-en-de --out tests/golden/translate-en-de.json
  python3 tests/golden/make_golden.py options --model models/translate-en-de --out tests/golden/translate-en-de-options.json
  python3 tests/golden/make_golden.py logits --out tests/golden/marian-tiny.json \\
      --model tests/golden/tiny-relu tests/golden/tiny-gelu tests/golden/tiny-separate tests/golden/tiny-untied
  python3 tests/golden/make_golden.py embeddings --out tests/golden/marian-embeddings.json \\
      --model tests/golden/tiny-relu tests/golden/tiny-gelu tests/golden/tiny-separate tests/golden/tiny-untied models/translate-en-de

Each sentence runs alone (no padding). In every file ids leave out the decoder's start token and keep the end token.

translations: {"sentences": [{"text", "source_ids",
    "greedy": {"ids", "log_probs" (per token, log-softmax of all logits), "text"},
    "beam4": [{"ids", "score" (sum of log p / length), "text"} x 4, best first],
    "attention": (some) [target position][source position], last decoder layer, mean over heads, of the greedy answer}]}
options: {"cases": [{"options": keyword arguments of generate, "text", "source_ids", "hypotheses": [{"ids", "score" or null}]}]}
logits: {"cases": [{"model": folder name, "source_ids", "decoder_ids" (fed, start token first),
    "encoder": [source position][d_model], "logits": [decoder position][vocabulary],
    "greedy": ids of at most 12 tokens, "beam3": [{"ids", "score"} x 3] of at most 12 tokens}]}
embeddings: {"cases": [{"model": folder name, "text", "tokens": as the model's positions allow, end token included, "truncated",
    "embedding": the mean of the encoder's states over all tokens}]}, as sentence-transformers' Transformer and mean Pooling
    would make it of the encoder
"""

import argparse
import pathlib

import torch

import reference

SENTENCES = """\
Hello.
Thanks!
Why not?
I am tired.
Tom is here.
Where are you?
It is raining again.
She sings beautifully.
Can you help me, please?
We don't have much time left.
He forgot his keys at home.
Do you speak German or English?
I have never seen such a big dog.
The children are playing in the garden.
My brother bought a new bicycle yesterday.
What time does the next train to Hamburg leave?
If you are hungry, there is bread in the kitchen.
I'll call you as soon as I arrive at the station.
They were married for more than fifty years.
She asked me whether I liked living in the city.
The weather was so bad that we stayed at home all day.
He told everybody that he would come back, but he never did.
You should drink more water when it is hot outside.
My grandmother used to tell me stories before I went to sleep.
I can't believe that you ate the whole cake by yourself!
The doctor said, "You must rest for at least three days."
Mary's sister works in a hospital, and her husband is a teacher.
There are 24 hours in a day and 365 days in a year.
The bill comes to $45.50, including tax.
The meeting starts at 9:30 on Monday, March 3rd.
Please open the window; it's too warm in here.
"Who are you?" asked the old man.
I don't know what to say.
Nobody knows where Tom went after the party.
Have you ever been to Japan?
We had to walk because the bus didn't come.
This is the best book I have ever read.
I'd like a cup of coffee without sugar, please.
Everyone laughed except the boy who had told the joke.
How much does this cost?
Don't touch that!
The cat is sleeping under the table.
He works from morning till night to feed his family.
I wonder if she still remembers me.
Turn left at the second traffic light and go straight on.
Learning a foreign language takes time and patience.
The old house at the end of the street has been empty for years.
It's not easy to find a cheap flat in this town.
She looked at the picture for a long time without saying a word.
I was about to leave when the telephone rang.
Are you sure that this is the right way to the airport?
Because of the storm, all flights to London were cancelled this morning.
A friend of mine wants to learn how to play the guitar.
When I was a child, my father used to take me fishing every summer, and we would sit by the lake until it was dark.
Although he had studied very hard for the examination, he could not answer most of the questions that the teacher asked him.
The woman who lives next door has two dogs, three cats, a parrot and a very old horse that nobody is allowed to ride.
If I had known that you were coming, I would have cooked something special, cleaned the house and bought a bottle of wine.
Tom said that he didn't want to go to the party, but Mary thinks that he would come if we asked him again tomorrow evening.
Zürich, São Paulo and Kraków are cities.
naïve café — 100 % “quoted” …
""".splitlines()

OPTION_SENTENCES = [SENTENCES[i] for i in (4, 10, 17, 25, 53, 57)]
GREEDY = {"num_beams": 1, "do_sample": False}
BEAM = {"num_beams": 4, "do_sample": False}
OPTIONS = [
    {**GREEDY, "repetition_penalty": 1.5},
    {**BEAM, "repetition_penalty": 1.5},
    {**GREEDY, "no_repeat_ngram_size": 2},
    {**BEAM, "no_repeat_ngram_size": 2},
    {**GREEDY, "min_length": 20},
    {**BEAM, "min_length": 20},
    {**GREEDY, "max_new_tokens": 5},
    {**BEAM, "max_new_tokens": 5},
    {**BEAM, "length_penalty": 0.6},
    {**BEAM, "length_penalty": 2.0},
    {**BEAM, "length_penalty": 0.0},
    {**BEAM, "early_stopping": True},
    {**BEAM, "early_stopping": "never"},
    {**BEAM, "early_stopping": "never", "length_penalty": 2.0},
    {**BEAM, "num_return_sequences": 4},
    {**BEAM, "num_beams": 8, "num_return_sequences": 3, "no_repeat_ngram_size": 3, "length_penalty": 0.6},
    {**GREEDY, "bad_words_ids": [[8001], [3], [9, 14]]},
    {**BEAM, "bad_words_ids": [[8001], [3], [9, 14]]},
    {**BEAM, "forced_bos_token_id": 12},
]
# A guard for cases that would run to the position limit; far from where any of the others ends.
OPTION_LIMIT = {"max_new_tokens": 96}


@torch.no_grad()
def attention(model, source_ids, ids):
    start = model.config.decoder_start_token_id
    out = model(input_ids=torch.tensor([source_ids]), decoder_input_ids=torch.tensor([[start] + ids[:-1]]),
                output_attentions=True)
    return out.cross_attentions[-1][0].mean(0).tolist()


def translations(directory):
    model, tokenizer = reference.load(directory)
    eager, _ = reference.load(directory, attention="eager")
    for i, text in enumerate(SENTENCES):
        source = tokenizer(text).input_ids
        def as_text(ids):
            return tokenizer.decode(ids, skip_special_tokens=True)
        greedy = reference.generate(model, source, **GREEDY)[0]["ids"]
        item = {"text": text, "source_ids": source,
                "greedy": {"ids": greedy, "log_probs": reference.log_probs(model, source, greedy),
                           "text": as_text(greedy)},
                "beam4": [{**h, "text": as_text(h["ids"])}
                          for h in reference.generate(model, source, **BEAM, num_return_sequences=4)]}
        if i % 12 == 3:
            item["attention"] = attention(eager, source, greedy)
        yield item


def options(directory):
    model, tokenizer = reference.load(directory)
    for case in OPTIONS:
        for text in OPTION_SENTENCES:
            source = tokenizer(text).input_ids
            yield {"options": case, "text": text, "source_ids": source,
                   "hypotheses": reference.generate(model, source, **{**OPTION_LIMIT, **case})}


@torch.no_grad()
def logits(directory):
    model, _ = reference.load(directory)
    config = model.config
    target_vocab = model.final_logits_bias.shape[-1]
    source_vocab = config.vocab_size
    config.vocab_size = target_vocab  # generate's beam search takes it for the width of the logits.
    generator = torch.Generator().manual_seed(11)
    for source_length, target_length in ((1, 1), (7, 5), (23, 12)):
        source = torch.randint(2, source_vocab - 1, (source_length - 1,), generator=generator).tolist() + [0]
        target = torch.randint(1, target_vocab - 1, (target_length - 1,), generator=generator).tolist()
        decoder_ids = [config.decoder_start_token_id] + target
        out = model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([decoder_ids]))
        short = {"max_new_tokens": 12}
        yield {"model": pathlib.Path(directory).name, "source_ids": source, "decoder_ids": decoder_ids,
               "encoder": out.encoder_last_hidden_state[0].tolist(), "logits": out.logits[0].tolist(),
               "greedy": reference.generate(model, source, **GREEDY, **short)[0]["ids"],
               "beam3": reference.generate(model, source, num_beams=3, num_return_sequences=3, **short)}


EMBEDDED = [
    "She said: wait for me at the old bridge, near the mill.", "It is raining.", "  the quick   brown fox\t", "",
    "Ein 🦊, naïve café — 日本語", ">>deu<< No!", "seven wizards pack five boxes of jam. " * 60,
]


@torch.no_grad()
def embeddings(directory):
    model, tokenizer = reference.load(directory)
    limit = model.config.max_position_embeddings
    for text in EMBEDDED:
        ids = tokenizer(text, truncation=True, max_length=limit).input_ids
        states = model.get_encoder()(input_ids=torch.tensor([ids])).last_hidden_state[0]
        yield {"model": pathlib.Path(directory).name, "text": text, "tokens": len(ids),
               "truncated": len(tokenizer(text).input_ids) > limit, "embedding": states.mean(0).tolist()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["translations", "options", "logits", "embeddings"])
    parser.add_argument("--model", nargs="+", required=True, help="Marian directories (one, but for logits and embeddings)")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    make, name = {"translations": (translations, "sentences"), "options": (options, "cases"),
                  "logits": (logits, "cases"), "embeddings": (embeddings, "cases")}[args.kind]
    items = [item for directory in args.model for item in make(directory)]
    head = {"about": "made by tests/golden/make_golden.py; do not edit", "kind": args.kind, **reference.versions()}
    reference.write_json(args.out, head, name, items)
    print(f"{args.out}: {len(items)} {name}")


if __name__ == "__main__":
    main()
