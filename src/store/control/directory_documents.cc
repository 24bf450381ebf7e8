#include "store/control/directory_documents.h"

#include <array>
#include <functional>

#include "store/control/access_document.h"
#include "store/control/cell_document.h"
#include "store/control/tenant_document.h"
#include "store/control/tiers.h"

namespace partywall::store {
namespace {

constexpr std::string_view kReadOnly = "ISOLATION LEVEL REPEATABLE READ READ ONLY";

struct Kind {
  std::string_view name;
  std::string_view table;
  std::string_view key;        // expression for the key, of the row `t`
  std::string_view key_type;   // that the keys of a delta are cast to
  std::string_view condition;  // which rows are in the directory
  std::string_view (*document)();
};

constexpr std::array<Kind, 8> kKinds = {{
    {"tier", "tiers", "t.name", "text", "true", tier_document_sql},
    {"cell", "cells", "t.name", "text", "true", cell_document_sql},
    {"tenant", "tenants", "t.id", "uuid", "t.status <> 'erased'", tenant_document_sql},
    {"route", "routes", "t.path_prefix", "text", "true", route_document_sql},
    {"issuer", "issuers", "t.issuer", "text", "true", issuer_document_sql},
    {"context_key", "context_keys", "t.id", "smallint", "true", context_key_document_sql},
    {"sql_login", "sql_logins", "t.user_name", "text", "t.tenant IS NULL", sql_login_document_sql},
    {"cache_login", "cache_logins", "t.user_name", "text", "t.tenant IS NULL",
     cache_login_document_sql},
}};

struct Head {
  StoreVersion version;
  uint64_t complete_after = 0;
};

Result<Head> read_head(Session& session) {
  const auto rows =
      session.execute("SELECT incarnation, version, complete_after FROM partywall.head");
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return fail(ErrorKind::kInternal, "partywall.head has lost its row");
  return Head{.version = {.incarnation = std::string(rows->text(0, 0)),
                          .version = static_cast<uint64_t>(rows->number(0, 1))},
              .complete_after = static_cast<uint64_t>(rows->number(0, 2))};
}

Result<> read_kind(Session& session, const Kind& kind, DirectoryDelta& delta) {
  const auto rows =
      session.execute(fmt::format("SELECT {}::text, {} FROM partywall.{} t WHERE {}", kind.key,
                                  kind.document(), kind.table, kind.condition));
  if (!rows) return std::unexpected(rows.error());
  for (size_t row = 0; row < rows->size(); ++row) {
    delta.documents.push_back({.kind = std::string(kind.name),
                               .key = std::string(rows->text(row, 0)),
                               .document = std::string(rows->text(row, 1))});
  }
  return {};
}

// Those that have changed, each as it is now; a key without a row is gone.
Result<> read_changed(Session& session, const Kind& kind, uint64_t since, DirectoryDelta& delta) {
  const auto rows = session.execute(
      fmt::format("SELECT c.key, d.document FROM (SELECT DISTINCT key FROM partywall.changes "
                  "WHERE version > $1::bigint AND kind = $2) c "
                  "LEFT JOIN LATERAL (SELECT {} AS document FROM partywall.{} t "
                  "WHERE {} = c.key::{} AND {}) d ON true",
                  kind.document(), kind.table, kind.key, kind.key_type, kind.condition),
      {std::to_string(since), std::string(kind.name)});
  if (!rows) return std::unexpected(rows.error());
  for (size_t row = 0; row < rows->size(); ++row) {
    std::optional<std::string> document;
    if (!rows->is_null(row, 1)) document = std::string(rows->text(row, 1));
    delta.documents.push_back({.kind = std::string(kind.name),
                               .key = std::string(rows->text(row, 0)),
                               .document = std::move(document)});
  }
  return {};
}

Result<DirectoryDelta> read_all(Session& session, const Head& head) {
  DirectoryDelta delta{.extent = Extent::kWhole, .version = head.version};
  for (const Kind& kind : kKinds) {
    if (auto read = read_kind(session, kind, delta); !read) return std::unexpected(read.error());
  }
  return delta;
}

Result<std::optional<DirectoryDelta>> read_since(Session& session, const StoreVersion& since) {
  const auto head = read_head(session);
  if (!head) return std::unexpected(head.error());
  const StoreVersion& now = head->version;
  if (now == since) return std::optional<DirectoryDelta>();
  if (now.incarnation != since.incarnation || since.version < head->complete_after) {
    auto whole = read_all(session, *head);
    if (!whole) return std::unexpected(whole.error());
    return std::optional(*std::move(whole));
  }
  if (now.version < since.version) {
    return fail(ErrorKind::kConflict,
                "the control store is at version {}, older than the {} that is known here: it was "
                "put back to an earlier state; if that is meant, run `partywall store restored`",
                now.version, since.version);
  }
  DirectoryDelta delta{.extent = Extent::kChanges, .version = now};
  for (const Kind& kind : kKinds) {
    if (auto read = read_changed(session, kind, since.version, delta); !read)
      return std::unexpected(read.error());
  }
  return std::optional(std::move(delta));
}

// Runs `read` on one snapshot of the database.
template <class Value>
Result<Value> at_one_moment(Session& session, const std::function<Result<Value>()>& read) {
  auto transaction = postgres::Transaction::begin(session.connection(), std::string(kReadOnly));
  if (!transaction) return fail_with_context("control store", transaction.error());
  auto value = read();
  if (!value) return value;
  if (auto committed = transaction->commit(); !committed)
    return fail_with_context("control store", committed.error());
  return value;
}

}  // namespace

void merge(const DirectoryDelta& delta, DocumentMap& documents) {
  if (delta.extent == Extent::kWhole) documents.clear();
  for (const DocumentChange& change : delta.documents) {
    if (change.document) {
      documents[change.kind][change.key] = *change.document;
    } else {
      documents[change.kind].erase(change.key);
    }
  }
}

Result<DirectoryDelta> read_whole_directory(Session& session) {
  return at_one_moment<DirectoryDelta>(session, [&]() -> Result<DirectoryDelta> {
    const auto head = read_head(session);
    if (!head) return std::unexpected(head.error());
    return read_all(session, *head);
  });
}

Result<std::optional<DirectoryDelta>> read_directory_changes(Session& session,
                                                             const StoreVersion& since) {
  return at_one_moment<std::optional<DirectoryDelta>>(session,
                                                      [&] { return read_since(session, since); });
}

Result<StoreVersion> read_store_version(Session& session) {
  auto head = read_head(session);
  if (!head) return std::unexpected(head.error());
  return std::move(head->version);
}

Result<uint64_t> start_new_incarnation(Change& change, uint64_t above) {
  const auto started = change.execute(
      "UPDATE partywall.head SET incarnation = gen_random_uuid(), changed_in = NULL, "
      "version = greatest(version, $1::bigint) + 1, "
      "complete_after = greatest(version, $1::bigint) + 1 RETURNING version",
      {std::to_string(above)});
  if (!started) return std::unexpected(started.error());
  const auto forgotten = change.execute("SELECT set_config('partywall.version_of', '', true)");
  if (!forgotten) return std::unexpected(forgotten.error());
  const auto noted = change.note("store.restored", std::nullopt, "control store",
                                 JsonValue(JsonObject{{"above", JsonValue(above)}}));
  if (!noted) return std::unexpected(noted.error());
  const auto told = change.execute("SELECT pg_notify('partywall_directory', '')");
  if (!told) return std::unexpected(told.error());
  return static_cast<uint64_t>(started->number(0));
}

Result<> trim_changes(Change& change, uint64_t versions_to_keep) {
  const auto trimmed = change.execute(
      "UPDATE partywall.head SET complete_after = version - $1::bigint "
      "WHERE version - $1::bigint > complete_after",
      {std::to_string(versions_to_keep)});
  if (!trimmed) return std::unexpected(trimmed.error());
  const auto removed = change.execute(
      "DELETE FROM partywall.changes WHERE version <= (SELECT complete_after FROM partywall.head)");
  if (!removed) return std::unexpected(removed.error());
  return {};
}

}  // namespace partywall::store
