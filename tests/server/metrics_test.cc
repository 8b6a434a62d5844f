#include "server/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <string>

#include "server/model_metrics.h"

namespace attendant {
namespace {

using testing::HasSubstr;
using testing::Not;

class MetricsTest : public testing::Test {
 protected:
  std::string Scrape() const {
    return prometheus::TextSerializer().Serialize(metrics_.registry()->Collect());
  }

  Metrics metrics_;
  ModelMetrics& model_ = metrics_.OfModel("m");
};

TEST_F(MetricsTest, CountsCallsByMethodModelAndCode) {
  for (int i = 0; i < 2; ++i) {
    model_.OnCallBegin();
    model_.OnCallEnd(Method::kTranslate, grpc::StatusCode::OK, std::chrono::milliseconds(3));
  }
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_requests_total{code="OK",method="Translate",model="m"} 2)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_request_seconds_count{method="Translate",model="m"} 2)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_requests_in_flight{model="m"} 0)"));
}

TEST_F(MetricsTest, CallMovesFromUnknownToItsModel) {
  metrics_.unknown_model().OnCallBegin();
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_requests_in_flight{model="unknown"} 1)"));
  metrics_.unknown_model().OnCallMoved(model_);
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_requests_in_flight{model="unknown"} 0)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_requests_in_flight{model="m"} 1)"));
}

TEST_F(MetricsTest, CodeThatGrpcDoesNotHaveCountsAsUnknown) {
  model_.OnCallEnd(Method::kGetModel, static_cast<grpc::StatusCode>(99), Duration::zero());
  EXPECT_THAT(Scrape(), HasSubstr(R"(code="UNKNOWN",method="GetModel",model="m"} 1)"));
}

TEST_F(MetricsTest, StepsAreCountedAndLoadsMove) {
  SchedulerObserver::StepStats stats;
  stats.worker = 1;
  stats.rows = 8;
  model_.OnStep(stats);
  model_.MoveWorkerLoad(1, {.running = 2, .kv_used = 10, .kv_free = 30});
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_kv_blocks{model="m",state="used",worker="1"} 10)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_kv_blocks{model="m",state="free",worker="1"} 30)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_running_sentences{model="m",worker="1"} 2)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_step_rows_sum{model="m"} 8)"));
  model_.OnStep({.worker = 1});
  model_.MoveWorkerLoad(1, {.running = -2, .kv_used = -10, .kv_free = 10});
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_kv_blocks{model="m",state="used",worker="1"} 0)"));
  // An iteration without rows is no step.
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_step_rows_count{model="m"} 1)"));
}

TEST_F(MetricsTest, DropsCountByKindAndStage) {
  model_.OnDrop(DropReason::kExpiredInQueue);
  model_.OnDrop(DropReason::kCancelledRunning);
  model_.OnRejected(RejectReason::kQueueFull);
  model_.OnNotFinite();
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_expired_total{model="m",stage="queue"} 1)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_expired_total{model="m",stage="running"} 0)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_cancelled_total{model="m",stage="running"} 1)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_rejected_total{model="m",reason="queue_full"} 1)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_not_finite_total{model="m"} 1)"));
}

TEST_F(MetricsTest, ResultCountsTokensAndPhases) {
  TranslationResult result;
  result.input_tokens = 5;
  result.output_tokens = 7;
  result.halved_sentences = 1;
  result.timing.total = std::chrono::milliseconds(15);
  result.sentences.resize(1);
  result.sentences[0].hypotheses.resize(1);
  result.sentences[0].hypotheses[0].finish_reason = FinishReason::kRepetition;
  model_.OnResult(result);
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_input_tokens_total{model="m"} 5)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_output_tokens_total{model="m"} 7)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_halved_sentences_total{model="m"} 1)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_sentences_total{model="m",reason="repetition"} 1)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_phase_seconds_bucket{model="m",phase="total",le="0.01"} 0)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_phase_seconds_bucket{model="m",phase="total",le="0.02"} 1)"));
}

TEST_F(MetricsTest, ModelIsInOneState) {
  model_.OnState(ModelState::kLoading);
  model_.OnState(ModelState::kReady);
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_model_state{model="m",state="loading"} 0)"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_model_state{model="m",state="ready"} 1)"));
}

TEST_F(MetricsTest, EveryNameHasOurPrefixAndItsUnit) {
  for (const prometheus::MetricFamily& family : metrics_.registry()->Collect()) {
    EXPECT_THAT(family.name, testing::StartsWith("attendant_"));
    const bool is_counter = family.type == prometheus::MetricType::Counter;
    EXPECT_EQ(is_counter, family.name.ends_with("_total")) << family.name;
    EXPECT_FALSE(family.help.empty());
    EXPECT_THAT(family.name, Not(HasSubstr("_ms")));
  }
}

}  // namespace
}  // namespace attendant
