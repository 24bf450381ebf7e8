#include "store/control/webhooks.h"

#include "base/json_writer.h"
#include "store/control/sealed_text.h"

namespace partywall::store {
namespace {

constexpr std::string_view kColumns =
    "id, name, url, types, tenant, secret, "
    "CASE WHEN former_until > now() THEN former_secret END, delivered, attempts, message, "
    "(extract(epoch FROM failing_since) * 1000)::bigint, "
    "(extract(epoch FROM next_at) * 1000)::bigint, is_paused, "
    "(extract(epoch FROM created_at) * 1000)::bigint";

std::string purpose_of(WebhookId id) { return "webhook " + id.value().to_string(); }

Result<std::vector<std::string>> read_types(std::string_view text) {
  const auto value = JsonValue::parse(text);
  if (!value) return fail_with_context("webhook", value.error());
  if (value->as_array() == nullptr) return fail(ErrorKind::kInternal, "webhook: types are no list");
  std::vector<std::string> types;
  for (const JsonValue& one : *value->as_array()) {
    if (const std::string* const type = one.as_string()) types.push_back(*type);
  }
  return types;
}

std::string types_text(const std::vector<std::string>& types) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_array();
  for (const std::string& type : types) writer.value(type);
  writer.end_array();
  return text;
}

Result<WebhookRecord> read_webhook(Session& session, const postgres::Rows& rows, size_t row) {
  const auto id = Uuid::parse(rows.text(row, 0));
  if (!id) return std::unexpected(id.error());
  WebhookRecord webhook{.id = WebhookId(*id),
                        .name = std::string(rows.text(row, 1)),
                        .url = std::string(rows.text(row, 2)),
                        .types = {},
                        .tenant = std::nullopt,
                        .secret = {},
                        .former_secret = std::nullopt,
                        .delivered = rows.number(row, 7),
                        .attempts = static_cast<uint32_t>(rows.number(row, 8)),
                        .message = std::string(rows.text(row, 9)),
                        .failing_since = to_optional_time(rows, row, 10),
                        .next_at = to_time(rows.number(row, 11)),
                        .is_paused = rows.is_true(row, 12),
                        .created_at = to_time(rows.number(row, 13))};
  auto types = read_types(rows.text(row, 3));
  if (!types) return std::unexpected(types.error());
  webhook.types = *std::move(types);
  if (!rows.is_null(row, 4)) {
    const auto tenant = Uuid::parse(rows.text(row, 4));
    if (!tenant) return std::unexpected(tenant.error());
    webhook.tenant = TenantId(*tenant);
  }
  auto secret = open_text(session.node_key(), purpose_of(webhook.id), rows.text(row, 5));
  if (!secret) return fail_with_context("webhook " + webhook.name, secret.error());
  webhook.secret = *std::move(secret);
  if (!rows.is_null(row, 6)) {
    auto former = open_text(session.node_key(), purpose_of(webhook.id), rows.text(row, 6));
    if (!former) return fail_with_context("webhook " + webhook.name, former.error());
    webhook.former_secret = *std::move(former);
  }
  return webhook;
}

Result<std::vector<WebhookRecord>> read_webhooks(Session& session, const std::string& condition) {
  const auto rows = session.execute(
      fmt::format("SELECT {} FROM partywall.webhooks WHERE {} ORDER BY name", kColumns, condition));
  if (!rows) return std::unexpected(rows.error());
  std::vector<WebhookRecord> webhooks;
  for (size_t row = 0; row < rows->size(); ++row) {
    auto webhook = read_webhook(session, *rows, row);
    if (!webhook) return std::unexpected(webhook.error());
    webhooks.push_back(*std::move(webhook));
  }
  return webhooks;
}

std::unexpected<Error> none(std::string_view name) {
  return fail(ErrorKind::kNotFound, "there is no webhook {}", name);
}

// Changes the row of that name and notes it.
Result<> update(Change& change, std::string_view name, std::string_view assignments,
                std::vector<postgres::Parameter> parameters, std::string_view event,
                const JsonValue& details = JsonValue(JsonObject())) {
  parameters.insert(parameters.begin(), std::string(name));
  const auto rows = change.execute(
      fmt::format("UPDATE partywall.webhooks SET {} WHERE name = $1 RETURNING tenant", assignments),
      parameters);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return none(name);
  return change.note(event, std::nullopt, name, details);
}

}  // namespace

