// Blob endpoints over ZeroMQ, with peers that behave and peers that do not.
#include "wire/blob_endpoint.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "base/prng.h"
#include "tests/wire/memory_blob_store.h"
#include "wire/blob_messages.h"
#include "wire/zmq_transport.h"

namespace muster::wire {
namespace {

constexpr int kWaitMs = 30'000;
constexpr int kStepMs = 20;

Bytes random_blob(std::size_t size, std::uint64_t seed) {
  Prng random(seed);
  Bytes blob(size);
  for (auto& byte : blob) byte = static_cast<std::uint8_t>(random.next_u32());
  return blob;
}

// MemoryBlobStore for two threads.
class LockedStore final : public BlobStore {
 public:
  template <class Use>
  auto locked(Use use) const {
    const std::lock_guard lock(mutex_);
    return use(store_);
  }
  Status put(const Hash& id, ByteSpan blob) override {
    return locked([&](auto& s) { return s.put(id, blob); });
  }
  Result<std::uint64_t> size(const Hash& id) const override {
    return locked([&](auto& s) { return s.size(id); });
  }
  Result<Bytes> read(const Hash& id, std::uint64_t offset, std::size_t length) const override {
    return locked([&](auto& s) { return s.read(id, offset, length); });
  }
  Result<std::vector<Hash>> list() const override {
    return locked([&](auto& s) { return s.list(); });
  }
  void drop(const Hash& id) override {
    locked([&](auto& s) { s.drop(id); });
  }
  std::uint64_t partial_size(const PublicKey& owner, const Hash& id) const override {
    return locked([&](auto& s) { return s.partial_size(owner, id); });
  }
  Status append(const PublicKey& owner, const Hash& id, ByteSpan piece) override {
    return locked([&](auto& s) { return s.append(owner, id, piece); });
  }
  Status finish(const PublicKey& owner, const Hash& id) override {
    return locked([&](auto& s) { return s.finish(owner, id); });
  }
  void drop_partial(const PublicKey& owner, const Hash& id) override {
    locked([&](auto& s) { s.drop_partial(owner, id); });
  }
  void drop_partials() override {
    locked([](auto& s) { s.drop_partials(); });
  }

 private:
  mutable std::mutex mutex_;
  mutable MemoryBlobStore store_;
};

// What an endpoint's callbacks said, for the test's thread.
template <class T>
class Log {
 public:
  void add(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
  }
  [[nodiscard]] std::vector<T> values() const {
    const std::lock_guard lock(mutex_);
    return values_;
  }
  // Waits until there are `count`; false when they do not come.
  [[nodiscard]] bool reaches(std::size_t count) const {
    for (int waited = 0; waited < kWaitMs; waited += kStepMs) {
      if (values().size() >= count) return true;
      ::poll(nullptr, 0, kStepMs);
    }
    return false;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<T> values_;
};

class BlobEndpointTest : public ::testing::Test {
 protected:
  struct Node {
    Log<Bytes> fetched;
    Log<Hash> delivered, failed;
    Log<std::string> problems;
    std::unique_ptr<BlobClientEndpoint> endpoint;
  };

  BlobEndpointTest() {
    admission_->set({honest_.public_key(), registered_.public_key()});
    ZmqOptions options;
    options.per_peer.bytes = {limits::kBlobPeerBytesPerSecond, limits::kBlobPeerBytesBurst};
    auto transport =
        ZmqServer::listen(context_, "tcp://127.0.0.1:*", key_, admission_, options).value();
    address_ = transport->address();
    server_ = std::make_unique<BlobServerEndpoint>(
        std::move(transport), served_, uploads_, BlobServer::Limits{},
        BlobServerEndpoint::Handlers{
            [this](const PublicKey& from, const Hash& id) {
              uploaded_.add({from, id});
            },
            [this](const std::string& problem) { no_room_.add(problem); }});
  }
  std::unique_ptr<ZmqClient> connect(const SigningKey& key) {
    return ZmqClient::connect(context_, address_, key_.public_key(), key).value();
  }
  std::unique_ptr<Node> node(const SigningKey& key) {
    auto made = std::make_unique<Node>();
    Node* const self = made.get();
    made->endpoint = std::make_unique<BlobClientEndpoint>(
        connect(key), key_.public_key(),
        BlobClient([](ByteSpan blob) -> Result<Hash> { return sha256(blob); }),
        BlobClientEndpoint::Handlers{
            [self](const Hash&, Bytes blob) { self->fetched.add(std::move(blob)); },
            [self](const Hash& id) { self->delivered.add(id); },
            [self](const std::string& problem) { self->problems.add(problem); },
            [self](const Hash& id) { self->failed.add(id); }});
    return made;
  }

