#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace attendant::kserve {

// One version of a model, as the protocol's index lists it.
struct RepositoryEntry {
  std::string name;
  std::string version;
  std::string state;   // "READY", "LOADING", "UNLOADING" or "UNAVAILABLE".
  std::string reason;  // Why it is not ready.
};

// The models that the server has, and may load and unload, as the protocol's repository methods see them.
// Thread-safe.
class ModelRepositoryControl {
 public:
  // Called exactly once, on any thread, also from within the call that is given it.
  using Done = std::function<void(absl::Status)>;

  virtual ~ModelRepositoryControl() = default;
  // Whether Load and Unload do anything but refuse.
  virtual bool CanLoad() const = 0;
  virtual std::vector<RepositoryEntry> Index() = 0;
  // Load, or load anew; done when the model is ready, or has failed.
  virtual void Load(const std::string& name, Done done) = 0;
  virtual void Unload(const std::string& name, Done done) = 0;
};

}  // namespace attendant::kserve
