#include "migrate/apply/pgoutput.h"

#include <gmock/gmock.h>

#include "migrate/apply/stream_bytes.h"

namespace partywall::migrate {
namespace {

using pgoutput::decode;
using pgoutput::Message;
using pgoutput::OldTupleKind;
using pgoutput::ValueKind;

template <class Kind>
Kind decoded(const std::string& bytes) {
  static std::vector<std::unique_ptr<std::string>> kept;  // what the result points into
  kept.push_back(std::make_unique<std::string>(bytes));
  Message message;
  const auto result = decode(*kept.back(), message);
  EXPECT_TRUE(result) << result.error().message;
  return std::get<Kind>(message);
}

// One of each kind, as PostgreSQL 15 sends them.
std::vector<std::string> one_of_each() {
  std::string type = "Y";
  sql::append_u32(type, 16'400);
  append_text(type, "public");
  append_text(type, "mood");
  return {begin_bytes(100),
          commit_bytes(100, 140),
          origin_bytes("elsewhere"),
          relation_bytes(7, "film", {{"id", 23, true}, {"title", 25, false}}),
          type,
          insert_bytes(7, {"1", std::nullopt}),
          update_bytes(7, {"1", kUnchangedValue}),
          update_bytes(7, {"2", "b"}, 'K', {"1", std::nullopt}),
          update_bytes(7, {"2", "b"}, 'O', {"1", "a"}),
          delete_bytes(7, {"1", std::nullopt}),
          delete_bytes(7, {"1", "a"}, 'O'),
          truncate_bytes({7, 8}, 3),
          message_bytes("partywall", "fence")};
}

TEST(Pgoutput, BeginAndCommit) {
  EXPECT_EQ(decoded<pgoutput::Begin>(begin_bytes(100)).commit, Lsn{100});
  const auto commit = decoded<pgoutput::Commit>(commit_bytes(100, 140));
  EXPECT_EQ(commit.commit, Lsn{100});
  EXPECT_EQ(commit.end, Lsn{140});
  EXPECT_EQ(commit.committed_at.microseconds, 1'000'000);
}

TEST(Pgoutput, Relation) {
  const auto relation = decoded<pgoutput::Relation>(
      relation_bytes(7, "film", {{"id", 23, true}, {"title", 25, false}}, 'f'));
  EXPECT_EQ(relation.schema, "public");
  EXPECT_EQ(relation.name, "film");
  EXPECT_EQ(relation.replica_identity, 'f');
  ASSERT_EQ(relation.columns.size(), 2u);
  EXPECT_TRUE(relation.columns[0].is_key);
  EXPECT_FALSE(relation.columns[1].is_key);
  EXPECT_EQ(relation.columns[1].type, 25u);
  EXPECT_EQ(relation.columns[1].type_modifier, -1);
}

TEST(Pgoutput, ValuesAreNullUnchangedOrText) {
  const auto update = decoded<pgoutput::Update>(
      update_bytes(7, {"2", std::nullopt, kUnchangedValue, ""}, 'K', {"1", std::nullopt}));
  EXPECT_EQ(update.old_kind, OldTupleKind::kKey);
  EXPECT_EQ(update.old_row[0].text, "1");
  EXPECT_EQ(update.row[0].text, "2");
  EXPECT_EQ(update.row[1].kind, ValueKind::kNull);
  EXPECT_EQ(update.row[2].kind, ValueKind::kUnchanged);
  EXPECT_EQ(update.row[3].kind, ValueKind::kText);
}

TEST(Pgoutput, TheMemoryOfTheLastMessageIsUsedAgainAndHoldsNothingOfIt) {
  Message message;
  ASSERT_TRUE(decode(update_bytes(7, {"2"}, 'K', {"1"}), message));
  ASSERT_TRUE(decode(update_bytes(7, {"3"}), message));
  const auto& update = std::get<pgoutput::Update>(message);
  EXPECT_EQ(update.old_kind, OldTupleKind::kNone);
  EXPECT_TRUE(update.old_row.empty());
  EXPECT_EQ(update.row.size(), 1u);
}

TEST(Pgoutput, LogicalMessage) {
  const auto message =
      decoded<pgoutput::LogicalMessage>(message_bytes("partywall", std::string("a\0b", 3)));
  EXPECT_TRUE(message.is_transactional);
  EXPECT_EQ(message.prefix, "partywall");
  EXPECT_EQ(message.content, std::string_view("a\0b", 3));
}

TEST(Pgoutput, EveryMessageThatIsCutShortIsRefused) {
  for (const std::string& bytes : one_of_each()) {
    Message message;
    EXPECT_TRUE(decode(bytes, message)) << bytes[0];
    for (size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_FALSE(decode(bytes.substr(0, length), message)) << bytes[0] << " of " << length;
    }
  }
}

TEST(Pgoutput, NothingMayFollowAMessage) {
  for (const std::string& bytes : one_of_each()) {
    Message message;
    EXPECT_FALSE(decode(bytes + '\0', message)) << bytes[0];
  }
}

TEST(Pgoutput, WhatIsNotKnownIsRefused) {
  Message message;
  EXPECT_FALSE(decode("", message));
  EXPECT_FALSE(decode("S", message));  // streaming: version 2
  std::string binary = insert_bytes(7, {"1"});
  binary[binary.find('t')] = 'b';
  EXPECT_FALSE(decode(binary, message));
  EXPECT_FALSE(decode(relation_bytes(7, "film", {}, 'x'), message));
  EXPECT_FALSE(decode(truncate_bytes({7}, 4), message));
  EXPECT_FALSE(decode(insert_bytes(7, {std::string("a\0b", 3)}), message));
}

TEST(Pgoutput, LimitsAreKept) {
  Message message;
  EXPECT_TRUE(decode(insert_bytes(7, {"1", "2"}), message, {.columns = 2}));
  EXPECT_FALSE(decode(insert_bytes(7, {"1", "2", "3"}), message, {.columns = 2}));
  EXPECT_FALSE(decode(relation_bytes(7, "t", {{"a"}, {"b"}, {"c"}}), message, {.columns = 2}));
  EXPECT_FALSE(decode(begin_bytes(1), message, {.message_bytes = 8}));
}

TEST(ReplicationFrame, LogData) {
  std::string bytes = "w";
  append_u64(bytes, 5);
  append_u64(bytes, 6);
  append_u64(bytes, 7);
  bytes += "payload";
  const auto frame = decode_replication_frame(bytes);
  ASSERT_TRUE(frame);
  const auto& data = std::get<XLogData>(*frame);
  EXPECT_EQ(data.start, Lsn{5});
  EXPECT_EQ(data.end, Lsn{6});
  EXPECT_EQ(data.sent_at.microseconds, 7);
  EXPECT_EQ(data.payload, "payload");
  EXPECT_FALSE(decode_replication_frame(bytes.substr(0, 24)));
}

TEST(ReplicationFrame, Keepalive) {
  std::string bytes = "k";
  append_u64(bytes, 5);
  append_u64(bytes, 6);
  bytes += '\1';
  const auto frame = decode_replication_frame(bytes);
  ASSERT_TRUE(frame);
  EXPECT_EQ(std::get<Keepalive>(*frame).end, Lsn{5});
  EXPECT_TRUE(std::get<Keepalive>(*frame).wants_reply);
  EXPECT_FALSE(decode_replication_frame(bytes + "x"));
  EXPECT_FALSE(decode_replication_frame("x"));
  EXPECT_FALSE(decode_replication_frame(""));
}

TEST(ReplicationFrame, StandbyStatus) {
  const std::string bytes = encode_standby_status(
      {.received = {1}, .flushed = {2}, .applied = {3}, .now = {4}, .reply = ReplyWish::kAtOnce});
  std::string expected = "r";
  for (const uint64_t value : {1, 2, 3, 4}) append_u64(expected, value);
  EXPECT_EQ(bytes, expected + '\1');
}

TEST(ReplicationFrame, TimesAreWrittenAsPostgresReadsThem) {
  EXPECT_EQ(to_timestamp_text({0}), "2000-01-01 00:00:00.000000+00");
  EXPECT_EQ(to_timestamp_text({825'595'200'000'123}), "2026-02-28 12:00:00.000123+00");
  EXPECT_EQ(to_timestamp_text({-1}), "1999-12-31 23:59:59.999999+00");
}

TEST(Lsn, IsWrittenInTwoHalves) {
  EXPECT_EQ(to_string(Lsn{0x16B374D848}), "16/B374D848");
  EXPECT_EQ(parse_lsn("16/B374D848")->value, 0x16B374D848u);
  EXPECT_EQ(parse_lsn("0/0")->value, 0u);
  for (const char* const wrong : {"", "/", "1/", "/1", "1", "1/123456789", "x/1", "1/1 ", "-1/1"})
    EXPECT_FALSE(parse_lsn(wrong)) << wrong;
}

TEST(Lsn, TheHeaderOfAPageHoldsNothing) {
  EXPECT_TRUE(has_reached({100}, {100}));
  EXPECT_FALSE(has_reached({99}, {100}));
  EXPECT_TRUE(has_reached({8192}, {8192 + 24}));
  EXPECT_TRUE(has_reached({8192}, {8192 + 40}));
  EXPECT_FALSE(has_reached({8192}, {8192 + 48}));
}

}  // namespace
}  // namespace partywall::migrate
