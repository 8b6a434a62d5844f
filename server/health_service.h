#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace attendant {

// grpc.health.v1.Health. gRPC's own keeps Shutdown waiting for every open Watch; this one can end them.
// Thread-safe.
class HealthServiceImpl final
    : public grpc::health::v1::Health::WithRawCallbackMethod_Check<
          grpc::health::v1::Health::WithRawCallbackMethod_Watch<
              grpc::health::v1::Health::WithRawCallbackMethod_List<grpc::health::v1::Health::Service>>> {
 public:
  using Status = grpc::health::v1::HealthCheckResponse::ServingStatus;

  // Sets the state of a service and tells those who watch it. After BeginDrain only NOT_SERVING is told.
  void Set(const std::string& service, bool is_serving);
  // What Check would say of it; false if it is not known.
  bool IsServing(const std::string& service);
  // No longer a service that is known.
  void Remove(const std::string& service);
  // NOT_SERVING for all, for good.
  void BeginDrain();
  // Ends every Watch, now and from now on, with UNAVAILABLE.
  void EndWatches();

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Watch(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) override;

 private:
  class Watcher;

  Status StatusOf(const std::string& service) const;
  // RESOURCE_EXHAUSTED: too many Watches in all, or over one connection.
  absl::Status Enter(Watcher& watcher, const std::string& peer);
  void TellWatchers();

  std::mutex mutex_;
  std::map<std::string, bool>
      services_;  // Guarded by mutex_, as is all that follows, and all of each Watcher.
  std::set<Watcher*> watchers_;
  std::map<std::string, int> watchers_of_peer_;
  bool is_draining_ = false;
  bool are_watches_over_ = false;
};

}  // namespace attendant
