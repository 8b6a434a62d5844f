#include "server/converters.h"

#include <cmath>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/base/status_macros.h"

namespace attendant {
namespace {

absl::Status Wrong(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("options.", field, ": ", what));
}

// Copies fields that are set from proto to task, and keeps the first complaint.
class Reader {
 public:
  template <typename T>
  struct Range {
    T min;
    T max;
    bool min_excluded = false;
  };

  template <typename T>
  void Read(absl::string_view field, bool has, T value, Range<T> range, std::optional<T>& to) {
    if (!has || !status_.ok()) return;
    const bool is_low = range.min_excluded ? !(value > range.min) : !(value >= range.min);  // NaN is low.
    if (is_low || value > range.max) {
      status_ =
          Wrong(field, absl::StrCat(value, " is not in its range, ", range.min_excluded ? "more than " : "",
                                    range.min, " to ", range.max));
      return;
    }
    to = value;
  }

  void CheckBytes(absl::string_view field, absl::string_view text, size_t max_bytes) {
    if (status_.ok() && text.size() > max_bytes) {
      status_ = Wrong(field, absl::StrCat("is longer than ", max_bytes, " bytes"));
    }
  }

  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

constexpr int32_t kMaxBeams = 32;
constexpr int32_t kMaxInt = std::numeric_limits<int32_t>::max();

void ReadSearch(const v1::TranslationOptions& from, Reader& reader, TranslationOptions& to) {
  reader.Read("beam_size", from.has_beam_size(), from.beam_size(), {1, kMaxBeams}, to.beam_size);
  reader.Read("num_hypotheses", from.has_num_hypotheses(), from.num_hypotheses(), {1, kMaxBeams},
              to.num_hypotheses);
  reader.Read("patience", from.has_patience(), from.patience(), {0.0F, 8.0F}, to.patience);
  reader.Read("length_penalty", from.has_length_penalty(), from.length_penalty(), {-5.0F, 5.0F},
              to.length_penalty);
  reader.Read("coverage_penalty", from.has_coverage_penalty(), from.coverage_penalty(), {0.0F, 10.0F},
              to.coverage_penalty);
  reader.Read("repetition_penalty", from.has_repetition_penalty(), from.repetition_penalty(), {0.01F, 100.0F},
              to.repetition_penalty);
  reader.Read("no_repeat_ngram_size", from.has_no_repeat_ngram_size(), from.no_repeat_ngram_size(), {0, 64},
              to.no_repeat_ngram_size);
  reader.Read("min_length", from.has_min_length(), from.min_length(), {0, kMaxInt}, to.min_length);
  reader.Read("max_length", from.has_max_length(), from.max_length(), {1, kMaxInt}, to.max_length);
  reader.Read("repetition_guard_tokens", from.has_repetition_guard_tokens(), from.repetition_guard_tokens(),
              {0, kMaxInt}, to.repetition_guard_tokens);
}

void ReadSampling(const v1::TranslationOptions& from, Reader& reader, TranslationOptions& to) {
  if (from.has_sample()) to.sample = from.sample();
  reader.Read("temperature", from.has_temperature(), from.temperature(), {0.001F, 100.0F}, to.temperature);
  reader.Read("top_k", from.has_top_k(), from.top_k(), {0, kMaxInt}, to.top_k);
  reader.Read("top_p", from.has_top_p(), from.top_p(), {0.0F, 1.0F, true}, to.top_p);
  if (from.has_seed()) to.seed = from.seed();
}

absl::Status ReadTexts(const v1::TranslationOptions& from, Reader& reader, TranslationOptions& to) {
  constexpr int kMaxSuppressed = 64;
  constexpr size_t kMaxPrefixBytes = 4096;
  constexpr size_t kMaxPieceBytes = 256;
  reader.CheckBytes("target_prefix", from.target_prefix(), kMaxPrefixBytes);
  reader.CheckBytes("end_token", from.end_token(), kMaxPieceBytes);
  if (from.suppress_sequences_size() > kMaxSuppressed) {
    return Wrong("suppress_sequences", absl::StrCat("are more than ", kMaxSuppressed));
  }
  for (const std::string& text : from.suppress_sequences()) {
    if (text.empty()) return Wrong("suppress_sequences", "has an empty text");
    reader.CheckBytes("suppress_sequences", text, kMaxPieceBytes);
    to.suppress_sequences.push_back(text);
  }
  to.target_prefix = from.target_prefix();
  to.end_token = from.end_token();
  return reader.status();
}

v1::FinishReason FinishReasonToProto(FinishReason reason) {
  switch (reason) {
    case FinishReason::kEndToken:
      return v1::FINISH_REASON_END_TOKEN;
    case FinishReason::kMaxLength:
      return v1::FINISH_REASON_MAX_LENGTH;
    case FinishReason::kRepetition:
      return v1::FINISH_REASON_REPETITION;
  }
  return v1::FINISH_REASON_UNSPECIFIED;
}

v1::Hypothesis HypothesisToProto(const SentenceHypothesis& hypothesis) {
  v1::Hypothesis result;
  result.set_text(hypothesis.text);
  result.set_score(hypothesis.score);
  result.set_finish_reason(FinishReasonToProto(hypothesis.finish_reason));
  result.mutable_token_ids()->Add(hypothesis.token_ids.begin(), hypothesis.token_ids.end());
  for (const std::string& token : hypothesis.tokens) result.add_tokens(token);
  result.mutable_token_scores()->Add(hypothesis.token_scores.begin(), hypothesis.token_scores.end());
  for (const std::vector<float>& row : hypothesis.alignment) {
    result.add_alignment()->mutable_weights()->Add(row.begin(), row.end());
  }
  return result;
}

}  // namespace

absl::StatusOr<TranslationOptions> ToTask(const v1::TranslationOptions& options) {
  TranslationOptions result;
  Reader reader;
  ReadSearch(options, reader, result);
  ReadSampling(options, reader, result);
  ATTENDANT_RETURN_IF_ERROR(ReadTexts(options, reader, result));
  if (!v1::TranslationOptions::Split_IsValid(options.split())) return Wrong("split", "has no such value");
  const bool whole_lines = options.split() == v1::TranslationOptions::SPLIT_NONE;
  result.split = whole_lines ? TranslationOptions::Split::kNone : TranslationOptions::Split::kSentences;
  result.disable_unk = options.disable_unk();
  result.replace_unknowns = options.replace_unknowns();
  result.return_alignment = options.return_alignment();
  result.return_token_scores = options.return_token_scores();
  return result;
}

v1::TranslationOptions ToProto(const DecodingOptions& defaults) {
  v1::TranslationOptions result;
  result.set_beam_size(defaults.beam_size);
  result.set_num_hypotheses(defaults.num_hypotheses);
  result.set_patience(defaults.patience);
  result.set_length_penalty(defaults.length_penalty);
  result.set_coverage_penalty(defaults.coverage_penalty);
  result.set_repetition_penalty(defaults.repetition_penalty);
  result.set_no_repeat_ngram_size(defaults.no_repeat_ngram_size);
  result.set_min_length(defaults.min_length);
  result.set_max_length(defaults.max_length);
  result.set_sample(defaults.sample);
  result.set_temperature(defaults.temperature);
  result.set_top_k(defaults.top_k);
  result.set_top_p(defaults.top_p);
  result.set_seed(defaults.seed);
  result.set_repetition_guard_tokens(defaults.repetition_guard_tokens);
  result.set_disable_unk(defaults.disable_unk);
  result.set_split(v1::TranslationOptions::SPLIT_SENTENCES);
  return result;
}

google::protobuf::Duration ToProto(Duration duration) {
  constexpr int64_t kNanosPerSecond = 1'000'000'000;
  const int64_t nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
  google::protobuf::Duration result;
  result.set_seconds(nanos / kNanosPerSecond);
  result.set_nanos(static_cast<int32_t>(nanos % kNanosPerSecond));
  return result;
}

v1::PhaseTiming ToProto(const PhaseTiming& timing) {
  v1::PhaseTiming result;
  *result.mutable_tokenize() = ToProto(timing.tokenize);
  *result.mutable_queue() = ToProto(timing.queue);
  *result.mutable_encode() = ToProto(timing.encode);
  *result.mutable_first_token() = ToProto(timing.first_token);
  *result.mutable_total() = ToProto(timing.total);
  return result;
}

v1::SentenceTranslation ToProto(const SentenceTranslation& sentence) {
  v1::SentenceTranslation result;
  result.set_source_text(sentence.source);
  result.set_leading_space(sentence.leading);
  result.set_trailing_space(sentence.trailing);
  for (const std::string& token : sentence.source_tokens) result.add_source_tokens(token);
  result.set_source_length_tokens(sentence.source_length_tokens);
  for (const SentenceHypothesis& hypothesis : sentence.hypotheses)
    *result.add_hypotheses() = HypothesisToProto(hypothesis);
  result.set_halved(sentence.was_halved);
  return result;
}

v1::Translation ToProtoWithoutSentences(const TranslationResult& result) {
  v1::Translation translation;
  translation.set_translated_text(result.text);
  translation.set_input_tokens(result.input_tokens);
  translation.set_output_tokens(result.output_tokens);
  translation.set_halved_sentences(result.halved_sentences);
  translation.set_replacement_characters(result.replacement_characters);
  *translation.mutable_timing() = ToProto(result.timing);
  return translation;
}

v1::Translation ToProto(const TranslationResult& result) {
  v1::Translation translation = ToProtoWithoutSentences(result);
  for (const SentenceTranslation& sentence : result.sentences)
    *translation.add_sentences() = ToProto(sentence);
  return translation;
}

}  // namespace attendant
