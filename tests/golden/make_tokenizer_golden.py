#!/usr/bin/env python3
"""Writes the ids and texts that Hugging Face's MarianTokenizer gives: the answers that tests/engine/text compares with.

Needs transformers and sentencepiece. From the repository's root:

    python3 tests/golden/make_tokenizer_golden.py

Writes tests/golden/tokenizer_golden.json, and first the tiny model directory tests/golden/tokenizer_separate_vocabs, whose
two sides have models and vocabularies of their own. Everything in both is made from the sentences in this file.
"""

import json
import pathlib
import random
import warnings

import sentencepiece
from transformers import MarianTokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden"
SEPARATE = GOLDEN / "tokenizer_separate_vocabs"

ENGLISH = """The cat sleeps on the warm roof.
Where is the nearest railway station, please?
I would like two tickets to Hamburg.
She has been reading that book since yesterday evening.
It's raining; we should stay at home and drink tea.
He said: "Don't open the window!"
My brother's car is faster than mine, but it is older.
They arrived at 10:45, an hour too late.
Nothing is as easy as it looks.
What will you do after the summer holidays?
The doctor told him to sleep more and to worry less.
We bought bread, cheese, apples and a bottle of milk.
Could you speak a little more slowly?
The price went up by 3.5% in one year.
No one knows who wrote this letter.
The children were playing in the garden behind the house.
This sentence (which is short) has a bracket.
If I had known, I would have called you.
A friend in need is a friend indeed.
The meeting has been moved to Thursday, 14 March 2019.""".split("\n")

GERMAN = """Die Katze schläft auf dem warmen Dach.
Wo ist bitte der nächste Bahnhof?
Ich hätte gern zwei Fahrkarten nach Hamburg.
Sie liest dieses Buch seit gestern Abend.
Es regnet; wir sollten zu Hause bleiben und Tee trinken.
Er sagte: „Öffne das Fenster nicht!“
Das Auto meines Bruders ist schneller als meines, aber älter.
Sie kamen um 10:45 Uhr an, eine Stunde zu spät.
Nichts ist so leicht, wie es aussieht.
Was machst du nach den Sommerferien?
Der Arzt riet ihm, mehr zu schlafen und sich weniger zu sorgen.
Wir kauften Brot, Käse, Äpfel und eine Flasche Milch.
Könnten Sie etwas langsamer sprechen?
Der Preis stieg in einem Jahr um 3,5 %.
Niemand weiß, wer diesen Brief geschrieben hat.
Die Kinder spielten im Garten hinter dem Haus.
Dieser Satz (der kurz ist) hat eine Klammer.
Hätte ich das gewusst, hätte ich dich angerufen.
In der Not erkennt man seine Freunde.
Die Sitzung wurde auf Donnerstag, den 14. März 2019, verlegt.""".split("\n")

SPECIAL = [
    "", " ", "   \t ", "\n", "a", " a", "a ", "  two   spaces  ", "tab\tand\nnew line\r\nagain", "\u00a0no-break\u00a0space\u3000",
    "</s>", "<pad>", "<unk>", "Hello</s>", "</s>Hello", "Hello </s> world <pad> again<unk>!", "</s></s>", "<pad ></ s>",
    "< /s>", "<s>Hello</s>", ">>deu<< Hello, world.", ">>deu<<Hello", ">>xyz<< Hello", " >>deu<< Hello", ">>deu Hello",
    ">><<", ">>a<<b<<c", ">>deu<< >>deu<< Hello", "Hello >>deu<< world", "</s>>>deu<< Hello", ">>deu<<", "▁", "▁▁Hello▁world",
    "ﬁne ligature ½ ² ① Ａ ｂ ㎏", "e\u0301 composed and é", "Straße STRASSE ẞ", "\u200bzero\u200bwidth\u200d", "\ufeffbom",
    "\x00\x01\x02 control \x7f", "nul\x00in the middle", "\ud7ff\ue000\uffff", "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 family",
    "\U0001f1e9\U0001f1ea flag", "漢字かな交じり文です。", "我是一个学生，你呢？", "مرحبا بالعالم، كيف حالك؟", "Привет, мир!", "שלום עולם",
    "नमस्ते दुनिया", "สวัสดีชาวโลก", "한국어 문장입니다.", "Ünïcödé", "x" * 200, "ab" * 150, "1234567890 3.14159 1,000,000", "http://example.org/a?b=c&d=%20",
    "user@example.org", "C++ && C#, (a+b)*c = d^2; {x: [1, 2]}", "\"quoted\" 'single' „deutsch“ «guillemets»", "… – — ―", "don't can't I'm you're it's",
    "unknown 漢 mixed 字 in text", "漢字 漢字", "\ufffd replacement", "\u2581\u2582", "a\u0300\u0301\u0302\u0303b", "\u1680ogham\u2028line\u2029para",
]

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz     ", "ABCDEFGHIJKLMNOPQRSTUVWXYZäöüÄÖÜß    ", "0123456789.,:;-+% ", "漢字仮名交文中国日本語 ",
    "ابتثجحخدذرز ", "\U0001f600\U0001f601\U0001f680❤\ufe0f ", "\t\r \u00a0\u3000\u200b\x0b\x0c\x1f\x85a", "<>/spadunk ", "▁ab ",
]


