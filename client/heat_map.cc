#include "client/heat_map.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace attendant::client {

absl::StatusOr<HeatMap> MakeHeatMap(const v1::SentenceTranslation& sentence) {
  HeatMap map;
  map.source_tokens.assign(sentence.source_tokens().begin(), sentence.source_tokens().end());
  if (sentence.hypotheses().empty()) return map;
  const v1::Hypothesis& best = sentence.hypotheses(0);
  map.target_tokens.assign(best.tokens().begin(), best.tokens().end());
  for (const v1::AlignmentRow& row : best.alignment()) {
    if (row.weights_size() != sentence.source_tokens_size()) {
      return absl::InternalError(absl::StrCat("the server's alignment has a row of ", row.weights_size(),
                                              " weights for ", sentence.source_tokens_size(),
                                              " source tokens"));
    }
    map.weights.emplace_back(row.weights().begin(), row.weights().end());
  }
  if (map.weights.size() != map.target_tokens.size()) {
    return absl::InternalError(absl::StrCat("the server's alignment has ", map.weights.size(), " rows for ",
                                            map.target_tokens.size(), " target tokens"));
  }
  return map;
}

}  // namespace attendant::client
