#include "client/heat_map.h"

#include <gmock/gmock.h>
#include <png.h>

#include <set>

#include "client/bitmap_font.h"
#include "client/heat_map_layout.h"

namespace attendant::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

HeatMap SmallMap() {
  return {.source_tokens = {"Good", "day"},
          .target_tokens = {"Guten", "Tag"},
          .weights = {{0.9F, 0.1F}, {0.0F, 1.0F}}};
}

struct Decoded {
  unsigned width = 0;
  unsigned height = 0;
  std::vector<unsigned char> rgb;
  int Brightness(int x, int y) const {
    const unsigned char* pixel = &rgb[(static_cast<size_t>(y) * width + static_cast<size_t>(x)) * 3];
    return pixel[0] + pixel[1] + pixel[2];
  }
};

Decoded DecodePng(const std::string& bytes) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()), 0) << image.message;
  image.format = PNG_FORMAT_RGB;
  Decoded decoded{image.width, image.height, std::vector<unsigned char>(PNG_IMAGE_SIZE(image))};
  EXPECT_NE(png_image_finish_read(&image, nullptr, decoded.rgb.data(), 0, nullptr), 0) << image.message;
  return decoded;
}

TEST(MakeHeatMapTest, RefusesShapesThatDoNotFit) {
  v1::SentenceTranslation sentence;
  sentence.add_source_tokens("a");
  v1::Hypothesis& best = *sentence.add_hypotheses();
  best.add_tokens("b");
  EXPECT_FALSE(MakeHeatMap(sentence).ok());  // No row.
  best.add_alignment()->add_weights(0.5F);
  EXPECT_TRUE(MakeHeatMap(sentence).ok());
  best.mutable_alignment(0)->add_weights(0.5F);
  EXPECT_FALSE(MakeHeatMap(sentence).ok());  // Too wide a row.
}

TEST(RenderTerminalTest, DrawsAStaircaseAndShades) {
  EXPECT_EQ(RenderTerminal(SmallMap(), {}),
            "      , Good\n"
            "      |  , day\n"
            "Guten @@ --\n"
            "  Tag    @@\n");
}

TEST(RenderTerminalTest, ColorEndsOnEveryRow) {
  const std::string text = RenderTerminal(SmallMap(), {.color = true});
  EXPECT_THAT(text, HasSubstr("\x1b[48;5;228m"));
  EXPECT_THAT(text, HasSubstr("\x1b[0m\n  Tag"));
}

TEST(RenderTerminalTest, WideMapsAreCut) {
  HeatMap map{.source_tokens = std::vector<std::string>(40, "word"), .target_tokens = {"x"}, .weights = {}};
  map.weights.push_back(std::vector<float>(40, 0.5F));
  const std::string text = RenderTerminal(map, {.columns = 60});
  EXPECT_THAT(text, HasSubstr("\n\n"));
  size_t begin = 0;
  for (size_t end = text.find('\n'); end != std::string::npos;
       begin = end + 1, end = text.find('\n', begin)) {
    EXPECT_LE(end - begin, 60U);
  }
}

TEST(RenderTerminalTest, HostileTokensCannotMoveTheCursor) {
  HeatMap map = SmallMap();
  map.source_tokens[0] = "\x1b[2J\n";
  EXPECT_THAT(RenderTerminal(map, {}), Not(HasSubstr("\x1b[2J")));
}

