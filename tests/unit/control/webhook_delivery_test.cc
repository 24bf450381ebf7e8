#include "control/webhook_delivery.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/crypto.h"

namespace partywall::control {
namespace {

using Next = DeliveryOutcome::Next;

constexpr WallTime kNow{milliseconds(1'764'277'200'500)};

store::WebhookRecord example_webhook() {
  return {.name = "billing",
          .url = "https://billing.example.com/hook",
          .secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")};
}

store::Event example_event() {
  return {.id = 4711,
          .at = kNow,
          .type = "tenant.suspended",
          .tenant = TenantId(Uuid::from_halves(1, 2)),
          .subject = "acme",
          .actor = "token ops",
          .data = JsonValue(JsonObject{{"reason", JsonValue(std::string("unpaid"))}})};
}

std::string header_of(const fetch::Request& request, std::string_view name) {
  for (const auto& [known, value] : request.headers) {
    if (known == name) return value;
  }
  return "";
}

TEST(WebhookSignatureTest, IsThatOfTheStandardsOwnExample) {
  // From the specification of Standard Webhooks.
  const std::string key = base64_decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value();
  EXPECT_EQ(base64_encode(as_bytes(hmac_sha256(
                key, "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}"))),
            "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookRequestTest, CarriesTheEventAndASignatureOverAllOfIt) {
  const fetch::Request request = to_request(example_webhook(), example_event(), "inc", kNow);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(header_of(request, "webhook-id"), "inc-4711");
  EXPECT_EQ(header_of(request, "webhook-timestamp"), "1764277200");
  const auto body = JsonValue::parse(request.body);
  ASSERT_TRUE(body) << request.body;
  EXPECT_EQ(*body->find_string("specversion"), "1.0");
  EXPECT_EQ(*body->find_string("id"), "inc-4711");
  EXPECT_EQ(*body->find_string("type"), "partywall.tenant.suspended");
  EXPECT_EQ(*body->find_string("subject"), "acme");
  EXPECT_EQ(*body->find("data")->find("details")->find_string("reason"), "unpaid");
  const std::string key = base64_decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value();
  EXPECT_EQ(
      header_of(request, "webhook-signature"),
      "v1," + base64_encode(as_bytes(hmac_sha256(key, "inc-4711.1764277200." + request.body))));
}

TEST(WebhookRequestTest, ASecretThatWasReplacedSignsToo) {
  store::WebhookRecord webhook = example_webhook();
  SeededRandom random(1);
  const Secret fresh = make_webhook_secret(random);
  webhook.former_secret = std::exchange(webhook.secret, fresh);
  const auto both =
      header_of(to_request(webhook, example_event(), "inc", kNow), "webhook-signature");
  const auto former =
      header_of(to_request(example_webhook(), example_event(), "inc", kNow), "webhook-signature");
  EXPECT_TRUE(both.ends_with(" " + former)) << both;
  EXPECT_NE(both.substr(0, both.find(' ')), former);
}

TEST(WebhookFilterTest, TakesTypesWithAllOfTheirKindAndOneTenant) {
  store::WebhookRecord webhook = example_webhook();
  const store::Event event = example_event();
  EXPECT_TRUE(is_for(webhook, event));
  webhook.types = {"usage", "tenant"};
  EXPECT_TRUE(is_for(webhook, event));
  webhook.types = {"tenant.suspended"};
  EXPECT_TRUE(is_for(webhook, event));
  webhook.types = {"ten", "tenant.suspend"};
  EXPECT_FALSE(is_for(webhook, event));
  webhook.types = {};
  webhook.tenant = TenantId(Uuid::from_halves(1, 3));
  EXPECT_FALSE(is_for(webhook, event));
  store::Event of_nobody = event;
  of_nobody.tenant.reset();
  EXPECT_FALSE(is_for(webhook, of_nobody)) << "a tenant's webhook hears of the tenant only";
}

TEST(WebhookUrlTest, IsHttpsOrALoopbackAddress) {
  for (const char* url : {"https://a.example", "https://a.example:8443/x?y=z",
                          "http://127.0.0.1:80/", "http://[::1]:9/x", "https://[2001:db8::1]/"})
    EXPECT_TRUE(check_webhook_url(url)) << url;
  for (const char* url : {"", "a.example", "ftp://a.example", "http://a.example", "https://",
                          "https://user:secret@a.example", "http://127.0.0.1@a.example/",
                          "http://127.0.0.1.a.example/", "https://a.example/\r\nX: y", "https:///x",
                          "http://localhost/"})
    EXPECT_FALSE(check_webhook_url(url)) << url;
}

TEST(WebhookOutcomeTest, TwoHundredsAreDelivered) {
  SeededRandom random(1);
  for (const int status : {200, 202, 204, 299})
    EXPECT_EQ(
        judge_delivery(example_webhook(), fetch::Response{.status = status}, kNow, random).next,
        Next::kDelivered);
}

TEST(WebhookOutcomeTest, EverythingElseIsTriedAgainLaterEachTime) {
  SeededRandom random(1);
  store::WebhookRecord webhook = example_webhook();
  Duration longest{};
  for (webhook.attempts = 0; webhook.attempts < 20; ++webhook.attempts) {
    const int status = std::array{301, 400, 404, 429, 500, 503}[webhook.attempts % 6];
    const auto outcome = judge_delivery(webhook, fetch::Response{.status = status}, kNow, random);
    EXPECT_EQ(outcome.next, Next::kTryAgain);
    EXPECT_TRUE(outcome.message.contains(std::to_string(status)));
    EXPECT_LE(outcome.pause, kWebhookBackoff.longest);
    longest = std::max(longest, outcome.pause);
  }
  EXPECT_GE(longest, kWebhookBackoff.longest / 2);
  const auto unreachable =
      judge_delivery(webhook, fail(ErrorKind::kUnavailable, "connection refused"), kNow, random);
  EXPECT_EQ(unreachable.next, Next::kTryAgain);
  EXPECT_EQ(unreachable.message, "connection refused");
}

TEST(WebhookOutcomeTest, OneThatIsGoneOrFailsForThreeDaysIsPaused) {
  SeededRandom random(1);
  store::WebhookRecord webhook = example_webhook();
  EXPECT_EQ(judge_delivery(webhook, fetch::Response{.status = 410}, kNow, random).next,
            Next::kPause);
  webhook.failing_since =
      kNow - std::chrono::duration_cast<milliseconds>(kWebhookGivesUpAfter) + seconds(1);
  EXPECT_EQ(judge_delivery(webhook, fetch::Response{.status = 500}, kNow, random).next,
            Next::kTryAgain);
  webhook.failing_since = *webhook.failing_since - seconds(1);
  EXPECT_EQ(judge_delivery(webhook, fetch::Response{.status = 500}, kNow, random).next,
            Next::kPause);
  EXPECT_EQ(judge_delivery(webhook, fetch::Response{.status = 200}, kNow, random).next,
            Next::kDelivered);
}

}  // namespace
}  // namespace partywall::control
