#include "tests/engine/tasks/shipped_model.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/text/marian_tokenizer.h"

namespace attendant {

const Tokenizer& ShippedTokenizer() {
  static const auto* tokenizer = [] {
    auto loaded = LoadMarianTokenizer(ShippedModelDir());
    if (!loaded.ok()) {
      std::fprintf(stderr, "%s\n", loaded.status().ToString().c_str());
      std::abort();
    }
    return loaded->release();
  }();
  return *tokenizer;
}

}  // namespace attendant
