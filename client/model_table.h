#pragma once

#include <string>
#include <vector>

#include "attendant/v1/model_service.pb.h"

namespace attendant::client {

// Models, or versions of models, as a table for people; below it the reasons of those that are not as wished.
std::string RenderModelTable(const std::vector<v1::Model>& models);

}  // namespace attendant::client
