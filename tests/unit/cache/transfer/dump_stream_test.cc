#include "cache/transfer/dump_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

using testing::HasSubstr;

const Uuid kTenant = Uuid::from_halves(0x0102030405060708, 0x090A0B0C0D0E0F10);

std::vector<DumpedKey> some_keys() {
  return {{.key = "a", .expires_at_ms = 0, .payload = std::string("\x00\x01 binary\r\n", 10)},
          {.key = std::string("k\0ey", 4), .expires_at_ms = 1'700'000'000'123, .payload = "p"},
          {.key = "", .expires_at_ms = 1, .payload = "", .database = 15},
          {.key = "a", .expires_at_ms = 0, .payload = "another", .database = 1},
          {.key = "big", .expires_at_ms = 0, .payload = std::string(3'000'000, 'x')}};
}

std::string write(const std::vector<DumpedKey>& keys) {
  std::string out;
  DumpWriter writer([&](std::string_view bytes) -> Result<> {
    out += bytes;
    return {};
  });
  EXPECT_TRUE(writer.begin({.tenant = kTenant, .created_at_ms = 42}));
  for (const DumpedKey& key : keys) EXPECT_TRUE(writer.add(key));
  EXPECT_TRUE(writer.end());
  return out;
}

// Gives the bytes in pieces of so many.
ByteSource reading(std::string_view bytes, size_t piece) {
  return [bytes, piece](std::span<char> into) mutable -> Result<size_t> {
    const size_t count = std::min({into.size(), bytes.size(), piece});
    bytes.copy(into.data(), count);
    bytes.remove_prefix(count);
    return count;
  };
}

Result<std::vector<DumpedKey>> read(std::string_view bytes, size_t piece = SIZE_MAX,
                                    uint64_t max_frame_bytes = kMaxFrameBytes) {
  DumpReader reader(reading(bytes, piece), max_frame_bytes);
  const auto header = reader.begin();
  if (!header) return std::unexpected(header.error());
  EXPECT_EQ(header->tenant, kTenant);
  EXPECT_EQ(header->created_at_ms, 42u);
  std::vector<DumpedKey> keys;
  while (true) {
    DumpedKey key;
    const auto more = reader.next(key);
    if (!more) return std::unexpected(more.error());
    if (!*more) return keys;
    keys.push_back(key);
  }
}

TEST(DumpStream, GivesBackWhatWasWritten) {
  const std::vector<DumpedKey> keys = some_keys();
  const std::string stream = write(keys);
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{65536}, SIZE_MAX}) {
    if (piece == 1 && stream.size() > 10'000'000) continue;
    const auto back = read(stream, piece);
    ASSERT_TRUE(back) << back.error().message;
    ASSERT_EQ(back->size(), keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      EXPECT_EQ((*back)[i].key, keys[i].key);
      EXPECT_EQ((*back)[i].expires_at_ms, keys[i].expires_at_ms);
      EXPECT_EQ((*back)[i].payload, keys[i].payload);
    }
  }
  EXPECT_TRUE(read(write({}))->empty());
}

TEST(DumpStream, ShowsEveryChangedByte) {
  std::vector<DumpedKey> keys = some_keys();
  keys.pop_back();
  const std::string stream = write(keys);
  for (size_t i = 0; i < stream.size(); ++i) {
    std::string damaged = stream;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x20);
    const auto back = read(damaged);
    ASSERT_FALSE(back) << "byte " << i;
    EXPECT_EQ(back.error().kind, ErrorKind::kInvalid);
  }
}

TEST(DumpStream, ShowsThatItWasCutOffOrContinued) {
  std::vector<DumpedKey> keys = some_keys();
  keys.pop_back();
  const std::string stream = write(keys);
  for (size_t length = 0; length < stream.size(); ++length)
    ASSERT_FALSE(read(stream.substr(0, length))) << length;
  EXPECT_THAT(read(stream + "x").error().message, HasSubstr("something follows its end"));
}

TEST(DumpStream, ShowsPartsThatAreMissingOrMoved) {
  const std::string empty = write({});
  const std::string one = write({{.key = "a", .payload = "1"}});
  const std::string two = write({{.key = "a", .payload = "1"}, {.key = "b", .payload = "2"}});
  const size_t head = empty.size() - (5 + 8 + 8);  // without 'E'
  const size_t frame = one.size() - empty.size();
  const std::string_view all = two;
  const auto part = [&](size_t from, size_t length) {
    return std::string(all.substr(from, length));
  };
  // The second key alone; both in the other order.
  EXPECT_FALSE(read(part(0, head) + part(head + frame, std::string::npos)));
  EXPECT_FALSE(read(part(0, head) + part(head + frame, frame) + part(head, frame) +
                    part(head + 2 * frame, std::string::npos)));
}

TEST(DumpStream, DoesNotBelieveALength) {
  std::string stream = write({});
  const size_t head = stream.size() - (5 + 8 + 8);
  stream.replace(head, 5, "K\xFF\xFF\xFF\x7F");
  EXPECT_THAT(read(stream).error().message, HasSubstr("longer than any can be"));
  EXPECT_THAT(read(stream, SIZE_MAX, UINT32_MAX).error().message, HasSubstr("cut off"));
}

TEST(DumpStream, OtherThingsAreNotTakenForOne) {
  EXPECT_THAT(read("REDIS0010").error().message, HasSubstr("not an export"));
  EXPECT_THAT(read("PWCACHE2........").error().message, HasSubstr("another version"));
}

TEST(DumpStream, AFailureToWriteOrReadIsPassedOn) {
  DumpWriter writer([](std::string_view) -> Result<> {
    return fail(ErrorKind::kUnavailable, "the disk is full");
  });
  EXPECT_EQ(writer.begin({}).error().message, "the disk is full");
  DumpReader reader(
      [](std::span<char>) -> Result<size_t> { return fail(ErrorKind::kUnavailable, "no disk"); });
  EXPECT_EQ(reader.begin().error().message, "no disk");
}

}  // namespace
}  // namespace partywall::cache
