#include "base/endpoint.h"

#include <fmt/format.h>

namespace partywall {

std::string Endpoint::to_string() const {
  if (is_unix()) return address;
  return address.contains(':') ? fmt::format("[{}]:{}", address, port)
                               : fmt::format("{}:{}", address, port);
}

}  // namespace partywall
