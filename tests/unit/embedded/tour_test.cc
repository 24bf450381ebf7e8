#include <cstdio>

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/json.h"
#include "embedded/run_record.h"
#include "embedded/tour/report.h"
#include "embedded/tour/visitor.h"
#include "identity/dev_issuer.h"
#include "identity/jwt.h"
#include "support/temporary_directory.h"

namespace partywall::embedded {
namespace {

TEST(TourReport, CountsWhatDidNotGoAsPromised) {
  const TemporaryDirectory directory;
  std::FILE* out = std::fopen(directory.file("out").c_str(), "w");
  TourReport report(out);
  report.heading("A step");
  EXPECT_TRUE(report.saw(true, "{} of {}", 1, 2));
  EXPECT_FALSE(report.saw(false, "something else"));
  std::fclose(out);
  EXPECT_EQ(report.shown(), 2);
  EXPECT_EQ(report.failures(), 1);
  EXPECT_EQ(read_file(directory.file("out")),
            "\n1. A step\n   ok     1 of 2\n   FAILED something else\n");
}

TEST(ForgedToken, DiffersInItsClaimsOnlyAndIsRefused) {
  const DevIssuer issuer = DevIssuer::generate("https://a", "b");
  const WallTime now{seconds(1'800'000'000)};
  const std::string token = issuer.sign(
      {.tenant = "acme", .subject = "s", .issued_at = now, .expires_at = now + hours(1)});
  const std::string forged = with_claim_of(token, "acme", "globex");
  ASSERT_FALSE(forged.empty());
  const auto part = [](const std::string& text, int index) {
    const size_t first = text.find('.');
    const size_t second = text.rfind('.');
    return index == 0   ? text.substr(0, first)
           : index == 1 ? text.substr(first + 1, second - first - 1)
                        : text.substr(second + 1);
  };
  EXPECT_EQ(part(forged, 0), part(token, 0));
  EXPECT_EQ(part(forged, 2), part(token, 2));
  EXPECT_NE(base64url_decode(part(forged, 1))->find("globex"), std::string::npos);
  const auto verifier = *JwtVerifier::create({issuer.trusted()});
  EXPECT_TRUE(verifier->verify(token, now));
  EXPECT_FALSE(verifier->verify(forged, now));
  EXPECT_EQ(with_claim_of(token, "initech", "globex"), "") << "nothing to replace";
  EXPECT_EQ(with_claim_of("no token", "a", "b"), "");
}

TEST(RunRecord, IsOneJsonObjectThatNamesEachTenant) {
  RunRecord record{.data_directory = "/data", .http = {"127.0.0.1", 8080}};
  record.tenants = {
      {.tenant = {.slug = "acme", .tier = "free", .sql_password = Secret("p")}, .token = "a.b.c"}};
  record.instances = {
      {.id = fleet::InstanceId("shop-1"), .endpoint = {"127.0.0.1", 4001}, .process_id = 17}};
  const auto json = JsonValue::parse(write_run_record(record));
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(*json->find("http")->find("port")->as_int64(), 8080);
  EXPECT_EQ(*json->find("tenants")->find("acme")->find_string("token"), "a.b.c");
  EXPECT_EQ(*json->find("instances")->as_array()->front().find("pid")->as_int64(), 17);
  const std::string text = describe_run(record);
  EXPECT_NE(text.find("curl -H 'Authorization: Bearer a.b.c' http://127.0.0.1:8080/api/products"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace partywall::embedded
