#pragma once

// oneDNN in Debian threads with GNU OpenMP, whose setting is each calling thread's own. Declared here so that
// no compiler needs OpenMP support of its own for this one call.
extern "C" void omp_set_num_threads(int num_threads);

namespace attendant {

// From now on oneDNN computes on the calling thread alone. Costs nanoseconds: called at every door to oneDNN.
inline void ComputeOnThisThreadAlone() {
  omp_set_num_threads(1);
}

}  // namespace attendant
