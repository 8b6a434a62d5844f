#include "server/auth/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "server/auth/new_key.h"
#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string Hash(int i) {
  return ToHex(Sha256(absl::StrCat("key ", i)));
}

// A good entry but for what `more` says.
std::string Entry(const std::string& more, int i = 0) {
  return absl::StrCat("key { id: 'k", i, "' sha256: '", Hash(i), "' role: INFER ", more, " }\n");
}

std::string KeyFileError(const std::string& text) {
  const auto keys = ParseKeyFile(text, "keys.txt");
  EXPECT_TRUE(absl::IsInvalidArgument(keys.status())) << text;
  const std::string message(keys.status().message());
  EXPECT_THAT(message, Not(HasSubstr("\n")));
  EXPECT_THAT(message, StartsWith("keys.txt:"));
  return message;
}

void ExpectLimits(const std::string& field, const std::vector<std::string>& good,
                  const std::vector<std::string>& bad) {
  for (const std::string& value : good) {
    EXPECT_TRUE(ParseKeyFile(Entry(field + ": " + value), "f").ok()) << field << ": " << value;
  }
  for (const std::string& value : bad) {
    EXPECT_THAT(KeyFileError(Entry(field + ": " + value)), HasSubstr(field)) << value;
  }
}

TEST(KeyFileTest, ReadsAllOfAnEntry) {
  const auto keys = ParseKeyFile(
      absl::StrCat("# a comment\nkey { id: 'shop' sha256: '", Hash(1),
                   "' role: [INFER, METRICS] requests_per_second: 2.5 burst: 7 max_concurrent: 3 }\n"
                   "key { id: 'ops' certificate: 'a' certificate: 'b' role: ADMIN }"),
      "f");
  ASSERT_TRUE(keys.ok()) << keys.status();
  ASSERT_EQ(keys->size(), 2U);
  const KeyRecord& shop = (*keys)[0];
  EXPECT_EQ(shop.id, "shop");
  EXPECT_EQ(shop.digest, Sha256("key 1"));
  EXPECT_TRUE(shop.Has(auth::Key::INFER));
  EXPECT_FALSE(shop.Has(auth::Key::ADMIN));
  EXPECT_TRUE(shop.Has(auth::Key::METRICS));
  EXPECT_EQ(shop.rate.per_second, 2.5);
  EXPECT_EQ(shop.rate.burst, 7);
  EXPECT_EQ(shop.max_concurrent, 3);
  const KeyRecord& ops = (*keys)[1];
  EXPECT_FALSE(ops.digest.has_value());
  EXPECT_THAT(ops.certificates, ElementsAre("a", "b"));
  EXPECT_TRUE(ops.Has(auth::Key::ADMIN));
  EXPECT_FALSE(ops.Has(auth::Key::INFER)) << "no role includes another";
  EXPECT_EQ(ops.rate.per_second, 0);
}

TEST(KeyFileTest, BurstIsASecondsWorthUnlessSaid) {
  const auto burst = [](const std::string& more) {
    return ParseKeyFile(Entry(more), "f")->front().rate.burst;
  };
  EXPECT_EQ(burst("requests_per_second: 12.1"), 13);
  EXPECT_EQ(burst("requests_per_second: 0.1"), 1);
  EXPECT_EQ(burst("requests_per_second: 0.1 burst: 5"), 5);
}

TEST(KeyFileTest, NumbersHaveTheirRanges) {
  ExpectLimits("requests_per_second", {"0", "0.001", "1000000"}, {"0.0009", "1000000.1", "-1", "nan", "inf"});
  ExpectLimits("burst", {"0", "1", "1000000"}, {"1000001", "-1"});
  ExpectLimits("max_concurrent", {"0", "1", "1000000"}, {"1000001", "-1"});
}

TEST(KeyFileTest, TextsHaveTheirRanges) {
  const auto with_id = [](const std::string& id) {
    return absl::StrCat("key { id: '", id, "' sha256: '", Hash(1), "' role: INFER }");
  };
  EXPECT_TRUE(ParseKeyFile(with_id(std::string(64, 'a')), "f").ok());
  for (const std::string& id : {std::string(65, 'a'), std::string(), std::string("a b"), std::string(".a")}) {
    EXPECT_THAT(KeyFileError(with_id(id)), HasSubstr("key.id")) << id;
  }
  ExpectLimits("certificate", {"'c'", "'" + std::string(256, 'c') + "'"},
               {"''", "'" + std::string(257, 'c') + "'"});
  std::string certificates;
  for (int i = 0; i < 16; ++i) absl::StrAppend(&certificates, "certificate: 'c", i, "' ");
  EXPECT_TRUE(ParseKeyFile(Entry(certificates), "f").ok());
  EXPECT_THAT(KeyFileError(Entry(certificates + "certificate: 'one more'")), HasSubstr("at most 16"));
  for (const size_t digits : {0, 63, 65}) {
    EXPECT_THAT(KeyFileError("key { id: 'a' role: INFER sha256: '" + std::string(digits, 'a') + "' }"),
                HasSubstr("key.sha256"));
  }
  EXPECT_THAT(KeyFileError("key { id: 'a' role: INFER sha256: '" + std::string(64, 'g') + "' }"),
              HasSubstr("key.sha256"));
}

