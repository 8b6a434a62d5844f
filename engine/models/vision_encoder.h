#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "engine/tensor/thread_team.h"
#include "engine/tensor/workspace.h"

namespace attendant {

// One image to encode.
struct ImageItem {
  const float* pixels = nullptr;  // [3][image_height][image_width], as the model's processor makes them.
  float* hidden = nullptr;        // Receives [tokens][hidden_dim]. Never null.
  // Receives how much the answer looked at each patch, [grid_height][grid_width], summing to 1: attention
  // rollout. Null: not wanted.
  float* attention = nullptr;
};

// A trained encoder of images, with or without a classifier on it. Immutable after loading: thread-safe, one
// Workspace per calling thread. Invariant: what an item yields does not depend, bit for bit, on what else is
// in the call nor on the size of the team. All methods throw std::bad_alloc and dnnl::error only.
class VisionEncoder {
 public:
  struct Info {
    std::string architecture;  // config.json's model_type.
    int32_t image_height = 0;
    int32_t image_width = 0;
    int32_t grid_height = 0;  // Patches.
    int32_t grid_width = 0;
    int32_t tokens = 0;  // Patches and the model's own tokens before them.
    int32_t hidden_dim = 0;
    std::vector<std::string> labels;  // Empty: no classifier.
    bool is_multi_label = false;      // Each label is true or false for itself (sigmoid, not softmax).
    bool has_pooler = false;
    int64_t weights_bytes = 0;  // Resident, packed.
    int64_t num_parameters = 0;
  };

  virtual ~VisionEncoder() = default;
  virtual const Info& info() const = 0;

  // Encodes items together, their rows shared out among the team.
  virtual void Encode(absl::Span<const ImageItem> items, const ThreadTeam& team) const = 0;
  // Logits [labels] for what Encode gave of an image. Only with labels.
  virtual void Classify(const float* hidden, float* logits, Workspace& workspace) const = 0;
  // One vector [hidden_dim] for the image: the pooler's, or the class token's where there is none.
  virtual void Pool(const float* hidden, float* pooled, Workspace& workspace) const = 0;
};

}  // namespace attendant
