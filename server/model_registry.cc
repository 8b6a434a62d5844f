#include "server/model_registry.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "server/grpc_status.h"
#include "server/model_name.h"

namespace attendant {
namespace {

absl::Status NotReady(const ServedModel& model) {
  if (model.state == ModelState::kLoading) {
    return Rejected(RejectReason::kNotReady, absl::UnavailableError(absl::StrCat(
                                                 "model ", model.name, " is still loading; try again")));
  }
  return Rejected(RejectReason::kNotReady, absl::FailedPreconditionError(absl::StrCat(
                                               "model ", model.name, " failed to load: ", model.message)));
}

absl::Status CheckLanguage(absl::string_view field, absl::string_view code) {
  constexpr size_t kMaxLanguageBytes = 35;
  const auto is_allowed = [](char c) { return absl::ascii_isalnum(c) || c == '-'; };
  if (code.size() <= kMaxLanguageBytes && std::all_of(code.begin(), code.end(), is_allowed)) return absl::OkStatus();
  return Rejected(RejectReason::kInvalid, absl::InvalidArgumentError(absl::StrCat(
                                              field, ": is not a BCP 47 code, such as \"en\" or \"de-AT\"")));
}

// Empty where the named model fits the languages of the query.
absl::Status CheckLanguagesOf(const ServedModel& model, const ModelQuery& query) {
  const Translator::Info& info = model.engine.translator->info();
  const auto wrong = [&](absl::string_view field, absl::string_view served) {
    return Rejected(RejectReason::kInvalid,
                    absl::InvalidArgumentError(
                        absl::StrCat(field, ": model ", model.name, " serves \"", served,
                                     "\"; leave the model or the language out, or ask ListLanguagePairs")));
  };
  if (!LanguageFits(query.source_language, info.source_language)) {
    return wrong("source_language_code", info.source_language);
  }
  if (!LanguageFits(query.target_language, info.target_language)) {
    return wrong("target_language_code", info.target_language);
  }
  return absl::OkStatus();
}

absl::Status NoSuchPair() {
  return Rejected(RejectReason::kUnknownModel,
                  absl::NotFoundError("no model serves this language pair; "
                                      "ListLanguagePairs names those there are"));
}

// Whether a model is the answer to a query that names languages and no model. One that does not say its
// languages must be named.
bool ServesLanguages(const Translator& translator, const ModelQuery& query) {
  const auto is_served = [](absl::string_view wanted, absl::string_view served) {
    return wanted.empty() || (!served.empty() && LanguageFits(wanted, served));
  };
  return is_served(query.source_language, translator.info().source_language) &&
         is_served(query.target_language, translator.info().target_language);
}

}  // namespace

bool LanguageFits(absl::string_view wanted, absl::string_view served) {
  if (wanted.empty() || served.empty() || absl::EqualsIgnoreCase(wanted, served)) return true;
  return absl::EqualsIgnoreCase(wanted.substr(0, wanted.find('-')), served);
}

ModelRegistry::ModelRegistry(const config::ServerConfig& config, Parts parts)
    : configs_(config.model().begin(), config.model().end()), parts_(std::move(parts)) {
  for (const config::ModelConfig& model : configs_) {
    ServedModel served;
    served.name = model.name();
    served.metrics = &parts_.metrics.AddModel(model.name());
    served.metrics->OnState(ModelState::kLoading);
    models_[model.name()] = std::move(served);
  }
}

ModelRegistry::~ModelRegistry() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  if (loading_.joinable()) loading_.join();
}

void ModelRegistry::StartLoading() {
  loading_ = std::thread([this] { LoadAll(); });
}

void ModelRegistry::LoadAll() {
  for (const config::ModelConfig& model : configs_) {
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
    }
    Load(model);
  }
}

