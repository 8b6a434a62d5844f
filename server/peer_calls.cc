#include "server/peer_calls.h"

namespace attendant {

void PeerCalls::Enter(const std::string& peer) {
  int64_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    count = ++counts_[peer];
  }
  constexpr int64_t kTellEvery = 256;
  if (count > limit_ && (count - limit_ - 1) % kTellEvery == 0) on_too_many_(peer);
}

void PeerCalls::Leave(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(peer);
  if (--found->second == 0) counts_.erase(found);
}

}  // namespace attendant
