#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/apply/big_endian.h"

// The messages of pgoutput as bytes, as a server sends them.
namespace partywall::migrate {

using Field = std::optional<std::string>;  // nullopt: NULL
inline const std::string kUnchangedValue("\0unchanged", 10);

inline void append_text(std::string& out, std::string_view text) {
  out.append(text).push_back('\0');
}

inline void append_tuple(std::string& out, const std::vector<Field>& fields) {
  sql::append_u16(out, static_cast<uint16_t>(fields.size()));
  for (const Field& field : fields) {
    if (!field) {
      out += 'n';
    } else if (*field == kUnchangedValue) {
      out += 'u';
    } else {
      out += 't';
      sql::append_u32(out, static_cast<uint32_t>(field->size()));
      out += *field;
    }
  }
}

inline std::string begin_bytes(uint64_t commit) {
  std::string out = "B";
  append_u64(out, commit);
  append_u64(out, 1'000'000);
  sql::append_u32(out, 731);
  return out;
}

inline std::string commit_bytes(uint64_t commit, uint64_t end) {
  std::string out("C\0", 2);
  append_u64(out, commit);
  append_u64(out, end);
  append_u64(out, 1'000'000);
  return out;
}

inline std::string origin_bytes(std::string_view name) {
  std::string out = "O";
  append_u64(out, 77);
  append_text(out, name);
  return out;
}

struct ColumnBytes {
  std::string name;
  uint32_t type = 23;
  bool is_key = false;
};

inline std::string relation_bytes(uint32_t id, std::string_view name,
                                  const std::vector<ColumnBytes>& columns, char identity = 'd') {
  std::string out = "R";
  sql::append_u32(out, id);
  append_text(out, "public");
  append_text(out, name);
  out += identity;
  sql::append_u16(out, static_cast<uint16_t>(columns.size()));
  for (const ColumnBytes& column : columns) {
    out += column.is_key ? '\1' : '\0';
    append_text(out, column.name);
    sql::append_u32(out, column.type);
    sql::append_u32(out, 0xFFFFFFFF);
  }
  return out;
}

inline std::string insert_bytes(uint32_t id, const std::vector<Field>& row) {
  std::string out = "I";
  sql::append_u32(out, id);
  out += 'N';
  append_tuple(out, row);
  return out;
}

inline std::string update_bytes(uint32_t id, const std::vector<Field>& row, char old_kind = '\0',
                                const std::vector<Field>& old_row = {}) {
  std::string out = "U";
  sql::append_u32(out, id);
  if (old_kind != '\0') {
    out += old_kind;
    append_tuple(out, old_row);
  }
  out += 'N';
  append_tuple(out, row);
  return out;
}

inline std::string delete_bytes(uint32_t id, const std::vector<Field>& old_row, char kind = 'K') {
  std::string out = "D";
  sql::append_u32(out, id);
  out += kind;
  append_tuple(out, old_row);
  return out;
}

inline std::string truncate_bytes(const std::vector<uint32_t>& ids, uint8_t flags = 0) {
  std::string out = "T";
  sql::append_u32(out, static_cast<uint32_t>(ids.size()));
  out += static_cast<char>(flags);
  for (const uint32_t id : ids) sql::append_u32(out, id);
  return out;
}

inline std::string message_bytes(std::string_view prefix, std::string_view content,
                                 bool is_transactional = true) {
  std::string out = "M";
  out += is_transactional ? '\1' : '\0';
  append_u64(out, 99);
  append_text(out, prefix);
  sql::append_u32(out, static_cast<uint32_t>(content.size()));
  out.append(content);
  return out;
}

}  // namespace partywall::migrate
