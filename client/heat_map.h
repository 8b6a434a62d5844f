#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "attendant/v1/translation_service.pb.h"

namespace attendant::client {

// How much each target token attends to each source token.
struct HeatMap {
  std::vector<std::string> source_tokens;   // Columns.
  std::vector<std::string> target_tokens;   // Rows.
  std::vector<std::vector<float>> weights;  // [target token][source token], 0 to 1.
};

// Of the best hypothesis. INTERNAL: the answer's shapes do not fit together.
absl::StatusOr<HeatMap> MakeHeatMap(const v1::SentenceTranslation& sentence);

struct TerminalStyle {
  bool color = false;  // 256-colour escape sequences; otherwise ASCII shades only.
  int columns = 80;    // A map that is wider is cut into several, side by side columns one below the other.
};

// Lines for a terminal: a staircase of source tokens, then one row of cells for each target token.
std::string RenderTerminal(const HeatMap& map, const TerminalStyle& style);

// A whole SVG file with the maps one below the other. Text is escaped.
std::string RenderSvg(const std::vector<HeatMap>& maps);

// The same as the bytes of a PNG file. RESOURCE_EXHAUSTED: too large a picture.
absl::StatusOr<std::string> RenderPng(const std::vector<HeatMap>& maps);

}  // namespace attendant::client
