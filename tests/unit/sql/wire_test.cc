#include <gtest/gtest.h>

#include "base/random.h"
#include "sql/messages.h"
#include "sql/wire/message.h"
#include "sql/wire/outbox.h"
#include "sql/wire/sql_error.h"
#include "sql/wire/startup.h"

namespace partywall::sql {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

// --- Heads

TEST(MessageHead, IsReadFromItsFirstFiveBytes) {
  const auto head = read_client_head("Q\0\0\0\x08 rest"sv);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->type, 'Q');
  EXPECT_EQ(head->body_length, 4u);
  EXPECT_EQ(head->total_length(), 9u);
  for (size_t length = 0; length < kHeadLength; ++length) {
    EXPECT_EQ(read_client_head("Q\0\0\0\x08"sv.substr(0, length)).error(),
              HeadProblem::kIncomplete);
  }
}

TEST(MessageHead, BoundsAreThoseOfTheType) {
  EXPECT_EQ(read_client_head("Q\0\0\0\3"sv).error(), HeadProblem::kBadLength);
  EXPECT_EQ(read_client_head("Q\xff\xff\xff\xff"sv).error(), HeadProblem::kBadLength);
  EXPECT_TRUE(read_client_head("Q\0\x01\0\0"sv));
  EXPECT_EQ(read_client_head("S\0\x01\0\0"sv).error(), HeadProblem::kBadLength);
  EXPECT_TRUE(read_server_head("Z\0\0\0\5"sv));
}

TEST(MessageHead, UnknownTypesAreToldFromTheirFirstByte) {
  EXPECT_EQ(read_client_head("G"sv).error(), HeadProblem::kUnknownType);  // GET / HTTP/1.1
  EXPECT_EQ(read_server_head("Q"sv).error(), HeadProblem::kUnknownType);
}

// --- Start-up packets

std::string startup(std::string_view body, uint32_t code = 3U << 16) {
  std::string out;
  append_u32(out, static_cast<uint32_t>(body.size() + 8));
  append_u32(out, code);
  return out.append(body);
}

TEST(Startup, ReadsUserDatabaseAndParameters) {
  const auto result =
      read_startup_packet(startup("user\0ann\0database\0shop\0application_name\0psql\0_pq_.x\0"
                                  "1\0\0"sv) +
                          "more");
  ASSERT_TRUE(result);
  const auto& request = std::get<StartupRequest>(result->packet);
  EXPECT_EQ(request.user, "ann");
  EXPECT_EQ(request.database, "shop");
  ASSERT_EQ(request.parameters.size(), 1u);
  EXPECT_EQ(request.parameters[0], std::pair("application_name"s, "psql"s));
  EXPECT_EQ(request.protocol_options, std::vector{"_pq_.x"s});
}

TEST(Startup, DatabaseIsTheUserWhereNoneIsNamed) {
  EXPECT_EQ(
      std::get<StartupRequest>(read_startup_packet(startup("user\0ann\0\0"sv))->packet).database,
      "ann");
}

TEST(Startup, EveryPrefixIsIncomplete) {
  const std::string packet = startup("user\0ann\0database\0shop\0\0"sv);
  for (size_t length = 0; length < packet.size(); ++length) {
    EXPECT_EQ(read_startup_packet(packet.substr(0, length)).error(), StartupProblem::kIncomplete)
        << length;
  }
}

TEST(Startup, RefusesWhatIsMalformed) {
  const auto problem = [](std::string_view body, uint32_t code = 3U << 16) {
    const auto result = read_startup_packet(startup(body, code));
    return result ? std::nullopt : std::optional(result.error());
  };
  EXPECT_EQ(problem("\0"sv), StartupProblem::kNoUser);
  EXPECT_EQ(problem("user\0\0\0"sv), StartupProblem::kNoUser);
  EXPECT_EQ(problem("user\0ann\0"sv), StartupProblem::kMalformed);  // no end
  EXPECT_EQ(problem("user\0ann\0\0more"sv), StartupProblem::kMalformed);
  EXPECT_EQ(problem("user\0ann\0user\0bob\0\0"sv), StartupProblem::kMalformed);
  EXPECT_EQ(problem("user\0ann\0a\0"
                    "1\0a\0"
                    "2\0\0"sv),
            StartupProblem::kMalformed);
  EXPECT_EQ(problem("user\0ann\0\0"sv, 2U << 16), StartupProblem::kUnsupportedVersion);
  EXPECT_EQ(problem("x"sv, (1234U << 16) | 5679U), StartupProblem::kBadLength);
  EXPECT_EQ(read_startup_packet("\0\0\x40\0"sv).error(), StartupProblem::kBadLength);
  EXPECT_EQ(read_startup_packet("\0\0\0\7"sv).error(), StartupProblem::kBadLength);
}

