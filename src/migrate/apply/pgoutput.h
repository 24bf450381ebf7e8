#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "migrate/apply/replication_frame.h"

// The messages of pgoutput, PostgreSQL's plugin for logical replication, protocol version 1.
// https://www.postgresql.org/docs/15/protocol-logicalrep-message-formats.html
//
// Strict: every length is checked against what is there, nothing may be left over, and there is no
// kind, flag or value that is not known. All text points into the message that was decoded.
namespace partywall::migrate::pgoutput {

struct Limits {
  // PostgreSQL sends no message that is longer (MaxAllocSize).
  size_t message_bytes = (size_t{1} << 30) - 1;
  // MaxTupleAttributeNumber
  size_t columns = 1664;
};

using RelationId = uint32_t;

struct Begin {
  Lsn commit;  // where its commit record begins
  ServerTime committed_at;
  uint32_t transaction = 0;
};

struct Commit {
  Lsn commit;
  Lsn end;  // where its commit record ends: a stream that goes on from there does not have it again
  ServerTime committed_at;
};

// Whose change it was before it was replicated to the source.
struct Origin {
  Lsn commit;  // at that origin
  std::string_view name;
};

struct RelationColumn {
  bool is_key = false;  // of the replica identity
  std::string_view name;
  uint32_t type = 0;
  int32_t type_modifier = -1;
};

struct Relation {
  RelationId id = 0;
  std::string_view schema;  // empty: pg_catalog
  std::string_view name;
  char replica_identity = 'd';  // pg_class.relreplident
  std::vector<RelationColumn> columns;
};

struct Type {
  uint32_t id = 0;
  std::string_view schema;
  std::string_view name;
};

enum class ValueKind : uint8_t {
  kNull,
  kUnchanged,  // stored out of line, and not changed by the update: it is not sent
  kText,
};

struct Value {
  ValueKind kind = ValueKind::kNull;
  std::string_view text;
};

using Tuple = std::vector<Value>;

enum class OldTupleKind : uint8_t {
  kNone,
  kKey,   // the columns of the replica identity; the others are NULL
  kFull,  // REPLICA IDENTITY FULL
};

struct Insert {
  RelationId relation = 0;
  Tuple row;
};

struct Update {
  RelationId relation = 0;
  OldTupleKind old_kind = OldTupleKind::kNone;
  Tuple old_row;
  Tuple row;
};

struct Delete {
  RelationId relation = 0;
  OldTupleKind old_kind = OldTupleKind::kKey;
  Tuple old_row;
};

struct Truncate {
  std::vector<RelationId> relations;
  bool cascade = false;
  bool restart_identity = false;
};

// What pg_logical_emit_message wrote.
struct LogicalMessage {
  bool is_transactional = false;
  Lsn at;
  std::string_view prefix;
  std::string_view content;
};

using Message = std::variant<Begin, Commit, Origin, Relation, Type, Insert, Update, Delete,
                             Truncate, LogicalMessage>;

// Decodes into `message`, whose memory is used again where the kind is the same.
[[nodiscard]] Result<> decode(std::string_view bytes, Message& message, const Limits& limits = {});

}  // namespace partywall::migrate::pgoutput