TEST(RenderSvgTest, EscapesTextAndClosesEveryElement) {
  HeatMap map = SmallMap();
  map.source_tokens[0] = "<a href='x'>&\"";
  const std::string svg = RenderSvg({map});
  EXPECT_THAT(svg, Not(HasSubstr("<a")));
  EXPECT_THAT(svg, HasSubstr("&lt;a href=&#39;x&#39;&gt;&amp;&quot;"));
  const auto count = [&svg](const std::string& part) {
    size_t number = 0;
    for (size_t at = svg.find(part); at != std::string::npos; at = svg.find(part, at + 1)) ++number;
    return number;
  };
  EXPECT_EQ(count("<text"), 4U);
  EXPECT_EQ(count("<text"), count("</text>"));
  EXPECT_EQ(count("<title>"), 4U);
  EXPECT_EQ(count("<rect") - 1, count("</rect>"));  // The background closes itself.
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

TEST(RenderPngTest, LargerWeightsAreDarker) {
  const HeatMapLayout layout = LayOut({SmallMap()});
  const auto png = RenderPng({SmallMap()});
  ASSERT_TRUE(png.ok()) << png.status();
  const Decoded image = DecodePng(*png);
  EXPECT_EQ(image.width, static_cast<unsigned>(layout.width));
  EXPECT_EQ(image.height, static_cast<unsigned>(layout.height));
  const Point origin = layout.maps[0].top_left;
  const auto cell = [&](int row, int column) {
    return image.Brightness(origin.x + column * kCellPixels + 5, origin.y + row * kCellPixels + 5);
  };
  EXPECT_LT(cell(1, 1), cell(0, 0));
  EXPECT_LT(cell(0, 0), cell(0, 1));
  EXPECT_LT(cell(0, 1), cell(1, 0));
}

TEST(RenderPngTest, LabelsAreDrawnAtTheLeftAndAbove) {
  const Decoded image = DecodePng(*RenderPng({SmallMap()}));
  const Point origin = LayOut({SmallMap()}).maps[0].top_left;
  const auto ink = [&image](Point from, Point to) {
    int dark = 0;
    for (int y = from.y; y < to.y; ++y) {
      for (int x = from.x; x < to.x; ++x) dark += image.Brightness(x, y) < 200 ? 1 : 0;
    }
    return dark;
  };
  EXPECT_GT(ink({0, origin.y}, {origin.x, origin.y + kCellPixels}), 50);
  EXPECT_GT(ink({origin.x, 0}, {origin.x + kCellPixels, origin.y}), 50);
}

TEST(RenderPngTest, TooLargeAPictureIsAnError) {
  HeatMap map{.source_tokens = std::vector<std::string>(600, "x"), .target_tokens = {"y"}, .weights = {}};
  map.weights.push_back(std::vector<float>(600, 0.5F));
  EXPECT_TRUE(absl::IsResourceExhausted(RenderPng({map}).status()));
}

TEST(CanvasTest, SideLimitIsIncluded) {
  EXPECT_FALSE(Canvas::Create(0, 1).ok());
  EXPECT_TRUE(Canvas::Create(1, 1).ok());
  EXPECT_TRUE(Canvas::Create(Canvas::kMaxSide, 1).ok());
  EXPECT_FALSE(Canvas::Create(Canvas::kMaxSide + 1, 1).ok());
}

TEST(CanvasTest, UpwardsTextIsTheTextTurned) {
  constexpr Rgb kBlack = {0, 0, 0};
  Canvas level = *Canvas::Create(60, 60);
  Canvas upwards = *Canvas::Create(60, 60);
  level.DrawText({0, 0}, "Fj", kBlack);
  upwards.DrawTextUpwards({0, 60}, "Fj", kBlack);
  for (int y = 0; y < 60; ++y) {
    for (int x = 0; x < 60; ++x) ASSERT_EQ(level.At({x, y}), upwards.At({y, 59 - x})) << x << ' ' << y;
  }
}

TEST(BitmapFontTest, EveryLatinLetterHasAGlyphOfItsOwn) {
  std::set<Glyph> glyphs;
  size_t letters = 0;
  for (char32_t c = 0x21; c < 0x180; ++c) {
    const bool is_letter =
        (c < 0x7F) || (c >= 0xC0 && c != 0x132 && c != 0x133 && c != 0x13F && c != 0x140 && c != 0x149);
    if (!is_letter) continue;
    EXPECT_TRUE(HasGlyph(c)) << std::hex << static_cast<uint32_t>(c);
    // These pairs look the same: D with stroke and Eth; the cedilla of Latvian letters is drawn as one.
    if (c == 0x110) continue;
    glyphs.insert(GlyphFor(c));
    ++letters;
  }
  EXPECT_EQ(glyphs.size(), letters);
}

TEST(BitmapFontTest, UnknownCharactersAreBoxes) {
  EXPECT_FALSE(HasGlyph(0x6F22));
  EXPECT_EQ(GlyphFor(0x6F22), GlyphFor(0x0416));
  EXPECT_NE(GlyphFor(0x6F22), GlyphFor('O'));
}

}  // namespace
}  // namespace attendant::client
