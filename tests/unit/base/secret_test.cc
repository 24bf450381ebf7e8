#include "base/secret.h"

#include <sstream>

#include <gtest/gtest.h>

#include "base/log.h"

namespace partywall {
namespace {

TEST(Secret, RevealsAndCompares) {
  const Secret secret(std::string("top"));
  EXPECT_EQ(secret.reveal(), "top");
  EXPECT_TRUE(secret.equals("top"));
  EXPECT_FALSE(secret.equals("tap"));
  EXPECT_FALSE(secret.equals("top "));
  EXPECT_FALSE(secret.equals(""));
  EXPECT_TRUE(Secret().empty());
  EXPECT_TRUE(Secret().equals(""));
}

TEST(Secret, CopiesAndMoves) {
  Secret first(std::string(100, 'x'));
  Secret copy = first;
  EXPECT_EQ(copy.reveal(), first.reveal());
  Secret moved = std::move(first);
  EXPECT_EQ(moved.reveal(), std::string(100, 'x'));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move)
  copy = Secret(std::string("short"));
  EXPECT_EQ(copy.reveal(), "short");
  copy = moved;
  EXPECT_EQ(copy.reveal(), moved.reveal());
  const Secret& itself = copy;
  copy = itself;
  EXPECT_EQ(copy.reveal(), std::string(100, 'x'));
}

// A short secret lives inside the object itself, where the wiped bytes can be looked at.
TEST(Secret, IsWipedWhenItIsDropped) {
  alignas(Secret) std::array<char, sizeof(Secret)> place{};
  auto* secret = new (place.data()) Secret(std::string("0123456789abc"));
  ASSERT_NE(std::string_view(place.data(), place.size()).find("0123456789abc"),
            std::string_view::npos);
  secret->~Secret();
  EXPECT_EQ(std::string_view(place.data(), place.size()).find("012345678"), std::string_view::npos);
}

TEST(Secret, AMovedFromSecretKeepsNothing) {
  alignas(Secret) std::array<char, sizeof(Secret)> place{};
  auto* secret = new (place.data()) Secret(std::string("0123456789abc"));
  const Secret moved = std::move(*secret);
  EXPECT_EQ(std::string_view(place.data(), place.size()).find("012345678"), std::string_view::npos);
  secret->~Secret();
}

// It cannot be written anywhere by mistake.
template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Streamable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_constructible_v<LogField, std::string_view, Secret>);
static_assert(!fmt::is_formattable<Secret>::value);

}  // namespace
}  // namespace partywall
