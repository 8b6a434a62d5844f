#pragma once

#include <string>

#include "engine/text/spm_file.h"

namespace attendant {

// The bytes of a SentencePiece model file. WriteField appends one length-delimited field.
std::string WriteSpmFile(const SpmFile& file);
void WriteField(int number, const std::string& value, std::string* message);

// The smallest model: <unk>, and pieces with the given texts and the score -1, -2, ...
SpmFile TinyModel(const std::vector<std::string>& pieces);

}  // namespace attendant
