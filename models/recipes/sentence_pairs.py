"""Reading sentence pairs: SOURCE<TAB>TARGET per line, UTF-8, plain or .xz; further columns are left out."""

import lzma


def read_pairs(path):
    opener = lzma.open if str(path).endswith(".xz") else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [tuple(line.rstrip("\n").split("\t")[:2]) for line in lines if line.count("\t")]
