#pragma once

#include <string_view>

#include "base/json.h"
#include "identity/sealing_key.h"
#include "store/control/records.h"

// Routes, issuers, context keys and logins as JSON documents: an expression for the row `t` of
// their table, and what reads it. Secrets in them are sealed.
namespace partywall::store {

[[nodiscard]] std::string_view route_document_sql();
Result<RouteRecord> read_route_document(const JsonValue& document);

[[nodiscard]] std::string_view issuer_document_sql();
Result<IssuerRecord> read_issuer_document(const JsonValue& document, const SealingKey& key);

[[nodiscard]] std::string_view context_key_document_sql();
Result<ContextKeyRecord> read_context_key_document(const JsonValue& document,
                                                   const SealingKey& key);

[[nodiscard]] std::string_view sql_login_document_sql();
Result<SqlLoginRecord> read_sql_login_document(const JsonValue& document);

[[nodiscard]] std::string_view cache_login_document_sql();
Result<CacheLoginRecord> read_cache_login_document(const JsonValue& document);

// What the sealed members of these documents are sealed for.
[[nodiscard]] std::string key_set_purpose(std::string_view issuer);
[[nodiscard]] std::string context_key_purpose(uint8_t id);

[[nodiscard]] std::string_view to_string(LoginClass login_class);

// A tenant's users are its slug and "<slug>.<name>"; nobody else's are.
Result<> check_user_of_tenant(std::string_view user, std::string_view slug);

}  // namespace partywall::store
