#include "server/kserve/model_description.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/kserve/infer_parameters.h"
#include "server/kserve/model_tensors.h"
#include "server/kserve/served_version.h"

namespace attendant::kserve {
namespace {

std::string PlatformOf(const EngineModel& model) {
  return absl::StrCat("attendant_", Summarize(model).architecture);
}

void FillScheduling(const ServedModel& model, const config::Limits& limits, inference::ModelConfig& config) {
  const int32_t max_queue = model.engine.scheduler().max_queue();
  config.set_max_batch_size(std::min(limits.max_contents(), max_queue));
  inference::ModelDynamicBatching& batching = *config.mutable_dynamic_batching();
  batching.set_priority_levels(kPriorityLevels);
  batching.set_default_priority_level(kDefaultPriorityLevel);
  batching.mutable_default_queue_policy()->set_allow_timeout_override(true);
  batching.mutable_default_queue_policy()->set_max_queue_size(static_cast<uint32_t>(max_queue));
  inference::ModelInstanceGroup& workers = *config.add_instance_group();
  workers.set_name(model.name);
  workers.set_count(Summarize(model.engine).num_workers);
  workers.set_kind(inference::ModelInstanceGroup::KIND_CPU);
}

std::string TasksOf(const EngineModel& model) {
  std::vector<std::string> names;
  for (const Task task : kAllTasks) {
    if (model.Serves(task)) names.push_back(std::string(TaskName(task)));
  }
  return absl::StrJoin(names, ",");
}

void SetTime(const CountedTime& time, inference::StatisticDuration& result) {
  result.set_count(time.count);
  result.set_ns(static_cast<uint64_t>(std::chrono::nanoseconds(time.total).count()));
}

}  // namespace

inference::ModelMetadataResponse DescribeTensors(const ServedModel& model) {
  inference::ModelMetadataResponse result;
  result.set_name(model.name);
  result.add_versions(VersionOf(model));
  result.set_platform(PlatformOf(model.engine));
  constexpr int64_t kAnyBatch = -1;
  const auto add_shape = [](int64_t dim, inference::ModelMetadataResponse::TensorMetadata& tensor) {
    tensor.add_shape(kAnyBatch);
    tensor.add_shape(dim);
  };
  inference::ModelMetadataResponse::TensorMetadata& input = *result.add_inputs();
  input.set_name(std::string(InputName(model.engine)));
  input.set_datatype("BYTES");
  add_shape(1, input);
  for (const OutputSpec& spec : OutputsOf(model.engine)) {
    inference::ModelMetadataResponse::TensorMetadata& output = *result.add_outputs();
    output.set_name(std::string(spec.name));
    output.set_datatype(std::string(spec.datatype));
    add_shape(spec.dim, output);
  }
  return result;
}

inference::ModelConfig DescribeConfig(const ServedModel& model, const config::Limits& limits) {
  inference::ModelConfig config;
  config.set_name(model.name);
  config.set_platform(PlatformOf(model.engine));
  config.set_backend("attendant");
  config.mutable_version_policy()->mutable_latest()->set_num_versions(1);
  inference::ModelInput& input = *config.add_input();
  input.set_name(std::string(InputName(model.engine)));
  input.set_data_type(inference::TYPE_STRING);
  input.add_dims(1);
  for (const OutputSpec& spec : OutputsOf(model.engine)) {
    inference::ModelOutput& output = *config.add_output();
    output.set_name(std::string(spec.name));
    output.set_data_type(spec.datatype == "FP32" ? inference::TYPE_FP32 : inference::TYPE_STRING);
    output.add_dims(spec.dim);
  }
  FillScheduling(model, limits, config);
  (*config.mutable_parameters())["tasks"].set_string_value(TasksOf(model.engine));
  config.mutable_model_transaction_policy()->set_decoupled(false);
  return config;
}

inference::ModelStatistics DescribeStatistics(const ServedModel& model) {
  const InferenceTotals totals = model.metrics->Totals();
  inference::ModelStatistics result;
  result.set_name(model.name);
  result.set_version(VersionOf(model));
  result.set_last_inference(totals.last_call_unix_ms);
  result.set_inference_count(totals.compute.count);
  result.set_execution_count(totals.steps);
  inference::InferStatistics& times = *result.mutable_inference_stats();
  SetTime(totals.succeeded, *times.mutable_success());
  SetTime(totals.failed, *times.mutable_fail());
  SetTime(totals.queue, *times.mutable_queue());
  SetTime(totals.prepare, *times.mutable_compute_input());
  SetTime(totals.compute, *times.mutable_compute_infer());
  return result;
}

}  // namespace attendant::kserve
