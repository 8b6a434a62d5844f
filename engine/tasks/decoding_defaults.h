#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/decoding/options.h"
#include "engine/models/generation_config.h"
#include "engine/models/seq2seq.h"
#include "engine/tasks/translator.h"
#include "engine/text/tokenizer.h"

namespace attendant {

// How a request that sets nothing is decoded: the model's generation_config.json in our terms. A length that
// it does not limit is limited by the model's positions (`transformers` would take 20, and warn).
DecodingOptions DefaultDecoding(const GenerationConfig& config, const Seq2Seq::Info& model, int32_t unk_id);

// Keys of config that DefaultDecoding does not follow, config.ignored_keys included; ascending.
std::vector<std::string> IgnoredGenerationKeys(const GenerationConfig& config);

// A request's options over the model's defaults. What the request sets is never changed; a default gives way
// to it: with `sample` and no beam_size, beam_size is 1; num_hypotheses falls to a smaller beam_size;
// min_length falls to a smaller max_length. The target_prefix is not part of it, see TargetPrefix. Errors:
// INVALID_ARGUMENT names the field.
absl::StatusOr<DecodingOptions> ResolveOptions(const DecodingOptions& defaults,
                                               const TranslationOptions& request, const Tokenizer& tokenizer,
                                               const Seq2Seq::Info& model);

// The first tokens of the first sentence: the model's own prefix, then the request's.
std::vector<int32_t> TargetPrefix(const DecodingOptions& defaults, const TranslationOptions& request,
                                  const Tokenizer& tokenizer);

}  // namespace attendant