TEST(Startup, CancelRequestSurvivesTheRoundTrip) {
  std::string out;
  append_cancel_request(out, {0x01020304, 0xfffefdfc});
  const auto result = read_startup_packet(out);
  ASSERT_TRUE(result);
  const auto& request = std::get<CancelRequest>(result->packet);
  EXPECT_EQ(request.pid, 0x01020304u);
  EXPECT_EQ(request.secret, 0xfffefdfcu);
}

TEST(Startup, OptionsAreSplitAsPostgresqlDoes) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(*parse_startup_options(""), Pairs{});
  EXPECT_EQ(*parse_startup_options("-c a=1 -cb=2 --lock-timeout=3"),
            (Pairs{{"a", "1"}, {"b", "2"}, {"lock_timeout", "3"}}));
  EXPECT_EQ(*parse_startup_options(R"(-c search_path=a,\ b)"), (Pairs{{"search_path", "a, b"}}));
  for (const char* bad : {"-c", "-d 5", "-c a", "-c =1", "a=1", "--=1"})
    EXPECT_FALSE(parse_startup_options(bad)) << bad;
}

// --- Errors

TEST(SqlErrorMessage, SurvivesTheRoundTrip) {
  std::string out;
  append_error(out, {sqlstate::kProtocolViolation, "what", "do that", Severity::kFatal});
  const auto error = read_server_error(std::string_view(out).substr(kHeadLength));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->sqlstate, "08P01");
  EXPECT_EQ(error->message, "what");
  EXPECT_TRUE(error->is_fatal());
}

TEST(SqlErrorMessage, TextWithAZeroByteCannotForgeFields) {
  std::string out;
  append_error(out, {sqlstate::kProtocolViolation, "what\0C00000"s, ""});
  EXPECT_EQ(read_server_error(std::string_view(out).substr(kHeadLength))->sqlstate, "08P01");
}

TEST(SqlErrorMessage, MalformedOnesAreRefused) {
  EXPECT_FALSE(read_server_error(""));
  EXPECT_FALSE(read_server_error("C08P01\0"sv));  // no end
  EXPECT_FALSE(read_server_error("Mno code\0\0"sv));
  EXPECT_FALSE(read_server_error("C08P01\0\0more"sv));
}

// --- Extended protocol

TEST(ExtendedMessages, ParseBindAndOthersAreReadWholeOrNotAtAll) {
  const std::string parse = testing::parse("name", "select $1").substr(kHeadLength);
  EXPECT_EQ(read_parse(parse)->statement, "name");
  EXPECT_EQ(read_parse(parse)->query, "select $1");
  const std::string bind = testing::bind("p", "s", {"one", ""}).substr(kHeadLength);
  EXPECT_EQ(read_bind(bind)->values.size(), 2u);
  EXPECT_EQ(read_bind(bind)->values[0], "one");
  for (size_t length = 0; length < parse.size(); ++length)
    EXPECT_FALSE(read_parse(parse.substr(0, length))) << length;
  for (size_t length = 0; length < bind.size(); ++length)
    EXPECT_FALSE(read_bind(bind.substr(0, length))) << length;
  EXPECT_FALSE(read_parse(parse + "x"));
  EXPECT_FALSE(read_bind(bind + "x"));
}

// --- Outbox

TEST(Outbox, SendsEverythingInOrderHoweverItIsTaken) {
  SeededRandom random(7);
  for (int round = 0; round < 200; ++round) {
    const std::string source = random.alphanumeric(400);
    std::string expected;
    std::string sent;
    Outbox out;
    size_t at = 0;
    const auto take = [&](size_t most) {
      const std::string_view front = out.front();
      const size_t count = std::min(most, front.size());
      sent.append(front.substr(0, count));
      out.sent(count);
    };
    while (at < source.size()) {
      const size_t count = std::min<size_t>(source.size() - at, 1 + random.below(40));
      const std::string_view piece = std::string_view(source).substr(at, count);
      at += count;
      switch (random.below(4)) {
        case 0:
          out.tail().append(piece);
          expected.append(piece);
          break;
        case 1:
          break;  // passed over: what comes next is not adjacent
        default:
          out.relay(piece);
          expected.append(piece);
      }
      if (random.below(5) == 0) out.keep();
      if (random.below(3) == 0) take(random.below(60));
    }
    while (!out.empty()) take(1 + random.below(100));
    EXPECT_EQ(sent, expected);
  }
}

TEST(Outbox, AdjacentRunsAreOneSend) {
  const std::string source = "one two three";
  Outbox out;
  out.relay(std::string_view(source).substr(0, 3));
  out.relay(std::string_view(source).substr(3));
  EXPECT_EQ(out.front().data(), source.data());
  EXPECT_EQ(out.front(), source);
}

TEST(Outbox, KeptBytesSurviveTheirSource) {
  Outbox out;
  {
    const std::string source(100, 'x');
    out.relay(source);
    out.keep();
  }
  EXPECT_EQ(out.front(), std::string(100, 'x'));
}

}  // namespace
}  // namespace partywall::sql
