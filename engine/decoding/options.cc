#include "engine/decoding/options.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/base/status_macros.h"

namespace attendant {
namespace {

constexpr int32_t kMaxBeamSize = 32;
constexpr int32_t kMaxLength = 65536;
constexpr int32_t kMaxNgram = 64;
constexpr size_t kMaxEndTokens = 16;
constexpr size_t kMaxSuppressSequences = 1024;
constexpr size_t kMaxSuppressLength = 64;
constexpr int32_t kMaxVocabSize = 1 << 30;

// Written so that NaN is outside.
template <typename T>
absl::Status InRange(absl::string_view field, T value, T low, T high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, "; it must be ", low, " to ", high));
}

absl::Status Tokens(absl::string_view field, absl::Span<const int32_t> tokens, int32_t vocab_size) {
  for (const int32_t token : tokens) {
    if (token < 0 || token >= vocab_size) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, " has token ", token, "; the model's tokens are 0 to ", vocab_size - 1));
    }
  }
  return absl::OkStatus();
}

int32_t MaxFinished(const DecodingOptions& options) {
  return static_cast<int32_t>(std::lround(static_cast<float>(options.beam_size) * options.patience));
}

absl::Status CheckSearch(const DecodingOptions& options) {
  ATTENDANT_RETURN_IF_ERROR(InRange("beam_size", options.beam_size, 1, kMaxBeamSize));
  ATTENDANT_RETURN_IF_ERROR(InRange("num_hypotheses", options.num_hypotheses, 1, kMaxBeamSize));
  ATTENDANT_RETURN_IF_ERROR(InRange("patience", options.patience, 0.f, 8.f));
  ATTENDANT_RETURN_IF_ERROR(InRange("length_penalty", options.length_penalty, -5.f, 5.f));
  ATTENDANT_RETURN_IF_ERROR(InRange("coverage_penalty", options.coverage_penalty, 0.f, 10.f));
  if (options.sample && options.beam_size != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample needs beam_size 1; beam_size is ", options.beam_size));
  }
  if (!options.sample && options.num_hypotheses > options.beam_size) {
    return absl::InvalidArgumentError(absl::StrCat("num_hypotheses is ", options.num_hypotheses,
                                                   "; it must not exceed beam_size, ", options.beam_size));
  }
  if (options.beam_size > 1 && options.patience > 0 && MaxFinished(options) < options.num_hypotheses) {
    return absl::InvalidArgumentError(absl::StrCat("patience is ", options.patience,
                                                   ": round(beam_size * patience) is ", MaxFinished(options),
                                                   ", less than num_hypotheses, ", options.num_hypotheses));
  }
  return absl::OkStatus();
}

absl::Status CheckLengths(const DecodingOptions& options) {
  ATTENDANT_RETURN_IF_ERROR(InRange("max_length", options.max_length, 1, kMaxLength));
  ATTENDANT_RETURN_IF_ERROR(InRange("min_length", options.min_length, 0, options.max_length));
  if (options.target_prefix.size() >= static_cast<size_t>(options.max_length)) {
    return absl::InvalidArgumentError(absl::StrCat("target_prefix has ", options.target_prefix.size(),
                                                   " tokens; it must be shorter than max_length, ",
                                                   options.max_length));
  }
  if (options.repetition_guard_tokens != 0) {  // A quarter of it must hold a cycle of one token.
    ATTENDANT_RETURN_IF_ERROR(
        InRange("repetition_guard_tokens", options.repetition_guard_tokens, 4, kMaxLength));
  }
  return absl::OkStatus();
}

absl::Status CheckSuppressSequences(const DecodingOptions& options, int32_t vocab_size) {
  if (options.suppress_sequences.size() > kMaxSuppressSequences) {
    return absl::InvalidArgumentError(absl::StrCat("suppress_sequences has ",
                                                   options.suppress_sequences.size(), " entries; at most ",
                                                   kMaxSuppressSequences, " are allowed"));
  }
  for (const std::vector<int32_t>& sequence : options.suppress_sequences) {
    ATTENDANT_RETURN_IF_ERROR(InRange("the length of a sequence in suppress_sequences", sequence.size(),
                                      size_t{1}, kMaxSuppressLength));
    ATTENDANT_RETURN_IF_ERROR(Tokens("suppress_sequences", sequence, vocab_size));
  }
  return absl::OkStatus();
}

absl::Status CheckTokens(const DecodingOptions& options, int32_t vocab_size) {
  ATTENDANT_RETURN_IF_ERROR(
      InRange("the number of end_tokens", options.end_tokens.size(), size_t{1}, kMaxEndTokens));
  ATTENDANT_RETURN_IF_ERROR(Tokens("end_tokens", options.end_tokens, vocab_size));
  ATTENDANT_RETURN_IF_ERROR(Tokens("target_prefix", options.target_prefix, vocab_size));
  ATTENDANT_RETURN_IF_ERROR(InRange("start_token", options.start_token, 0, vocab_size - 1));
  ATTENDANT_RETURN_IF_ERROR(InRange("unk_token", options.unk_token, -1, vocab_size - 1));
  for (const int32_t token : options.target_prefix) {
    if (std::find(options.end_tokens.begin(), options.end_tokens.end(), token) != options.end_tokens.end()) {
      return absl::InvalidArgumentError(absl::StrCat("target_prefix has the end token ", token));
    }
  }
  return CheckSuppressSequences(options, vocab_size);
}

absl::Status CheckProbabilities(const DecodingOptions& options) {
  ATTENDANT_RETURN_IF_ERROR(InRange("repetition_penalty", options.repetition_penalty, 0.01f, 100.f));
  ATTENDANT_RETURN_IF_ERROR(InRange("no_repeat_ngram_size", options.no_repeat_ngram_size, 0, kMaxNgram));
  ATTENDANT_RETURN_IF_ERROR(InRange("temperature", options.temperature, 0.001f, 1000.f));
  ATTENDANT_RETURN_IF_ERROR(InRange("top_k", options.top_k, 0, kMaxVocabSize));
  if (!(options.top_p > 0 && options.top_p <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("top_p is ", options.top_p, "; it must be above 0 and at most 1"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Check(const DecodingOptions& options, int32_t vocab_size) {
  ATTENDANT_RETURN_IF_ERROR(InRange("vocab_size", vocab_size, 1, kMaxVocabSize));
  ATTENDANT_RETURN_IF_ERROR(CheckSearch(options));
  ATTENDANT_RETURN_IF_ERROR(CheckLengths(options));
  ATTENDANT_RETURN_IF_ERROR(CheckTokens(options, vocab_size));
  return CheckProbabilities(options);
}

}  // namespace attendant
