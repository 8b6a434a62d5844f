#include "engine/tasks/decoding_defaults.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace attendant {
namespace {

EarlyStopping StoppingOf(GenerationConfig::StopRule rule) {
  switch (rule) {
    case GenerationConfig::StopRule::kAtBeams:
      return EarlyStopping::kAtBeams;
    case GenerationConfig::StopRule::kNever:
      return EarlyStopping::kNever;
    case GenerationConfig::StopRule::kHeuristic:
      break;
  }
  return EarlyStopping::kHeuristic;
}

// The forced end token first: the search forces end_tokens[0].
std::vector<int32_t> EndTokens(const SpecialTokens& tokens) {
  std::vector<int32_t> ends = tokens.eos;
  if (tokens.forced_eos.empty()) return ends;
  const auto forced = std::find(ends.begin(), ends.end(), tokens.forced_eos.front());
  if (forced != ends.end()) std::rotate(ends.begin(), forced, forced + 1);
  return ends;
}

bool ForcesAnEndToken(const SpecialTokens& tokens) {
  return !tokens.forced_eos.empty() &&
         std::find(tokens.eos.begin(), tokens.eos.end(), tokens.forced_eos.front()) != tokens.eos.end();
}

template <typename T>
void Take(const std::optional<T>& from, T& to) {
  if (from) to = *from;
}

void TakeSearch(const TranslationOptions& request, DecodingOptions& options) {
  Take(request.beam_size, options.beam_size);
  Take(request.num_hypotheses, options.num_hypotheses);
  Take(request.sample, options.sample);
  if (options.sample && !request.beam_size) options.beam_size = 1;
  if (!options.sample && !request.num_hypotheses) {
    options.num_hypotheses = std::min(options.num_hypotheses, options.beam_size);
  }
  Take(request.patience, options.patience);
  Take(request.length_penalty, options.length_penalty);
  Take(request.coverage_penalty, options.coverage_penalty);
  Take(request.temperature, options.temperature);
  Take(request.top_k, options.top_k);
  Take(request.top_p, options.top_p);
  Take(request.seed, options.seed);
}

void TakeRules(const TranslationOptions& request, DecodingOptions& options) {
  Take(request.repetition_penalty, options.repetition_penalty);
  Take(request.no_repeat_ngram_size, options.no_repeat_ngram_size);
  Take(request.max_length, options.max_length);
  options.min_length = std::min(options.min_length, options.max_length);
  Take(request.min_length, options.min_length);
  Take(request.repetition_guard_tokens, options.repetition_guard_tokens);
  options.disable_unk |= request.disable_unk;
  options.return_attention = request.return_alignment || request.replace_unknowns;
}

absl::Status TakeSuppressSequences(const TranslationOptions& request, const Tokenizer& tokenizer,
                                   DecodingOptions& options) {
  for (size_t i = 0; i < request.suppress_sequences.size(); ++i) {
    std::vector<int32_t> ids = tokenizer.EncodeTarget(request.suppress_sequences[i]);
    if (ids.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("suppress_sequences[", i, "] has no token"));
    }
    options.suppress_sequences.push_back(std::move(ids));
  }
  return absl::OkStatus();
}

absl::Status TakeEndToken(const std::string& piece, const Tokenizer& tokenizer, DecodingOptions& options) {
  if (piece.empty()) return absl::OkStatus();
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (tokenizer.TargetPiece(id) != piece) continue;
    options.end_tokens = {id};
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("end_token: \"", piece, "\" is not a piece of the model's target vocabulary"));
}

}  // namespace

DecodingOptions DefaultDecoding(const GenerationConfig& config, const Seq2Seq::Info& model, int32_t unk_id) {
  DecodingOptions options;
  options.beam_size = config.num_beams;
  options.num_hypotheses = config.num_return_sequences;
  options.early_stopping = StoppingOf(config.early_stopping);
  options.length_penalty = config.length_penalty;
  if (config.forced_bos >= 0) options.target_prefix = {config.forced_bos};
  options.repetition_penalty = config.repetition_penalty;
  options.no_repeat_ngram_size = config.no_repeat_ngram_size;
  options.max_length =
      std::min(config.MaxGeneratedTokens().value_or(model.max_target_tokens), model.max_target_tokens);
  options.min_length = std::min(config.MinTokensBeforeEnd(), options.max_length);
  options.force_end_at_max_length = ForcesAnEndToken(config.tokens);
  options.suppress_sequences = config.bad_words_ids;
  for (const int32_t token : config.suppress_tokens) options.suppress_sequences.push_back({token});
  options.unk_token = unk_id < model.vocab_size ? unk_id : -1;
  options.end_tokens = EndTokens(config.tokens);
  options.start_token =
      config.tokens.decoder_start >= 0 ? config.tokens.decoder_start : model.decoder_start_token;
  options.sample = config.do_sample;
  options.temperature = config.temperature;
  options.top_k = config.top_k;
  options.top_p = config.top_p;
  return options;
}

std::vector<std::string> IgnoredGenerationKeys(const GenerationConfig& config) {
  std::vector<std::string> keys = config.ignored_keys;
  if (!config.tokens.forced_eos.empty() && !ForcesAnEndToken(config.tokens)) {
    keys.push_back("forced_eos_token_id");
  }
  if (config.renormalize_logits) keys.push_back("renormalize_logits");
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::vector<int32_t> TargetPrefix(const DecodingOptions& defaults, const TranslationOptions& request,
                                  const Tokenizer& tokenizer) {
  std::vector<int32_t> prefix = defaults.target_prefix;
  const std::vector<int32_t> ids = tokenizer.EncodeTarget(request.target_prefix);
  prefix.insert(prefix.end(), ids.begin(), ids.end());
  return prefix;
}

absl::StatusOr<DecodingOptions> ResolveOptions(const DecodingOptions& defaults,
                                               const TranslationOptions& request, const Tokenizer& tokenizer,
                                               const Seq2Seq::Info& model) {
  DecodingOptions options = defaults;
  TakeSearch(request, options);
  TakeRules(request, options);
  ATTENDANT_RETURN_IF_ERROR(TakeSuppressSequences(request, tokenizer, options));
  ATTENDANT_RETURN_IF_ERROR(TakeEndToken(request.end_token, tokenizer, options));
  if (options.max_length > model.max_target_tokens) {
    return absl::InvalidArgumentError(absl::StrCat("max_length is ", options.max_length, "; the model has ",
                                                   model.max_target_tokens, " positions"));
  }
  DecodingOptions first_sentence = options;  // The one with the longest prefix: if it is right, all are.
  first_sentence.target_prefix = TargetPrefix(defaults, request, tokenizer);
  ATTENDANT_RETURN_IF_ERROR(Check(first_sentence, model.vocab_size));
  return options;
}

}  // namespace attendant
