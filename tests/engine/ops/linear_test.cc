#include "engine/ops/linear.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numbers>
#include <random>
#include <thread>
#include <vector>

namespace attendant {
namespace {

std::vector<float> RandomValues(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

struct Case {
  int64_t in_dim;
  int64_t out_dim;
};

class Problem {
 public:
  explicit Problem(Case size)
      : size_(size),
        weights_(RandomValues(static_cast<size_t>(size.in_dim * size.out_dim), 1)),
        bias_(RandomValues(static_cast<size_t>(size.out_dim), 2)) {}

  Linear Make(Activation activation, LinearOutput output) const {
    return Linear({weights_.data(), bias_.data(), size_.in_dim, size_.out_dim}, activation, output);
  }
  // Exact to double, before the activation; and the sum of magnitudes, which bounds the rounding error of any
  // order of summation.
  struct Exact {
    double value;
    double magnitude;
  };
  Exact At(const float* row, int64_t column) const {
    Exact exact{bias_[static_cast<size_t>(column)], std::abs(bias_[static_cast<size_t>(column)])};
    for (int64_t k = 0; k < size_.in_dim; ++k) {
      const double product =
          static_cast<double>(row[k]) * weights_[static_cast<size_t>(column * size_.in_dim + k)];
      exact.value += product;
      exact.magnitude += std::abs(product);
    }
    return exact;
  }

 private:
  Case size_;
  std::vector<float> weights_;
  std::vector<float> bias_;
};

double Activated(Activation activation, double x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return std::max(x, 0.0);
    case Activation::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 * std::numbers::inv_pi) * (x + 0.044715 * x * x * x)));
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSwish:
      return x / (1 + std::exp(-x));
  }
  return 0;
}

TEST(LinearTest, AgreesWithPlainSumForEveryActivation) {
  for (const Case size : {Case{4, 1}, Case{33, 17}, Case{64, 64}, Case{256, 100}}) {
    const Problem problem(size);
    for (const Activation activation : {Activation::kNone, Activation::kRelu, Activation::kGelu,
                                        Activation::kGeluTanh, Activation::kTanh, Activation::kSwish}) {
      const Linear linear = problem.Make(activation, LinearOutput::kStore);
      constexpr size_t kRows = 5;
      const std::vector<float> src = RandomValues(kRows * static_cast<size_t>(size.in_dim), 3);
      std::vector<float> dst(kRows * static_cast<size_t>(size.out_dim));
      Workspace workspace;
      linear.Run(src.data(), kRows, dst.data(), workspace);
      for (size_t r = 0; r < kRows; ++r) {
        for (int64_t c = 0; c < size.out_dim; ++c) {
          const Problem::Exact exact = problem.At(src.data() + r * static_cast<size_t>(size.in_dim), c);
          // in_dim roundings of 2^-24 each relative to the magnitudes; slope of every activation < 1.2; its
          // own error 1e-6.
          const double bound = 1.2 * exact.magnitude * static_cast<double>(size.in_dim) * 0x1p-24 + 1e-6;
          const double got = dst[r * static_cast<size_t>(size.out_dim) + static_cast<size_t>(c)];
          EXPECT_NEAR(got, Activated(activation, exact.value), bound)
              << size.in_dim << "x" << size.out_dim << " row " << r << " column " << c;
        }
      }
    }
  }
}

TEST(LinearTest, AddLeavesTheResidualInPlace) {
  const Case size{64, 48};
  const Problem problem(size);
  const std::vector<float> src = RandomValues(3 * 64, 3);
  const std::vector<float> residual = RandomValues(3 * 48, 4);
  std::vector<float> stored(3 * 48);
  std::vector<float> added = residual;
  Workspace workspace;
  problem.Make(Activation::kNone, LinearOutput::kStore).Run(src.data(), 3, stored.data(), workspace);
  problem.Make(Activation::kNone, LinearOutput::kAdd).Run(src.data(), 3, added.data(), workspace);
  for (size_t i = 0; i < added.size(); ++i) EXPECT_NEAR(added[i], stored[i] + residual[i], 1e-5) << i;
}

