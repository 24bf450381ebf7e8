#include "store/control/webhooks.h"

#include <algorithm>

#include "admin/api/endpoint.h"
#include "admin/api/json_body.h"
#include "admin/api/resource_json.h"
#include "base/json_writer.h"
#include "base/rfc3339.h"
#include "control/webhook_delivery.h"
#include "store/control/events.h"
#include "store/control/tenants.h"

// Where events are sent.
namespace partywall::admin {
namespace {

constexpr size_t kMostTypes = 20;
constexpr size_t kMostUrlBytes = 2'000;

JsonValue optional_time(std::optional<WallTime> time) {
  return time ? JsonValue(format_rfc3339(*time)) : JsonValue();
}

JsonObject to_json(const store::WebhookRecord& webhook) {
  JsonArray types;
  for (const std::string& type : webhook.types) types.emplace_back(type);
  return JsonObject{
      {"id", JsonValue(webhook.id.value().to_string())},
      {"name", JsonValue(webhook.name)},
      {"url", JsonValue(webhook.url)},
      {"types", JsonValue(std::move(types))},
      {"tenant", webhook.tenant ? JsonValue(webhook.tenant->value().to_string()) : JsonValue()},
      {"delivered", JsonValue(webhook.delivered)},
      {"attempts", JsonValue(uint64_t{webhook.attempts})},
      {"message", JsonValue(webhook.message)},
      {"failing_since", optional_time(webhook.failing_since)},
      {"next_at", JsonValue(format_rfc3339(webhook.next_at))},
      {"paused", JsonValue(webhook.is_paused)},
      {"created_at", JsonValue(format_rfc3339(webhook.created_at))}};
}

// The body with the secret, and the same without it for a repetition.
Answer with_secret(const store::WebhookRecord& webhook, uint16_t status) {
  JsonObject shown = to_json(webhook), hidden = shown;
  shown.push_back({"secret", JsonValue(std::string(webhook.secret.reveal()))});
  hidden.push_back({"secret", JsonValue()});
  return {.status = status,
          .body = to_json_text(JsonValue(std::move(shown))),
          .replay = to_json_text(JsonValue(std::move(hidden)))};
}

ApiResult<Answer> list(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto webhooks = store::list_webhooks(session);
    if (!webhooks) return refuse(webhooks.error());
    JsonArray items;
    for (const store::WebhookRecord& webhook : *webhooks) items.emplace_back(to_json(webhook));
    return Answer{.body = page_json(std::move(items), std::nullopt)};
  });
}

ApiResult<Answer> show(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto webhook = store::find_webhook(session, call.parameter(0));
    if (!webhook) return refuse(webhook.error());
    return Answer{.body = to_json_text(JsonValue(to_json(*webhook)))};
  });
}

// "tenant", "tenant.suspended"
bool is_event_type(std::string_view text) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '.'; };
  return !text.empty() && text.size() <= 100 && std::ranges::all_of(text, fits) &&
         text.front() != '.' && text.back() != '.';
}

std::vector<std::string> read_types(JsonReader& reader) {
  std::vector<std::string> types;
  const JsonArray* const array = reader.array("types", kMostTypes);
  if (array == nullptr) return types;
  for (const JsonValue& one : *array) {
    const std::string* const type = one.as_string();
    if (type == nullptr || !is_event_type(*type)) {
      reader.reject("types", "must name types of events, such as tenant or tenant.suspended");
      return {};
    }
    types.push_back(*type);
  }
  return types;
}

ApiResult<store::WebhookRecord> read_webhook(const Call& call, store::Session& session) {
  const auto body = parse_body(call.request);
  if (!body) return refuse(body.error());
  JsonReader reader(*body);
  store::WebhookRecord webhook{.id = store::WebhookId(Uuid::random(call.random)),
                               .name = reader.required_text("name", 100),
                               .url = reader.required_text("url", kMostUrlBytes),
                               .types = read_types(reader)};
  const auto tenant_name = reader.text("tenant");
  const auto after = reader.number("after", 0, std::numeric_limits<int64_t>::max());
  if (auto done = reader.result(); !done) return refuse(done.error());
  if (auto fit = control::check_webhook_url(webhook.url); !fit) return refuse(fit.error());
  if (webhook.name.contains('/'))
    return refuse(Error{ErrorKind::kInvalid, "name must not contain '/'"});
  if (tenant_name) {
    const auto tenant = store::find_tenant(session, *tenant_name);
    if (!tenant) return refuse(Error{ErrorKind::kInvalid, tenant.error().message});
    webhook.tenant = tenant->id;
  }
  const auto last = store::last_event(session);
  if (!last) return refuse(last.error());
  webhook.delivered = std::min(after.value_or(*last), *last);
  webhook.secret = control::make_webhook_secret(call.random);
  return webhook;
}

