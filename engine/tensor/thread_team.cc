#include "engine/tensor/thread_team.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace attendant {
namespace {

using TeamBody = absl::FunctionRef<void(const WorkPart& part, Workspace& workspace)>;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// The parts of one layer follow each other within microseconds: sleep only when nothing comes for longer.
void AwaitChange(const std::atomic<uint32_t>& value, uint32_t from) {
  constexpr int kPauses = 500;  // Some twenty microseconds.
  constexpr int kYields = 50;
  for (int i = 0; i < kPauses + kYields; ++i) {
    if (value.load(std::memory_order_acquire) != from) return;
    if (i < kPauses) {
      Pause();
    } else {
      std::this_thread::yield();
    }
  }
  while (value.load(std::memory_order_acquire) == from) value.wait(from, std::memory_order_acquire);
}

}  // namespace

// Runs what one other thread at a time gives it.
class HelperThread {
 public:
  explicit HelperThread(int32_t core, std::function<void(int32_t core)> on_start)
      : thread_([this, core, on_start = std::move(on_start)] {
          pthread_setname_np(pthread_self(), absl::StrCat("helper-", core).c_str());
          if (on_start) on_start(core);
          Serve();
        }) {}

  ~HelperThread() {
    body_.reset();
    Announce();
    thread_.join();
  }

  void Start(const WorkPart& part, TeamBody body) {
    part_ = part;
    body_.emplace(body);
    Announce();
  }

  // Until what was started has ended: what it threw.
  std::exception_ptr Wait() {
    AwaitChange(finished_, started_.load(std::memory_order_relaxed) - 1);
    return std::exchange(error_, nullptr);
  }

 private:
  void Announce() {
    started_.fetch_add(1, std::memory_order_seq_cst);
    started_.notify_one();
  }

  void Serve() {
    for (uint32_t done = 0;; ++done) {
      AwaitChange(started_, done);
      if (!body_.has_value()) return;
      try {
        workspace_.Reset();
        (*body_)(part_, workspace_);
      } catch (...) {
        error_ = std::current_exception();
      }
      // No plain store: notify_one may then look for who waits before the store is seen, and wake nobody.
      finished_.fetch_add(1, std::memory_order_seq_cst);
      finished_.notify_one();
    }
  }

  // Handed over by started_, and back by finished_.
  WorkPart part_;
  std::optional<TeamBody> body_;  // None: to end.
  std::exception_ptr error_;
  Workspace workspace_;
  std::atomic<uint32_t> started_ = 0;
  std::atomic<uint32_t> finished_ = 0;
  std::thread thread_;
};

void ThreadTeam::Run(TeamBody body) const {
  for (size_t i = 0; i < helpers_.size(); ++i) helpers_[i]->Start({i + 1, size()}, body);
  std::exception_ptr error;
  try {
    const Workspace::Scope scope(*workspace_);
    body({0, size()}, *workspace_);
  } catch (...) {
    error = std::current_exception();
  }
  for (HelperThread* helper : helpers_) {
    std::exception_ptr its_error = helper->Wait();
    if (error == nullptr) error = std::move(its_error);
  }
  if (error != nullptr) std::rethrow_exception(error);
}

CoreLender::CoreLender(int32_t num_cores, const std::function<void(int32_t core)>& on_thread_start,
                       std::shared_ptr<CoreShares::Model> shares)
    : shares_(std::move(shares)),
      states_(static_cast<size_t>(std::max(num_cores, shares_ == nullptr ? 0 : shares_->num_cores())),
              State::kFree) {
  for (int32_t core = 0; num_cores > 1 && core < num_cores; ++core) {
    helpers_.push_back(std::make_unique<HelperThread>(core, on_thread_start));
  }
}

CoreLender::~CoreLender() = default;

CoreLender::Lease CoreLender::Take(int32_t core, size_t max_threads, Workspace& workspace) {
  Lease::Cores cores;
  if (core == CoreShares::kNoCore) return {*this, std::move(cores), workspace};
  const auto own = static_cast<size_t>(core);
  cores.taken = {core};
  cores.taken.reserve(1 + helpers_.size());  // Nothing below throws: a core taken is given back.
  cores.helpers.reserve(helpers_.size());
  cores.shared_out.reserve(helpers_.size());
  std::unique_lock lock(mutex_);
  if (states_[own] == State::kInUse) states_[own] = State::kWanted;
  returned_.wait(lock, [&] { return states_[own] == State::kFree || states_[own] == State::kReserved; });
  states_[own] = State::kInUse;
  const size_t most = std::min(max_threads, helpers_.size());
  for (size_t other = 0; other < helpers_.size() && cores.taken.size() < most; ++other) {
    LendLocked(other, cores);
  }
  return {*this, std::move(cores), workspace};
}

void CoreLender::LendLocked(size_t core, Lease::Cores& cores) {
  if (states_[core] != State::kFree) return;
  if (shares_ != nullptr) {
    const CoreShares::Model::Held held = shares_->TryTake(static_cast<int32_t>(core));
    if (held.core == CoreShares::kNoCore) return;
    cores.shared_out.push_back(held);
  }
  states_[core] = State::kInUse;
  cores.taken.push_back(static_cast<int32_t>(core));
  cores.helpers.push_back(helpers_[core].get());
}

int32_t CoreLender::num_waiting() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int32_t>(std::count(states_.begin(), states_.end(), State::kWanted));
}

void CoreLender::Return(const std::vector<int32_t>& cores) {
  const std::lock_guard lock(mutex_);
  for (const int32_t core : cores) {
    State& state = states_[static_cast<size_t>(core)];
    state = state == State::kWanted ? State::kReserved : State::kFree;
  }
  returned_.notify_all();
}

CoreLender::Lease::Lease(CoreLender& lender, Cores cores, Workspace& workspace)
    : lender_(lender), cores_(std::move(cores)), team_(workspace, cores_.helpers) {}

CoreLender::Lease::~Lease() {
  End();
}

Duration CoreLender::Lease::End() {
  if (!cores_.taken.empty()) lender_.Return(cores_.taken);  // First: who is given a core finds it free.
  Duration lent{};
  for (const CoreShares::Model::Held& held : cores_.shared_out) lent += lender_.shares_->Return(held);
  cores_.taken.clear();
  cores_.shared_out.clear();
  return lent;
}

}  // namespace attendant