// The promise that batch invariance stands on. Shapes are those of the models that we serve.
TEST(LinearTest, RowIsBitIdenticalForEveryNumberOfRows) {
  for (const Case size : {Case{256, 768}, Case{1024, 256}, Case{512, 2048}, Case{2048, 512}, Case{64, 30}}) {
    const Problem problem(size);
    for (const LinearOutput output : {LinearOutput::kStore, LinearOutput::kAdd}) {
      const Activation activation = output == LinearOutput::kStore ? Activation::kSwish : Activation::kNone;
      const Linear linear = problem.Make(activation, output);
      constexpr size_t kMaxRows = 270;  // Over one chunk of 256, with every tail.
      const size_t out_dim = static_cast<size_t>(size.out_dim);
      const std::vector<float> src = RandomValues(kMaxRows * static_cast<size_t>(size.in_dim), 3);
      const std::vector<float> before = RandomValues(kMaxRows * out_dim, 4);
      std::vector<float> alone = before;
      Workspace workspace;
      for (size_t r = 0; r < kMaxRows; ++r) {
        linear.Run(src.data() + r * static_cast<size_t>(size.in_dim), 1, alone.data() + r * out_dim,
                   workspace);
      }
      for (size_t rows = 1; rows <= kMaxRows; ++rows) {
        std::vector<float> together = before;
        linear.Run(src.data(), rows, together.data(), workspace);
        ASSERT_EQ(std::memcmp(together.data(), alone.data(), rows * out_dim * sizeof(float)), 0)
            << rows << " rows of " << size.in_dim << "x" << size.out_dim;
      }
    }
  }
}

TEST(LinearTest, IsBitIdenticalOnEveryThread) {
  const Problem problem({256, 512});
  const Linear linear = problem.Make(Activation::kRelu, LinearOutput::kStore);
  const std::vector<float> src = RandomValues(70 * 256, 3);
  std::vector<std::vector<float>> results(4, std::vector<float>(70 * 512));
  std::vector<std::thread> threads;
  for (std::vector<float>& result : results) {
    threads.emplace_back([&linear, &src, &result] {
      Workspace workspace;
      for (int i = 0; i < 20; ++i) linear.Run(src.data(), 70, result.data(), workspace);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<float>& result : results) EXPECT_EQ(result, results.front());
}

// The same promise where a team shares the columns. Widths in panels of 256, 192, 128 and 64, and in none.
TEST(LinearTest, RowIsBitIdenticalForEveryTeam) {
  CoreLender lender(3);
  struct Shape {
    int64_t in_dim;
    int64_t out_dim;
    bool shares_columns;
  };
  for (const Shape size :
       {Shape{384, 1536, true}, Shape{1536, 384, true}, Shape{768, 2304, true}, Shape{3072, 768, true},
        Shape{128, 384, true}, Shape{64, 192, true}, Shape{64, 30, false}, Shape{30, 128, false}}) {
    const Problem problem({size.in_dim, size.out_dim});
    for (const LinearOutput output : {LinearOutput::kStore, LinearOutput::kAdd}) {
      const Activation activation = output == LinearOutput::kStore ? Activation::kGelu : Activation::kNone;
      Linear linear = problem.Make(activation, output);
      linear.PrepareColumnSharing();
      EXPECT_EQ(linear.shares_columns(), size.shares_columns) << size.in_dim << "x" << size.out_dim;
      constexpr size_t kMaxRows = 260;  // Over one call's 256.
      const size_t out_dim = static_cast<size_t>(size.out_dim);
      const std::vector<float> src = RandomValues(kMaxRows * static_cast<size_t>(size.in_dim), 3);
      const std::vector<float> before = RandomValues(kMaxRows * out_dim, 4);
      Workspace workspace;
      for (size_t rows = 1; rows <= kMaxRows; rows += rows < 70 || rows > 250 ? 1 : 9) {
        std::vector<float> alone = before;
        linear.Run(src.data(), rows, alone.data(), workspace);
        for (const size_t threads : {2, 3}) {
          std::vector<float> shared = before;
          linear.Run(src.data(), rows, shared.data(), lender.Take(0, threads, workspace).team());
          ASSERT_EQ(std::memcmp(shared.data(), alone.data(), rows * out_dim * sizeof(float)), 0)
              << rows << " rows of " << size.in_dim << "x" << size.out_dim << " by " << threads << " threads";
        }
      }
    }
  }
}

TEST(LinearTest, NoRowsIsNothing) {
  const Problem problem({64, 48});
  Workspace workspace;
  float untouched = 7;
  problem.Make(Activation::kNone, LinearOutput::kStore).Run(&untouched, 0, &untouched, workspace);
  EXPECT_EQ(untouched, 7);
}

}  // namespace
}  // namespace attendant
