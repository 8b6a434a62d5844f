#include "tests/engine/decoding/reference_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace attendant {
namespace {

using Tokens = std::vector<int32_t>;

bool Contains(const Tokens& tokens, int32_t token) {
  return std::find(tokens.begin(), tokens.end(), token) != tokens.end();
}

bool EndsWith(const Tokens& tokens, Tokens::const_iterator begin, Tokens::const_iterator end) {
  return end - begin <= static_cast<ptrdiff_t>(tokens.size()) &&
         std::equal(begin, end, tokens.end() - (end - begin));
}

void BanRepeatedNgrams(const Tokens& input, size_t size, std::vector<float>& scores) {
  if (input.size() + 1 < size) return;
  for (size_t i = 0; i + size <= input.size(); ++i) {
    const auto first = input.begin() + static_cast<ptrdiff_t>(i);
    const auto last = first + static_cast<ptrdiff_t>(size) - 1;
    if (EndsWith(input, first, last)) scores[static_cast<size_t>(*last)] = -INFINITY;
  }
}

void BanSequences(const Tokens& input, const DecodingOptions& options, std::vector<float>& scores) {
  for (const Tokens& sequence : options.suppress_sequences) {
    if (sequence.size() == 1 && Contains(options.end_tokens, sequence[0])) continue;
    if (sequence.size() > 1 && sequence.size() > input.size()) continue;
    if (EndsWith(input, sequence.begin(), sequence.end() - 1)) {
      scores[static_cast<size_t>(sequence.back())] = -INFINITY;
    }
  }
}

// The processors on a whole row, in their order.
void Process(const Tokens& input, const DecodingOptions& options, std::vector<float>& scores) {
  for (const int32_t token : std::set<int32_t>(input.begin(), input.end())) {
    float& score = scores[static_cast<size_t>(token)];
    score = score < 0 ? score * options.repetition_penalty : score / options.repetition_penalty;
  }
  if (options.no_repeat_ngram_size > 0) {
    BanRepeatedNgrams(input, static_cast<size_t>(options.no_repeat_ngram_size), scores);
  }
  BanSequences(input, options, scores);
  const auto produced = static_cast<int32_t>(input.size()) - 1;
  if (produced < options.min_length) {
    for (const int32_t end : options.end_tokens) scores[static_cast<size_t>(end)] = -INFINITY;
  }
  if (options.force_end_at_max_length && produced == options.max_length - 1) {
    scores.assign(scores.size(), -INFINITY);
    scores[static_cast<size_t>(options.end_tokens[0])] = 0;
  }
  if (options.disable_unk && options.unk_token >= 0) {
    scores[static_cast<size_t>(options.unk_token)] = -INFINITY;
  }
}

struct Beam {
  Tokens tokens;
  std::vector<float> log_probs;
  float score = -1e9f;
  bool finished = false;
};

std::vector<size_t> TopK(const std::vector<float>& values, size_t k) {
  std::vector<size_t> indices(values.size());
  std::iota(indices.begin(), indices.end(), 0u);
  std::stable_sort(indices.begin(), indices.end(), [&](size_t a, size_t b) { return values[a] > values[b]; });
  indices.resize(std::min(k, indices.size()));
  return indices;
}

float LengthNorm(size_t length, float penalty) {
  return static_cast<float>(std::pow(static_cast<double>(length), static_cast<double>(penalty)));
}

// The best continuations of all beams, best first.
std::vector<Beam> Continue(const std::vector<Beam>& running, const DecodingOptions& options,
                           const ToyLogits& model, size_t keep) {
  std::vector<float> accumulated;
  std::vector<float> all_log_probs;
  for (const Beam& beam : running) {
    std::vector<float> scores = model(beam.tokens);
    const float log_sum_exp = LogSumExp(scores);
    for (float& score : scores) score -= log_sum_exp;
    Process(beam.tokens, options, scores);
    for (const float score : scores) accumulated.push_back(score + beam.score);
    all_log_probs.insert(all_log_probs.end(), scores.begin(), scores.end());
  }
  const size_t vocab = accumulated.size() / running.size();
  std::vector<Beam> continued;
  for (const size_t index : TopK(accumulated, keep)) {
    Beam beam = running[index / vocab];
    beam.tokens.push_back(static_cast<int32_t>(index % vocab));
    beam.log_probs.push_back(all_log_probs[index]);
    beam.score = accumulated[index];
    continued.push_back(beam);
  }
  return continued;
}

std::vector<Beam> Best(const std::vector<Beam>& beams, size_t k) {
  std::vector<float> scores;
  for (const Beam& beam : beams) scores.push_back(beam.score);
  std::vector<Beam> best;
  for (const size_t index : TopK(scores, k)) best.push_back(beams[index]);
  return best;
}

bool ImprovementPossible(const std::vector<Beam>& running, const std::vector<Beam>& finished,
                         const DecodingOptions& options, size_t length) {
  const bool never = options.early_stopping == EarlyStopping::kNever && options.length_penalty > 0;
  const size_t prefix = options.target_prefix.size();
  const size_t best_length = never ? static_cast<size_t>(options.max_length) - prefix : length;
  const float best = running[0].score / LengthNorm(best_length, options.length_penalty);
  float worst = 0;
  for (const Beam& beam : finished) worst = std::min(worst, beam.score);
  return std::any_of(finished.begin(), finished.end(),
                     [&](const Beam& beam) { return best > (beam.finished ? worst : -1e9f); });
}

struct State {
  std::vector<Beam> running;
  std::vector<Beam> finished;
};

// One step, the length-th; returns whether another follows.
bool Step(const DecodingOptions& options, const ToyLogits& model, size_t length, State& state) {
  const auto num_beams = static_cast<size_t>(options.beam_size);
  const size_t keep = std::max<size_t>(2, 1 + options.end_tokens.size()) * num_beams;
  const std::vector<Beam> top = Continue(state.running, options, model, keep);
  const bool at_max = options.target_prefix.size() + length >= static_cast<size_t>(options.max_length);
  std::vector<Beam> still_running = top;
  std::vector<Beam> merged = state.finished;
  bool all_hit = true;
  for (size_t i = 0; i < top.size(); ++i) {
    const bool hit = at_max || Contains(options.end_tokens, top[i].tokens.back());
    all_hit = all_hit && hit;
    if (hit) still_running[i].score += -1e9f;
    Beam candidate = top[i];
    candidate.score /= LengthNorm(length, options.length_penalty);
    candidate.finished = hit && i < num_beams;
    if (!candidate.finished) candidate.score += -1e9f;
    merged.push_back(candidate);
  }
  state.running = Best(still_running, num_beams);
  state.finished = Best(merged, num_beams);
  const bool full =
      std::all_of(state.finished.begin(), state.finished.end(), [](const Beam& b) { return b.finished; });
  const bool stop_at_beams = options.early_stopping == EarlyStopping::kAtBeams && full;
  return !all_hit && !stop_at_beams && ImprovementPossible(state.running, state.finished, options, length);
}

}  // namespace