ApiResult<Answer> create(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto webhook = read_webhook(call, change);
    if (!webhook) return refuse(webhook.error());
    if (auto stored = store::insert_webhook(change, *webhook); !stored)
      return refuse(stored.error());
    auto made = store::find_webhook(change, webhook->name);
    if (!made) return refuse(made.error());
    return with_secret(*made, 201);
  });
}

ApiResult<> expect_no_body(const Call& call) {
  const auto body = parse_optional_body(call.request);
  if (!body) return refuse(body.error());
  return JsonReader(*body).result();
}

ApiResult<Answer> rotate(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    if (auto empty = expect_no_body(call); !empty) return refuse(empty.error());
    const Secret secret = control::make_webhook_secret(call.random);
    const auto rotated = store::rotate_webhook_secret(change, call.parameter(0), secret);
    if (!rotated) return refuse(rotated.error());
    const auto webhook = store::find_webhook(change, call.parameter(0));
    if (!webhook) return refuse(webhook.error());
    return with_secret(*webhook, 200);
  });
}

ApiResult<Answer> set_state(const Call& call, store::WebhookState state) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    if (auto empty = expect_no_body(call); !empty) return refuse(empty.error());
    const auto set = store::set_webhook_state(change, call.parameter(0), state, call.author.actor);
    if (!set) return refuse(set.error());
    const auto webhook = store::find_webhook(change, call.parameter(0));
    if (!webhook) return refuse(webhook.error());
    return Answer{.body = to_json_text(JsonValue(to_json(*webhook)))};
  });
}

ApiResult<Answer> remove(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    if (auto removed = store::remove_webhook(change, call.parameter(0)); !removed)
      return refuse(removed.error());
    return Answer{.status = 204};
  });
}

void add_state_endpoint(ApiEndpoints& endpoints, std::string_view pattern, std::string_view summary,
                        store::WebhookState state) {
  endpoints.push_back(
      {.method = "POST",
       .pattern = pattern,
       .summary = summary,
       .access = {Role::kOwner},
       .handler = answering([state](const Call& call) { return set_state(call, state); }),
       .request_schema = "Empty",
       .response_schema = "Webhook"});
}

}  // namespace

void add_webhook_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/webhooks",
                       .summary = "Where events are sent, and how far that is",
                       .access = {Role::kOwner},
                       .handler = answering(list),
                       .response_schema = "WebhookPage"});
  endpoints.push_back({.method = "POST",
                       .pattern = "/v1/webhooks",
                       .summary = "Send events to a URL; the secret is shown once",
                       .access = {Role::kOwner},
                       .handler = answering(create),
                       .request_schema = "NewWebhook",
                       .response_schema = "Webhook",
                       .success = 201});
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/webhooks/{webhook}",
                       .summary = "A webhook, without its secret",
                       .access = {Role::kOwner},
                       .handler = answering(show),
                       .response_schema = "Webhook"});
  endpoints.push_back({.method = "DELETE",
                       .pattern = "/v1/webhooks/{webhook}",
                       .summary = "Send it nothing more",
                       .access = {Role::kOwner},
                       .handler = answering(remove),
                       .success = 204});
  add_state_endpoint(endpoints, "/v1/webhooks/{webhook}/pause",
                     "Send it nothing until it is resumed", store::WebhookState::kPaused);
  add_state_endpoint(endpoints, "/v1/webhooks/{webhook}/resume",
                     "Go on with the event at which it stood", store::WebhookState::kActive);
  endpoints.push_back({.method = "POST",
                       .pattern = "/v1/webhooks/{webhook}/secret",
                       .summary = "A new secret; the former one signs, too, for 24 hours",
                       .access = {Role::kOwner},
                       .handler = answering(rotate),
                       .request_schema = "Empty",
                       .response_schema = "Webhook"});
}

}  // namespace partywall::admin
