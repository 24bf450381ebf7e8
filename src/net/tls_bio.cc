#include "net/tls_bio.h"

#include <memory>
#include <stdexcept>

namespace partywall::net {
namespace {

Stream& stream_of(BIO* bio) { return *static_cast<Stream*>(BIO_get_data(bio)); }

int read_from_stream(BIO* bio, char* into, size_t size, size_t* count) {
  BIO_clear_retry_flags(bio);
  const IoResult result = stream_of(bio).read({into, size});
  *count = result.bytes;
  if (result.would_block()) BIO_set_retry_read(bio);
  if (result.status == IoStatus::kEnd) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return result.ok() ? 1 : 0;
}

int write_to_stream(BIO* bio, const char* from, size_t size, size_t* count) {
  BIO_clear_retry_flags(bio);
  const IoResult result = stream_of(bio).write({from, size});
  *count = result.bytes;
  if (result.would_block()) BIO_set_retry_write(bio);
  return result.ok() ? 1 : 0;
}

long control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    default:
      return 0;
  }
}

const BIO_METHOD* stream_method() {
  static const std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> method(
      [] {
        BIO_METHOD* made =
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "partywall stream");
        if (!made) throw std::runtime_error("OpenSSL cannot make a BIO method");
        BIO_meth_set_read_ex(made, &read_from_stream);
        BIO_meth_set_write_ex(made, &write_to_stream);
        BIO_meth_set_ctrl(made, &control);
        return made;
      }(),
      &BIO_meth_free);
  return method.get();
}

}  // namespace

BIO* make_stream_bio(Stream& stream) {
  BIO* const bio = BIO_new(stream_method());
  if (!bio) throw std::runtime_error("OpenSSL cannot make a BIO");
  BIO_set_data(bio, &stream);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace partywall::net
