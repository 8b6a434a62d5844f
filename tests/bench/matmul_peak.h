#pragma once

namespace attendant {

// What this machine multiplies now, in f32: the best of a few oneDNN matmuls of 1,024³ on `num_threads`
// threads at once, each on its own operands. GFLOP/s, all threads together. The yardstick of "share of peak".
double MeasureMatmulPeak(int num_threads);

}  // namespace attendant
