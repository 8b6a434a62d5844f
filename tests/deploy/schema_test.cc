#include "tests/deploy/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/deploy/manifests.h"
#include "tests/deploy/yaml_json.h"

namespace attendant {
namespace {

using nlohmann::json;

const json& KubernetesSchemas() {
  static const json schemas =
      json::parse(std::ifstream(ATTENDANT_SOURCE_DIR "/tests/deploy/schemas/kubernetes.json"));
  return schemas;
}

std::vector<std::string> KubernetesProblems(const json& object) {
  const std::string kind = object.value("apiVersion", "") + "/" + KindOf(object);
  const json& kinds = KubernetesSchemas().at("kinds");
  if (!kinds.contains(kind)) return {"no schema for " + kind + "; see make_schemas.py"};
  return SchemaProblems({{"$ref", kinds.at(kind)}, {"definitions", KubernetesSchemas().at("definitions")}},
                        object);
}

TEST(SchemaTest, EveryObjectIsWhatItsKindAllows) {
  size_t count = 0;
  for (const auto& [name, manifests] : AllManifests()) {
    EXPECT_FALSE(manifests.empty()) << name;
    for (const json& object : manifests) {
      EXPECT_THAT(KubernetesProblems(object), testing::IsEmpty())
          << name << ": " << KindOf(object) << " " << NameOf(object);
      ++count;
    }
  }
  EXPECT_GE(count, 30U);
}

// What the schemas must find, or the test above says nothing.
TEST(SchemaTest, MistakesAreFound) {
  const Manifests base = ReadKustomizeBase(DeployDir() / "kubernetes/base");
  const auto with = [&](const char* kind, const char* pointer, const json& value) {
    json object = *Find(base, kind, "attendant");
    object[json::json_pointer(pointer)] = value;
    return KubernetesProblems(object);
  };
  const char pod[] = "/spec/template/spec";
  const std::string container = std::string(pod) + "/containers/0";
  using testing::IsEmpty;
  using testing::Not;
  EXPECT_THAT(with("Deployment", "/spec/replicas", 2), IsEmpty());
  EXPECT_THAT(with("Deployment", "/spec/replicas", "2"), Not(IsEmpty()));
  EXPECT_THAT(with("Deployment", "/spec/replica", 2), Not(IsEmpty()));
  EXPECT_THAT(with("Deployment", (container + "/resources/limits/cpu").c_str(), 2), Not(IsEmpty()));
  EXPECT_THAT(with("Deployment", (container + "/livenessProbe/grpc/port").c_str(), "grpc"), Not(IsEmpty()));
  EXPECT_THAT(with("Deployment", (container + "/securityContext/capabilities/drop").c_str(), "ALL"),
              Not(IsEmpty()));
  EXPECT_THAT(with("Deployment", (container + "/args").c_str(), {{"a", 1}}), Not(IsEmpty()));
  EXPECT_THAT(with("Service", "/spec/ports/0/portt", 1), Not(IsEmpty()));
  EXPECT_THAT(with("Service", "/spec/selector/app", true), Not(IsEmpty()));
  EXPECT_THAT(with("HorizontalPodAutoscaler", "/spec/metrics/0/pods/target/averageValue", 0.2),
              Not(IsEmpty()));
  EXPECT_THAT(with("ServiceMonitor", "/spec/endpoints/0/intervall", "1s"), Not(IsEmpty()));
  EXPECT_THAT(with("ServiceMonitor", "/spec/endpoints/0/interval", "1 second"), Not(IsEmpty()));
  EXPECT_THAT(with("PodDisruptionBudget", "/apiVersion", "policy/v1beta1"), Not(IsEmpty()));
}

TEST(SchemaTest, ChartValuesFollowTheirSchema) {
  const json schema = json::parse(std::ifstream(DeployDir() / "helm/attendant/values.schema.json"));
  const json values = ReadManifests(DeployDir() / "helm/attendant/values.yaml").at(0);
  EXPECT_THAT(SchemaProblems(schema, values), testing::IsEmpty());
  for (const char* example : {"production", "bare"}) {
    json merged = values;
    merged.merge_patch(
        ReadManifests(DeployDir() / "helm/attendant/ci" / (std::string(example) + "-values.yaml")).at(0));
    EXPECT_THAT(SchemaProblems(schema, merged), testing::IsEmpty()) << example;
  }
  json wrong = values;
  wrong["resources"]["limits"]["cpu"] = "1500m";
  EXPECT_THAT(SchemaProblems(schema, wrong), testing::Not(testing::IsEmpty()));
  wrong = values;
  wrong["replica"] = 3;
  EXPECT_THAT(SchemaProblems(schema, wrong), testing::Not(testing::IsEmpty()));
}

TEST(YamlTest, AmbiguousAndRepeatedIsRefused) {
  EXPECT_FALSE(ParseYaml("a: yes").ok());
  EXPECT_FALSE(ParseYaml("a: Off").ok());
  EXPECT_FALSE(ParseYaml("a: 1\na: 2").ok());
  EXPECT_FALSE(ParseYaml("a: [1").ok());
  const json expected = {{"a", "yes"},   {"b", "1"}, {"c", 1},    {"d", true},
                         {"e", nullptr}, {"f", 0.5}, {"g", "x\n"}};
  EXPECT_EQ(ParseYaml("a: 'yes'\nb: \"1\"\nc: 1\nd: true\ne:\nf: 0.5\ng: |\n  x\n").value().at(0), expected);
  EXPECT_EQ(ParseYaml("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}").value().at(0).at("y"),
            json({{"a", 1}, {"b", 3}}));
}

}  // namespace
}  // namespace attendant
