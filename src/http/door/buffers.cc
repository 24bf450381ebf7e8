#include "http/door/buffers.h"

namespace partywall::http {

net::IoResult InputBuffer::fill(net::Stream& stream, std::span<char> scratch) {
  keep();
  const net::IoResult read = stream.read(scratch);
  if (!read.ok()) return read;
  const std::string_view bytes(scratch.data(), read.bytes);
  if (kept_.empty()) {
    fresh_ = bytes;
  } else {
    kept_.append(bytes);
  }
  return read;
}

void InputBuffer::consume(size_t count) {
  consumed_ += count;
  if (kept_.empty()) {
    fresh_.remove_prefix(count);
  } else {
    kept_.consume(count);
  }
}

void InputBuffer::keep() {
  if (fresh_.empty()) return;
  kept_.append(fresh_);
  fresh_ = {};
}

void InputBuffer::release() {
  if (kept_.empty() && kept_.capacity() > 0) kept_.release();
}

bool OutputBuffer::write(net::Stream& stream, std::string_view bytes) {
  accepted_ += bytes.size();
  if (!kept_.empty()) {
    kept_.append(bytes);
    return true;
  }
  while (!bytes.empty()) {
    const net::IoResult written = stream.write(bytes);
    if (written.closed()) return false;
    if (written.would_block()) break;
    bytes.remove_prefix(written.bytes);
  }
  kept_.append(bytes);
  return true;
}

bool OutputBuffer::flush(net::Stream& stream) {
  while (!kept_.empty()) {
    const net::IoResult written = stream.write(kept_.view());
    if (written.closed()) return false;
    if (written.would_block()) break;
    kept_.consume(written.bytes);
  }
  return true;
}

void OutputBuffer::release() {
  if (kept_.empty() && kept_.capacity() > 0) kept_.release();
}

}  // namespace partywall::http
