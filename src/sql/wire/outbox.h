#pragma once

#include <string>
#include <string_view>

namespace partywall::sql {

// What is to be sent in one direction: messages that we compose, and runs of bytes that are passed
// on as they came, without copying them where that can be helped, in order, with one send for all.
//
// relay() only remembers where the bytes are. They must stay there until they are sent or keep()
// has copied them: call it before the buffer that they came from is used again.
class Outbox {
 public:
  void relay(std::string_view bytes);
  // The end of what is to be sent, to append a message to.
  std::string& tail();

  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] size_t size() const { return owned_.size() - sent_ + borrowed_.size(); }

  // What to send next; then tell how much of it was taken. Call until it is empty or the peer takes
  // no more.
  [[nodiscard]] std::string_view front();
  void sent(size_t count);
  void keep();
  void clear();

 private:
  void release_memory();

  std::string owned_;
  size_t sent_ = 0;            // of owned_
  std::string_view borrowed_;  // comes after owned_
};

}  // namespace partywall::sql
