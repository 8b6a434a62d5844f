#!/usr/bin/env python3
"""Writes the seeds of spm_fuzz: small SentencePiece models of every kind, trained on the few words in this file.

Needs the Python package sentencepiece. From the repository's root: python3 tests/fuzz/make_spm_seeds.py
"""

import pathlib
import tempfile

import sentencepiece

SEEDS = pathlib.Path(__file__).resolve().parent / "seeds/spm"
LINES = ["the cat and the dog", "a dog, a cat!", "Äpfel und Birnen", "who let the dogs out?", "aaaa aa aaa", "abc abcabc ab"] * 3
# Rules in hexadecimal code points: A -> a, e + acute -> é, ligature ff -> ff, tab -> space, U+200B -> nothing.
RULES = "41\t61\n65 301\tE9\nFB00\t66 66\n9\t20\n200B\t\n"

MODELS = {
    "unigram": dict(model_type="unigram", vocab_size=45),
    "unigram_suffix": dict(model_type="unigram", vocab_size=45, treat_whitespace_as_suffix=True, remove_extra_whitespaces=False),
    "bpe": dict(model_type="bpe", vocab_size=60, user_defined_symbols=["<s2>", "ab"]),
    "bpe_bytes": dict(model_type="bpe", vocab_size=300, byte_fallback=True),
    "char": dict(model_type="char", vocab_size=30),
    "word": dict(model_type="word", vocab_size=12, add_dummy_prefix=False),
}


def main():
    SEEDS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        rules = pathlib.Path(directory, "rules.tsv")
        rules.write_text(RULES)
        for name, options in MODELS.items():
            prefix = pathlib.Path(directory, name)
            sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(LINES), model_prefix=str(prefix), num_threads=1, minloglevel=2,
                                                     hard_vocab_limit=False, normalization_rule_tsv=str(rules), **options)
            (SEEDS / f"{name}.spm").write_bytes(prefix.with_suffix(".model").read_bytes())


if __name__ == "__main__":
    main()
