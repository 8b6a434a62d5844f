#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/engine_model.h"
#include "server/metrics.h"
#include "server/model_metrics.h"
#include "server/retry_hint.h"

namespace attendant {

// One version of a model in one of its states. What follows `metrics` is there when the state is kReady.
struct ServedModel {
  std::string name;
  int64_t version = 0;  // 0: the model has no numbered versions.
  ModelState state = ModelState::kLoading;
  std::string message;              // Why it is not ready; of a ready one, why its last reload was refused.
  std::vector<std::string> labels;  // That mean this version.
  ModelMetrics* metrics = nullptr;
  EngineModel engine;
  std::shared_ptr<RetryHint> retry_hint;
};

// Which model a translation wants; each field may be "".
struct ModelQuery {
  absl::string_view model;
  absl::string_view source_language;
  absl::string_view target_language;
};

// The models that the server knows, by name and version: what ModelManager fills and the services ask.
// 1. Whoever has a ServedModel keeps its engine, whatever becomes of the entry. 2. A version is replaced in
// one step. 3. Names are checked before they are looked up. Thread-safe.
//
// A model is called NAME, which is its highest ready version, NAME@VERSION or NAME@LABEL.
class ModelRegistry {
 public:
  explicit ModelRegistry(Metrics& metrics) : metrics_(metrics) {}

  // Adds or replaces that version. Sets its metrics and labels itself.
  void Set(ServedModel model);
  void Remove(absl::string_view name, int64_t version);
  void RemoveAll(absl::string_view name);
  // Label -> version, of all versions of the model, also of such as are not there (yet).
  void SetLabels(absl::string_view name, std::map<std::string, int64_t> labels);
  // The first load of every model is over.
  void SetComplete();

  // The ready model called `name`, or if that is "" the only one that serves the task. Errors: as the other
  // Resolve; FAILED_PRECONDITION also for a named model that does not serve it.
  absl::StatusOr<ServedModel> Resolve(absl::string_view name, Task task) const;
  // The one ready translation model that answers the query. Errors, with a RejectReason: INVALID_ARGUMENT a
  // bad name or language code, or a query without languages that fits several models (with languages the
  // first by name answers); NOT_FOUND; UNAVAILABLE loading; FAILED_PRECONDITION failed.
  absl::StatusOr<ServedModel> Resolve(const ModelQuery& query) const;
  // In whatever state. INVALID_ARGUMENT, NOT_FOUND.
  absl::StatusOr<ServedModel> Find(absl::string_view name) const;
  std::vector<ServedModel> List() const;          // By name; of each the version that NAME means.
  std::vector<ServedModel> ListVersions() const;  // By name and version.

  // The first load of every model is over.
  bool IsComplete() const;
  // And at least one is ready.
  bool IsReady() const;
  // The same, and one of the ready ones serves one of the tasks.
  bool IsReady(absl::Span<const Task> tasks) const;

 private:
  struct Entry {
    std::map<int64_t, ServedModel> versions;  // At least one.
    std::map<std::string, int64_t, std::less<>> labels;

    const ServedModel& Default() const;
    void UpdateLabels();
  };

  size_t NumModels() const;
  absl::StatusOr<ServedModel> FindQualified(const Entry& entry, absl::string_view name,
                                            absl::string_view qualifier) const;
  absl::StatusOr<ServedModel> ResolveByTask(Task task) const;
  absl::StatusOr<ServedModel> ResolveByLanguages(const ModelQuery& query) const;

  Metrics& metrics_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> models_;  // Guarded by mutex_, as is ...
  bool is_complete_ = false;
};

// Errors, with a RejectReason: UNAVAILABLE loading; NOT_FOUND unloaded; FAILED_PRECONDITION failed, with why.
absl::Status CheckReady(const ServedModel& model);

// NAME, or NAME@VERSION of a model with versions: what an answer says that it is from.
std::string QualifiedName(const ServedModel& model);

// Whether a model for `served` answers a request for `wanted`: the same, or the language of a wanted variant
// ("en" for "en-US"), in any case. "" fits.
bool LanguageFits(absl::string_view wanted, absl::string_view served);

}  // namespace attendant
