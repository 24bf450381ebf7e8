#include "admin/message.h"

#include "base/json_writer.h"

namespace partywall::admin {

Response problem(uint16_t status, std::string_view title, std::string_view detail) {
  Response response{.status = status, .content_type = "application/problem+json"};
  JsonWriter(response.body)
      .begin_object()
      .key("type")
      .value("about:blank")
      .key("title")
      .value(title)
      .key("status")
      .value(unsigned{status})
      .key("detail")
      .value(detail)
      .end_object();
  response.body += '\n';
  return response;
}

}  // namespace partywall::admin
