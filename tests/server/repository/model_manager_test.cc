#include "server/repository/model_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <atomic>
#include <future>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/server/scripted_translator.h"
#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

namespace fs = std::filesystem;

// A manager over real directories. What it loads is scripted: the engine's source language is what the
// directory's config.json says; "broken" fails to load, "throws" throws, "slow" waits.
class ModelManagerTest : public testing::Test {
 protected:
  ~ModelManagerTest() override { manager_.reset(); }

  // poll_ms 0: only by command.
  void Start(int poll_ms, const std::vector<std::string>& names, int64_t budget = 0) {
    config::ServerConfig config;
    config.set_models_dir(dir_.path());
    config.mutable_repository()->set_poll_ms(poll_ms);
    config.mutable_repository()->set_memory_budget_bytes(budget);
    for (const std::string& name : names) {
      config::ModelConfig& model = *config.add_model();
      model.set_name(name);
      model.set_path(dir_.path() / name);
    }
    manager_ = std::make_unique<ModelManager>(
        config, ModelManager::Parts{[this](const auto& model, SchedulerObserver&) { return LoadOne(model); },
                                    [this](const EngineModel& engine) { return WarmUpOne(engine); },
                                    registry_, metrics_, log_, Clock::Real(), [this] { ++changes_; }});
    manager_->Start();
    while (!registry_.IsComplete()) std::this_thread::yield();
  }
  absl::StatusOr<EngineModel> LoadOne(const config::ModelConfig& model) {
    std::ifstream in(fs::path(model.path()) / "config.json");
    std::string text;
    std::getline(in, text);
    ++loads_;
    if (text == "broken") return absl::DataLossError("config.json is broken");
    if (text == "slow") {
      is_loading_.set_value();
      go_on_.get_future().wait();
    }
    if (text == "throws") throw std::runtime_error("a library gave up");
    EngineModel engine;
    engine.translator = std::make_shared<ScriptedTranslator>(text, "xx");
    return engine;
  }
  absl::Status WarmUpOne(const EngineModel& engine) {
    if (engine.translator->info().source_language == "nan") return absl::InternalError("gives NaN");
    return absl::OkStatus();
  }
  absl::Status Load(const std::string& name) {
    std::promise<absl::Status> result;
    manager_->Load(name, [&](const absl::Status& status) { result.set_value(status); });
    return result.get_future().get();
  }
  absl::Status Unload(const std::string& name) {
    std::promise<absl::Status> result;
    manager_->Unload(name, [&](const absl::Status& status) { result.set_value(status); });
    return result.get_future().get();
  }
  // What the model's config.json said when it was loaded; "": it is not served.
  std::string Serving(const std::string& name) {
    const absl::StatusOr<ServedModel> model = registry_.Find(name);
    return model.ok() && model->state == ModelState::kReady ? model->engine.translator->info().source_language
                                                            : "";
  }
  std::vector<std::string> Versions(const std::string& name) {
    std::vector<std::string> result;
    for (const ServedModel& model : registry_.ListVersions()) {
      if (model.name == name) result.push_back(QualifiedName(model));
    }
    return result;
  }
  // Whole or not at all: the manager may look at any moment.
  void Replace(const std::string& file, const std::string& text) const {
    dir_.Write(".new", text);
    fs::create_directories((dir_.path() / file).parent_path());
    fs::rename(dir_.path() / ".new", dir_.path() / file);
  }
  void Serve(const std::string& text) const { Replace("a/serving.textproto", text); }
  template <typename IsTrue>
  static bool Eventually(IsTrue is_true) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_true()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }
  std::string Scrape() const {
    return prometheus::TextSerializer().Serialize(metrics_.registry()->Collect());
  }

  TempDir dir_;
  Metrics metrics_;
  ModelRegistry registry_{metrics_};
  Logger log_{[] {
    config::Logging quiet;
    quiet.set_level(config::Logging::ERROR);
    return quiet;
  }()};
  std::promise<void> is_loading_, go_on_;  // Of "slow".
  std::atomic<int> changes_{0};
  std::atomic<int> loads_{0};
  std::unique_ptr<ModelManager> manager_;
};

