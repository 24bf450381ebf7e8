#include "control/webhook_delivery.h"

#include <algorithm>

#include "base/address_block.h"
#include "base/base64.h"
#include "base/crypto.h"
#include "base/json_writer.h"
#include "base/rfc3339.h"

namespace partywall::control {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr size_t kSecretBytes = 32;
constexpr size_t kMostAnswerBytes = size_t{1} << 20;
constexpr int kGone = 410;

std::string id_of(const store::Event& event, std::string_view incarnation) {
  return fmt::format("{}-{}", incarnation, event.id);
}

std::string signature(const Secret& secret, std::string_view signed_text) {
  const auto key = base64_decode(secret.reveal().substr(kSecretPrefix.size()));
  return "v1," + base64_encode(as_bytes(hmac_sha256(key.value(), signed_text)));
}

// The host of http://host:port/path; empty where there is none.
std::string_view host_of(std::string_view url) {
  std::string_view rest = url.substr(url.find("://") + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (rest.contains('@')) return {};
  if (rest.starts_with('[')) {
    const size_t end = rest.find(']');
    return end == std::string_view::npos ? std::string_view() : rest.substr(1, end - 1);
  }
  return rest.substr(0, rest.find(':'));
}

}  // namespace

Secret make_webhook_secret(Random& random) {
  std::array<uint8_t, kSecretBytes> bytes{};
  random.fill(bytes);
  return Secret(std::string(kSecretPrefix) +
                base64_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

Result<> check_webhook_url(std::string_view url) {
  const bool is_https = url.starts_with("https://");
  if (!is_https && !url.starts_with("http://"))
    return fail(ErrorKind::kInvalid, "url must begin with https://");
  const std::string_view host = host_of(url);
  if (host.empty())
    return fail(ErrorKind::kInvalid, "url must have a host, and no user or password before it");
  const auto is_visible = [](char c) { return c > 0x20 && c < 0x7F; };
  if (!std::ranges::all_of(url, is_visible))
    return fail(ErrorKind::kInvalid, "url has characters that must be percent-encoded");
  if (!is_https && !is_loopback_address(host)) {
    return fail(ErrorKind::kInvalid,
                "url must begin with https://: http:// is for loopback addresses only");
  }
  return {};
}

bool is_for(const store::WebhookRecord& webhook, const store::Event& event) {
  if (webhook.tenant && event.tenant != webhook.tenant) return false;
  return webhook.types.empty() || std::ranges::any_of(webhook.types, [&](const std::string& type) {
           return event.type == type || event.type.starts_with(type + ".");
         });
}

std::string to_cloud_event(const store::Event& event, std::string_view incarnation) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object().key("specversion").value("1.0");
  writer.key("id").value(id_of(event, incarnation));
  writer.key("source").value(fmt::format("urn:partywall:control:{}", incarnation));
  writer.key("type").value("partywall." + event.type);
  writer.key("subject").value(event.subject);
  writer.key("time").value(format_rfc3339(event.at));
  writer.key("datacontenttype").value("application/json");
  writer.key("data").begin_object().key("tenant");
  if (event.tenant) {
    writer.value(event.tenant->value().to_string());
  } else {
    writer.null();
  }
  writer.key("actor").value(event.actor).key("details").value(event.data);
  writer.end_object().end_object();
  return text;
}

fetch::Request to_request(const store::WebhookRecord& webhook, const store::Event& event,
                          std::string_view incarnation, WallTime now) {
  const std::string id = id_of(event, incarnation);
  const auto timestamp = std::chrono::floor<seconds>(now).time_since_epoch().count();
  std::string body = to_cloud_event(event, incarnation);
  const std::string signed_text = fmt::format("{}.{}.{}", id, timestamp, body);
  std::string signatures = signature(webhook.secret, signed_text);
  if (webhook.former_secret) signatures += " " + signature(*webhook.former_secret, signed_text);
  return {.method = "POST",
          .url = webhook.url,
          .headers = {{"Content-Type", "application/cloudevents+json; charset=utf-8"},
                      {"webhook-id", id},
                      {"webhook-timestamp", std::to_string(timestamp)},
                      {"webhook-signature", signatures}},
          .body = std::move(body),
          .connect_timeout = kWebhookTimeout,
          .timeout = kWebhookTimeout,
          .max_response_bytes = kMostAnswerBytes};
}

DeliveryOutcome judge_delivery(const store::WebhookRecord& webhook,
                               const Result<fetch::Response>& answer, WallTime now,
                               Random& random) {
  using Next = DeliveryOutcome::Next;
  if (answer && answer->status >= 200 && answer->status < 300) return {};
  DeliveryOutcome outcome{.next = Next::kTryAgain};
  outcome.message = answer ? fmt::format("it answered {}", answer->status) : answer.error().message;
  const Duration failing = webhook.failing_since ? now - *webhook.failing_since : Duration();
  if (answer && answer->status == kGone) {
    outcome.next = Next::kPause;
  } else if (failing >= kWebhookGivesUpAfter) {
    outcome.next = Next::kPause;
    outcome.message += "; nothing has arrived for three days";
  } else {
    outcome.pause = spread_backoff_pause(kWebhookBackoff, webhook.attempts + 1, random);
  }
  return outcome;
}

}  // namespace partywall::control
