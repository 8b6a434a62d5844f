#pragma once

#include <string>

#include "client/heat_map.h"
#include "client/translate_pipeline.h"

namespace attendant::client {

// How one result looks as text.
struct TextFormat {
  bool scores = false;     // Sentence and token scores.
  bool n_best = false;     // All hypotheses rather than the best.
  bool alignment = false;  // A heat map of each sentence.
  TerminalStyle style = {};
};

// Lines, each with its line break. Plain: the translation. With scores or n_best: for each hypothesis
//   TEXT.SENTENCE <tab> RANK <tab> SCORE <tab> HYPOTHESIS
// and, with scores, a second line of "token score" pairs. A failed text is an empty line.
std::string RenderText(const TextResult& result, const TextFormat& format);

// One JSON object and a line break. `attendant translate --help` documents the fields.
std::string RenderJson(const TextResult& result);

}  // namespace attendant::client
