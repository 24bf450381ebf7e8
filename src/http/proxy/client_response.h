#pragma once

#include <string>
#include <string_view>

#include "http/message/framing.h"
#include "http/message/head.h"
#include "http/proxy/persistence.h"

namespace partywall::http {

// What the door adds to every response, prepared by the session.
struct ResponseExtras {
  std::string_view fields;  // whole lines with CRLF: X-Request-Id, RateLimit…
  std::string_view date;    // IMF-fixdate; used if the application sent no Date (RFC 9110 6.6.1)
};

struct ClientResponse {
  const ResponseHead& head;
  const ResponseControl& control;
  Framing framing;  // towards the client
  Version client_version = Version::kHttp11;
  Persistence persistence = Persistence::kKeepAlive;
  AnswerBody body = AnswerBody::kSent;
  const ResponseExtras& extras;
};

// The framing that the client gets for what the application sends.
[[nodiscard]] Framing client_framing(const Framing& upstream, Version client_version);

// Writes the final head that the client gets, without hop-by-hop and X-Partywall-* fields.
void append_client_response(std::string& out, const ClientResponse& response);
// An interim response (1xx but 101).
void append_interim_response(std::string& out, const ResponseHead& head);

}  // namespace partywall::http
