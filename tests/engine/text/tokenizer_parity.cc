// Compares the ids of every line of text files with those of spm_encode, and the text that they decode to
// with spm_decode.
//
//   tokenizer_parity MODEL TEXT...
//
// Exit status 0: all are identical; 1: some differ, the first few are shown; 2: wrong use.

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "engine/text/sentencepiece.h"
#include "tests/engine/text/spm_reference.h"

namespace attendant {
namespace {

using Ids = std::vector<int32_t>;
constexpr int kShown = 3;

std::string Join(const Ids& ids) {
  std::string text;
  for (const int32_t id : ids) text += std::to_string(id) + " ";
  return text;
}

// A zero byte ends what spm_decode prints in some versions, and a line break makes two lines of one.
bool IsPrintableAsLine(const std::string& text) {
  return text.find_first_of(std::string("\n\0", 2)) == std::string::npos;
}

struct Comparison {
  size_t lines = 0, ids_equal = 0, decoded = 0, decoded_equal = 0;
};

void CompareDecoded(const SentencePiece& model, const std::string& file, const std::vector<Ids>& ids,
                    Comparison* comparison) {
  std::vector<Ids> printable;
  for (const Ids& sequence : ids) {
    if (IsPrintableAsLine(model.DecodeIds(sequence))) printable.push_back(sequence);
  }
  const std::vector<std::string> expected = SpmDecode(file, printable);
  comparison->decoded += printable.size();
  for (size_t i = 0; i < std::min(expected.size(), printable.size()); ++i) {
    const std::string ours = model.DecodeIds(printable[i]);
    comparison->decoded_equal += ours == expected[i] ? 1 : 0;
    if (ours != expected[i] && static_cast<int>(comparison->decoded - comparison->decoded_equal) <= kShown) {
      std::printf("ids      %s\n ours    [%s]\n theirs  [%s]\n", Join(printable[i]).c_str(), ours.c_str(),
                  expected[i].c_str());
    }
  }
}

// Of processor time.
double EncodeSeconds(const SentencePiece& model, const std::vector<std::string>& lines,
                     std::vector<Ids>* ids) {
  const std::clock_t start = std::clock();
  for (const std::string& line : lines) ids->push_back(model.EncodeAsIds(line));
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

void CompareFile(const SentencePiece& model, const std::string& model_file, const std::string& text_file,
                 Comparison* comparison) {
  std::ifstream stream(text_file, std::ios::binary);
  std::vector<std::string> lines;
  size_t bytes = 0;
  for (std::string line; std::getline(stream, line); bytes += line.size() + 1) lines.push_back(line);
  std::vector<Ids> ours;
  const double seconds = EncodeSeconds(model, lines, &ours);
  const std::vector<Ids> theirs = SpmEncode(model_file, lines);
  int shown = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool is_equal = i < theirs.size() && ours[i] == theirs[i];
    comparison->ids_equal += is_equal ? 1 : 0;
    if (is_equal || ++shown > kShown) continue;
    std::printf("line %zu  [%s]\n ours    %s\n theirs  %s\n", i + 1, lines[i].c_str(), Join(ours[i]).c_str(),
                i < theirs.size() ? Join(theirs[i]).c_str() : "nothing");
  }
  comparison->lines += lines.size();
  CompareDecoded(model, model_file, ours, comparison);
  std::printf("%s: %.1f MB/s encoded\n", text_file.c_str(), static_cast<double>(bytes) / 1e6 / seconds);
}

int Main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: tokenizer_parity MODEL TEXT...\n");
    return 2;
  }
  const auto model = SentencePiece::Load(argv[1]);
  if (!model.ok()) {
    std::fprintf(stderr, "%s\n", std::string(model.status().message()).c_str());
    return 2;
  }
  Comparison result;
  for (int i = 2; i < argc; ++i) CompareFile(**model, argv[1], argv[i], &result);
  std::printf("%s: ids of %zu of %zu lines identical, text of %zu of %zu\n", argv[1], result.ids_equal,
              result.lines, result.decoded_equal, result.decoded);
  return result.ids_equal == result.lines && result.decoded_equal == result.decoded ? 0 : 1;
}

}  // namespace
}  // namespace attendant

int main(int argc, char** argv) {
  try {
    return attendant::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
