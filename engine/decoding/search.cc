#include "engine/decoding/search.h"

#include <memory>
#include <utility>

#include "engine/base/status_macros.h"
#include "engine/decoding/beam_search.h"
#include "engine/decoding/greedy.h"
#include "engine/decoding/row_search.h"
#include "engine/decoding/sampling.h"

namespace attendant {

absl::StatusOr<std::unique_ptr<Search>> CreateSearch(const DecodingOptions& options, int32_t vocab_size) {
  ATTENDANT_RETURN_IF_ERROR(Check(options, vocab_size));
  if (options.beam_size > 1) return std::make_unique<BeamSearch>(options, vocab_size);
  auto rules = std::make_shared<const Rules>(options);
  std::unique_ptr<TokenChooser> chooser;
  if (options.sample) {
    chooser = std::make_unique<SamplingChooser>(options, rules);
  } else {
    chooser = std::make_unique<GreedyChooser>(rules);
  }
  return std::make_unique<RowSearch>(options, std::move(rules), std::move(chooser));
}

}  // namespace attendant
