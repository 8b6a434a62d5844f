#pragma once

#include "server/kserve/model_repository_control.h"
#include "server/model_registry.h"

namespace attendant::kserve {

// The registry's models, which are those of the configuration, as long as the process runs.
class RegistryRepository final : public ModelRepositoryControl {
 public:
  // registry outlives it.
  explicit RegistryRepository(const ModelRegistry& registry) : registry_(registry) {}

  bool CanLoad() const override { return false; }
  std::vector<RepositoryEntry> Index() override;
  // UNIMPLEMENTED.
  void Load(const std::string& name, Done done) override;
  void Unload(const std::string& name, Done done) override;

 private:
  const ModelRegistry& registry_;
};

}  // namespace attendant::kserve
