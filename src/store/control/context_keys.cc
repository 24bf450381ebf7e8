#include "store/control/access.h"
#include "store/control/access_document.h"
#include "store/control/expected_version.h"
#include "store/control/read_documents.h"
#include "store/control/sealed_text.h"

// The keys of the context token.
namespace partywall::store {
namespace {

std::string title_of(uint8_t id) { return fmt::format("context key {}", id); }

}  // namespace

Result<std::vector<ContextKeyRecord>> list_context_keys(Session& session) {
  return read_documents<ContextKeyRecord>(
      session,
      fmt::format("SELECT {} FROM partywall.context_keys t ORDER BY t.position, t.id",
                  context_key_document_sql()),
      [&](const JsonValue& document) {
        return read_context_key_document(document, session.node_key());
      });
}

Result<> add_context_key(Change& change, const ContextKey& key) {
  const std::string id = std::to_string(key.id);
  const auto version = version_of(change, "context_keys", "id", id);
  if (!version) return std::unexpected(version.error());
  if (auto is_new = check_version(title_of(key.id), *version, 0); !is_new) return is_new;
  const auto added = change.execute(
      "INSERT INTO partywall.context_keys (id, position, sealed_key) VALUES ($1::smallint, "
      "(SELECT coalesce(max(position), 0) + 1 FROM partywall.context_keys), $2)",
      {id, seal_text(change.node_key(), context_key_purpose(key.id), key.key.reveal(),
                     change.random())});
  if (!added) return std::unexpected(added.error());
  return change.note("context_key.created", std::nullopt, id);
}

Result<> make_context_key_first(Change& change, uint8_t id) {
  const auto moved = change.execute(
      "UPDATE partywall.context_keys SET position = "
      "(SELECT min(position) - 1 FROM partywall.context_keys) WHERE id = $1::smallint",
      {std::to_string(id)});
  if (!moved) return std::unexpected(moved.error());
  if (moved->affected() == 0) return fail(ErrorKind::kNotFound, "there is no {}", title_of(id));
  return change.note("context_key.first", std::nullopt, std::to_string(id));
}

Result<> remove_context_key(Change& change, uint8_t id) {
  auto removed =
      remove_row(change, "context_keys", "id", std::to_string(id), title_of(id), std::nullopt);
  if (!removed) return removed;
  const auto left = change.execute("SELECT FROM partywall.context_keys LIMIT 1");
  if (!left) return std::unexpected(left.error());
  if (left->empty()) {
    return fail(ErrorKind::kConflict,
                "{} is the only one: no context could be made without it; add another first",
                title_of(id));
  }
  return change.note("context_key.deleted", std::nullopt, std::to_string(id));
}

}  // namespace partywall::store
