#include "server/kserve/requested_outputs.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/base/status_macros.h"
#include "server/kserve/parameter_value.h"

namespace attendant::kserve {
namespace {

using OutputRequest = inference::ModelInferRequest::InferRequestedOutputTensor;

absl::Status WrongOutput(int index, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("outputs[", index, "]", what));
}

absl::StatusOr<OutputSpec> FindOutput(const std::vector<OutputSpec>& specs, const std::string& name,
                                      int index) {
  std::vector<std::string> names;
  for (const OutputSpec& spec : specs) {
    if (spec.name == name) return spec;
    names.push_back(std::string(spec.name));
  }
  return WrongOutput(
      index, absl::StrCat(".name: the model has no such output; it has ", absl::StrJoin(names, ", ")));
}

absl::StatusOr<int32_t> ReadClassification(const OutputRequest& output, const OutputSpec& spec, int index) {
  int32_t num_classes = 0;
  for (const auto& [key, value] : output.parameters()) {
    if (key != "classification") {
      return WrongOutput(index, ".parameters: there is none of this name; \"classification\" is one");
    }
    constexpr int64_t kMax = 1'000'000;
    const auto count = ReadInteger(value, {1, kMax});
    if (!count.ok()) {
      return WrongOutput(index,
                         absl::StrCat(".parameters.classification: ", std::string(count.status().message())));
    }
    if (spec.output != Output::kLogits && spec.output != Output::kProbabilities) {
      return WrongOutput(index, ".parameters.classification: this output has no classes");
    }
    num_classes = static_cast<int32_t>(*count);
  }
  return num_classes;
}

}  // namespace

absl::StatusOr<std::vector<RequestedOutput>> ReadOutputs(const inference::ModelInferRequest& request,
                                                         const EngineModel& model) {
  const std::vector<OutputSpec> specs = OutputsOf(model);
  if (specs.empty()) {
    return absl::FailedPreconditionError(
        "this protocol's tensors cannot carry what the model answers; ask "
        "attendant.v1.ClassificationService");
  }
  std::vector<RequestedOutput> result;
  if (request.outputs().empty()) {
    for (const OutputSpec& spec : specs) result.push_back({spec});
  }
  for (int i = 0; i < request.outputs_size(); ++i) {
    ATTENDANT_ASSIGN_OR_RETURN(const OutputSpec spec, FindOutput(specs, request.outputs(i).name(), i));
    const auto is_same = [&](const RequestedOutput& other) { return other.spec.output == spec.output; };
    if (std::any_of(result.begin(), result.end(), is_same)) {
      return WrongOutput(i, absl::StrCat(".name: ", spec.name, " is asked for twice"));
    }
    ATTENDANT_ASSIGN_OR_RETURN(const int32_t classes, ReadClassification(request.outputs(i), spec, i));
    result.push_back({spec, classes});
  }
  return result;
}

}  // namespace attendant::kserve
