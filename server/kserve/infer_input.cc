#include "server/kserve/infer_input.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace attendant::kserve {
namespace {

using inference::ModelInferRequest;
using InputTensor = ModelInferRequest::InferInputTensor;

absl::Status WrongInput(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("inputs[0]", field, ": ", what));
}

absl::Status CheckHeader(const InputRules& rules, const ModelInferRequest& request) {
  if (request.inputs_size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat("inputs: there are ", request.inputs_size(),
                                                   "; the model takes one, \"", rules.name, "\""));
  }
  const InputTensor& input = request.inputs(0);
  if (input.name() != rules.name) {
    return WrongInput(".name", absl::StrCat("the model takes \"", rules.name, "\" and no other"));
  }
  if (input.datatype() != "BYTES") return WrongInput(".datatype", "must be BYTES");
  if (!input.parameters().empty()) return WrongInput(".parameters", "there are none for an input");
  return absl::OkStatus();
}

// [n] or [n, 1].
absl::StatusOr<int64_t> BatchSize(const InputRules& rules, const InputTensor& input) {
  const absl::StatusOr<int64_t> count = NumElements(input.shape());
  if (!count.ok()) return WrongInput(".shape", std::string(count.status().message()));
  if (input.shape_size() > 2 || (input.shape_size() == 2 && input.shape(1) != 1)) {
    return WrongInput(".shape", "must be [n] or [n, 1]");
  }
  if (*count == 0) return WrongInput(".shape", "give at least one element");
  if (*count > rules.max_elements) {
    return WrongInput(".shape", absl::StrCat(*count, " elements are more than the limit of ",
                                             rules.max_elements, "; send several calls"));
  }
  return *count;
}

bool HasTypedContents(const InputTensor& input) {
  return input.has_contents() && input.contents().ByteSizeLong() > 0;
}

// Elements of another type would be ignored: whoever sends them means something else.
bool HasOtherTypes(const inference::InferTensorContents& contents) {
  return contents.bool_contents_size() + contents.int_contents_size() + contents.int64_contents_size() +
             contents.uint_contents_size() + contents.uint64_contents_size() + contents.fp32_contents_size() +
             contents.fp64_contents_size() >
         0;
}

absl::StatusOr<std::vector<std::string>> TakeRaw(const ModelInferRequest& request, int64_t count) {
  if (request.raw_input_contents_size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat("raw_input_contents: there are ",
                                                   request.raw_input_contents_size(),
                                                   ", and 1 input; give one for each"));
  }
  if (HasTypedContents(request.inputs(0))) {
    return WrongInput(".contents", "must not be there together with raw_input_contents");
  }
  absl::StatusOr<std::vector<std::string>> elements = DecodeBytes(request.raw_input_contents(0), count);
  if (elements.ok()) return elements;
  return absl::InvalidArgumentError(
      absl::StrCat("raw_input_contents[0]: ", std::string(elements.status().message())));
}

absl::StatusOr<std::vector<std::string>> TakeTyped(InputTensor& input, int64_t count) {
  if (HasOtherTypes(input.contents())) {
    return WrongInput(".contents", "elements of BYTES go into bytes_contents, and nowhere else");
  }
  auto& elements = *input.mutable_contents()->mutable_bytes_contents();
  if (elements.size() != count) {
    return WrongInput(".contents.bytes_contents",
                      absl::StrCat("has ", elements.size(), " elements, its shape ", count));
  }
  return std::vector<std::string>(std::make_move_iterator(elements.begin()),
                                  std::make_move_iterator(elements.end()));
}

}  // namespace

absl::StatusOr<InferInput> TakeInput(const InputRules& rules, ModelInferRequest& request) {
  ATTENDANT_RETURN_IF_ERROR(CheckHeader(rules, request));
  ATTENDANT_ASSIGN_OR_RETURN(const int64_t count, BatchSize(rules, request.inputs(0)));
  InferInput input;
  if (request.raw_input_contents().empty()) {
    input.form = TensorForm::kTyped;
    ATTENDANT_ASSIGN_OR_RETURN(input.elements, TakeTyped(*request.mutable_inputs(0), count));
  } else {
    ATTENDANT_ASSIGN_OR_RETURN(input.elements, TakeRaw(request, count));
  }
  for (size_t i = 0; i < input.elements.size(); ++i) {
    const auto bytes = static_cast<int64_t>(input.elements[i].size());
    if (bytes <= rules.max_element_bytes) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        rules.name, "[", i, "]: ", bytes, " bytes are more than the limit of ", rules.max_element_bytes));
  }
  return input;
}

}  // namespace attendant::kserve
