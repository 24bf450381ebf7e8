#include "cache/resp/resp_writer.h"

#include <charconv>
#include <iterator>

#include <fmt/format.h>

namespace partywall::cache {

void append_array_header(std::string& out, size_t count) {
  fmt::format_to(std::back_inserter(out), "*{}\r\n", count);
}

void append_map_header(std::string& out, Protocol protocol, size_t pairs) {
  if (protocol == Protocol::kResp2) return append_array_header(out, pairs * 2);
  fmt::format_to(std::back_inserter(out), "%{}\r\n", pairs);
}

BulkHeader::BulkHeader(size_t length) {
  char* const end = std::to_chars(text_.data() + 1, text_.data() + text_.size() - 2, length).ptr;
  end[0] = '\r';
  end[1] = '\n';
  size_ = static_cast<size_t>(end + 2 - text_.data());
}

void append_bulk_header(std::string& out, size_t length) { out += BulkHeader(length).view(); }

void append_bulk(std::string& out, std::string_view text) {
  append_bulk_header(out, text.size());
  out += text;
  out += "\r\n";
}

void append_prefixed_bulk(std::string& out, std::string_view prefix, std::string_view text) {
  append_bulk_header(out, prefix.size() + text.size());
  out += prefix;
  out += text;
  out += "\r\n";
}

void append_simple(std::string& out, std::string_view text) {
  out += '+';
  out += text;
  out += "\r\n";
}

void append_integer(std::string& out, int64_t value) {
  fmt::format_to(std::back_inserter(out), ":{}\r\n", value);
}

void append_null(std::string& out, Protocol protocol) {
  out += protocol == Protocol::kResp2 ? "$-1\r\n" : "_\r\n";
}

void append_error(std::string& out, std::string_view text) {
  out += '-';
  for (const char c : text) out += c == '\r' || c == '\n' ? ' ' : c;
  out += "\r\n";
}

std::string make_error(std::string_view text) {
  std::string out;
  append_error(out, text);
  return out;
}

std::string make_request(std::initializer_list<std::string_view> words) {
  std::string out;
  append_array_header(out, words.size());
  for (const std::string_view word : words) append_bulk(out, word);
  return out;
}

}  // namespace partywall::cache
