#pragma once

#include <grpcpp/grpcpp.h>

#include <string>
#include <vector>

#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "server/auth/key_ring.h"

namespace attendant {

// Server reflection by both of its names, for one listener. gRPC's own, once switched on, is in every server
// of the process and open to everybody; this one asks for any key where there are keys. Its streams do not
// hold a drain. Must outlive the gRPC server. Thread-safe.
class ReflectionServices {
 public:
  explicit ReflectionServices(KeyRing& keys) : keys_(keys), v1_(*this), v1alpha_(*this) {}
  ReflectionServices(const ReflectionServices&) = delete;
  ReflectionServices& operator=(const ReflectionServices&) = delete;

  // services: full names, of all that the listener serves besides this.
  void Register(grpc::ServerBuilder& builder, std::vector<std::string> services);

 private:
  using V1 = grpc::reflection::v1::ServerReflection;
  using V1Alpha = grpc::reflection::v1alpha::ServerReflection;
  using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
  class Stream;

  // The two differ in their packages alone.
  template <typename Base>
  class Service final : public Base {
   public:
    explicit Service(ReflectionServices& owner) : owner_(owner) {}
    Reactor* ServerReflectionInfo(grpc::CallbackServerContext* context) override {
      return owner_.Start(*context);
    }

   private:
    ReflectionServices& owner_;
  };

  Reactor* Start(grpc::CallbackServerContext& context);
  grpc::reflection::v1::ServerReflectionResponse Answer(
      const grpc::reflection::v1::ServerReflectionRequest& request) const;

  KeyRing& keys_;
  std::vector<std::string> services_;
  Service<V1::WithRawCallbackMethod_ServerReflectionInfo<V1::Service>> v1_;
  Service<V1Alpha::WithRawCallbackMethod_ServerReflectionInfo<V1Alpha::Service>> v1alpha_;
};

}  // namespace attendant
