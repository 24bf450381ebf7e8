#include "http/message/head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/message/characters.h"

namespace partywall::http {
namespace {

using testing::HasSubstr;

ParseOutcome parse(std::string_view bytes, HeadLimits limits = {}) {
  RequestHead head;
  return parse_request_head(bytes, limits, head);
}

std::string with_field(std::string_view line) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(line) + "\r\n\r\n";
}

TEST(RequestHead, Rfc9112_3_GivesThePartsAsViewsIntoTheBytes) {
  const std::string bytes =
      "POST /a/b?c=d HTTP/1.1\r\nHost: example.com\r\nX-Empty:\r\nX-Blanks: \t a b \t\r\n\r\nbody";
  RequestHead head;
  ASSERT_EQ(parse_request_head(bytes, {}, head).status, ParseStatus::kComplete);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/a/b?c=d");
  EXPECT_EQ(head.version, Version::kHttp11);
  ASSERT_EQ(head.fields.size(), 3U);
  EXPECT_EQ(head.fields[0].kind, FieldKind::kHost);
  EXPECT_EQ(head.fields[0].value, "example.com");
  EXPECT_EQ(head.fields[1].value, "");
  EXPECT_EQ(head.fields[2].value, "a b");
  EXPECT_EQ(bytes.substr(head.size_bytes), "body");
  EXPECT_GE(head.method.data(), bytes.data());
}

TEST(RequestHead, Rfc9112_2_2_OneEmptyLineBeforeTheRequestIsPassedOver) {
  const std::string bytes = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
  RequestHead head;
  ASSERT_EQ(parse_request_head(bytes, {}, head).status, ParseStatus::kComplete);
  EXPECT_EQ(head.size_bytes, bytes.size());
  EXPECT_EQ(parse("\r\n" + bytes).status, ParseStatus::kInvalid);
}

TEST(RequestHead, Rfc9110_2_5_AHigherMinorVersionIsTakenAsOurs) {
  RequestHead head;
  ASSERT_EQ(parse_request_head("GET / HTTP/1.7\r\n\r\n", {}, head).status, ParseStatus::kComplete);
  EXPECT_EQ(head.version, Version::kHttp11);
  EXPECT_EQ(parse("GET / HTTP/2.0\r\n\r\n").fault.status, 505);
  EXPECT_EQ(parse("PRI * HTTP/2.0\r\n\r\n").fault.status, 505);
}

struct BadRequest {
  std::string bytes;
  uint16_t status;
  std::string_view reason;
};

class BadRequests : public testing::TestWithParam<BadRequest> {};

TEST_P(BadRequests, IsRefused) {
  const ParseOutcome outcome = parse(GetParam().bytes);
  ASSERT_EQ(outcome.status, ParseStatus::kInvalid);
  EXPECT_EQ(outcome.fault.status, GetParam().status);
  EXPECT_THAT(outcome.fault.reason, HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Rfc9112_2_2_Lines, BadRequests,
    testing::Values(BadRequest{"GET / HTTP/1.1\nHost: a\n\n", 400, "without CR"},
                    BadRequest{"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400, "without CR"},
                    BadRequest{"GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "without CR"},
                    BadRequest{with_field("X: a\rb"), 400, "illegal character"},
                    BadRequest{with_field("X: a\r"), 400, "illegal character"},
                    BadRequest{"\x16\x03\x01\x02", 400, "not an HTTP request"},
                    BadRequest{"\n", 400, "not an HTTP request"},
                    BadRequest{" GET / HTTP/1.1\r\n\r\n", 400, "not an HTTP request"}));

INSTANTIATE_TEST_SUITE_P(
    Rfc9112_3_RequestLine, BadRequests,
    testing::Values(BadRequest{"GET\r\n\r\n", 400, "request line"},
                    BadRequest{"GET /\r\n\r\n", 400, "request line"},
                    BadRequest{"GET  / HTTP/1.1\r\n\r\n", 400, "illegal character"},
                    BadRequest{"GET /  HTTP/1.1\r\n\r\n", 400, "version"},
                    BadRequest{"GET / HTTP/1.1 \r\n\r\n", 400, "version"},
                    BadRequest{"GET\t/ HTTP/1.1\r\n\r\n", 400, "request line"},
                    BadRequest{"G(T / HTTP/1.1\r\n\r\n", 400, "method"},
                    BadRequest{"GET /a#b HTTP/1.1\r\n\r\n", 400, "illegal character"},
                    BadRequest{"GET /a\"b HTTP/1.1\r\n\r\n", 400, "illegal character"},
                    BadRequest{"GET /a\x80 HTTP/1.1\r\n\r\n", 400, "illegal character"},
                    BadRequest{std::string("GET /a\0b HTTP/1.1\r\n\r\n", 22), 400, "illegal"},
                    BadRequest{"GET / http/1.1\r\n\r\n", 400, "version"},
                    BadRequest{"GET / HTTP/1.11\r\n\r\n", 400, "version"},
                    BadRequest{"GET / HTTP/11\r\n\r\n", 400, "version"},
                    BadRequest{"GET / HTTP/3.0\r\n\r\n", 505, "HTTP/1.1"},
                    BadRequest{"GET / HTTP/0.9\r\n\r\n", 505, "HTTP/1.1"}));

INSTANTIATE_TEST_SUITE_P(
    Rfc9112_5_Fields, BadRequests,
    testing::Values(BadRequest{with_field("X : a"), 400, "blank"},
                    BadRequest{with_field("X\t: a"), 400, "blank"},
                    BadRequest{with_field(" X: a"), 400, "folded"},
                    BadRequest{with_field("X: a\r\n b"), 400, "folded"},
                    BadRequest{with_field("X: a\r\n\tb"), 400, "folded"},
                    BadRequest{with_field("X Y: a"), 400, "blank"},
                    BadRequest{with_field("no colon"), 400, "blank"},
                    BadRequest{with_field("nocolon"), 400, "no colon"},
                    BadRequest{with_field(": a"), 400, "no name"},
                    BadRequest{with_field("X(: a"), 400, "illegal character"},
                    BadRequest{with_field("X\x80: a"), 400, "illegal character"},
                    BadRequest{with_field(std::string("X: a\0b", 6)), 400, "illegal character"},
                    BadRequest{with_field(std::string("X\0: ab", 6)), 400, "illegal character"},
                    BadRequest{with_field("X: a\x7F"), 400, "illegal character"},
                    BadRequest{with_field("X: a\x01"), 400, "illegal character"}));

TEST(RequestHead, LimitsAreExact) {
  const std::string bytes = with_field("X: " + std::string(100, 'a'));
  EXPECT_EQ(parse(bytes, {.max_bytes = bytes.size()}).status, ParseStatus::kComplete);
  EXPECT_EQ(parse(bytes, {.max_bytes = bytes.size() - 1}).fault.status, 431);
  EXPECT_EQ(parse(bytes, {.max_fields = 2}).status, ParseStatus::kComplete);
  EXPECT_EQ(parse(bytes, {.max_fields = 1}).fault.status, 431);
  EXPECT_EQ(parse(bytes, {.max_target_bytes = 1}).status, ParseStatus::kComplete);
  EXPECT_EQ(parse("GET /a HTTP/1.1\r\n\r\n", {.max_target_bytes = 1}).fault.status, 414);
}

TEST(RequestHead, AnEndlessLineIsRefusedWithoutItsEnd) {
  EXPECT_EQ(parse("GET /" + std::string(200, 'a'), {.max_bytes = 100}).fault.status, 414);
  EXPECT_EQ(parse("GET / HTTP/1.1\r\nX: " + std::string(200, 'a'), {.max_bytes = 100}).fault.status,
            431);
}

// However the bytes are cut: nothing is complete before its end, and no whole is judged differently
// from its first part.
TEST(RequestHead, EveryPrefixWaitsForMoreOrIsRefusedAsTheWholeIs) {
  const std::string good = "\r\n" + with_field("Content-Length: 5");
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_EQ(parse(std::string_view(good).substr(0, length)).status, ParseStatus::kNeedMore)
        << length;
  }
  const std::string bad = with_field("X : a");
  for (size_t length = 0; length <= bad.size(); ++length) {
    const auto outcome = parse(std::string_view(bad).substr(0, length));
    if (outcome.status == ParseStatus::kInvalid) {
      EXPECT_EQ(outcome.fault.reason, parse(bad).fault.reason);
    }
    EXPECT_NE(outcome.status, ParseStatus::kComplete);
  }
}

TEST(ResponseHead, Rfc9112_4_StatusLine) {
  ResponseHead head;
  const std::string bytes = "HTTP/1.0 404 Not  Found\r\nServer: x\r\n\r\nrest";
  ASSERT_EQ(parse_response_head(bytes, {}, head).status, ParseStatus::kComplete);
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "Not  Found");
  EXPECT_EQ(head.version, Version::kHttp10);
  EXPECT_EQ(bytes.substr(head.size_bytes), "rest");
  for (const std::string_view line : {"HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 200 \xC3\xA9"}) {
    EXPECT_EQ(parse_response_head(std::string(line) + "\r\n\r\n", {}, head).status,
              ParseStatus::kComplete)
        << line;
  }
  for (const std::string_view line :
       {"HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1  200", "HTTP/1.1 2x0", "HTTP/1.1 099",
        "HTTP/1.1 600", "HTTP/2 200 OK", "ICY 200 OK", "HTTP/1.1 200\tOK", "HTTP/1.1 200 a\x01"}) {
    EXPECT_EQ(parse_response_head(std::string(line) + "\r\n\r\n", {}, head).status,
              ParseStatus::kInvalid)
        << line;
  }
}

TEST(ResponseHead, EveryPrefixWaitsForMore) {
  ResponseHead head;
  const std::string bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(parse_response_head(std::string_view(bytes).substr(0, length), {}, head).status,
              ParseStatus::kNeedMore);
  }
}

struct NamedKind {
  std::string_view name;
  FieldKind kind;
};

class FieldKinds : public testing::TestWithParam<NamedKind> {};

TEST_P(FieldKinds, IsFound) { EXPECT_EQ(kind_of_field(GetParam().name), GetParam().kind); }

INSTANTIATE_TEST_SUITE_P(
    All, FieldKinds,
    testing::Values(NamedKind{"Host", FieldKind::kHost}, NamedKind{"HOST", FieldKind::kHost},
                    NamedKind{"hosts", FieldKind::kOther}, NamedKind{"te", FieldKind::kHopByHop},
                    NamedKind{"Transfer-Encoding", FieldKind::kTransferEncoding},
                    NamedKind{"Transfer_Encoding", FieldKind::kHopByHop},
                    NamedKind{"content_length", FieldKind::kHopByHop},
                    NamedKind{"Content.Length", FieldKind::kHopByHop},
                    NamedKind{"X-Tenant-Id", FieldKind::kTenant},
                    NamedKind{"x_tenant_id", FieldKind::kTenant},
                    NamedKind{"X-Tenant_Slug", FieldKind::kTenant},
                    NamedKind{"X.Tenant.Anything", FieldKind::kTenant},
                    NamedKind{"X-Tenant", FieldKind::kTenant},
                    NamedKind{"X-Tenants", FieldKind::kOther},
                    NamedKind{"X-Partywall-Context", FieldKind::kPartywall},
                    NamedKind{"X_PARTYWALL_CONTEXT", FieldKind::kPartywall},
                    NamedKind{"X-Forwarded-For", FieldKind::kForwarded},
                    NamedKind{"x_forwarded_host", FieldKind::kForwarded},
                    NamedKind{"Forwarded", FieldKind::kForwarded},
                    NamedKind{"X-Real-IP", FieldKind::kForwarded},
                    NamedKind{"X-Request-ID", FieldKind::kRequestId},
                    NamedKind{"X_Request_Id", FieldKind::kRequestId},
                    NamedKind{"X-Requested-With", FieldKind::kOther},
                    NamedKind{"Accept", FieldKind::kOther}, NamedKind{"~", FieldKind::kOther}));

// A value is looked at eight bytes a step: each byte counts at each place.
TEST(FieldValue, EveryByteIsLookedAt) {
  for (int c = 0; c < 256; ++c) {
    const bool allowed = (c >= 0x20 && c != 0x7F) || c == '\t';
    for (size_t length = 1; length < 20; ++length) {
      for (size_t at = 0; at < length; ++at) {
        std::string value(length, '\x80');
        value[at] = static_cast<char>(c);
        ASSERT_EQ(is_field_value(value), allowed) << c << " at " << at << " of " << length;
      }
    }
  }
}

}  // namespace
}  // namespace partywall::http
