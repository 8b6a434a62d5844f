#include "server/model_registry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "server/grpc_status.h"
#include "server/model_name.h"

namespace attendant {
namespace {

absl::Status CheckLanguage(absl::string_view field, absl::string_view code) {
  constexpr size_t kMaxLanguageBytes = 35;
  const auto is_allowed = [](char c) { return absl::ascii_isalnum(c) || c == '-'; };
  if (code.size() <= kMaxLanguageBytes && std::all_of(code.begin(), code.end(), is_allowed))
    return absl::OkStatus();
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

absl::Status CheckReady(const ServedModel& model) {
  if (model.state == ModelState::kReady) return absl::OkStatus();
  if (model.state == ModelState::kLoading) {
    return Rejected(RejectReason::kNotReady, absl::UnavailableError(absl::StrCat(
                                                 "model ", model.name, " is still loading; try again")));
  }
  if (model.state == ModelState::kUnloaded) {
    return Rejected(RejectReason::kUnknownModel,
                    absl::NotFoundError(absl::StrCat("model ", model.name, " is unloaded; ", model.message)));
  }
  return Rejected(RejectReason::kNotReady, absl::FailedPreconditionError(absl::StrCat(
                                               "model ", model.name, " failed to load: ", model.message)));
}

bool LanguageFits(absl::string_view wanted, absl::string_view served) {
  if (wanted.empty() || served.empty() || absl::EqualsIgnoreCase(wanted, served)) return true;
  return absl::EqualsIgnoreCase(wanted.substr(0, wanted.find('-')), served);
}

std::string QualifiedName(const ServedModel& model) {
  return model.version == 0 ? model.name : absl::StrCat(model.name, "@", model.version);
}

const ServedModel& ModelRegistry::Entry::Default() const {
  for (const ModelState state : {ModelState::kReady, ModelState::kLoading, ModelState::kFailed}) {
    const auto it = std::find_if(versions.rbegin(), versions.rend(),
                                 [state](const auto& version) { return version.second.state == state; });
    if (it != versions.rend()) return it->second;
  }
  return versions.rbegin()->second;
}

void ModelRegistry::Entry::UpdateLabels() {
  for (auto& [number, model] : versions) {
    model.labels.clear();
    for (const auto& [label, version] : labels) {
      if (version == number) model.labels.push_back(label);
    }
  }
}

void ModelRegistry::Set(ServedModel model) {
  model.metrics = &metrics_.OfModel(model.name);
  const std::lock_guard lock(mutex_);
  Entry& entry = models_[model.name];
  entry.versions[model.version] = std::move(model);
  entry.UpdateLabels();
  const ServedModel& by_default = entry.Default();
  by_default.metrics->OnState(by_default.state);
}

void ModelRegistry::Remove(absl::string_view name, int64_t version) {
  const std::lock_guard lock(mutex_);
  const auto it = models_.find(name);
  if (it == models_.end()) return;
  it->second.versions.erase(version);
  if (it->second.versions.empty()) {
    metrics_.OfModel(it->first).OnState(ModelState::kUnloaded);
    models_.erase(it);
  }
}

void ModelRegistry::RemoveAll(absl::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto it = models_.find(name);
  if (it == models_.end()) return;
  metrics_.OfModel(it->first).OnState(ModelState::kUnloaded);
  models_.erase(it);
}

void ModelRegistry::SetLabels(absl::string_view name, std::map<std::string, int64_t> labels) {
  const std::lock_guard lock(mutex_);
  const auto it = models_.find(name);
  if (it == models_.end()) return;
  it->second.labels = {labels.begin(), labels.end()};
  it->second.UpdateLabels();
}

void ModelRegistry::SetComplete() {
  const std::lock_guard lock(mutex_);
  is_complete_ = true;
}

absl::StatusOr<ServedModel> ModelRegistry::FindQualified(const Entry& entry, absl::string_view name,
                                                         absl::string_view qualifier) const {
  int64_t version = 0;
  if (!absl::SimpleAtoi(qualifier, &version)) {
    const auto label = entry.labels.find(std::string(qualifier));
    version = label == entry.labels.end() ? 0 : label->second;
  }
  const auto it = version == 0 ? entry.versions.end() : entry.versions.find(version);
  if (it != entry.versions.end()) return it->second;
  return Rejected(RejectReason::kUnknownModel,
                  absl::NotFoundError(absl::StrCat("model ", name,
                                                   " has no such version or label; "
                                                   "ModelService.GetModel names those it has")));
}

absl::StatusOr<ServedModel> ModelRegistry::Find(absl::string_view name) const {
  const size_t at = name.find('@');
  const bool is_qualified = at != absl::string_view::npos;
  const absl::string_view base = name.substr(0, at);
  ATTENDANT_RETURN_IF_ERROR(Rejected(RejectReason::kModelName, CheckModelName(base)));
  if (is_qualified) {
    ATTENDANT_RETURN_IF_ERROR(Rejected(RejectReason::kModelName, CheckModelName(name.substr(at + 1))));
  }
  const std::lock_guard lock(mutex_);
  const auto it = models_.find(base);
  if (it == models_.end()) {
    return Rejected(
        RejectReason::kUnknownModel,
        absl::NotFoundError("there is no such model; ModelService.ListModels names those there are"));
  }
  if (is_qualified) return FindQualified(it->second, base, name.substr(at + 1));
  return it->second.Default();
}

absl::StatusOr<ServedModel> ModelRegistry::Resolve(absl::string_view name, Task task) const {
  if (name.empty()) return ResolveByTask(task);
  ATTENDANT_ASSIGN_OR_RETURN(ServedModel model, Find(name));
  ATTENDANT_RETURN_IF_ERROR(CheckReady(model));
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
  if (all.size() == 1 && all.front().state != ModelState::kReady) return CheckReady(all.front());
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
  if (query.model.empty() && !names_no_language && NumModels() > 1) return ResolveByLanguages(query);
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

size_t ModelRegistry::NumModels() const {
  const std::lock_guard lock(mutex_);
  return models_.size();
}

std::vector<ServedModel> ModelRegistry::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<ServedModel> result;
  for (const auto& [name, entry] : models_) result.push_back(entry.Default());
  return result;
}

std::vector<ServedModel> ModelRegistry::ListVersions() const {
  const std::lock_guard lock(mutex_);
  std::vector<ServedModel> result;
  for (const auto& [name, entry] : models_) {
    for (const auto& [number, model] : entry.versions) result.push_back(model);
  }
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

bool ModelRegistry::IsComplete() const {
  const std::lock_guard lock(mutex_);
  return is_complete_;
}

bool ModelRegistry::IsReady() const {
  const std::lock_guard lock(mutex_);
  const auto is_ready = [](const auto& m) { return m.second.Default().state == ModelState::kReady; };
  return is_complete_ && std::any_of(models_.begin(), models_.end(), is_ready);
}

}  // namespace attendant
