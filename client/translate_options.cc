#include "client/translate_options.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace attendant::client {
namespace {

// A beam that pays when more than one hypothesis is wanted.
constexpr int32_t kBeamForNBest = 4;

absl::Status CheckTogether(const TranslateOptions& options) {
  const v1::TranslationOptions& decoding = options.request.options();
  if (!options.input.empty() && !options.texts.empty()) {
    return absl::InvalidArgumentError("texts are given as arguments and with --input: use one of them");
  }
  if (options.whole && !options.texts.empty()) {
    return absl::InvalidArgumentError(
        "--whole is for --input and standard input: an argument is one text already");
  }
  const bool has_form = options.json || options.scores || options.alignment ||
                        !options.output_image.empty() || decoding.has_num_hypotheses();
  if (options.stream && has_form) {
    return absl::InvalidArgumentError(
        "--stream shows growing text only: it does not go with --json, --scores, --n-best, --alignment and "
        "--output-image");
  }
  const bool has_image_type = absl::EndsWithIgnoreCase(options.output_image, ".png") ||
                              absl::EndsWithIgnoreCase(options.output_image, ".svg");
  if (!options.output_image.empty() && !has_image_type) {
    return absl::InvalidArgumentError(
        absl::StrCat("--output-image: '", options.output_image, "' must end in .png or .svg"));
  }
  const bool has_sampling =
      decoding.has_temperature() || decoding.has_top_k() || decoding.has_top_p() || decoding.has_seed();
  if (has_sampling && !decoding.sample()) {
    return absl::InvalidArgumentError("--temperature, --top-k, --top-p and --seed need --sample");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CompleteOptions(TranslateOptions& options) {
  if (absl::Status status = CheckTogether(options); !status.ok()) return status;
  v1::TranslationOptions& decoding = *options.request.mutable_options();
  if (!decoding.has_beam_size()) {
    if (decoding.sample() || options.stream) {
      decoding.set_beam_size(1);
    } else if (decoding.has_num_hypotheses()) {
      decoding.set_beam_size(std::max(kBeamForNBest, decoding.num_hypotheses()));
    }
  }
  decoding.set_return_token_scores(options.scores);
  decoding.set_return_alignment(options.alignment || !options.output_image.empty());
  return absl::OkStatus();
}

}  // namespace attendant::client
