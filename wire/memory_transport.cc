#include "wire/memory_transport.h"

#include <poll.h>

#include "base/limits.h"

namespace muster::wire {

class MemoryTransport final : public Transport {
 public:
  MemoryTransport(MemoryHub& hub, const PublicKey& hotkey, std::shared_ptr<Mailbox<Incoming>> box)
      : hub_(hub), hotkey_(hotkey), box_(std::move(box)) {}

  ~MemoryTransport() override {
    const std::lock_guard lock(hub_.mutex_);
    const auto found = hub_.boxes_.find(hotkey_);
    if (found != hub_.boxes_.end() && found->second == box_) hub_.boxes_.erase(found);
  }

  Status send(const PublicKey& to, ByteSpan message) override {
    if (message.size() > limits::kMessageBytesMax)
      return Error{Errc::kTooLarge, "a message of " + std::to_string(message.size()) + " bytes"};
    const std::lock_guard lock(hub_.mutex_);
    const auto found = hub_.boxes_.find(to);
    if (found == hub_.boxes_.end())
      return Error{Errc::kNotFound, "peer " + to.brief() + " is not connected"};
    found->second->push({hotkey_, Bytes(message.begin(), message.end())});
    return {};
  }

  Result<std::optional<Incoming>> receive(int timeout_ms, int wake_fd) override {
    if (auto incoming = box_->pop()) return std::optional<Incoming>(std::move(incoming));
    pollfd waits[2] = {{box_->fd(), POLLIN, 0}, {wake_fd, POLLIN, 0}};
    ::poll(waits, wake_fd < 0 ? 1 : 2, timeout_ms);
    return box_->pop();
  }

 private:
  MemoryHub& hub_;
  PublicKey hotkey_;
  std::shared_ptr<Mailbox<Incoming>> box_;
};

std::unique_ptr<Transport> MemoryHub::join(const PublicKey& hotkey) {
  auto box = std::make_shared<Mailbox<Incoming>>();
  const std::lock_guard lock(mutex_);
  boxes_[hotkey] = box;
  return std::make_unique<MemoryTransport>(*this, hotkey, std::move(box));
}

}  // namespace muster::wire