  ZmqContext context_;
  SigningKey key_{random_seed()}, honest_{random_seed()}, registered_{random_seed()};
  std::shared_ptr<HotkeyAdmission> admission_ = std::make_shared<HotkeyAdmission>();
  LockedStore served_, uploads_;
  Log<std::pair<PublicKey, Hash>> uploaded_;
  Log<std::string> no_room_;
  std::string address_;
  std::unique_ptr<BlobServerEndpoint> server_;
};

TEST_F(BlobEndpointTest, AnUploadGoesThroughWhetherItsPermitComesBeforeOrAfter) {
  auto miner = node(honest_);
  const Bytes first = random_blob(3u << 20, 1), second = random_blob(3u << 20, 2);
  server_->permit(honest_.public_key(), sha256(first), first.size());
  miner->endpoint->upload(sha256(first), first);
  ASSERT_TRUE(miner->delivered.reaches(1));
  miner->endpoint->upload(sha256(second), second);
  server_->permit(honest_.public_key(), sha256(second), second.size());
  ASSERT_TRUE(miner->delivered.reaches(2));
  EXPECT_TRUE(uploaded_.reaches(2));
  EXPECT_EQ(uploads_.read(sha256(second), 0, second.size()).value(), second);
}

TEST_F(BlobEndpointTest, AFullDiskIsWaitedOutAndSaidOnce) {
  uploads_.locked([](MemoryBlobStore& store) { store.room = 0; });
  auto miner = node(honest_);
  const Bytes blob = random_blob(1u << 20, 3);
  server_->permit(honest_.public_key(), sha256(blob), blob.size());
  miner->endpoint->upload(sha256(blob), blob);
  ASSERT_TRUE(no_room_.reaches(1));
  uploads_.locked([](MemoryBlobStore& store) { store.room = UINT64_MAX; });
  EXPECT_TRUE(miner->delivered.reaches(1));
  EXPECT_EQ(no_room_.values().size(), 1u);
}

TEST_F(BlobEndpointTest, AnotherPeersFloodOfOffersDoesNotKeepAnUploadOut) {
  auto flooder = connect(registered_);
  auto miner = node(honest_);
  BlobMessage put;
  put.kind = BlobMessage::Kind::kPut;
  put.total = 100;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    put.id.bytes[0] = static_cast<std::uint8_t>(i);
    (void)flooder->send(key_.public_key(), encode(put));
  }
  const Bytes blob = random_blob(1u << 20, 4);
  server_->permit(honest_.public_key(), sha256(blob), blob.size());
  miner->endpoint->upload(sha256(blob), blob);
  EXPECT_TRUE(miner->delivered.reaches(1));
  ASSERT_TRUE(uploaded_.reaches(1));
  EXPECT_EQ(uploaded_.values().size(), 1u);
}

TEST_F(BlobEndpointTest, AReaderThatDoesNotReadKeepsNobodyWaitingAndLosesNothing) {
  const Bytes blob = random_blob(16u << 20, 5);
  const Hash id = sha256(blob);
  ASSERT_TRUE(served_.put(id, blob));
  auto slow = connect(registered_);
  BlobMessage get;
  get.kind = BlobMessage::Kind::kGet;
  get.id = id;
  get.frames = limits::kTransferCreditFrames;
  // Four stretches of 4 MiB: more than its queue and the buffers of TCP take. The offsets are of
  // one blob under four names, so that none of them replaces another.
  std::vector<Bytes> copies;
  for (std::uint64_t i = 0; i < 4; ++i) {
    copies.push_back(random_blob(4u << 20, 10 + i));
    ASSERT_TRUE(served_.put(sha256(copies.back()), copies.back()));
    get.id = sha256(copies.back());
    ASSERT_TRUE(slow->send(key_.public_key(), encode(get)));
  }
  auto quick = node(honest_);
  quick->endpoint->fetch(id, blob.size());
  ASSERT_TRUE(quick->fetched.reaches(1));
  EXPECT_EQ(quick->fetched.values()[0], blob);
  std::map<Hash, std::uint64_t> received;
  std::size_t frames = 0;
  while (frames < 4 * 16) {
    const auto incoming = slow->receive(kWaitMs).value();
    ASSERT_TRUE(incoming.has_value()) << frames << " frames came";
    const auto frame = read_blob_message(incoming->message).value();
    EXPECT_EQ(frame.offset, received[frame.id]);
    received[frame.id] += frame.bytes.size();
    ++frames;
  }
  for (const Bytes& copy : copies) EXPECT_EQ(received[sha256(copy)], copy.size());
}

TEST_F(BlobEndpointTest, AnUploadThatTheRoundsEndCutsShortIsTold) {
  auto peer = connect(honest_);
  const Bytes blob = random_blob(1'000, 6);
  server_->permit(honest_.public_key(), sha256(blob), blob.size());
  BlobMessage put;
  put.kind = BlobMessage::Kind::kPut;
  put.id = sha256(blob);
  put.total = blob.size();
  ASSERT_TRUE(peer->send(key_.public_key(), encode(put)));
  auto answer = peer->receive(kWaitMs).value();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(read_blob_message(answer->message).value().kind, BlobMessage::Kind::kWant);
  server_->end_round();
  answer = peer->receive(kWaitMs).value();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(read_blob_message(answer->message).value().kind, BlobMessage::Kind::kRefused);
}

}  // namespace
}  // namespace muster::wire
