#pragma once

#include <cstdint>
#include <string>

#include "sql/wire/field_reader.h"
#include "sql/wire/message_writer.h"

// 64-bit integers in network order: the replication protocol has them, the rest of the wire not.
namespace partywall::migrate {

inline uint64_t read_u64(sql::FieldReader& reader) {
  const uint64_t high = reader.u32();
  return (high << 32) | reader.u32();
}

inline void append_u64(std::string& out, uint64_t value) {
  sql::append_u32(out, static_cast<uint32_t>(value >> 32));
  sql::append_u32(out, static_cast<uint32_t>(value));
}

}  // namespace partywall::migrate
