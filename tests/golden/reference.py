"""The reference implementation, as the golden files and the parity check use it: Hugging Face transformers, float32, CPU.

Token ids never hold the decoder's start token; they do hold the end token when the search produced one.
"""

import json
import math

import torch
import transformers
from transformers import MarianMTModel, MarianTokenizer

transformers.logging.set_verbosity_error()


def load(directory, attention="sdpa"):
    """The model in float32 and its tokenizer; refuses a directory with missing or surplus tensors."""
    model, info = MarianMTModel.from_pretrained(
        directory, dtype=torch.float32, output_loading_info=True, attn_implementation=attention)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info[kind]:
            raise SystemExit(f"{directory}: {kind}: {sorted(info[kind])}")
    return model.eval(), MarianTokenizer.from_pretrained(directory)


def versions():
    return {"transformers": transformers.__version__, "torch": torch.__version__}


def trim(model, sequence):
    """Without the start token in front and the padding behind."""
    ids = sequence.tolist()[1:]
    eos = model.generation_config.eos_token_id
    return ids[: ids.index(eos) + 1] if eos in ids else ids


@torch.no_grad()
def log_probs(model, source_ids, ids):
    """log p of each token of ids under the model alone (log-softmax of all its logits, no rule applied)."""
    start = model.config.decoder_start_token_id
    logits = model(input_ids=torch.tensor([source_ids]),
                   decoder_input_ids=torch.tensor([[start] + ids[:-1]])).logits[0]
    return torch.log_softmax(logits, -1)[torch.arange(len(ids)), torch.tensor(ids)].tolist()


@torch.no_grad()
def generate(model, source_ids, **options):
    """Hypotheses of one source, best first: [{"ids", "score"}]; score is sequences_scores, for greedy None."""
    out = model.generate(input_ids=torch.tensor([source_ids]), return_dict_in_generate=True, output_scores=True,
                         **options)
    scores = getattr(out, "sequences_scores", None)
    return [{"ids": trim(model, sequence), "score": None if scores is None else scores[i].item()}
            for i, sequence in enumerate(out.sequences)]


@torch.no_grad()
def generate_batch(model, sources, **options):
    """The best hypothesis of each source: [(ids, score)]. For greedy the score is the mean of log p."""
    pad = model.config.pad_token_id
    width = max(len(s) for s in sources)
    batch = torch.tensor([s + [pad] * (width - len(s)) for s in sources])
    mask = torch.tensor([[1] * len(s) + [0] * (width - len(s)) for s in sources])
    out = model.generate(input_ids=batch, attention_mask=mask, return_dict_in_generate=True, output_scores=True,
                         output_logits=True, **options)
    all_ids = [trim(model, sequence) for sequence in out.sequences]
    if getattr(out, "sequences_scores", None) is not None:
        return list(zip(all_ids, out.sequences_scores.tolist()))
    steps = [torch.log_softmax(step, -1) for step in out.logits]
    return [(ids, sum(steps[t][i, token].item() for t, token in enumerate(ids)) / len(ids))
            for i, ids in enumerate(all_ids)]


def rounded(value):
    """Floats with nine significant digits: enough to name any float32."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("not finite")
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(v) for v in value]
    return value


def write_json(path, head, list_name, items):
    """head's fields, then one line per item, so that a change shows as a line of a diff."""
    with open(path, "w", encoding="utf-8") as out:
        out.write("{\n")
        for key, value in head.items():
            out.write(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)},\n")
        lines = ",\n".join(json.dumps(rounded(i), ensure_ascii=False, separators=(",", ":")) for i in items)
        out.write(f"{json.dumps(list_name)}: [\n{lines}\n]\n}}\n")
