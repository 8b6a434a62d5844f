#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "engine/base/core_shares.h"
#include "engine/tensor/workspace.h"

namespace attendant {

// Rows begin to end of a matrix.
struct RowRange {
  size_t begin = 0;
  size_t end = 0;
  size_t size() const { return end - begin; }
};

// One of the equal parts of some work.
struct WorkPart {
  size_t index = 0;
  size_t count = 1;
  // This part of so many rows: neighbours in order, none larger than another by more than one row.
  RowRange Of(size_t rows) const { return {rows * index / count, rows * (index + 1) / count}; }
  RowRange Of(RowRange rows) const {
    const RowRange within = Of(rows.size());
    return {rows.begin + within.begin, rows.begin + within.end};
  }
};

class HelperThread;

// The threads that work on one batch: the caller's, and those that it was lent for the while. A view: cheap
// to copy; what it is made of outlives it. Not thread-safe: the caller's alone.
class ThreadTeam {
 public:
  // The calling thread alone. Implicit: who has a workspace is a team of one.
  ThreadTeam(Workspace& workspace) : workspace_(&workspace) {}  // NOLINT(google-explicit-constructor)
  ThreadTeam(Workspace& workspace, absl::Span<HelperThread* const> helpers)
      : workspace_(&workspace), helpers_(helpers) {}

  size_t size() const { return 1 + helpers_.size(); }
  // The calling thread's own.
  Workspace& workspace() const { return *workspace_; }

  // Calls body once for each part, at the same time, each on a thread with a workspace of its own, and
  // returns when all have returned. If some threw, one of their exceptions goes on. What body allocates it
  // gives back.
  void Run(absl::FunctionRef<void(const WorkPart& part, Workspace& workspace)> body) const;

 private:
  Workspace* workspace_;
  absl::Span<HelperThread* const> helpers_;
};

// The cores of a model's workers. Each worker has its own and lends it while it has no batch: so a batch that
// comes alone is computed by all cores, and many batches by one core each. Invariants:
// 1. At any time, at most one batch computes on a core.
// 2. A core whose owner waits for it is not lent on.
// Thread-safe.
class CoreLender {
 public:
  // on_thread_start: called first on each core's helper thread with the core's number, to pin it. Empty:
  // nothing. A single core has no helper thread.
  // shares: where the process's cores are shared out, the model's part of them: who comes to Take holds the
  // core that it names, and what it is lent is taken from there as well. Null: they are not.
  explicit CoreLender(int32_t num_cores, const std::function<void(int32_t core)>& on_thread_start = {},
                      std::shared_ptr<CoreShares::Model> shares = nullptr);
  ~CoreLender();  // No lease is out.

  // A worker's own core and those that it was lent, until it is destroyed.
  class Lease {
   public:
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    const ThreadTeam& team() const { return team_; }
    // Gives all back now. Returns how long shared-out cores were lent, summed.
    Duration End();

   private:
    friend class CoreLender;
    struct Cores {
      std::vector<int32_t> taken;  // The own one too.
      std::vector<HelperThread*> helpers;
      std::vector<CoreShares::Model::Held> shared_out;  // Of those lent.
    };
    Lease(CoreLender& lender, Cores cores, Workspace& workspace);
    CoreLender& lender_;
    Cores cores_;
    const ThreadTeam team_;
  };
  // Waits until `core`, the calling worker's own, is free, and takes up to max_threads - 1 others that are.
  // workspace: the calling worker's. core may be CoreShares::kNoCore: then there is nothing to wait for, and
  // nothing is lent.
  Lease Take(int32_t core, size_t max_threads, Workspace& workspace);
  // Owners that wait for their core.
  int32_t num_waiting() const;

 private:
  enum class State {
    kFree,
    kInUse,
    kWanted,    // In use by another while its owner waits.
    kReserved,  // Given back to the owner who waits.
  };
  // Adds a core to what is taken if it is free. Locks the shares: they never call back.
  void LendLocked(size_t core, Lease::Cores& cores);
  void Return(const std::vector<int32_t>& cores);

  const std::shared_ptr<CoreShares::Model> shares_;
  std::vector<std::unique_ptr<HelperThread>> helpers_;  // By core; none for a single core.
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<State> states_;  // Guarded by mutex_.
};

}  // namespace attendant
