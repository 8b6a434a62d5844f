#include "server/kserve/registry_repository.h"

#include "server/kserve/served_version.h"

namespace attendant::kserve {
namespace {

const char* StateName(ModelState state) {
  switch (state) {
    case ModelState::kLoading:
      return "LOADING";
    case ModelState::kReady:
      return "READY";
    case ModelState::kFailed:
    case ModelState::kCount:
      break;
  }
  return "UNAVAILABLE";
}

absl::Status CannotLoad() {
  return absl::UnimplementedError("this server's models are those that it started with");
}

}  // namespace

std::vector<RepositoryEntry> RegistryRepository::Index() {
  std::vector<RepositoryEntry> entries;
  for (const ServedModel& model : registry_.List()) {
    entries.push_back({model.name, VersionOf(model), StateName(model.state), model.message});
  }
  return entries;
}

void RegistryRepository::Load(const std::string& /*name*/, Done done) {
  done(CannotLoad());
}

void RegistryRepository::Unload(const std::string& /*name*/, Done done) {
  done(CannotLoad());
}

}  // namespace attendant::kserve
