#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "server/engine_model.h"
#include "server/logging.h"
#include "server/metrics.h"
#include "server/model_registry.h"
#include "server/repository/engine_shelf.h"
#include "server/repository/model_directory.h"
#include "server/server_config.pb.h"

namespace attendant {

// Loads, replaces and unloads models: at the start, when told, and when their directories change.
// 1. A new version is loaded, checked and warmed up before it replaces an old one, in one step; calls that
// began with the old one finish with it. 2. What cannot be loaded is refused with its reason, and what was
// served goes on being served. 3. One model is loaded at a time, on a thread of its own; none takes anything
// from the others. 4. A change of a directory is taken up when it has not moved for one period of the watch.
// Thread-safe.
class ModelManager {
 public:
  // The model's path is the directory of the version.
  using Loader = std::function<absl::StatusOr<EngineModel>(const config::ModelConfig&, SchedulerObserver&)>;
  // Runs a loaded engine until its next answer takes no longer than a later one. An error refuses the model.
  using WarmUp = std::function<absl::Status(const EngineModel&)>;
  struct Parts {
    Loader load;
    WarmUp warm_up;
    ModelRegistry& registry;
    Metrics& metrics;
    const Logger& log;
    const Clock& clock;
    std::function<void()> on_change;  // After each change of a state, on the manager's thread.
  };
  using Done = std::function<void(const absl::Status&)>;  // On any thread, also from within the call.

  // config: as CompleteConfig gives it. Enters its models into the registry, as loading.
  ModelManager(const config::ServerConfig& config, Parts parts);
  ~ModelManager();  // Stops, and waits for a load that is under way.
  ModelManager(const ModelManager&) = delete;
  ModelManager& operator=(const ModelManager&) = delete;

  void Start();
  // Nothing begins any more. Who waits for a command is told CANCELLED now, also of one that is under way:
  // that goes on, and nobody hears of it. Idempotent.
  void Stop();

  // Loads the model called `name`, or loads it anew. Returns at once; `done` is called once, when the model
  // answers or why it does not: INVALID_ARGUMENT not a name; NOT_FOUND neither known nor in the repository;
  // RESOURCE_EXHAUSTED the memory budget; and the loader's errors.
  void Load(const std::string& name, Done done);
  // Takes all versions out of service; it stays so until Load. `done` is called when no new call gets it;
  // its memory is free when the last call that has it ends. Errors: INVALID_ARGUMENT, NOT_FOUND.
  void Unload(const std::string& name, Done done);

 private:
  struct Command {
    enum class Kind { kLoad, kUnload };
    Kind kind;
    std::string name;
    Done done;
  };
  // What the manager knows of a model. Of its own thread.
  struct Managed {
    config::ModelConfig config;
    std::filesystem::path root;            // Its links stay within.
    bool is_of_repository = false;         // Found there; gone when its directory is.
    bool is_wanted = true;                 // Not unloaded by command.
    uint64_t acted_on = 0;                 // Fingerprint of the directory when it was last dealt with ...
    uint64_t last_seen = 0;                // ... and at the last look.
    std::map<int64_t, uint64_t> loaded{};  // Version in service -> its fingerprint.
    std::map<int64_t, uint64_t> refused{};
    std::map<std::string, int64_t> labels{};        // In force.
    std::optional<int64_t> lacked_memory_beside{};  // Resident bytes when one was refused for the budget.
  };
  enum class Force { kNo, kYes };

  void EnterAsLoading(const std::string& name);
  void Run();
  void LoadAll();
  std::optional<Command> NextCommand();
  void Enqueue(Command command);
  void Execute(const Command& command);
  absl::Status ExecuteLoad(const std::string& name);
  absl::Status ExecuteUnload(const std::string& name);
  absl::Status AddFromRepository(const std::string& name);

  void Poll();
  void PollRepository();
  void PollModel(const std::string& name);

  // Makes what is served what the directory says. The first error of a version.
  absl::Status Reconcile(const std::string& name, Managed& model, Force force);
  absl::Status LoadVersion(const std::string& name, Managed& model, const VersionDirectory& version,
                           const config::ModelConfig& serving);
  // Moves the labels whose new version is there; the others stay where they are. Returns the versions that
  // they keep in service.
  std::vector<int64_t> MoveLabels(const std::string& name, Managed& model,
                                  const config::ModelConfig& serving);
  absl::StatusOr<EngineModel> LoadEngine(const config::ModelConfig& model, const VersionDirectory& version);
  absl::StatusOr<EngineModel> LoadGuarded(const config::ModelConfig& model,
                                          SchedulerObserver& observer) const;
  absl::Status CheckBudget(int64_t more_bytes) const;
  void Serve(const std::string& name, int64_t version, EngineModel engine);
  void Refuse(const std::string& name, int64_t version, const std::string& path, const absl::Status& why);
  void ForgetRefusal(const std::string& name, Managed& model, int64_t version);
  void DropVersionsBeside(const std::string& name, Managed& model, const std::vector<int64_t>& wanted,
                          const std::vector<int64_t>& kept);
  void TakeOut(const std::string& name, Managed& model, absl::string_view why);
  void Changed() const;

  const std::filesystem::path repository_;  // "": none.
  const Duration poll_period_;              // Zero: never.
  const int64_t memory_budget_bytes_;       // 0: none.
  const Parts parts_;
  EngineShelf shelf_;
  std::map<std::string, Managed> models_;  // Of the thread, once it runs, as is ...
  std::set<std::string> names_ever_;       // ... every name there was: each has its metrics for good.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Command> commands_;  // Guarded by mutex_, as are ...
  Done executing_;                // ... who waits for the command under way, and ...
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace attendant
