// One request through the whole door, in memory: who the tenant is, what the application is told,
// and what the client is answered.
#include <gmock/gmock.h>

#include "base/json.h"
#include "http/door_fixture.h"
#include "identity/context_token.h"

namespace partywall::http {
namespace {

using test::DoorFixture;
using test::SeenRequest;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class DoorTest : public DoorFixture {
 protected:
  std::vector<SeenRequest> seen() {
    std::vector<SeenRequest> all = app1.requests;
    all.insert(all.end(), app2.requests.begin(), app2.requests.end());
    return all;
  }
  SeenRequest only_request() {
    const auto all = seen();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? SeenRequest() : all.front();
  }
  uint64_t meter(std::string_view slug, HttpMeter what) {
    for (const Tenant& tenant : data.tenants) {
      if (tenant.slug == slug) return door->metrics().tenants.value(tenant.number, what);
    }
    return 0;
  }
};

TEST_F(DoorTest, ARequestReachesTheApplicationWithItsTenant) {
  const std::string response = exchange(get("/api/products?x=1", "acme"));
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, EndsWith("\r\n\r\nok"));
  EXPECT_THAT(response, HasSubstr("\r\nRateLimit-Policy: \"api\";q=100;w=60\r\n"));
  EXPECT_THAT(response, HasSubstr("\r\nRateLimit: \"api\";r=9;t="));
  const SeenRequest request = only_request();
  EXPECT_EQ(request.line, "GET /api/products?x=1");
  EXPECT_EQ(request.field("Host"), "shop.test");
  EXPECT_EQ(request.field("X-Tenant-Slug"), "acme");
  EXPECT_EQ(request.field("X-Tenant-Tier"), "free");
  EXPECT_EQ(request.field("X-Tenant-Id"), data.tenants[0].id.value().to_string());
  EXPECT_EQ(request.field("X-Forwarded-For"), "192.0.2.7");
  EXPECT_EQ(request.field("X-Forwarded-Host"), "shop.test");
  EXPECT_EQ(request.field("X-Forwarded-Proto"), "http");
  EXPECT_EQ(request.field("Forwarded"), "for=192.0.2.7;host=shop.test;proto=http");
  EXPECT_EQ(request.field("Via"), "1.1 partywall");
  EXPECT_THAT(response, HasSubstr("\r\nX-Request-Id: " + request.field("X-Request-Id") + "\r\n"));
}

TEST_F(DoorTest, TheContextTokenSaysTenantAndRequest) {
  exchange(get("/api/x", "globex"));
  const SeenRequest request = only_request();
  const auto context = verify_context(request.field("X-Partywall-Context"), data.context_keys,
                                      Audience::kSql, loop.time().wall());
  ASSERT_TRUE(context) << context.error().message;
  EXPECT_EQ(context->tenant, data.tenants[1].id);
  EXPECT_EQ(context->request_id.to_string(), request.field("X-Request-Id"));
  EXPECT_EQ(context->expires_at - context->issued_at, seconds(60));
}

TEST_F(DoorTest, WhatTheClientSaysAboutTenantsNeverReachesTheApplication) {
  const std::string lies =
      "X-Tenant-Id: evil\r\nx_tenant_id: evil\r\nX-Tenant_Slug: evil\r\nX.Tenant.Tier: evil\r\n"
      "X-Tenant: evil\r\nX-Tenant-Role: evil\r\nX-Partywall-Context: evil\r\n"
      "X_PARTYWALL_CONTEXT: evil\r\nX-Request-Id: evil\r\nX_Request_Id: evil\r\n"
      "X-Forwarded-For: evil\r\nX_Forwarded_For: evil\r\nForwarded: for=evil\r\n"
      "X-Forwarded-Host: evil\r\nX-Real-Ip: evil\r\nProxy-Authorization: evil\r\n"
      "Connection: X-Nominated, X-Tenant-Id\r\nX-Nominated: evil\r\nKeep-Alive: evil\r\n"
      "TE: evil\r\nTrailer: evil\r\nContent_Length: evil\r\nUpgrade: evil\r\n"
      "X-Harmless: good\r\nCookie: good\r\n";
  EXPECT_THAT(exchange(get("/api/x", "acme", lies)), StartsWith("HTTP/1.1 200"));
  const SeenRequest request = only_request();
  for (const auto& [name, value] : request.fields) EXPECT_NE(value, "evil") << name;
  EXPECT_EQ(request.field("X-Tenant-Slug"), "acme");
  EXPECT_EQ(request.field("X-Harmless"), "good");
  EXPECT_EQ(request.field("Cookie"), "good");
}

TEST_F(DoorTest, ARequestSmuggledInTrailersIsDropped) {
  exchange("POST /api/x HTTP/1.1\r\nHost: a\r\n" + bearer("acme") +
           "Transfer-Encoding: chunked\r\n\r\n"
           "3\r\nabc\r\n0\r\nX-Tenant-Id: evil\r\nX-Ok: good\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(only_request().body, "abc");
  EXPECT_EQ(only_request().field("X-Tenant-Slug"), "acme");
}

TEST_F(DoorTest, AuthorizationIsPassedOnOrStripped) {
  exchange(get("/api/x", "acme"));
  EXPECT_THAT(seen().back().field("Authorization"), StartsWith("Bearer "));
  settings.authorization = AuthorizationPolicy::kStrip;
  restart_door();
  app1.requests.clear();
  app2.requests.clear();
  exchange(get("/api/x", "acme"));
  EXPECT_EQ(only_request().field("Authorization"), "(none)");
}

TEST_F(DoorTest, ATrustedProxySpeaksForItsClients) {
  settings.trusted_proxies = {*AddressBlock::parse("192.0.2.0/24")};
  restart_door();
  exchange(get("/api/x", "acme",
               "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: https\r\n"
               "X-Forwarded-Host: shop.example\r\nForwarded: for=198.51.100.1\r\n"));
  const SeenRequest request = only_request();
  EXPECT_EQ(request.field("X-Forwarded-For"), "198.51.100.1, 192.0.2.7");
  EXPECT_EQ(request.field("X-Forwarded-Proto"), "https");
  EXPECT_EQ(request.field("X-Forwarded-Host"), "shop.example");
  EXPECT_EQ(request.field("Forwarded"),
            "for=198.51.100.1, for=192.0.2.7;host=shop.test;proto=http");
}

TEST_F(DoorTest, APublicRouteNeedsNoTokenAndGetsNoTenant) {
  EXPECT_THAT(exchange("GET /public/logo HTTP/1.1\r\nHost: a\r\nX-Tenant-Id: evil\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
  const SeenRequest request = only_request();
  EXPECT_EQ(request.field("X-Tenant-Id"), "(none)");
  EXPECT_EQ(request.field("X-Partywall-Context"), "(none)");
}

TEST_F(DoorTest, NoSpellingOfAPathReachesTheRulesOfAnother) {
  for (const std::string_view path :
       {"/public/../api/x", "/public/%2e%2e/api/x", "/public%2f..%2fapi/x", "/public/..;/api/x"}) {
    EXPECT_THAT(exchange(fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", path)),
                StartsWith("HTTP/1.1 400"))
        << path;
  }
  for (const std::string_view path : {"/%61pi/x", "//api/x", "/api%2Fx"}) {
    EXPECT_THAT(exchange(fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", path)),
                StartsWith("HTTP/1.1 401"))
        << path;
  }
  EXPECT_TRUE(seen().empty());
}

TEST_F(DoorTest, TokensThatAreNotAccepted) {
  const std::string good = token("acme");
  std::string forged = good;
  forged[forged.size() - 5] = forged[forged.size() - 5] == 'A' ? 'B' : 'A';
  const auto with = [](std::string_view authorization) {
    return fmt::format("GET /api/x HTTP/1.1\r\nHost: a\r\n{}\r\n", authorization);
  };
  EXPECT_THAT(exchange(with("")), AllOf(StartsWith("HTTP/1.1 401"), HasSubstr("token-missing"),
                                        HasSubstr("WWW-Authenticate: Bearer")));
  EXPECT_THAT(exchange(with("Authorization: Basic YTpi\r\n")), HasSubstr("token-missing"));
  EXPECT_THAT(exchange(with("Authorization: Bearer\r\n")), HasSubstr("token-missing"));
  EXPECT_THAT(exchange(with("Authorization: Bearer " + forged + "\r\n")),
              AllOf(StartsWith("HTTP/1.1 401"), HasSubstr("token-invalid"),
                    HasSubstr("error=\"invalid_token\"")));
  EXPECT_THAT(exchange(with("Authorization: Bearer " + good + "\r\nAuthorization: Bearer " + good +
                            "\r\n")),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(exchange(with(bearer("nobody"))),
              AllOf(StartsWith("HTTP/1.1 403"), HasSubstr("tenant-unknown")));
  EXPECT_THAT(exchange(with("Authorization: bearer " + good + "\r\n")), StartsWith("HTTP/1.1 200"));
  const WallTime now = loop.time().wall();
  const std::string brief = issuer.sign(
      {.tenant = "acme", .subject = "user", .issued_at = now, .expires_at = now + seconds(10)});
  loop.advance(minutes(3));
  EXPECT_THAT(exchange(with("Authorization: Bearer " + brief + "\r\n")),
              AllOf(StartsWith("HTTP/1.1 401"), HasSubstr("token-invalid")));
  EXPECT_EQ(seen().size(), 1U);
}

TEST_F(DoorTest, TheStatusOfTheTenantCountsAtOnce) {
  const auto post = [&] {
    return exchange("POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n" + bearer("acme") +
                    "\r\nhi");
  };
  EXPECT_THAT(post(), StartsWith("HTTP/1.1 200"));
  data.tenants[0].status = TenantStatus::kReadOnly;
  publish();
  EXPECT_THAT(post(), AllOf(StartsWith("HTTP/1.1 403"), HasSubstr("tenant-read-only")));
  EXPECT_THAT(exchange(get("/api/x", "acme")), StartsWith("HTTP/1.1 200"));
  data.tenants[0].status = TenantStatus::kSuspended;
  publish();
  EXPECT_THAT(exchange(get("/api/x", "acme")),
              AllOf(StartsWith("HTTP/1.1 403"), HasSubstr("tenant-suspended")));
  EXPECT_THAT(exchange(get("/api/x", "globex")), StartsWith("HTTP/1.1 200"));
}

TEST_F(DoorTest, OverItsRateATenantGets429AndItsNeighbourDoesNot) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(exchange(get("/api/x", "acme")), StartsWith("HTTP/1.1 200")) << i;
  }
  const std::string refused = exchange(get("/api/x", "acme"));
  EXPECT_THAT(refused, AllOf(StartsWith("HTTP/1.1 429 Too Many Requests\r\n"),
                             HasSubstr("\r\nRetry-After: 1\r\n"), HasSubstr("r=0;"),
                             HasSubstr("urn:partywall:problem:rate-limited")));
  EXPECT_THAT(exchange(get("/api/x", "globex")), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(meter("acme", HttpMeter::kRequests), 11U);
  EXPECT_EQ(meter("acme", HttpMeter::kThrottled), 1U);
  EXPECT_EQ(meter("globex", HttpMeter::kThrottled), 0U);
  advance(seconds(1));
  EXPECT_THAT(exchange(get("/api/x", "acme")), StartsWith("HTTP/1.1 200"));
}

TEST_F(DoorTest, ConcurrentRequestsAreBounded) {
  app1.answer = app2.answer = nullptr;
  std::vector<test::ByHand*> waiting;
  for (int i = 0; i < 10; ++i) {
    waiting.push_back(&connect());
    waiting.back()->send(get("/api/x", "acme"));
  }
  settle();
  EXPECT_THAT(exchange(get("/api/x", "acme")),
              AllOf(StartsWith("HTTP/1.1 429"), HasSubstr("too-many-concurrent-requests"),
                    HasSubstr("Retry-After: 1")));
  EXPECT_EQ(states.of(data.tenants[0].number).http_requests.in_use(), 10U);
  // A client that goes away gives its place back.
  waiting[0]->stream->close();
  settle();
  EXPECT_EQ(states.of(data.tenants[0].number).http_requests.in_use(), 9U);
  for (auto* client : waiting) client->stream->close();
  settle();
  EXPECT_EQ(states.of(data.tenants[0].number).http_requests.in_use(), 0U);
}

TEST_F(DoorTest, ProblemsAreJsonDocuments) {
  const std::string response = exchange(get("/nowhere", "acme"));
  EXPECT_THAT(response, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(response, HasSubstr("\r\nContent-Type: application/problem+json\r\n"));
  EXPECT_THAT(response, HasSubstr("\r\nCache-Control: no-store\r\n"));
  EXPECT_THAT(response, HasSubstr("\r\nDate: "));
  const size_t body = response.find("\r\n\r\n") + 4;
  EXPECT_THAT(response,
              HasSubstr(fmt::format("\r\nContent-Length: {}\r\n", response.size() - body)));
  const auto document = JsonValue::parse(response.substr(body));
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_EQ(*document->find_string("type"), "urn:partywall:problem:route-not-found");
  EXPECT_EQ(document->find("status")->as_int64(), 404);
  EXPECT_NE(*document->find_string("detail"), "");
  EXPECT_THAT(response, HasSubstr("X-Request-Id: " + *document->find_string("request_id")));
}

TEST_F(DoorTest, TheAnswerToHeadHasNoBody) {
  const std::string response = exchange("HEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(response, AllOf(StartsWith("HTTP/1.1 404"), EndsWith("\r\n\r\n")));
}

TEST_F(DoorTest, MethodsThatAreNotOffered) {
  for (const std::string_view line : {"CONNECT a:80 HTTP/1.1", "TRACE /api HTTP/1.1"}) {
    const std::string response =
        exchange(fmt::format("{}\r\nHost: a\r\n{}\r\n", line, bearer("acme")));
    EXPECT_THAT(response, testing::ContainsRegex("^HTTP/1.1 (400|501)")) << line;
  }
  EXPECT_TRUE(seen().empty());
}

TEST_F(DoorTest, WithoutAHealthyInstanceThereIs503) {
  set_health(Health::kDown);
  EXPECT_THAT(exchange(get("/api/x", "acme")),
              AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("no-instance")));
  EXPECT_EQ(meter("acme", HttpMeter::kServerErrors), 1U);
}

TEST_F(DoorTest, BytesAndDurationsAreCounted) {
  const std::string request = get("/api/x", "acme");
  const std::string response = exchange(request);
  EXPECT_EQ(meter("acme", HttpMeter::kReceivedBytes), request.size());
  EXPECT_EQ(meter("acme", HttpMeter::kSentBytes), response.size());
  std::map<std::string, Histogram, std::less<>> durations;
  door->metrics().add_durations(durations);
  EXPECT_EQ(durations["free"].bucket(0), 1U);
}

}  // namespace
}  // namespace partywall::http