TEST_F(ModelManagerTest, LoadsWhatIsConfiguredAndSaysWhyNot) {
  dir_.Write("good/config.json", "en");
  dir_.Write("bad/config.json", "broken");
  dir_.Write("worse/config.json", "throws");
  dir_.Write("nan/config.json", "nan");
  Start(0, {"bad", "good", "nan", "none", "worse"});
  EXPECT_TRUE(Eventually([&] { return registry_.IsReady(); }));
  EXPECT_EQ(Serving("good"), "en");
  EXPECT_THAT(registry_.Find("bad")->message, HasSubstr("config.json is broken"));
  EXPECT_THAT(registry_.Find("worse")->message, HasSubstr("a library gave up"));
  EXPECT_THAT(registry_.Find("nan")->message, HasSubstr("gives NaN"));
  EXPECT_THAT(registry_.Find("none")->message, HasSubstr("no such directory"));
  EXPECT_THAT(Scrape(), HasSubstr(R"(attendant_reload_total{model="bad",result="failed"} 1)"));
}

TEST_F(ModelManagerTest, ReloadReplacesAndABrokenOneIsRefused) {
  dir_.Write("a/config.json", "one");
  Start(0, {"a"});
  const ServedModel begun = *registry_.Find("a");
  dir_.Write("a/config.json", "two");
  EXPECT_TRUE(Load("a").ok());
  EXPECT_EQ(Serving("a"), "two");
  EXPECT_EQ(begun.engine.translator->info().source_language, "one");  // Who began with it goes on with it.
  for (const char* wrong : {"broken", "throws", "nan"}) {
    dir_.Write("a/config.json", wrong);
    EXPECT_FALSE(Load("a").ok()) << wrong;
    EXPECT_EQ(Serving("a"), "two") << wrong;
    EXPECT_NE(registry_.Find("a")->message, "") << wrong;
  }
  fs::remove_all(dir_.path() / "a");
  EXPECT_TRUE(absl::IsNotFound(Load("a")));
  EXPECT_EQ(Serving("a"), "two");
  dir_.Write("a/config.json", "three");
  EXPECT_TRUE(Load("a").ok());
  EXPECT_EQ(Serving("a"), "three");
  EXPECT_EQ(registry_.Find("a")->message, "");
}

TEST_F(ModelManagerTest, UnloadedStaysSoUntilItIsLoaded) {
  Replace("a/config.json", "one");
  Start(1, {"a"});
  EXPECT_TRUE(Unload("a").ok());
  EXPECT_EQ(registry_.Find("a")->state, ModelState::kUnloaded);
  Replace("a/config.json", "changed");
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_EQ(registry_.Find("a")->state, ModelState::kUnloaded);
  EXPECT_TRUE(Load("a").ok());
  EXPECT_EQ(Serving("a"), "changed");
  EXPECT_TRUE(absl::IsNotFound(Unload("zzz")));
  EXPECT_TRUE(absl::IsInvalidArgument(Unload("../a")));
}

TEST_F(ModelManagerTest, LoadFindsNewModelsInTheRepositoryOnly) {
  dir_.Write("repository/a/config.json", "en");
  TempDir outside;
  outside.Write("config.json", "secret");
  Start(0, {});
  dir_.Write("b/config.json", "fr");
  fs::create_directory_symlink(outside.path(), dir_.path() / "out");
  EXPECT_TRUE(Load("b").ok());
  EXPECT_EQ(Serving("b"), "fr");
  EXPECT_TRUE(absl::IsNotFound(Load("zzz")));
  EXPECT_TRUE(absl::IsFailedPrecondition(Load("out")));
  for (const std::string name : {"../a", "/etc", ".", "..", "a/b", "", "repository/a"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Load(name))) << name;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(Load(std::string("b\0", 2))));
}

