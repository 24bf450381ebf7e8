#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// COPY streams for tests, as PostgreSQL writes them.
namespace partywall::migrate {

using Fields = std::vector<std::optional<std::string>>;

inline std::string big_endian(uint64_t value, size_t bytes) {
  std::string text;
  for (size_t i = bytes; i-- > 0;) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

inline std::string binary_header() { return {"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19}; }

inline std::string binary_trailer() { return "\377\377"; }

inline std::string binary_row(const Fields& fields) {
  std::string row = big_endian(fields.size(), 2);
  for (const auto& field : fields) {
    row += field ? big_endian(field->size(), 4) + *field : std::string("\377\377\377\377");
  }
  return row;
}

inline std::string binary_stream(const std::vector<Fields>& rows) {
  std::string stream = binary_header();
  for (const Fields& row : rows) stream += binary_row(row);
  return stream + binary_trailer();
}

}  // namespace partywall::migrate