TEST(KeyFileTest, MissingPartsAreNamedWithTheirLine) {
  EXPECT_THAT(KeyFileError("\nkey { id: 'a' role: INFER }"), StartsWith("keys.txt:2: key.sha256"));
  EXPECT_THAT(KeyFileError("key { id: 'a' sha256: '" + Hash(1) + "' }"), HasSubstr("key.role"));
}

TEST(KeyFileTest, NothingIsThereTwice) {
  const std::string twice[] = {
      Entry("", 1) + "key { id: 'k1' sha256: '" + Hash(2) + "' role: INFER }",
      Entry("", 1) + "key { id: 'k2' sha256: '" + Hash(1) + "' role: INFER }",
      Entry("certificate: 'c'", 1) + Entry("certificate: 'c'", 2),
  };
  for (const std::string& text : twice) EXPECT_THAT(KeyFileError(text), HasSubstr("is there twice")) << text;
}

TEST(KeyFileTest, HasAtMostAThousandKeysAndAMebibyte) {
  std::string text;
  for (int i = 0; i < kMaxKeys; ++i) text += Entry("", i);
  EXPECT_TRUE(ParseKeyFile(text, "f").ok());
  EXPECT_THAT(KeyFileError(text + Entry("", kMaxKeys)), HasSubstr("more than 1000 keys"));
  std::string padded = Entry("");
  padded += "#" + std::string(kMaxKeyFileBytes - padded.size() - 2, ' ') + "\n";
  EXPECT_EQ(padded.size(), kMaxKeyFileBytes);
  EXPECT_TRUE(ParseKeyFile(padded, "f").ok());
  EXPECT_THAT(KeyFileError(padded + " "), HasSubstr("larger than"));
}

TEST(KeyFileTest, WithoutKeysIsAnErrorSoThatACutFileLocksNobodyOut) {
  for (const char* text : {"", "\n", "# key { id: 'a' }\n"}) {
    EXPECT_THAT(KeyFileError(text), HasSubstr("has no keys"));
  }
}

TEST(KeyFileTest, ErrorsNeverQuoteTheFile) {
  const auto key = MakeNewKey("a", "infer");
  ASSERT_TRUE(key.ok());
  for (const std::string& text :
       {key->key, "key { " + key->key + " }", "key { id: '" + key->key + " !' sha256: '" + Hash(1) + "' }",
        "key { id: 'a' role: INFER sha256: '" + key->key + "' }", "key { id: 'a' role: " + key->key + " }"}) {
    EXPECT_THAT(KeyFileError(text), Not(HasSubstr(key->key.substr(4, 10)))) << text;
  }
}

TEST(KeyFileTest, MissingFileIsNamed) {
  const TempDir dir;
  const auto keys = ReadKeyFile(dir.path() / "none.txt");
  EXPECT_THAT(std::string(keys.status().message()), HasSubstr("none.txt"));
  EXPECT_THAT(std::string(keys.status().message()), HasSubstr("--api-keys"));
}

TEST(NewKeyTest, IsRandomAndItsEntryIsForTheFile) {
  const auto first = MakeNewKey("shop", "infer,metrics");
  const auto second = MakeNewKey("shop", "infer");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(first->key, testing::MatchesRegex("att_[A-Za-z0-9_-]{43}"));
  EXPECT_NE(first->key, second->key);
  EXPECT_THAT(first->entry, Not(HasSubstr(first->key.substr(4))));
  const auto keys = ParseKeyFile(first->entry, "f");
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ(keys->front().digest, Sha256(first->key));
  EXPECT_TRUE(keys->front().Has(auth::Key::METRICS));
  EXPECT_FALSE(keys->front().Has(auth::Key::ADMIN));
}

TEST(NewKeyTest, RefusesWrongIdsAndRoles) {
  EXPECT_FALSE(MakeNewKey("", "infer").ok());
  EXPECT_FALSE(MakeNewKey("a\" }", "infer").ok());
  EXPECT_FALSE(MakeNewKey("a", "").ok());
  EXPECT_FALSE(MakeNewKey("a", "root").ok());
  EXPECT_FALSE(MakeNewKey("a", "infer] max_concurrent: 1 role: [admin").ok());
}

TEST(Sha256Test, IsTheStandards) {
  // FIPS 180-4's example.
  EXPECT_EQ(ToHex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(DigestFromHex(ToHex(Sha256("abc"))), Sha256("abc"));
}

TEST(Sha256Test, ComparisonSeesEveryBit) {
  const Sha256Digest digest = Sha256("abc");
  EXPECT_TRUE(AreEqualInConstantTime(digest, digest));
  for (size_t bit = 0; bit < 8 * digest.size(); ++bit) {
    Sha256Digest other = digest;
    other[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
    EXPECT_FALSE(AreEqualInConstantTime(digest, other)) << bit;
  }
}

}  // namespace
}  // namespace attendant
