#include "server/repository/model_manager.h"

#include <algorithm>
#include <exception>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "server/grpc_status.h"
#include "server/model_metrics.h"
#include "server/model_name.h"
#include "server/repository/manifest.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;

// Distinct models over the life of the server: each has its metrics for good.
constexpr size_t kMaxModels = 4096;

std::map<std::string, int64_t> LabelsOf(const config::ModelConfig& model) {
  std::map<std::string, int64_t> labels;
  for (const config::VersionLabel& label : model.label()) labels[label.name()] = label.version();
  return labels;
}

int64_t WeightFileBytes(const fs::path& dir) {
  std::error_code error;
  int64_t bytes = 0;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".safetensors") bytes += static_cast<int64_t>(it->file_size(error));
  }
  return bytes;
}

const VersionDirectory* FindVersion(const ModelDirectory& directory, int64_t version) {
  const auto it = std::find_if(directory.versions.begin(), directory.versions.end(),
                               [version](const auto& found) { return found.version == version; });
  return it == directory.versions.end() ? nullptr : &*it;
}

bool IsKnown(const std::map<int64_t, uint64_t>& fingerprints, const VersionDirectory& version) {
  const auto it = fingerprints.find(version.version);
  return it != fingerprints.end() && it->second == version.fingerprint;
}

}  // namespace

ModelManager::ModelManager(const config::ServerConfig& config, Parts parts)
    : repository_(config.models_dir()),
      poll_period_(std::chrono::milliseconds(config.repository().poll_ms())),
      memory_budget_bytes_(config.repository().memory_budget_bytes()),
      parts_(std::move(parts)) {
  for (const config::ModelConfig& model : config.model()) {
    Managed managed;
    managed.config = model;
    managed.is_of_repository =
        !repository_.empty() && fs::path(model.path()).parent_path() == (repository_ / "name").parent_path();
    managed.root = managed.is_of_repository ? repository_ : fs::path(model.path());
    names_ever_.insert(model.name());
    models_[model.name()] = std::move(managed);
    EnterAsLoading(model.name());
  }
}

void ModelManager::EnterAsLoading(const std::string& name) {
  ServedModel loading;
  loading.name = name;
  parts_.registry.Set(std::move(loading));
}

ModelManager::~ModelManager() {
  Stop();
  if (thread_.joinable()) thread_.join();
}

void ModelManager::Stop() {
  std::vector<Done> waiting;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    for (Command& command : commands_) waiting.push_back(std::move(command.done));
    commands_.clear();
    if (executing_) waiting.push_back(std::exchange(executing_, nullptr));
  }
  changed_.notify_one();
  for (const Done& done : waiting) done(absl::CancelledError("the server is shutting down"));
}

void ModelManager::Start() {
  thread_ = std::thread([this] { Run(); });
}

void ModelManager::Load(const std::string& name, Done done) {
  Enqueue({Command::Kind::kLoad, name, std::move(done)});
}

void ModelManager::Unload(const std::string& name, Done done) {
  Enqueue({Command::Kind::kUnload, name, std::move(done)});
}

void ModelManager::Enqueue(Command command) {
  {
    const std::lock_guard lock(mutex_);
    if (!stop_) {
      commands_.push_back(std::move(command));
      changed_.notify_one();
      return;
    }
  }
  command.done(absl::CancelledError("the server is shutting down"));
}

void ModelManager::Run() {
  LoadAll();
  while (true) {
    if (std::optional<Command> command = NextCommand()) {
      Execute(*command);
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
    }
    Poll();
  }
}

void ModelManager::LoadAll() {
  for (auto& [name, model] : models_) {
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
    }
    (void)Reconcile(name, model, Force::kNo);  // Its error is logged, and in the registry.
  }
  parts_.registry.SetComplete();
  Changed();
}

// Waits for one; none when it is time to look at the directories, or to stop.
std::optional<ModelManager::Command> ModelManager::NextCommand() {
  std::unique_lock lock(mutex_);
  const auto is_due = [this] { return stop_ || !commands_.empty(); };
  if (poll_period_ == Duration::zero()) {
    changed_.wait(lock, is_due);
  } else {
    changed_.wait_for(lock, poll_period_, is_due);
  }
  if (stop_ || commands_.empty()) return std::nullopt;
  Command command = std::move(commands_.front());
  commands_.pop_front();
  executing_ = command.done;
  return command;
}

