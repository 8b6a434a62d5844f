#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace attendant {

// All of an answer that must be the same whenever the same is asked (timings are left out), or why there is
// none.
struct Answer {
  grpc::Status status;
  std::string essence;
};

// One kind of the calls that a server gets day after day.
struct SoakKind {
  std::string name;
  int share;     // Of all calls, in proportion.
  int variants;  // That are asked for different things.
  // What may become of a call. OK: with the answer that this variant had at the start.
  std::vector<grpc::StatusCode> allowed;
  std::function<Answer(const std::shared_ptr<grpc::Channel>&, grpc::ClientContext&, int variant)> ask;
  // Not zero: a variant's deadline, or the time after which it is cancelled, is a part of this: 1 of
  // `variants`, 2 of them, ... all.
  std::chrono::milliseconds longest_deadline{0};
  std::chrono::milliseconds latest_cancel{0};

  bool Allows(grpc::StatusCode code) const;
};

// For a server on this port of this machine that serves the four models of models/.
std::vector<SoakKind> SoakKinds(int port);

// A connection of its own to this machine; nothing is tried twice.
std::shared_ptr<grpc::Channel> SoakChannel(int port);

enum class Pace { kInFull, kAsTheKindSays };
// Waits for the end of one call. kInFull: neither cancelled nor short of time.
Answer Ask(const SoakKind& kind, const std::shared_ptr<grpc::Channel>& channel, int variant, Pace pace);

}  // namespace attendant
