#pragma once

#include <openssl/bio.h>

#include "net/stream.h"

namespace partywall::net {

// An OpenSSL BIO over a Stream, which must outlive it: no copy in between, and TLS works over
// anything that is a Stream.
BIO* make_stream_bio(Stream& stream);

}  // namespace partywall::net