TEST_F(ModelManagerTest, WatchTakesUpWhatComesChangesAndGoes) {
  Replace("a/config.json", "one");
  Start(1, {"a"});
  Replace("a/config.json", "two!");
  EXPECT_TRUE(Eventually([&] { return Serving("a") == "two!"; }));
  Replace("b/config.json", "new");
  EXPECT_TRUE(Eventually([&] { return Serving("b") == "new"; }));
  fs::remove_all(dir_.path() / "b");
  EXPECT_TRUE(Eventually([&] { return absl::IsNotFound(registry_.Find("b").status()); }));
  Replace("a/config.json", "broken");
  EXPECT_TRUE(Eventually([&] { return !registry_.Find("a")->message.empty(); }));
  EXPECT_EQ(Serving("a"), "two!");
  const int loads = loads_;
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_EQ(loads_, loads);  // It is not tried again before it changes.
}

TEST_F(ModelManagerTest, RefusalIsForgottenWhenWhatServesIsBackInPlace) {
  dir_.Write(".good/config.json", "one");
  dir_.Write(".bad/config.json", "broken");
  const auto turn = [&](const char* variant) {
    fs::create_directory_symlink(dir_.path() / variant, dir_.path() / ".link");
    fs::rename(dir_.path() / ".link", dir_.path() / "a");
  };
  turn(".good");
  Start(1, {"a"});
  turn(".bad");
  EXPECT_TRUE(Eventually([&] { return !registry_.Find("a")->message.empty(); }));
  const int loads = loads_;
  turn(".good");
  EXPECT_TRUE(Eventually([&] { return registry_.Find("a")->message.empty(); }));
  EXPECT_EQ(loads_, loads);
  EXPECT_EQ(Serving("a"), "one");
}

TEST_F(ModelManagerTest, RepositoryThatIsAwayForAMomentTakesNothingOut) {
  Replace("a/config.json", "one");
  Start(1, {"a"});
  fs::rename(dir_.path(), dir_.path().string() + "-away");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(Serving("a"), "one");
  fs::rename(dir_.path().string() + "-away", dir_.path());
}

TEST_F(ModelManagerTest, LatestVersionTakesOverOnlyWhenItWorks) {
  dir_.Write("a/1/config.json", "one");
  Start(0, {"a"});
  EXPECT_THAT(Versions("a"), ElementsAre("a@1"));
  dir_.Write("a/2/config.json", "broken");
  EXPECT_FALSE(Load("a").ok());
  EXPECT_EQ(Serving("a"), "one");
  EXPECT_EQ(registry_.Find("a@2")->state, ModelState::kFailed);
  dir_.Write("a/2/config.json", "two");
  EXPECT_TRUE(Load("a").ok());
  EXPECT_THAT(Versions("a"), ElementsAre("a@2"));
  EXPECT_EQ(Serving("a"), "two");
}

TEST_F(ModelManagerTest, PolicyAndLabelsChangeWhileItRuns) {
  dir_.Write("a/1/config.json", "one");
  dir_.Write("a/2/config.json", "two");
  dir_.Write("a/3/config.json", "three");
  Serve("versions { version: [1, 3] } label { name: 'stable' version: 1 }");
  Start(1, {"a"});
  EXPECT_THAT(Versions("a"), ElementsAre("a@1", "a@3"));
  EXPECT_EQ(Serving("a"), "three");
  EXPECT_EQ(Serving("a@stable"), "one");
  const int loads = loads_;
  Serve("versions { version: [1, 3] } label { name: 'stable' version: 3 }");
  EXPECT_TRUE(Eventually([&] { return Serving("a@stable") == "three"; }));
  EXPECT_EQ(loads_, loads);  // A label moves without loading anything.
  Serve("versions { version: 2 }");
  EXPECT_TRUE(Eventually([&] { return Versions("a") == std::vector<std::string>{"a@2"}; }));
  Serve("versions { version: 9 }");
  EXPECT_TRUE(Eventually([&] { return absl::StrContains(Scrape(), R"(model="a",result="failed"} 1)"); }));
  EXPECT_EQ(Serving("a"), "two");  // Better than nothing.
  Serve("nonsense");
  EXPECT_TRUE(Eventually([&] { return absl::StrContains(registry_.Find("a")->message, "nonsense"); }));
  EXPECT_EQ(Serving("a"), "two");
}

