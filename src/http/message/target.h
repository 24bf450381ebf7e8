#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message/head.h"

namespace partywall::http {

enum class TargetForm { kOrigin, kAbsolute, kAsterisk };

// A request-target taken apart (RFC 9112 section 3.2). CONNECT's authority-form is not spoken here.
struct Target {
  TargetForm form = TargetForm::kOrigin;
  std::string_view authority;       // absolute-form only
  std::string_view path_and_query;  // what an origin-form target would be; "/" if the path is empty
  std::string_view path;            // without the query, as written
};

// kInvalid status: `fault` says why. `method` matters, because "*" is for OPTIONS only.
ParseOutcome parse_target(std::string_view method, std::string_view text, Target& target);

// The path that decides the route: percent-decoded, with runs of '/' as one. So no spelling of a
// path reaches the rules of another one, whatever the application decodes. `storage` holds it if it
// differs from the text. Refused, because applications differ on them: dot segments in any
// spelling (also with path parameters, "..;x"), backslashes, encoded control characters, and '%'
// without two digits.
Result<std::string_view> routing_path(std::string_view path, std::string& storage);

}  // namespace partywall::http
