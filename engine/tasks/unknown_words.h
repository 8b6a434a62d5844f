#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "engine/decoding/search.h"
#include "engine/text/tokenizer.h"

namespace attendant {

// The source tokens as pieces, where an unknown one stands with its own words of the text instead of "<unk>".
// Those are what lies between the known pieces beside it; "" where normalisation hides that.
std::vector<std::string> SourceSurfaces(std::string_view source, absl::Span<const int32_t> ids,
                                        const Tokenizer& tokenizer);

// The target tokens as pieces, each unknown one replaced by the surface of the source token that it attends
// to most (the end token, which is the last, aside). hypothesis.attention is there.
std::vector<std::string> ReplaceUnknowns(const Hypothesis& hypothesis, absl::Span<const std::string> surfaces,
                                         const Tokenizer& tokenizer);

// Text of ids, where those that are unknown read as their piece of `pieces`.
std::string DecodeWithPieces(absl::Span<const int32_t> ids, absl::Span<const std::string> pieces,
                             const Tokenizer& tokenizer);

}  // namespace attendant