TEST_F(ModelManagerTest, LabelStaysWhereItIsUntilItsNewVersionWorks) {
  dir_.Write("a/3/config.json", "three");
  Serve("label { name: 'stable' version: 3 }");
  Start(0, {"a"});
  EXPECT_EQ(Serving("a@stable"), "three");
  dir_.Write("a/4/config.json", "broken");
  Serve("label { name: 'stable' version: 4 }");
  EXPECT_FALSE(Load("a").ok());
  EXPECT_EQ(Serving("a@stable"), "three");
  // Another version works, but not the one that the label is to mean: it keeps the old one in service.
  dir_.Write("a/5/config.json", "five");
  EXPECT_TRUE(Load("a").ok());
  EXPECT_EQ(Serving("a"), "five");
  EXPECT_EQ(Serving("a@stable"), "three");
  Serve("label { name: 'stable' version: 5 }");
  EXPECT_TRUE(Load("a").ok());
  EXPECT_EQ(Serving("a@stable"), "five");
  EXPECT_EQ(registry_.ListVersions().size(), 1u);
}

TEST_F(ModelManagerTest, WhatIsWrongInTheRepositoryIsSaidAtRunTimeToo) {
  Replace("a/config.json", "one");
  Start(1, {"a"});
  dir_.Write(".b/config.json", "two");
  dir_.Write(".b/serving.textproto", "nonsense");
  fs::rename(dir_.path() / ".b", dir_.path() / "b");
  EXPECT_TRUE(Eventually([&] {
    const auto model = registry_.Find("b");
    return model.ok() && absl::StrContains(model->message, "nonsense");
  }));
}

TEST_F(ModelManagerTest, StopTellsWhoWaitsAtOnce) {
  dir_.Write("slow/config.json", "slow");
  Start(0, {});
  std::promise<absl::Status> under_way, queued;
  manager_->Load("slow", [&](const absl::Status& status) { under_way.set_value(status); });
  manager_->Load("slow", [&](const absl::Status& status) { queued.set_value(status); });
  is_loading_.get_future().wait();
  manager_->Stop();
  EXPECT_TRUE(absl::IsCancelled(under_way.get_future().get()));
  EXPECT_TRUE(absl::IsCancelled(queued.get_future().get()));
  EXPECT_TRUE(absl::IsCancelled(Load("slow")));
  go_on_.set_value();
}

