#include "http/message/target.h"

#include "base/ascii.h"
#include "base/hex.h"
#include "http/message/characters.h"

namespace partywall::http {
namespace {

void set_path(std::string_view path_and_query, Target& target) {
  target.path_and_query = path_and_query;
  target.path = path_and_query.substr(0, path_and_query.find('?'));
}

// RFC 9112 section 3.2.2: every server takes the absolute form; its authority replaces Host.
ParseOutcome parse_absolute(std::string_view text, Target& target) {
  const size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) {
    return ParseOutcome::invalid("the request target is neither a path nor a URL");
  }
  const std::string_view scheme = text.substr(0, scheme_end);
  if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https")) {
    return ParseOutcome::invalid("the request target has a scheme that is not served here");
  }
  const std::string_view rest = text.substr(scheme_end + 3);
  const size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  target.form = TargetForm::kAbsolute;
  target.authority = rest.substr(0, authority_end);
  if (target.authority.empty() || target.authority.contains('@') || !is_host(target.authority)) {
    return ParseOutcome::invalid("the authority of the request target is malformed");
  }
  const std::string_view path_and_query = rest.substr(authority_end);
  if (path_and_query.starts_with('?')) {
    // Would have to be sent on as "/?…", which is in nobody's buffer; no client sends it.
    return ParseOutcome::invalid("the request target has a query but no path");
  }
  set_path(path_and_query.empty() ? "/" : path_and_query, target);
  return ParseOutcome::complete();
}

bool needs_decoding(std::string_view path) { return path.contains('%') || path.contains("//"); }

bool is_dot_segment(std::string_view segment) {
  const std::string_view name = segment.substr(0, segment.find(';'));
  return name == "." || name == "..";
}

Result<> check_segments(std::string_view path) {
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (is_dot_segment(path.substr(begin, end - begin))) {
      return fail(ErrorKind::kInvalid, "the path has a '.' or '..' segment; send it resolved");
    }
    begin = end + 1;
  }
  return {};
}

Result<> decode(std::string_view path, std::string& out) {
  out.clear();
  for (size_t i = 0; i < path.size(); ++i) {
    char c = path[i];
    if (c == '%') {
      const int high = i + 2 < path.size() ? hex_value(path[i + 1]) : -1;
      const int low = i + 2 < path.size() ? hex_value(path[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return fail(ErrorKind::kInvalid, "the path has a '%' without two hexadecimal digits");
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        return fail(ErrorKind::kInvalid, "the path has an encoded control character");
      }
    }
    if (c != '/' || !out.ends_with('/')) out += c;
  }
  return {};
}

}  // namespace

ParseOutcome parse_target(std::string_view method, std::string_view text, Target& target) {
  target = {};
  if (text.starts_with('/')) {
    set_path(text, target);
    return ParseOutcome::complete();
  }
  if (text == "*") {
    if (method != "OPTIONS") return ParseOutcome::invalid("the target '*' is for OPTIONS only");
    target.form = TargetForm::kAsterisk;
    set_path(text, target);
    return ParseOutcome::complete();
  }
  return parse_absolute(text, target);
}

Result<std::string_view> routing_path(std::string_view path, std::string& storage) {
  std::string_view decoded = path;
  if (needs_decoding(path)) {
    if (auto done = decode(path, storage); !done) return std::unexpected(done.error());
    decoded = storage;
  }
  if (decoded.contains('\\')) return fail(ErrorKind::kInvalid, "the path has a backslash");
  if (auto checked = check_segments(decoded); !checked) return std::unexpected(checked.error());
  return decoded;
}

}  // namespace partywall::http
