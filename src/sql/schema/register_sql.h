#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"

// The tenant register as SQL. docs/tenant-register.md explains it; tests/e2e/sql_register pins what
// it relies on.
namespace partywall::sql {

inline constexpr std::string_view kRegisterSchema = "partywall";
// Owns everything in the schema, and cannot log in.
inline constexpr std::string_view kRegisterOwner = "partywall_owner";

// The statements that create the register's objects or put them right, to be run as its owner.
[[nodiscard]] std::string_view sequences_sql();
[[nodiscard]] std::string_view key_table_sql();
[[nodiscard]] std::string_view tenant_id_function_sql();
[[nodiscard]] std::string_view enter_function_sql();
[[nodiscard]] std::string_view grants_sql();

// A query for one text: the SHA-256 of everything that the catalogs say about the register's
// objects (definitions, owners, grants). "" if there is no such schema.
[[nodiscard]] std::string_view seal_query();
// What the schema's comment must begin with: names the version of the statements above. The seal
// follows it.
[[nodiscard]] const std::string& comment_prefix();
// Writes the comment; to be run last.
[[nodiscard]] std::string seal_statement();

// Expressions as pg_get_expr shows them with search_path = pg_catalog.
inline constexpr std::string_view kTenantDefault = "partywall.tenant_id()";

// A key as HMAC uses it (RFC 2104): padded to one block and combined with the inner and outer pad,
// so that PostgreSQL computes a MAC as sha256(outer || sha256(inner || message)).
struct KeyBlocks {
  Secret inner;  // 64 bytes
  Secret outer;  // 64 bytes
};

[[nodiscard]] KeyBlocks make_key_blocks(const Secret& key);
// The hexadecimal SHA-256 of both blocks, by which a key in the database is compared.
[[nodiscard]] std::string fingerprint(const KeyBlocks& blocks);

}  // namespace partywall::sql
