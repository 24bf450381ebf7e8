#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/byte_buffer.h"
#include "net/stream.h"

namespace partywall::http {

// Bytes received and not yet consumed. They are read into the loop's shared scratch buffer and used
// from there; only what is left at the next wait (or before the next read of another stream) is
// kept, so that an idle connection holds no memory.
class InputBuffer {
 public:
  [[nodiscard]] std::string_view view() const { return kept_.empty() ? fresh_ : kept_.view(); }
  [[nodiscard]] size_t size() const { return view().size(); }
  [[nodiscard]] bool empty() const { return view().empty(); }

  // Reads once.
  net::IoResult fill(net::Stream& stream, std::span<char> scratch);
  void consume(size_t count);
  // To be called before the scratch buffer may change.
  void keep();
  // Gives the memory back if it is empty.
  void release();

  // Bytes consumed since the beginning.
  [[nodiscard]] uint64_t consumed() const { return consumed_; }

 private:
  ByteBuffer kept_;
  std::string_view fresh_;  // in the scratch buffer
  uint64_t consumed_ = 0;
};

// Bytes on their way out. Writing goes straight to the stream; only what it does not take is kept.
class OutputBuffer {
 public:
  // False: the connection is broken.
  bool write(net::Stream& stream, std::string_view bytes);
  // Writes what is kept, as far as the stream takes it.
  bool flush(net::Stream& stream);

  [[nodiscard]] bool empty() const { return kept_.empty(); }
  void clear() { kept_.clear(); }
  void release();

  // Bytes accepted for writing since the beginning.
  [[nodiscard]] uint64_t accepted() const { return accepted_; }

 private:
  ByteBuffer kept_;
  uint64_t accepted_ = 0;
};

}  // namespace partywall::http