def random_texts(rng, count):
    words = " ".join(ENGLISH + GERMAN).split()
    texts = []
    for i in range(count):
        if i % 3 == 0:
            texts.append(" ".join(rng.choice(words) for _ in range(rng.randint(1, 20))))
        elif i % 3 == 1:
            alphabet = rng.choice(ALPHABETS)
            texts.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 40))))
        else:
            alphabet = "".join(ALPHABETS)
            texts.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 40))))
    return texts


def train(lines, prefix, **options):
    corpus = GOLDEN / "corpus.tmp"
    corpus.write_text("\n".join(lines), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(input=str(corpus), model_prefix=str(prefix), num_threads=1, minloglevel=2, **options)
    corpus.unlink()
    prefix.with_suffix(".vocab").unlink()
    prefix.with_suffix(".model").rename(prefix.with_suffix(".spm"))


def write_json(path, value):
    path.write_text(json.dumps(value, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


def pieces_of(spm):
    model = sentencepiece.SentencePieceProcessor(model_file=str(spm))
    return [model.id_to_piece(i) for i in range(model.get_piece_size())]


def make_separate_vocabs():
    SEPARATE.mkdir(exist_ok=True)
    train(ENGLISH, SEPARATE / "source", model_type="unigram", vocab_size=120, normalization_rule_name="identity")
    train(GERMAN, SEPARATE / "target", model_type="bpe", vocab_size=130, normalization_rule_name="identity")
    source = ["<pad>", "<unk>", "</s>", ">>deu<<", "漢"] + [p for p in pieces_of(SEPARATE / "source.spm") if not p.startswith("<")]
    target = ["</s>", "<unk>"] + [p for p in pieces_of(SEPARATE / "target.spm") if not p.startswith("<")] + ["<pad>"]
    write_json(SEPARATE / "vocab.json", {p: i for i, p in enumerate(source)})
    write_json(SEPARATE / "target_vocab.json", {p: i for i, p in enumerate(target)})
    config = {"separate_vocabs": True, "source_lang": "en", "target_lang": "de", "tokenizer_class": "MarianTokenizer",
              "unk_token": "<unk>", "eos_token": "</s>", "pad_token": "<pad>", "clean_up_tokenization_spaces": True,
              "additional_special_tokens": ["<sep>", {"__type": "AddedToken", "content": "<name>", "lstrip": True, "rstrip": True,
                                                      "normalized": False, "single_word": False, "special": True}]}
    write_json(SEPARATE / "tokenizer_config.json", config)


def cases_of(directory, texts, rng):
    tokenizer = MarianTokenizer.from_pretrained(directory)
    vocabulary = len(tokenizer.get_src_vocab())
    target_ids = sorted(tokenizer.decoder)
    encode = []
    for text in texts:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        target = tokenizer(text_target=text, add_special_tokens=False)["input_ids"]
        encode.append({"text": text, "ids": ids, "target_ids": target, "decoded": tokenizer.decode(target, skip_special_tokens=True)})
    decode = []
    for _ in range(150):
        ids = [rng.choice(target_ids) for _ in range(rng.randint(0, 12))]
        decode.append({"ids": ids, "text": tokenizer.decode(ids, skip_special_tokens=True)})
    return {"model": str(directory.relative_to(ROOT)), "num_tokens": vocabulary, "eos_id": tokenizer.eos_token_id,
            "unk_id": tokenizer.unk_token_id, "pad_id": tokenizer.pad_token_id, "encode": encode, "decode": decode}


def main():
    warnings.filterwarnings("ignore")
    make_separate_vocabs()
    rng = random.Random(20260101)
    texts = ENGLISH + GERMAN + SPECIAL + [s + " <sep> x <name> y" for s in ENGLISH[:3]] + random_texts(rng, 240)
    golden = [cases_of(ROOT / "models/translate-en-de", texts, rng), cases_of(SEPARATE, texts, rng)]
    (GOLDEN / "tokenizer_golden.json").write_text(json.dumps(golden, separators=(",", ":")).replace("},{", "},\n{") + "\n")
    print(sum(len(g["encode"]) for g in golden), "texts,", sum(len(g["decode"]) for g in golden), "id sequences")


if __name__ == "__main__":
    main()
