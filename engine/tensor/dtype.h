#pragma once

#include <cstddef>
#include <cstdint>

namespace attendant {

// Element types of tensors in files and in memory.
enum class DType : uint8_t { kF32, kF16, kBF16, kS8, kU8, kS32, kS64 };

// Bytes of one element.
constexpr size_t SizeOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
    case DType::kS32:
      return 4;
    case DType::kF16:
    case DType::kBF16:
      return 2;
    case DType::kS8:
    case DType::kU8:
      return 1;
    case DType::kS64:
      return 8;
  }
  return 0;
}

// "F32", "BF16", ...: the names that safetensors uses.
constexpr const char* NameOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "F32";
    case DType::kF16:
      return "F16";
    case DType::kBF16:
      return "BF16";
    case DType::kS8:
      return "I8";
    case DType::kU8:
      return "U8";
    case DType::kS32:
      return "I32";
    case DType::kS64:
      return "I64";
  }
  return "?";
}

}  // namespace attendant