Result<> insert_webhook(Change& change, const WebhookRecord& webhook) {
  const auto count = change.execute("SELECT count(*) FROM partywall.webhooks");
  if (!count) return std::unexpected(count.error());
  if (count->number(0) >= kMostWebhooks)
    return fail(ErrorKind::kInvalid, "there are {} webhooks: remove one first", kMostWebhooks);
  const auto inserted = change.execute(
      "INSERT INTO partywall.webhooks (id, name, url, types, tenant, secret, delivered) VALUES "
      "($1::uuid, $2, $3, $4::jsonb, $5::uuid, $6, $7::bigint)",
      {webhook.id.value().to_string(), webhook.name, webhook.url, types_text(webhook.types),
       webhook.tenant ? postgres::Parameter(webhook.tenant->value().to_string()) : std::nullopt,
       seal_text(change.node_key(), purpose_of(webhook.id), webhook.secret.reveal(),
                 change.random()),
       std::to_string(webhook.delivered)});
  if (!inserted) return fail_with_context("webhook " + webhook.name, inserted.error());
  return change.note("webhook.created", std::nullopt, webhook.name,
                     JsonValue(JsonObject{{"url", JsonValue(webhook.url)}}));
}

Result<std::vector<WebhookRecord>> list_webhooks(Session& session) {
  return read_webhooks(session, "true");
}

Result<WebhookRecord> find_webhook(Session& session, std::string_view name) {
  const auto rows =
      session.execute(fmt::format("SELECT {} FROM partywall.webhooks WHERE name = $1", kColumns),
                      {std::string(name)});
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return none(name);
  return read_webhook(session, *rows, 0);
}

Result<> remove_webhook(Change& change, std::string_view name) {
  const auto removed =
      change.execute("DELETE FROM partywall.webhooks WHERE name = $1", {std::string(name)});
  if (!removed) return std::unexpected(removed.error());
  if (removed->affected() == 0) return none(name);
  return change.note("webhook.removed", std::nullopt, name);
}

Result<> set_webhook_state(Change& change, std::string_view name, WebhookState state,
                           std::string_view why) {
  if (state == WebhookState::kActive) {
    return update(change, name,
                  "is_paused = false, attempts = 0, message = '', failing_since = NULL, next_at = "
                  "now()",
                  {}, "webhook.resumed");
  }
  return update(change, name, "is_paused = true", {}, "webhook.paused",
                JsonValue(JsonObject{{"why", JsonValue(std::string(why))}}));
}

Result<> rotate_webhook_secret(Change& change, std::string_view name, const Secret& secret) {
  const auto webhook = find_webhook(change, name);
  if (!webhook) return std::unexpected(webhook.error());
  return update(
      change, name,
      "former_secret = secret, former_until = now() + make_interval(hours => $3::int), secret = $2",
      {seal_text(change.node_key(), purpose_of(webhook->id), secret.reveal(), change.random()),
       std::to_string(std::chrono::duration_cast<hours>(kFormerSecretSigns).count())},
      "webhook.secret_rotated");
}

Result<std::vector<WebhookRecord>> webhooks_due(Session& session) {
  return read_webhooks(session, "NOT is_paused AND next_at <= now()");
}

Result<> note_delivered(Change& change, WebhookId id, int64_t event) {
  const auto noted = change.execute(
      "UPDATE partywall.webhooks SET delivered = greatest(delivered, $2::bigint), attempts = 0, "
      "message = '', failing_since = NULL WHERE id = $1::uuid",
      {id.value().to_string(), std::to_string(event)});
  if (!noted) return std::unexpected(noted.error());
  return {};
}

Result<> note_failed(Change& change, WebhookId id, std::string_view message, Duration pause) {
  const auto whole = std::chrono::ceil<milliseconds>(pause).count();
  const auto noted = change.execute(
      "UPDATE partywall.webhooks SET attempts = attempts + 1, message = $2, failing_since = "
      "coalesce(failing_since, now()), next_at = now() + $3::bigint * interval '1 millisecond' "
      "WHERE id = $1::uuid",
      {id.value().to_string(), std::string(message), std::to_string(whole)});
  if (!noted) return std::unexpected(noted.error());
  return {};
}

Result<std::string> store_incarnation(Session& session) {
  const auto rows = session.execute("SELECT incarnation FROM partywall.head");
  if (!rows) return std::unexpected(rows.error());
  return std::string(rows->text(0));
}

}  // namespace partywall::store
