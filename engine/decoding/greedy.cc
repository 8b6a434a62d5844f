#include "engine/decoding/greedy.h"

#include <cmath>

namespace attendant {

void GreedyChooser::Ask(const RowConstraint&, RowQuery& query) const {
  query.top_k = 1;
  query.wants_all_logits = false;
}

Choice GreedyChooser::Choose(const RowConstraint& constraint, const RowAnswer& answer, Place) {
  TokenScore best{-1, -INFINITY};
  const auto consider = [&best](int32_t token, float logit) {
    if (logit > best.score || (logit == best.score && token < best.token)) best = {token, logit};
  };
  for (const TokenScore& top : answer.top) consider(top.token, top.score);
  for (size_t i = 0; i < answer.held_out.size(); ++i) {
    if (!constraint.banned(i)) consider(constraint.held_out()[i], rules_->Penalised(answer.held_out[i]));
  }
  if (best.token < 0) return {-1, 0.f};
  return {best.token, best.score - ProcessedLogSumExp(*rules_, constraint, answer)};
}

}  // namespace attendant
