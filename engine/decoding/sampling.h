#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/decoding/row_search.h"

namespace attendant {

// A number in [0, 1) that is a function of its arguments alone, so that a draw depends on no other draw, row,
// batch or thread. Source: the SplitMix64 finaliser (Steele et al. 2014), chained over the arguments.
double UniformAt(uint64_t seed, TokenChooser::Place place);

// A token drawn from the logits after the rules, temperature, top-k and top-p, in this order and with the
// bounds of `transformers`' warpers. The log p reported is that before temperature, top-k and top-p: the
// model's, given the rules.
class SamplingChooser : public TokenChooser {
 public:
  // options have passed Check.
  SamplingChooser(const DecodingOptions& options, std::shared_ptr<const Rules> rules);

  void Ask(const RowConstraint& constraint, RowQuery& query) const override;
  Choice Choose(const RowConstraint& constraint, const RowAnswer& answer, Place place) override;

 private:
  void Collect(const RowConstraint& constraint, absl::Span<const float> logits);
  void KeepTopK();
  void KeepTopP();
  const TokenScore& Draw(double uniform) const;

  const std::shared_ptr<const Rules> rules_;
  const float temperature_;
  const size_t top_k_;
  const float top_p_;
  const uint64_t seed_;
  // Scratch, kept between calls for its capacity.
  std::vector<TokenScore> candidates_;  // Scores: logits after the rules, over the temperature.
  std::vector<float> scores_;
};

}  // namespace attendant
