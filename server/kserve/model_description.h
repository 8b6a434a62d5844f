#pragma once

#include "inference/open_inference_grpc.pb.h"
#include "server/model_registry.h"
#include "server/server_config.pb.h"

namespace attendant::kserve {

// What the protocol tells of a ready model.
inference::ModelMetadataResponse DescribeTensors(const ServedModel& model);
inference::ModelConfig DescribeConfig(const ServedModel& model, const config::Limits& limits);

// Of a model in whatever state.
inference::ModelStatistics DescribeStatistics(const ServedModel& model);

}  // namespace attendant::kserve
