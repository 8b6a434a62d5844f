#include "server/peer_calls.h"

namespace attendant {

void PeerCalls::Enter(const std::string& peer) {
  int64_t count = 0, limit = 0;
  {
    const std::lock_guard lock(mutex_);
    count = ++counts_[peer];
    limit = ++total_ > limits_.in_all ? limits_.of_peer_when_full : limits_.of_peer;
  }
  constexpr int64_t kTellEvery = 256;
  if (count > limit && (count - limit - 1) % kTellEvery == 0) on_too_many_(peer);
}

bool PeerCalls::IsFull() const {
  const std::lock_guard lock(mutex_);
  return total_ > limits_.in_all;
}

void PeerCalls::Leave(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  --total_;
  const auto found = counts_.find(peer);
  if (--found->second == 0) counts_.erase(found);
}

}  // namespace attendant
