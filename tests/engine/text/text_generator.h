#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace attendant {

// Lines without '\n', the same for the same arguments on every machine: sentences of several languages, runs
// of one script, emoji, control characters, zero bytes, carriage returns, odd white space, special tokens as
// text, and broken UTF-8.
std::vector<std::string> GenerateLines(size_t count, uint64_t seed);

// Lines to train small models on: valid UTF-8, no control characters.
std::vector<std::string> GenerateTrainingLines(size_t count, uint64_t seed);

// Each byte of the result is one of text, or another with a small chance.
std::string Corrupted(std::string text, uint64_t seed);

}  // namespace attendant