absl::StatusOr<EngineModel> ModelRegistry::LoadGuarded(const config::ModelConfig& model,
                                                       SchedulerObserver& observer) const {
  try {
    return parts_.load(model, observer);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("not enough memory to load the model");
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

void ModelRegistry::LogReady(const ServedModel& model, const EngineModelSummary& summary) const {
  LogFields tasks = LogFields::array();
  for (const Task task : kAllTasks) {
    if (model.engine.Serves(task)) tasks.push_back(std::string(TaskName(task)));
  }
  LogFields fields = {{"model", model.name},
                      {"architecture", std::string(summary.architecture)},
                      {"tasks", tasks},
                      {"parameters", summary.num_parameters},
                      {"weights_bytes", summary.weights_bytes},
                      {"kv_cache_bytes", summary.kv_cache_bytes},
                      {"workers", summary.num_workers},
                      {"load_seconds", std::chrono::duration<double>(summary.load_time).count()}};
  if (model.engine.translator != nullptr) {
    fields["ignored_generation_keys"] = model.engine.translator->info().ignored_generation_keys;
  }
  parts_.log.Info("model_ready", fields);
}

void ModelRegistry::Load(const config::ModelConfig& model) {
  ServedModel served = *Find(model.name());
  absl::StatusOr<EngineModel> loaded = LoadGuarded(model, *served.metrics);
  if (loaded.ok()) {
    served.state = ModelState::kReady;
    served.engine = *std::move(loaded);
    served.retry_hint = std::make_shared<RetryHint>(parts_.clock);
    const EngineModelSummary summary = Summarize(served.engine);
    served.metrics->OnLoaded(summary);
    LogReady(served, summary);
  } else {
    served.state = ModelState::kFailed;
    served.message = std::string(loaded.status().message());
    served.metrics->OnLoadFailed(ToGrpcStatus(loaded.status()).error_code());
    parts_.log.Error("model_failed", {{"model", served.name},
                                      {"path", model.path()},
                                      {"code", absl::StatusCodeToString(loaded.status().code())},
                                      {"reason", served.message}});
  }
  Set(std::move(served));
  if (parts_.on_change) parts_.on_change();
}

void ModelRegistry::Set(ServedModel model) {
  model.metrics->OnState(model.state);
  const std::lock_guard lock(mutex_);
  models_[model.name] = std::move(model);
}

absl::StatusOr<ServedModel> ModelRegistry::Find(absl::string_view name) const {
  ATTENDANT_RETURN_IF_ERROR(Rejected(RejectReason::kModelName, CheckModelName(name)));
  const std::lock_guard lock(mutex_);
  const auto it = models_.find(name);
  if (it != models_.end()) return it->second;
  return Rejected(
      RejectReason::kUnknownModel,
      absl::NotFoundError("there is no such model; ModelService.ListModels names those there are"));
}

absl::StatusOr<ServedModel> ModelRegistry::Resolve(absl::string_view name, Task task) const {
  if (name.empty()) return ResolveByTask(task);
  ATTENDANT_ASSIGN_OR_RETURN(ServedModel model, Find(name));
  if (model.state != ModelState::kReady) return NotReady(model);
  if (model.engine.Serves(task)) return model;
  const absl::string_view why = model.engine.WhyNot(task);
  return Rejected(RejectReason::kInvalid,
                  absl::FailedPreconditionError(absl::StrCat(
                      "model ", model.name, " is not for ", TaskName(task), why.empty() ? "; " : ": ",
                      why.empty() ? "ModelService.ListModels tells what each does" : why)));
}

absl::StatusOr<ServedModel> ModelRegistry::ResolveByTask(Task task) const {
  std::vector<ServedModel> found;
  const std::vector<ServedModel> all = List();
  for (const ServedModel& model : all) {
    if (model.state == ModelState::kReady && model.engine.Serves(task)) found.push_back(model);
  }
  if (found.size() == 1) return std::move(found.front());
  if (found.size() > 1) {
    return Rejected(RejectReason::kInvalid, absl::InvalidArgumentError(absl::StrCat(
                                                "model: several serve ", TaskName(task),
                                                "; name one, such as \"", found.front().name, "\"")));
  }
  if (all.size() == 1 && all.front().state != ModelState::kReady) return NotReady(all.front());
  const auto is_loading = [](const ServedModel& model) { return model.state == ModelState::kLoading; };
  if (std::any_of(all.begin(), all.end(), is_loading)) {
    return Rejected(RejectReason::kNotReady, absl::UnavailableError("models are still loading; try again"));
  }
  return Rejected(RejectReason::kUnknownModel,
                  absl::NotFoundError(absl::StrCat("no model of this server serves ", TaskName(task))));
}

absl::StatusOr<ServedModel> ModelRegistry::Resolve(const ModelQuery& query) const {
  ATTENDANT_RETURN_IF_ERROR(CheckLanguage("source_language_code", query.source_language));
  ATTENDANT_RETURN_IF_ERROR(CheckLanguage("target_language_code", query.target_language));
  const bool names_no_language = query.source_language.empty() && query.target_language.empty();
  if (query.model.empty() && configs_.size() > 1 && !names_no_language) return ResolveByLanguages(query);
  ATTENDANT_ASSIGN_OR_RETURN(ServedModel model, Resolve(query.model, Task::kTranslate));
  const absl::Status fits = CheckLanguagesOf(model, query);
  if (fits.ok()) return model;
  return query.model.empty() ? NoSuchPair() : fits;
}

absl::StatusOr<ServedModel> ModelRegistry::ResolveByLanguages(const ModelQuery& query) const {
  bool is_loading = false;
  for (ServedModel& model : List()) {
    is_loading = is_loading || model.state == ModelState::kLoading;
    if (model.state != ModelState::kReady || !model.engine.Serves(Task::kTranslate)) continue;
    if (ServesLanguages(*model.engine.translator, query)) return std::move(model);
  }
  if (is_loading) {
    return Rejected(RejectReason::kNotReady, absl::UnavailableError("models are still loading; try again"));
  }
  return NoSuchPair();
}

std::vector<ServedModel> ModelRegistry::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<ServedModel> result;
  for (const auto& [name, model] : models_) result.push_back(model);
  return result;
}

bool ModelRegistry::IsReady(absl::Span<const Task> tasks) const {
  if (!IsReady()) return false;
  for (const ServedModel& model : List()) {
    const auto serves = [&](Task task) { return model.engine.Serves(task); };
    if (model.state == ModelState::kReady && std::any_of(tasks.begin(), tasks.end(), serves)) return true;
  }
  return false;
}

bool ModelRegistry::IsReady() const {
  const std::lock_guard lock(mutex_);
  const auto has = [this](ModelState state) {
    return std::any_of(models_.begin(), models_.end(),
                       [&](const auto& m) { return m.second.state == state; });
  };
  return has(ModelState::kReady) && !has(ModelState::kLoading);
}

}  // namespace attendant
