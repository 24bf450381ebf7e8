#include "base/random.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

namespace partywall {
namespace {

TEST(SeededRandom, IsReproducible) {
  SeededRandom one(7);
  SeededRandom two(7);
  SeededRandom other(8);
  const uint64_t first = one.next_u64();
  EXPECT_EQ(two.next_u64(), first);
  EXPECT_NE(other.next_u64(), first);
}

TEST(SystemRandom, DoesNotRepeat) {
  SystemRandom random;
  EXPECT_NE(random.next_u64(), random.next_u64());
  EXPECT_NE(random.alphanumeric(32), random.alphanumeric(32));
}

TEST(Random, BelowStaysBelowAndReachesEverything) {
  SeededRandom random(1);
  std::map<uint64_t, int> seen;
  for (int i = 0; i < 6'000; ++i) ++seen[random.below(6)];
  EXPECT_EQ(seen.size(), 6U);
  EXPECT_EQ(seen.rbegin()->first, 5U);
  for (const auto& [value, count] : seen) EXPECT_GT(count, 800) << value;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(random.below(1), 0U);
  EXPECT_LT(random.below(UINT64_MAX), UINT64_MAX);
}

// Random bytes chosen so that the plain remainder would be biased: they must be drawn again.
class Scripted final : public Random {
 public:
  explicit Scripted(std::vector<uint64_t> values) : values_(std::move(values)) {}
  void fill(std::span<uint8_t> bytes) override {
    const uint64_t value = values_.at(next_++);
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<uint8_t>(value >> (56 - 8 * i));
  }
  [[nodiscard]] size_t used() const { return next_; }

 private:
  std::vector<uint64_t> values_;
  size_t next_ = 0;
};

TEST(Random, BelowDrawsAgainWhereItWouldBeBiased) {
  Scripted random({UINT64_MAX, UINT64_MAX - 1, 13});
  EXPECT_EQ(random.below(10), 3U);
  EXPECT_EQ(random.used(), 3U);
}

TEST(Random, AlphanumericUsesItsWholeAlphabetOnly) {
  SeededRandom random(2);
  const std::string text = random.alphanumeric(5'000);
  std::map<char, int> seen;
  for (const char c : text) ++seen[c];
  EXPECT_EQ(seen.size(), 62U);
  EXPECT_TRUE(std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0; }));
  EXPECT_EQ(random.alphanumeric(0), "");
}

}  // namespace
}  // namespace partywall
