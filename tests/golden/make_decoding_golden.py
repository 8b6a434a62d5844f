#!/usr/bin/env python3
"""Makes tests/golden/decoding.json: what `transformers`' generate does with a Markov chain for a model.

The model is an encoder-decoder whose next-token logits are a row of a table, chosen by the last token and the position, so that every search
and every rule can be compared without any floating-point noise from a network. Each case holds the options in the words of
GenerationConfig, and the sequences, their scores and the log p of each of their tokens.

  python3 tests/golden/make_decoding_golden.py tests/golden/decoding.json

Needs torch and transformers (made with 5.12).
"""

import json
import random
import sys

import torch
import transformers
from transformers import GenerationConfig, GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput

VOCAB = 48
POSITIONS = 3
START = 47
TABLES = 4


class MarkovConfig(PretrainedConfig):
    model_type = "markov"

    def __init__(self, **kwargs):
        super().__init__(is_encoder_decoder=True, vocab_size=VOCAB, **kwargs)


class Encoder(torch.nn.Module):
    main_input_name = "input_ids"

    def forward(self, input_ids, **kwargs):
        return BaseModelOutput(last_hidden_state=torch.zeros(input_ids.shape[0], input_ids.shape[1], 1))


class Markov(PreTrainedModel, GenerationMixin):
    config_class = MarkovConfig
    main_input_name = "input_ids"

    def __init__(self, config):
        super().__init__(config)
        self.encoder = Encoder()
        self.table = torch.nn.Parameter(torch.zeros(POSITIONS, VOCAB, VOCAB), requires_grad=False)
        self.post_init()

    def get_encoder(self, *args, **kwargs):
        return self.encoder

    def prepare_inputs_for_generation(self, decoder_input_ids, encoder_outputs=None, **kwargs):
        return {"decoder_input_ids": decoder_input_ids, "encoder_outputs": encoder_outputs}

    def forward(self, decoder_input_ids=None, encoder_outputs=None, **kwargs):
        rows = []
        for position in range(decoder_input_ids.shape[1]):
            rows.append(self.table[position % POSITIONS][decoder_input_ids[:, position]])
        return Seq2SeqLMOutput(logits=torch.stack(rows, dim=1))


def make_table(seed, end_bias):
    """Logits in steps of 1/1000, so that JSON holds them exactly enough; token 0 ends, with a bias of its own."""
    rng = random.Random(seed)
    table = [[[round(rng.gauss(0, 2), 3) for _ in range(VOCAB)] for _ in range(VOCAB)] for _ in range(POSITIONS)]
    for position in table:
        for row in position:
            row[0] = round(row[0] + end_bias, 3)
            row[START] = round(row[START] - 8, 3)
    return table


def make_options(rng, index):
    options = {"max_length": rng.choice([2, 5, 9, 16, 24]), "num_beams": 1}
    if index % 4 != 0:
        options["num_beams"] = rng.randint(2, 8)
        options["num_return_sequences"] = rng.randint(1, options["num_beams"])
        options["early_stopping"] = rng.choice([False, True, "never"])
        options["length_penalty"] = rng.choice([1.0, 1.0, 0.0, 0.6, 2.0, -0.5])
    # Two rules together are what finds a wrong order.
    for rule in rng.sample(["repetition", "ngram", "min", "bad", "suppress", "forced", "ends", "prefix", "new"], rng.randint(0, 4)):
        if rule == "repetition":
            options["repetition_penalty"] = rng.choice([0.8, 1.2, 1.5, 2.5])
        elif rule == "ngram":
            options["no_repeat_ngram_size"] = rng.choice([1, 2, 3])
        elif rule == "min":
            options["min_length"] = rng.randint(1, options["max_length"])
        elif rule == "new":
            options["min_new_tokens"] = rng.randint(1, options["max_length"])
        elif rule == "bad":
            options["bad_words_ids"] = [[START], [rng.randrange(1, 40)], [0]]
            for length in (2, 2, 2, 2, 3):
                options["bad_words_ids"].append([rng.randrange(1, VOCAB) for _ in range(length)])
            for first in range(1, 40, 3):
                options["bad_words_ids"].append([first, rng.randrange(0, 40)])
        elif rule == "suppress":
            options["suppress_tokens"] = [rng.randrange(1, 40)]
        elif rule == "forced":
            options["forced_eos_token_id"] = 0
        elif rule == "ends":
            options["eos_token_id"] = [0, rng.randrange(1, 20), rng.randrange(20, 40)][: rng.randint(2, 3)]
        elif rule == "prefix" and options["max_length"] > 4:
            options["target_prefix"] = [rng.randrange(40, 47) for _ in range(rng.randint(1, min(3, options["max_length"] - 3)))]
    if options["max_length"] == 2 and "forced_eos_token_id" in options:
        options.pop("num_return_sequences", None)  # There is one answer only; `transformers` returns it many times over.
    return options


def run(model, options):
    config = {"eos_token_id": 0, "pad_token_id": START, "decoder_start_token_id": START, **options}
    prefix = config.pop("target_prefix", [])
    config.update(do_sample=False, use_cache=False, return_dict_in_generate=True, output_scores=True)
    out = model.generate(
        input_ids=torch.tensor([[1, 2, 3]]),
        decoder_input_ids=torch.tensor([[START] + prefix]),
        generation_config=GenerationConfig(**config),
    )
    beams = config["num_beams"] > 1
    steps = model.compute_transition_scores(
        out.sequences, out.scores, out.beam_indices if beams else None, normalize_logits=not beams
    )
    ends = options.get("eos_token_id", [0])
    results = []
    for i, sequence in enumerate(out.sequences.tolist()):
        tokens = sequence[1 + len(prefix):]
        for end in range(len(tokens)):
            if tokens[end] in ends:
                tokens = tokens[: end + 1]
                break
        results.append({
            "tokens": tokens,  # After the prefix; with the end token if there is one.
            "score": out.sequences_scores[i].item() if beams else None,
            "log_probs": steps[i].tolist()[: len(tokens)],
        })
    return results


def main():
    rng = random.Random(20)
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    tables = [make_table(seed, end_bias) for seed, end_bias in enumerate([-1.0, 2.0, 4.0, 5.0])]
    model = Markov(MarkovConfig())
    cases = []
    for index in range(360):
        table = index % TABLES if index % 4 else (index // 4) % TABLES
        model.table.data = torch.tensor(tables[table])
        options = make_options(rng, index)
        cases.append({"table": table, "options": options, "results": run(model, options)})
    golden = {"vocab": VOCAB, "start": START, "transformers": transformers.__version__, "tables": tables, "cases": cases}
    with open(sys.argv[1], "w") as file:
        json.dump(golden, file, separators=(",", ":"))


if __name__ == "__main__":
    main()
