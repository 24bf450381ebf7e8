#include "store/control/snapshot_file.h"

#include <gtest/gtest.h>

namespace partywall::store {
namespace {

SealingKey key(char byte) { return SealingKey::create(Secret(std::string(32, byte))).value(); }

class SnapshotFileTest : public testing::Test {
 protected:
  static DocumentMap documents() {
    DocumentMap documents;
    documents["tenant"]["a"] = R"({"name":"line\nbreak"})";
    documents["tenant"]["b c\n4 4 4"] = "";
    documents["route"]["/"] = "{}\n{}";
    return documents;
  }
  std::string encode() {
    return encode_snapshot({.version = {.incarnation = "inc", .version = 42},
                            .confirmed_at = WallTime(milliseconds(-5))},
                           documents(), key_, random_);
  }
  Result<Snapshot> decode_plain(std::string_view plain) {
    return decode_snapshot(
        "partywall snapshot 1\n" + key_.seal("directory snapshot 1", plain, random_), key_);
  }

  SeededRandom random_{3};
  SealingKey key_ = key('k');
};

TEST_F(SnapshotFileTest, IsReadAsItWasWritten) {
  const auto snapshot = decode_snapshot(encode(), key_);
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(snapshot->state.version, (StoreVersion{.incarnation = "inc", .version = 42}));
  EXPECT_EQ(snapshot->state.confirmed_at, WallTime(milliseconds(-5)));
  EXPECT_EQ(snapshot->documents, documents());
}

TEST_F(SnapshotFileTest, EveryCutAndEveryChangedByteIsRefused) {
  const std::string file = encode();
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(decode_snapshot(std::string_view(file).substr(0, size), key_)) << size;
  for (size_t at = 0; at < file.size(); ++at) {
    std::string changed = file;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(decode_snapshot(changed, key_)) << at;
  }
  EXPECT_EQ(decode_snapshot(file, key('x')).error().kind, ErrorKind::kDenied);
}

// Even with the key, what is inside is read within its bounds.
TEST_F(SnapshotFileTest, WhatIsInsideIsCheckedToo) {
  for (const std::string_view plain :
       {"", "x", "a b c d\n", "a 1\n", "a x 1\n", "a 1 1\ntenant 1 1\n", "a 1 1\ntenant 1 5\nab\n",
        "a 1 1\ntenant 99999999999999999999 1\nab\n", "a 1 1\ntenant -1 1\nab\n",
        "a 1 1\ntenant 18446744073709551615 18446744073709551615\nab\n"}) {
    EXPECT_EQ(decode_plain(plain).error().kind, ErrorKind::kInvalid) << plain;
  }
  EXPECT_TRUE(decode_plain("a 1 1\n"));
  EXPECT_TRUE(decode_plain("a 1 1\ntenant 1 1\nab\n"));
}

}  // namespace
}  // namespace partywall::store
