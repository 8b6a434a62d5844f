#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/tensor/tensor.h"
#include "engine/weights/weight_map.h"

namespace attendant {

// Reader of the safetensors format (https://huggingface.co/docs/safetensors, "Format"):
//   8 bytes: header length N, little-endian · N bytes: JSON header · the rest: the buffer that data_offsets
//   count in.
// Nothing in a file is trusted. Every rule of the format is checked before a tensor is looked at; a file that
// breaks one is DATA_LOSS "FILE: what is wrong". Beyond the format, these bounds:
inline constexpr uint64_t kMaxSafetensorsHeaderBytes = 100'000'000;       // As the reference implementation.
inline constexpr uint64_t kMaxSafetensorsFileBytes = uint64_t{16} << 30;  // Read into memory whole.
inline constexpr int kMaxTensorRank = 8;

// One tensor of a header: where it lies in the buffer, [begin, end) in bytes.
struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

// Parses a header and checks it against the length of the buffer: dtype known (F32, F16, BF16, I8, U8, I32,
// I64), shape and offsets plain integers without overflow, byte count = product of shape times element size,
// no duplicate name, no overlap, no hole, the buffer covered to its last byte. Entries come in the order in
// which they lie in the buffer.
absl::StatusOr<std::vector<SafetensorsEntry>> ParseSafetensorsHeader(std::string_view json,
                                                                     uint64_t buffer_bytes,
                                                                     std::string_view source);

// Reads one file. Errors also: NOT_FOUND, FAILED_PRECONDITION (not a file that can be read). Throws
// std::bad_alloc.
absl::StatusOr<WeightMap> LoadSafetensors(const std::string& path);

// Reads the weights of a Hugging Face model directory: model.safetensors or, when there is none, the shards
// that model.safetensors.index.json lists. Its weight_map and the shards' contents must agree exactly, and
// every file must lie in the directory itself. PyTorch pickle files are never read: a directory that has
// nothing else is FAILED_PRECONDITION.
absl::StatusOr<WeightMap> LoadModelWeights(const std::string& dir);

}  // namespace attendant