void ModelManager::Execute(const Command& command) {
  absl::Status status = CheckModelName(command.name);
  if (status.ok()) {
    status = command.kind == Command::Kind::kLoad ? ExecuteLoad(command.name) : ExecuteUnload(command.name);
  }
  Done done;
  {
    const std::lock_guard lock(mutex_);
    done = std::exchange(executing_, nullptr);
  }
  if (done) done(status);
}

absl::Status ModelManager::AddFromRepository(const std::string& name) {
  if (repository_.empty())
    return absl::NotFoundError("there is no such model, and no repository to find it in");
  if (names_ever_.size() >= kMaxModels && !names_ever_.contains(name)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the server has had ", kMaxModels, " models; restart it"));
  }
  const absl::Status found = ReadModelDirectory(repository_ / name, repository_).status();
  if (absl::IsNotFound(found)) return found;  // What else is wrong with it is said where it is refused.
  names_ever_.insert(name);
  Managed model;
  model.config.set_name(name);
  model.config.set_path(repository_ / name);
  model.root = repository_;
  model.is_of_repository = true;
  models_[name] = std::move(model);
  EnterAsLoading(name);
  return absl::OkStatus();
}

absl::Status ModelManager::ExecuteLoad(const std::string& name) {
  if (!models_.contains(name)) ATTENDANT_RETURN_IF_ERROR(AddFromRepository(name));
  Managed& model = models_[name];
  model.is_wanted = true;
  if (model.loaded.empty()) EnterAsLoading(name);
  return Reconcile(name, model, Force::kYes);
}

absl::Status ModelManager::ExecuteUnload(const std::string& name) {
  const auto it = models_.find(name);
  if (it == models_.end()) return absl::NotFoundError("there is no such model");
  it->second.is_wanted = false;
  TakeOut(name, it->second, "an admin unloaded it, and can load it again");
  return absl::OkStatus();
}

void ModelManager::TakeOut(const std::string& name, Managed& model, absl::string_view why) {
  model.loaded.clear();
  model.refused.clear();
  model.labels.clear();
  parts_.registry.RemoveAll(name);
  ServedModel unloaded;
  unloaded.name = name;
  unloaded.state = ModelState::kUnloaded;
  unloaded.message = std::string(why);
  parts_.registry.Set(std::move(unloaded));
  parts_.metrics.OfModel(name).OnReload(ReloadResult::kUnloaded);
  parts_.log.Info("model_unloaded", {{"model", name}, {"reason", std::string(why)}});
  Changed();
}

void ModelManager::Poll() {
  if (!repository_.empty()) PollRepository();
  std::vector<std::string> names;
  for (const auto& [name, model] : models_) names.push_back(name);
  for (const std::string& name : names) PollModel(name);
}

// Models that have come since.
void ModelManager::PollRepository() {
  const absl::StatusOr<std::vector<std::string>> names = ListModelDirectories(repository_);
  if (!names.ok()) return;  // A file system that is away for a moment takes no model out of service.
  for (const std::string& name : *names) {
    if (!models_.contains(name)) (void)AddFromRepository(name);
  }
}

void ModelManager::PollModel(const std::string& name) {
  Managed& model = models_[name];
  const absl::StatusOr<ModelDirectory> directory = ReadModelDirectory(model.config.path(), model.root);
  const bool is_gone = absl::IsNotFound(directory.status());
  std::error_code error;
  if (is_gone && model.is_of_repository && !fs::is_directory(repository_, error)) return;
  // What cannot be read now has a fingerprint as well: its reason is told once.
  const uint64_t seen = directory.ok() ? directory->fingerprint
                                       : std::hash<std::string>()(std::string(directory.status().message()));
  const bool is_stable = std::exchange(model.last_seen, seen) == seen;
  const bool may_fit_now =
      model.lacked_memory_beside.has_value() && shelf_.resident_bytes() < *model.lacked_memory_beside;
  if ((seen == model.acted_on && !may_fit_now) || !is_stable) return;
  if (!is_gone) {
    if (model.is_wanted) (void)Reconcile(name, model, Force::kNo);
    return;
  }
  model.acted_on = seen;
  TakeOut(name, model, "its directory is gone");
  if (!model.is_of_repository) return;
  parts_.registry.RemoveAll(name);
  models_.erase(name);
  Changed();
}

