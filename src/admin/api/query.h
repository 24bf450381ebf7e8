#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "admin/api/api_error.h"

namespace partywall::admin {

// The parameters of a query, decoded ("+" is a blank). 400 for a parameter that is not in `known`,
// is there twice, or is not encoded right.
class Query {
 public:
  static ApiResult<Query> parse(std::string_view query, std::span<const std::string_view> known);

  [[nodiscard]] std::string text(std::string_view name) const;  // empty: absent
  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
  ApiResult<int64_t> number(std::string_view name, int64_t usual, int64_t least,
                            int64_t most) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

inline constexpr int64_t kUsualPage = 100;
inline constexpr int64_t kLargestPage = 1'000;

// Where the next page begins, opaque to callers: base64url of the key of the last item. It grants
// nothing: every page is filtered for its caller anew.
std::string write_cursor(std::initializer_list<std::string_view> parts);
// 400 unless it has so many parts.
ApiResult<std::vector<std::string>> read_cursor(std::string_view cursor, size_t parts);

}  // namespace partywall::admin
