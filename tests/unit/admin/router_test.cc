#include "admin/router.h"

#include <gmock/gmock.h>

namespace partywall::admin {
namespace {

using ::testing::ElementsAre;

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    for (const char* pattern : {"/v1/tenants", "/v1/tenants/{tenant}", "/v1/tenants/self",
                                "/v1/tenants/{tenant}/limits/{term}"}) {
      router.add("GET", pattern, [pattern](const Request&) { return Response{.body = pattern}; });
    }
    router.add("DELETE", "/v1/tenants/{tenant}", [](const Request&) { return Response{}; });
  }

  Request ask(std::string path, std::string method = "GET") {
    Request request{.method = std::move(method), .path = path, .raw_path = std::move(path)};
    answer = router.handle(request);
    return request;
  }

  Router router;
  Response answer;
};

TEST_F(RouterTest, ParametersAreWholeSegments) {
  EXPECT_THAT(ask("/v1/tenants/acme/limits/weight").parameters, ElementsAre("acme", "weight"));
  EXPECT_EQ(answer.body, "/v1/tenants/{tenant}/limits/{term}");
}

TEST_F(RouterTest, ALiteralIsNearerThanAParameter) {
  ask("/v1/tenants/self");
  EXPECT_EQ(answer.body, "/v1/tenants/self");
}

TEST_F(RouterTest, AnEncodedSlashSeparatesNothing) {
  EXPECT_THAT(ask("/v1/tenants/acme%2Flimits%2Fweight").parameters,
              ElementsAre("acme/limits/weight"));
  EXPECT_EQ(answer.body, "/v1/tenants/{tenant}");
}

TEST_F(RouterTest, EmptySegmentsAndControlCharactersAreNoNames) {
  for (const char* path : {"/v1/tenants/", "/v1//tenants", "/v1/tenants/%00", "/v1/tenants/a%0Ab",
                           "/v1/tenants/%", "/v1/tenants/%4", "v1/tenants", ""}) {
    ask(path);
    EXPECT_EQ(answer.status, 404) << path;
  }
}

TEST_F(RouterTest, OtherMethodsAreNamed) {
  ask("/v1/tenants/acme", "PUT");
  EXPECT_EQ(answer.status, 405);
  EXPECT_THAT(answer.headers,
              ElementsAre(std::pair<std::string, std::string>("Allow", "GET, DELETE")));
  ask("/v1/tenants", "HEAD");
  EXPECT_EQ(answer.status, 200);
}

TEST(DecodeSegment, TakesWholeEscapesOnly) {
  EXPECT_EQ(decode_segment("a%20b"), "a b");
  EXPECT_EQ(decode_segment("%c3%A4"), "\xC3\xA4");
  EXPECT_EQ(decode_segment("%zz"), std::nullopt);
  EXPECT_EQ(decode_segment("%7f"), std::nullopt);
}

}  // namespace
}  // namespace partywall::admin