TEST_F(ModelManagerTest, ManifestIsHeld) {
  dir_.Write("a/config.json", "abc");
  dir_.Write("a/SHA256SUMS",
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  config.json\n");
  Start(0, {"a"});
  EXPECT_EQ(Serving("a"), "abc");
  dir_.Write("a/config.json", "abd");
  EXPECT_TRUE(absl::IsDataLoss(Load("a")));
  EXPECT_EQ(Serving("a"), "abc");
}

TEST_F(ModelManagerTest, WhatDoesNotFitTheBudgetIsNotLoaded) {
  const int64_t weights = 1000;
  for (const int64_t size : {weights - 1, weights, weights + 1}) {
    const std::string name = absl::StrCat("m", size);
    dir_.Write(name + "/config.json", "en");
    dir_.Write(name + "/model.safetensors", std::string(static_cast<size_t>(size), 'x'));
  }
  Start(0, {}, weights);
  EXPECT_TRUE(Load("m999").ok());
  EXPECT_TRUE(Load("m1000").ok());
  const absl::Status refused = Load("m1001");
  EXPECT_TRUE(absl::IsResourceExhausted(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("--memory-budget"));
}

TEST_F(ModelManagerTest, WhatHasNotBegunAtTheEndIsCancelled) {
  dir_.Write("a/config.json", "en");
  Start(0, {"a"});
  std::vector<absl::Status> results;
  for (int i = 0; i < 50; ++i) {
    manager_->Load("a", [&](const absl::Status& status) { results.push_back(status); });
  }
  manager_.reset();
  EXPECT_EQ(results.size(), 50u);
  for (const absl::Status& status : results) EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
}

TEST_F(ModelManagerTest, ThreadsMayLoadUnloadAndAskAtOnce) {
  Replace("a/config.json", "en");
  Start(1, {"a"});
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round) {
        if (i == 0) (void)Unload("a");
        if (i < 4) (void)Load("a");
        if (const auto model = registry_.Resolve("a", Task::kTranslate); model.ok()) {
          EXPECT_EQ(model->engine.translator->info().source_language, "en");
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(Load("a").ok());
  EXPECT_EQ(Serving("a"), "en");
}

TEST(EngineShelfTest, EngineGoesOnTheShelfsThreadWhenItsLastUserDoes) {
  Metrics metrics;
  std::promise<std::thread::id> destroyed;
  struct Tracked final : ScriptedTranslator {
    explicit Tracked(std::promise<std::thread::id>& destroyed_on)
        : ScriptedTranslator("en", "de"), destroyed_on_(destroyed_on) {}
    ~Tracked() override { destroyed_on_.set_value(std::this_thread::get_id()); }
    std::promise<std::thread::id>& destroyed_on_;
  };
  EngineShelf shelf;
  EngineModel engine;
  engine.translator = std::make_shared<Tracked>(destroyed);
  EngineModel kept = shelf.Keep(std::make_unique<EngineObserver>(metrics.OfModel("m")), std::move(engine));
  EngineModel in_flight = kept;
  kept = {};
  EXPECT_EQ(in_flight.translator->info().source_language, "en");
  in_flight = {};
  EXPECT_NE(destroyed.get_future().get(), std::this_thread::get_id());
}

TEST(EngineObserverTest, GaugesAreOfAllEnginesAndGoWithThem) {
  Metrics metrics;
  const auto gauge = [&](const std::string& line) {
    return absl::StrContains(prometheus::TextSerializer().Serialize(metrics.registry()->Collect()),
                             line + "\n");
  };
  auto old_engine = std::make_unique<EngineObserver>(metrics.OfModel("m"));
  auto new_engine = std::make_unique<EngineObserver>(metrics.OfModel("m"));
  SchedulerObserver::StepStats stats;
  stats.worker = 1;
  stats.running = 3;
  stats.num_blocks = 40;
  stats.free_blocks = 30;
  old_engine->OnStep(stats);
  old_engine->OnQueueDepth(7);
  new_engine->OnStep(stats);
  new_engine->OnQueueDepth(2);
  EXPECT_TRUE(gauge(R"(attendant_running_sentences{model="m",worker="1"} 6)"));
  EXPECT_TRUE(gauge(R"(attendant_kv_blocks{model="m",state="used",worker="1"} 20)"));
  EXPECT_TRUE(gauge(R"(attendant_queue_depth{model="m"} 9)"));
  old_engine.reset();
  EXPECT_TRUE(gauge(R"(attendant_running_sentences{model="m",worker="1"} 3)"));
  EXPECT_TRUE(gauge(R"(attendant_queue_depth{model="m"} 2)"));
  new_engine.reset();
  EXPECT_TRUE(gauge(R"(attendant_kv_blocks{model="m",state="free",worker="1"} 0)"));
  EXPECT_TRUE(gauge(R"(attendant_queue_depth{model="m"} 0)"));
}

}  // namespace
}  // namespace attendant