absl::Status ModelManager::Reconcile(const std::string& name, Managed& model, Force force) {
  const absl::StatusOr<ModelDirectory> directory = ReadModelDirectory(model.config.path(), model.root);
  if (!directory.ok()) {
    model.acted_on = std::hash<std::string>()(std::string(directory.status().message()));
    Refuse(name, model.loaded.empty() ? 0 : model.loaded.rbegin()->first, model.config.path(),
           directory.status());
    return directory.status();
  }
  model.acted_on = model.last_seen = directory->fingerprint;
  model.lacked_memory_beside.reset();
  config::ModelConfig serving = model.config;
  if (directory->serving.has_versions()) serving.clear_versions();
  serving.MergeFrom(directory->serving);
  std::vector<int64_t> available;
  for (const VersionDirectory& version : directory->versions) available.push_back(version.version);
  const std::vector<int64_t> wanted = SelectVersions(serving.versions(), available);

  absl::Status result =
      wanted.empty() ? absl::NotFoundError("none of the versions to serve is there") : absl::OkStatus();
  for (const int64_t number : wanted) {
    const VersionDirectory& version = *FindVersion(*directory, number);
    if (force == Force::kNo && IsKnown(model.loaded, version)) {
      ForgetRefusal(name, model, number);  // What was refused since is gone again.
      continue;
    }
    if (force == Force::kNo && IsKnown(model.refused, version)) continue;
    result.Update(LoadVersion(name, model, version, serving));
  }
  if (wanted.empty()) Refuse(name, 0, model.config.path(), result);
  std::vector<int64_t> kept = MoveLabels(name, model, serving);
  kept.insert(kept.end(), wanted.begin(), wanted.end());
  DropVersionsBeside(name, model, wanted, kept);
  Changed();
  return result;
}

std::vector<int64_t> ModelManager::MoveLabels(const std::string& name, Managed& model,
                                              const config::ModelConfig& serving) {
  std::vector<int64_t> kept;
  std::map<std::string, int64_t> labels = LabelsOf(serving);
  for (auto& [label, version] : labels) {
    const auto before = model.labels.find(label);
    if (model.loaded.contains(version) || before == model.labels.end()) continue;
    version = before->second;
    kept.push_back(version);
  }
  model.labels = labels;
  parts_.registry.SetLabels(name, std::move(labels));
  return kept;
}

absl::Status ModelManager::LoadVersion(const std::string& name, Managed& model,
                                       const VersionDirectory& version, const config::ModelConfig& serving) {
  absl::StatusOr<EngineModel> engine = LoadEngine(serving, version);
  if (!engine.ok()) {
    if (absl::IsResourceExhausted(engine.status())) {
      model.lacked_memory_beside = shelf_.resident_bytes();
    } else {
      model.refused[version.version] = version.fingerprint;
    }
    Refuse(name, version.version, version.path, engine.status());
    return engine.status();
  }
  model.refused.erase(version.version);
  model.loaded[version.version] = version.fingerprint;
  Serve(name, version.version, *std::move(engine));
  return absl::OkStatus();
}

absl::StatusOr<EngineModel> ModelManager::LoadEngine(const config::ModelConfig& serving,
                                                     const VersionDirectory& version) {
  config::ModelConfig config = serving;
  config.set_path(version.path);
  const int64_t kv_bytes = config.has_kv_cache_bytes() ? config.kv_cache_bytes() : 0;
  ATTENDANT_RETURN_IF_ERROR(CheckBudget(WeightFileBytes(version.path) + kv_bytes));
  ATTENDANT_RETURN_IF_ERROR(CheckManifest(version.path));
  auto observer = std::make_unique<EngineObserver>(parts_.metrics.OfModel(config.name()));
  absl::StatusOr<EngineModel> loaded = LoadGuarded(config, *observer);
  if (!loaded.ok()) return loaded.status();
  ATTENDANT_RETURN_IF_ERROR(CheckBudget(ResidentBytes(*loaded)));
  EngineModel engine = shelf_.Keep(std::move(observer), *std::move(loaded));
  const absl::Status warm = parts_.warm_up ? parts_.warm_up(engine) : absl::OkStatus();
  if (!warm.ok()) return absl::Status(warm.code(), absl::StrCat("it fails to answer: ", warm.message()));
  return engine;
}

