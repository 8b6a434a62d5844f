#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/tensor/tensor.h"

namespace attendant {

// The tensors of a model as its files hold them: name -> view, with the bytes they lie in.
// Lifetime: read once, packed once, original freed. A model loader Requires each tensor that it knows, packs
// it, calls CheckAllUsed and drops the map; views are valid until then. Invariants:
// 1. Every view lies within bytes that the map owns; moving the map keeps views valid.
// 2. A name is there once.
// Not for use after loading, and not for quantised layouts of our own. Not thread-safe: asking for a tensor
// marks it as used.
class WeightMap {
 public:
  WeightMap() = default;
  WeightMap(WeightMap&&) = default;
  WeightMap& operator=(WeightMap&&) = default;

  // Takes ownership of bytes for as long as the map lives.
  void Adopt(std::unique_ptr<std::byte[]> bytes);
  // view lies within adopted bytes. Errors: DATA_LOSS for a name that is already there.
  absl::Status Add(std::string name, const TensorView& view);
  // Moves everything of `other` here. Errors: DATA_LOSS for a name that both have.
  absl::Status Merge(WeightMap other);

  bool Contains(std::string_view name) const { return entries_.find(name) != entries_.end(); }
  // Marks the tensor as used. Errors: FAILED_PRECONDITION, naming it, when there is none.
  absl::StatusOr<TensorView> Get(std::string_view name);
  // Get, and the shape must be `expected` and the elements kF32, kF16 or kBF16.
  // Errors: FAILED_PRECONDITION, naming the tensor, what was expected and what is there.
  absl::StatusOr<TensorView> Require(std::string_view name, const Shape& expected);

  // All names, ascending.
  std::vector<std::string> names() const;
  // Names that nobody asked for, ascending.
  std::vector<std::string> UnusedNames() const;
  // FAILED_PRECONDITION naming surplus tensors: unused, and not matched by `ignorable`, whose items are
  // names, or prefixes when they end in '*' ("model.encoder.embed_positions.*").
  absl::Status CheckAllUsed(absl::Span<const std::string_view> ignorable) const;
  // DATA_LOSS naming the first tensor with a NaN or an infinity, and where in it.
  absl::Status CheckAllFinite() const;

 private:
  struct Entry {
    TensorView view;
    bool used = false;
  };
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<std::unique_ptr<std::byte[]>> bytes_;
};

// Index of the first element (row-major) of a floating-point tensor that is NaN or infinite; none for
// integers. Reads at the speed of memory.
std::optional<int64_t> FirstNonFinite(const TensorView& view);

}  // namespace attendant
