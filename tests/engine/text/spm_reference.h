#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace attendant {

// SentencePiece's own programs (Debian package sentencepiece), each run as a process of its own.
// All of them throw std::runtime_error with the program's messages if it cannot be run or fails.

// Ids of each line by spm_encode. Lines must not contain '\n'.
std::vector<std::vector<int32_t>> SpmEncode(const std::filesystem::path& model,
                                            const std::vector<std::string>& lines);

// Text of each id sequence by spm_decode.
std::vector<std::string> SpmDecode(const std::filesystem::path& model,
                                   const std::vector<std::vector<int32_t>>& ids);

// Trains a model on lines with spm_train, and returns its file, which lies in directory and is called
// name.model.
struct SpmTraining {
  std::filesystem::path directory;
  std::string name;
  std::vector<std::string> lines;
  std::vector<std::string> flags;  // "--model_type=bpe", ...
};
std::filesystem::path SpmTrain(const SpmTraining& training);

}  // namespace attendant
