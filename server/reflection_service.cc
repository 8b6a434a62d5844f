#include "server/reflection_service.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>
#include <utility>

#include "server/auth/grpc_caller.h"
#include "server/grpc_status.h"
#include "server/message.h"

namespace attendant {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

void SetNotFound(ServerReflectionResponse& response) {
  response.mutable_error_response()->set_error_code(static_cast<int>(grpc::StatusCode::NOT_FOUND));
  response.mutable_error_response()->set_error_message("the server does not know it");
}

// The file after all that it imports, each once.
void AddWithImports(const FileDescriptor& file, std::set<const FileDescriptor*>& added,
                    ServerReflectionResponse& response) {
  if (!added.insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddWithImports(*file.dependency(i), added, response);
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.mutable_file_descriptor_response()->add_file_descriptor_proto(proto.SerializeAsString());
}

void SetFile(const FileDescriptor* file, ServerReflectionResponse& response) {
  if (file == nullptr) return SetNotFound(response);
  std::set<const FileDescriptor*> added;
  AddWithImports(*file, added, response);
}

void SetExtensionFile(const grpc::reflection::v1::ExtensionRequest& request,
                      ServerReflectionResponse& response) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  const Descriptor* type = pool.FindMessageTypeByName(request.containing_type());
  const FieldDescriptor* extension =
      type == nullptr ? nullptr : pool.FindExtensionByNumber(type, request.extension_number());
  SetFile(extension == nullptr ? nullptr : extension->file(), response);
}

void SetExtensionNumbers(const std::string& name, ServerReflectionResponse& response) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  const Descriptor* type = pool.FindMessageTypeByName(name);
  if (type == nullptr) return SetNotFound(response);
  std::vector<const FieldDescriptor*> extensions;
  pool.FindAllExtensions(type, &extensions);
  response.mutable_all_extension_numbers_response()->set_base_type_name(name);
  for (const FieldDescriptor* extension : extensions) {
    response.mutable_all_extension_numbers_response()->add_extension_number(extension->number());
  }
}

}  // namespace

// One call: reads, answers, reads again. gRPC has one operation of it under way at a time.
class ReflectionServices::Stream final : public Reactor {
 public:
  Stream(const ReflectionServices& owner, absl::StatusOr<Admission> admission)
      : owner_(owner), admission_(std::move(admission)) {
    if (admission_.ok()) {
      StartRead(&read_);
    } else {
      Finish(ToGrpcStatus(admission_.status()));
    }
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    ServerReflectionRequest request;
    if (const absl::Status status = ParseMessage(read_, MessageLimits{}, request); !status.ok()) {
      return Finish(ToGrpcStatus(status));
    }
    written_ = SerializeMessage(owner_.Answer(request));
    StartWrite(&written_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the client is gone"));
    StartRead(&read_);
  }
  void OnDone() override { delete this; }

  const ReflectionServices& owner_;
  const absl::StatusOr<Admission> admission_;
  grpc::ByteBuffer read_;
  grpc::ByteBuffer written_;
};

void ReflectionServices::Register(grpc::ServerBuilder& builder, std::vector<std::string> services) {
  // Nothing else needs these messages, and without them the linker leaves their file away.
  (void)grpc::reflection::v1alpha::ServerReflectionRequest::descriptor();
  services_ = std::move(services);
  services_.emplace_back(V1::service_full_name());
  services_.emplace_back(V1Alpha::service_full_name());
  builder.RegisterService(&v1_);
  builder.RegisterService(&v1alpha_);
}

ReflectionServices::Reactor* ReflectionServices::Start(grpc::CallbackServerContext& context) {
  return new Stream(*this, AdmitCall(keys_, Access::kAnyKey, context));
}

ServerReflectionResponse ReflectionServices::Answer(const ServerReflectionRequest& request) const {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      SetFile(pool.FindFileByName(request.file_by_filename()), response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      SetFile(pool.FindFileContainingSymbol(request.file_containing_symbol()), response);
      break;
    case ServerReflectionRequest::kFileContainingExtension:
      SetExtensionFile(request.file_containing_extension(), response);
      break;
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
      SetExtensionNumbers(request.all_extension_numbers_of_type(), response);
      break;
    case ServerReflectionRequest::kListServices:
      for (const std::string& service : services_) {
        response.mutable_list_services_response()->add_service()->set_name(service);
      }
      break;
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
      response.mutable_error_response()->set_error_message("the request asks for nothing");
      break;
  }
  return response;
}

}  // namespace attendant