std::vector<ReferenceResult> ReferenceBeamSearch(const DecodingOptions& options, const ToyLogits& model) {
  const auto num_beams = static_cast<size_t>(options.beam_size);
  Tokens prompt = {options.start_token};
  prompt.insert(prompt.end(), options.target_prefix.begin(), options.target_prefix.end());
  State state{std::vector<Beam>(num_beams, Beam{prompt, {}, -1e9f, false}), std::vector<Beam>(num_beams)};
  state.running[0].score = 0;
  for (size_t length = 1; Step(options, model, length, state); ++length) {
  }
  std::vector<ReferenceResult> results;
  for (size_t i = 0; i < static_cast<size_t>(options.num_hypotheses); ++i) {
    const Beam& beam = state.finished[i];
    results.push_back({Tokens(beam.tokens.begin() + static_cast<ptrdiff_t>(prompt.size()), beam.tokens.end()),
                       beam.log_probs, beam.score});
  }
  return results;
}

ReferenceResult ReferenceGreedy(const DecodingOptions& options, const ToyLogits& model) {
  Tokens tokens = {options.start_token};
  tokens.insert(tokens.end(), options.target_prefix.begin(), options.target_prefix.end());
  ReferenceResult result;
  double sum = 0;
  do {
    std::vector<float> scores = model(tokens);
    Process(tokens, options, scores);
    const auto best = std::max_element(scores.begin(), scores.end());
    double normaliser = 0;
    for (const float score : scores) normaliser += std::exp(static_cast<double>(score) - *best);
    tokens.push_back(static_cast<int32_t>(best - scores.begin()));
    result.tokens.push_back(tokens.back());
    result.log_probs.push_back(static_cast<float>(-std::log(normaliser)));
    sum -= std::log(normaliser);
  } while (!Contains(options.end_tokens, tokens.back()) &&
           tokens.size() <= static_cast<size_t>(options.max_length));
  result.score = static_cast<float>(sum) / LengthNorm(result.tokens.size(), options.length_penalty);
  return result;
}

}  // namespace attendant