absl::StatusOr<EngineModel> ModelManager::LoadGuarded(const config::ModelConfig& model,
                                                      SchedulerObserver& observer) const {
  try {
    return parts_.load(model, observer);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("not enough memory to load the model");
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

absl::Status ModelManager::CheckBudget(int64_t more_bytes) const {
  const int64_t resident = shelf_.resident_bytes();
  if (memory_budget_bytes_ == 0 || resident + more_bytes <= memory_budget_bytes_) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "needs ", more_bytes, " bytes, and ", resident, " of the memory budget of ", memory_budget_bytes_,
      " are taken (also by a version that it would replace); unload another "
      "model or raise --memory-budget"));
}

void ModelManager::Serve(const std::string& name, int64_t version, EngineModel engine) {
  ModelMetrics& metrics = parts_.metrics.OfModel(name);
  const EngineModelSummary summary = Summarize(engine);
  LogFields tasks = LogFields::array();
  for (const Task task : kAllTasks) {
    if (engine.Serves(task)) tasks.push_back(std::string(TaskName(task)));
  }
  LogFields fields = {{"model", name},
                      {"version", version},
                      {"architecture", std::string(summary.architecture)},
                      {"tasks", tasks},
                      {"parameters", summary.num_parameters},
                      {"weights_bytes", summary.weights_bytes},
                      {"kv_cache_bytes", summary.kv_cache_bytes},
                      {"workers", summary.num_workers},
                      {"load_seconds", std::chrono::duration<double>(summary.load_time).count()}};
  if (engine.translator != nullptr) {
    fields["ignored_generation_keys"] = engine.translator->info().ignored_generation_keys;
  }
  ServedModel served;
  served.name = name;
  served.version = version;
  served.state = ModelState::kReady;
  served.engine = std::move(engine);
  served.retry_hint = std::make_shared<RetryHint>(parts_.clock);
  parts_.registry.Set(std::move(served));
  metrics.OnLoaded(summary);
  metrics.OnReload(ReloadResult::kLoaded);
  parts_.log.Info("model_ready", fields);
  Changed();
}

// What serves that version goes on; the reason stands beside it.
void ModelManager::Refuse(const std::string& name, int64_t version, const std::string& path,
                          const absl::Status& why) {
  ServedModel refused;
  refused.name = name;
  refused.version = version;
  refused.state = ModelState::kFailed;
  for (const ServedModel& model : parts_.registry.ListVersions()) {
    if (model.name == name && model.version == version && model.state == ModelState::kReady) refused = model;
  }
  refused.message = std::string(why.message());
  const bool is_served = refused.state == ModelState::kReady;
  parts_.registry.Set(std::move(refused));
  parts_.metrics.OfModel(name).OnLoadFailed(ToGrpcStatus(why).error_code());
  parts_.metrics.OfModel(name).OnReload(ReloadResult::kFailed);
  parts_.log.Error("model_failed", {{"model", name},
                                    {"version", version},
                                    {"path", path},
                                    {"code", absl::StatusCodeToString(why.code())},
                                    {"reason", std::string(why.message())},
                                    {"old_one_serves_on", is_served}});
  Changed();
}

void ModelManager::ForgetRefusal(const std::string& name, Managed& model, int64_t version) {
  if (model.refused.erase(version) == 0) return;
  for (ServedModel& served : parts_.registry.ListVersions()) {
    if (served.name != name || served.version != version) continue;
    served.message.clear();
    parts_.registry.Set(std::move(served));
  }
}

// Once all that is wanted is there; before, an old version may be all that answers.
void ModelManager::DropVersionsBeside(const std::string& name, Managed& model,
                                      const std::vector<int64_t>& wanted, const std::vector<int64_t>& kept) {
  const bool are_all_there =
      !wanted.empty() && std::all_of(wanted.begin(), wanted.end(),
                                     [&](int64_t version) { return model.loaded.contains(version); });
  for (const ServedModel& served : parts_.registry.ListVersions()) {
    if (served.name != name) continue;
    if (std::find(kept.begin(), kept.end(), served.version) != kept.end()) continue;
    if (served.state == ModelState::kReady && !are_all_there) continue;
    model.loaded.erase(served.version);
    model.refused.erase(served.version);
    parts_.registry.Remove(name, served.version);
    parts_.log.Info("version_retired", {{"model", name}, {"version", served.version}});
  }
}

void ModelManager::Changed() const {
  if (parts_.on_change) parts_.on_change();
}

}  // namespace attendant
