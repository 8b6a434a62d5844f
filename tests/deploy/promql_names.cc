#include "tests/deploy/promql_names.h"

#include <cctype>

#include "absl/strings/string_view.h"

namespace attendant {
namespace {

bool IsNameChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
}

// Reads an expression from left to right, and keeps what can only be a metric.
class Scanner {
 public:
  explicit Scanner(absl::string_view text) : text_(text) {}

  std::vector<MetricUse> Scan() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        SkipQuoted();
      } else if (c == '[') {
        SkipTo(']');
      } else if (c == '$' || std::isdigit(static_cast<unsigned char>(c)) != 0) {
        ++at_;
        TakeName();  // A variable, a number or a duration.
      } else if (IsNameChar(c)) {
        OnName(TakeName());
      } else {
        ++at_;
      }
    }
    return uses_;
  }

 private:
  void OnName(const std::string& name) {
    static const std::set<std::string> lists = {"by",       "without",    "on",
                                                "ignoring", "group_left", "group_right"};
    static const std::set<std::string> words = {"and",   "or",     "unless",   "offset", "bool",   "inf",
                                                "nan",   "sum",    "min",      "max",    "avg",    "count",
                                                "group", "stddev", "quantile", "topk",   "bottomk"};
    SkipSpace();
    const char next = at_ < text_.size() ? text_[at_] : ' ';
    if (lists.count(name) > 0) {
      if (next == '(') SkipTo(')');
    } else if (name == "label_values") {
      ++at_;
      SkipSpace();
      const std::string metric = TakeName();
      AddUse(metric);
      SkipTo(')');
    } else if (next != '(' && words.count(name) == 0) {
      AddUse(name);
    }
  }

  // With its matchers: {a="b",c=~"d"}.
  void AddUse(const std::string& name) {
    MetricUse& use = uses_.emplace_back();
    use.name = name;
    if (at_ >= text_.size() || text_[at_] != '{') return;
    std::string label;
    for (++at_; at_ < text_.size() && text_[at_] != '}';) {
      if (IsNameChar(text_[at_])) {
        label = TakeName();
        use.labels.insert(label);
      } else if (text_[at_] == '"') {
        const bool is_equality = text_[at_ - 1] == '=' && text_[at_ - 2] != '!';
        const size_t begin = at_ + 1;
        SkipQuoted();
        if (is_equality) use.values[label] = std::string(text_.substr(begin, at_ - 1 - begin));
      } else {
        ++at_;
      }
    }
  }

  std::string TakeName() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsNameChar(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  void SkipSpace() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  void SkipTo(char end) {
    while (at_ < text_.size() && text_[at_] != end) ++at_;
    ++at_;
  }
  void SkipQuoted() {
    const char quote = text_[at_++];
    SkipTo(quote);
  }

  const absl::string_view text_;
  size_t at_ = 0;
  std::vector<MetricUse> uses_;
};

}  // namespace

std::vector<MetricUse> MetricsIn(const std::string& promql) {
  return Scanner(promql).Scan();
}

}  // namespace attendant
