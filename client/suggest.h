#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace attendant::client {

// Fewest insertions, deletions, substitutions and swaps of neighbours that make a into b.
size_t EditDistance(std::string_view a, std::string_view b);

// The candidate that someone who typed `word` most likely meant; "" if none is near.
std::string Suggest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace attendant::client
