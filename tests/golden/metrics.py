"""Corpus BLEU and chrF with any number of references per sentence, as sacreBLEU 2 defines their defaults.

BLEU: 13a tokens, up to 4-grams, exponential smoothing of empty orders, closest reference length. chrF2: character 6-grams without white space,
beta 2, the best reference of each sentence.
"""

import collections
import math
import re


def tokenize_13a(text):
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, char in (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")):
        text = text.replace(entity, char)
    text = f" {text} "
    text = re.sub(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])", r" \1 ", text)
    text = re.sub(r"([^0-9])([\.,])", r"\1 \2 ", text)
    text = re.sub(r"([\.,])([^0-9])", r" \1 \2", text)
    text = re.sub(r"([0-9])(-)", r"\1 \2 ", text)
    return text.split()


def ngrams(items, order):
    return collections.Counter(tuple(items[i:i + order]) for i in range(len(items) - order + 1))


def bleu(hypotheses, references):
    """references[i]: all references of hypotheses[i]. 0 to 100."""
    correct, total = [0] * 4, [0] * 4
    hyp_length = ref_length = 0
    for hypothesis, refs in zip(hypotheses, references):
        hyp = tokenize_13a(hypothesis.rstrip())
        refs = [tokenize_13a(r.rstrip()) for r in refs]
        hyp_length += len(hyp)
        ref_length += min((abs(len(r) - len(hyp)), len(r)) for r in refs)[1]
        for n in range(1, 5):
            best = collections.Counter()
            for ref in refs:
                best |= ngrams(ref, n)
            have = ngrams(hyp, n)
            correct[n - 1] += sum((have & best).values())
            total[n - 1] += sum(have.values())
    if not correct[0]:
        return 0.0
    smooth, logs = 1.0, 0.0
    for good, count in zip(correct, total):
        if not count:
            return 0.0
        if not good:
            smooth *= 2
            good = 1 / smooth
        logs += math.log(good / count) / 4
    penalty = 1.0 if hyp_length >= ref_length else math.exp(1 - ref_length / hyp_length)
    return 100 * penalty * math.exp(logs)


def chrf_of(statistics, beta=2):
    """F-score from (hypothesis, reference, matching) n-gram counts of each order; orders that neither side has are left out."""
    precision = recall = orders = 0
    for hyp, ref, match in statistics:
        if hyp and ref:
            precision += match / hyp
            recall += match / ref
            orders += 1
    if not orders or not precision + recall:
        return 0.0
    precision, recall = precision / orders, recall / orders
    return 100 * (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


def chrf(hypotheses, references):
    totals = [[0, 0, 0] for _ in range(6)]
    for hypothesis, refs in zip(hypotheses, references):
        hyp = "".join(hypothesis.split())
        have = [ngrams(hyp, n) for n in range(1, 7)]
        best = None
        for ref in refs:
            ref = "".join(ref.split())
            statistics = []
            for n, grams in enumerate(have, 1):
                ref_grams = ngrams(ref, n)
                # As sacreBLEU: a hypothesis that is too short for an order is judged by the reference alone.
                statistics.append((sum(grams.values()) if ref_grams else 0, sum(ref_grams.values()),
                                   sum((grams & ref_grams).values())))
            if best is None or chrf_of(statistics) > chrf_of(best):
                best = statistics
        for total, item in zip(totals, best):
            for k in range(3):
                total[k] += item[k]
    return chrf_of(totals)
