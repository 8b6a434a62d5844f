#include "engine/weights/weight_map.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/base/status_macros.h"

namespace attendant {
namespace {

bool IsFloat(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
}

bool Matches(std::string_view name, std::string_view pattern) {
  if (pattern.empty() || pattern.back() != '*') return name == pattern;
  pattern.remove_suffix(1);
  return name.substr(0, pattern.size()) == pattern;
}

// An IEEE number is NaN or infinite when every bit of its exponent is set.
template <typename Bits, Bits kExponent>
std::optional<int64_t> FirstWithFullExponent(const std::byte* data, int64_t count) {
  constexpr int64_t kBlock =
      4096;  // Whole blocks are tested without a branch, so that the loop becomes SIMD.
  const auto load = [data](int64_t i) {
    Bits bits;
    std::memcpy(&bits, data + static_cast<size_t>(i) * sizeof(Bits), sizeof(Bits));
    return bits;
  };
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(count, begin + kBlock);
    Bits any = 0;
    for (int64_t i = begin; i < end; ++i) any |= static_cast<Bits>((load(i) & kExponent) == kExponent);
    if (any == 0) continue;
    for (int64_t i = begin; i < end; ++i) {
      if ((load(i) & kExponent) == kExponent) return i;
    }
  }
  return std::nullopt;
}

}  // namespace

void WeightMap::Adopt(std::unique_ptr<std::byte[]> bytes) {
  bytes_.push_back(std::move(bytes));
}

absl::Status WeightMap::Add(std::string name, const TensorView& view) {
  const auto [entry, is_new] = entries_.try_emplace(std::move(name), Entry{view});
  if (is_new) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("tensor ", absl::CHexEscape(entry->first), " is there twice"));
}

absl::Status WeightMap::Merge(WeightMap other) {
  for (auto& bytes : other.bytes_) bytes_.push_back(std::move(bytes));
  for (const auto& [name, entry] : other.entries_) ATTENDANT_RETURN_IF_ERROR(Add(name, entry.view));
  return absl::OkStatus();
}

absl::StatusOr<TensorView> WeightMap::Get(std::string_view name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    return absl::FailedPreconditionError(absl::StrCat("tensor ", std::string(name), " is missing"));
  }
  found->second.used = true;
  return found->second.view;
}

absl::StatusOr<TensorView> WeightMap::Require(std::string_view name, const Shape& expected) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    return absl::FailedPreconditionError(
        absl::StrCat("tensor ", std::string(name), " of shape ", expected.ToString(), " is missing"));
  }
  const TensorView& view = found->second.view;
  if (!(view.shape == expected)) {
    return absl::FailedPreconditionError(absl::StrCat("tensor ", std::string(name), " has shape ",
                                                      view.shape.ToString(), "; the configuration asks for ",
                                                      expected.ToString()));
  }
  if (!IsFloat(view.dtype)) {
    return absl::FailedPreconditionError(absl::StrCat("tensor ", std::string(name), " has elements ",
                                                      NameOf(view.dtype), "; expected F32, F16 or BF16"));
  }
  found->second.used = true;
  return view;
}

std::vector<std::string> WeightMap::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

std::vector<std::string> WeightMap::UnusedNames() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    if (!entry.used) names.push_back(name);
  }
  return names;
}

absl::Status WeightMap::CheckAllUsed(absl::Span<const std::string_view> ignorable) const {
  constexpr size_t kShown = 8;
  std::vector<std::string> surplus;
  size_t count = 0;
  for (const auto& [name, entry] : entries_) {
    const auto matches = [&name = name](std::string_view pattern) { return Matches(name, pattern); };
    if (entry.used || std::any_of(ignorable.begin(), ignorable.end(), matches)) continue;
    if (count++ < kShown)
      surplus.push_back(absl::StrCat(absl::CHexEscape(name), " ", entry.view.shape.ToString()));
  }
  if (count == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(count, " surplus tensor", count == 1 ? "" : "s", " that this architecture does not have: ",
                   absl::StrJoin(surplus, ", "), count > kShown ? ", ..." : ""));
}

absl::Status WeightMap::CheckAllFinite() const {
  for (const auto& [name, entry] : entries_) {
    if (const auto index = FirstNonFinite(entry.view)) {
      return absl::DataLossError(absl::StrCat("tensor ", absl::CHexEscape(name), " ",
                                              entry.view.shape.ToString(),
                                              " holds a NaN or an infinity at element ", *index));
    }
  }
  return absl::OkStatus();
}

std::optional<int64_t> FirstNonFinite(const TensorView& view) {
  const int64_t count = view.shape.num_elements();
  switch (view.dtype) {
    case DType::kF32:
      return FirstWithFullExponent<uint32_t, 0x7f800000>(view.data, count);
    case DType::kF16:
      return FirstWithFullExponent<uint16_t, 0x7c00>(view.data, count);
    case DType::kBF16:
      return FirstWithFullExponent<uint16_t, 0x7f80>(view.data, count);
    case DType::kS8:
    case DType::kU8:
    case DType::kS32:
    case DType::kS64:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace attendant
