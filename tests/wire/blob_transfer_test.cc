#include "wire/blob_transfer.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/prng.h"
#include "tests/wire/memory_blob_store.h"

namespace muster::wire {
namespace {

Bytes random_blob(std::size_t size, std::uint64_t seed) {
  Prng random(seed);
  Bytes blob(size);
  for (auto& byte : blob) byte = static_cast<std::uint8_t>(random.next_u32());
  return blob;
}

class BlobTransferTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kMax = 20u << 20;
  MemoryBlobStore store_;
  std::optional<BlobServer> server_{std::in_place, store_, BlobServer::Limits{kMax, 2}};
  BlobClient client_{[](ByteSpan bytes) -> Result<Hash> { return sha256(bytes); }, kMax};
  PublicKey peer_ = SigningKey(random_seed()).public_key();
  std::optional<BlobClient::Fetched> fetched_;
  std::optional<Hash> delivered_;
  std::string problem_;
  std::size_t most_in_flight_ = 0;

  // Carries messages back and forth until nobody has anything to say, or `limit` were carried.
  void pump(std::vector<Bytes> to_server, std::size_t limit = SIZE_MAX) {
    for (std::size_t carried = 0; !to_server.empty() && carried < limit;) {
      std::vector<Bytes> to_client;
      for (const Bytes& message : to_server) {
        if (carried++ >= limit) return;
        for (auto& out : server_->on_message(peer_, message).messages)
          to_client.push_back(std::move(out.message));
      }
      most_in_flight_ = std::max({most_in_flight_, to_client.size(), to_server.size()});
      to_server.clear();
      for (const Bytes& message : to_client) {
        auto response = client_.on_message(message);
        if (response.fetched) fetched_ = std::move(response.fetched);
        if (response.delivered) delivered_ = response.delivered;
        if (!response.problem.empty()) problem_ = response.problem;
        for (Bytes& next : response.messages) to_server.push_back(std::move(next));
      }
    }
  }
};

TEST_F(BlobTransferTest, FetchesBlobsOfEverySize) {
  for (std::size_t size : {std::size_t{1}, limits::kFrameBytesMax, limits::kFrameBytesMax + 1,
                           std::size_t{10} << 20}) {
    const Bytes blob = random_blob(size, size);
    ASSERT_TRUE(store_.put(sha256(blob), blob));
    fetched_.reset();
    pump(client_.fetch(sha256(blob)));
    ASSERT_TRUE(fetched_.has_value()) << size;
    EXPECT_EQ(fetched_->blob, blob);
  }
  EXPECT_LE(most_in_flight_, limits::kTransferCreditFrames);
}

TEST_F(BlobTransferTest, UploadsWithNoMoreInFlightThanTheCredit) {
  const Bytes blob = random_blob(10u << 20, 1);
  pump(client_.upload(sha256(blob), blob));
  EXPECT_EQ(delivered_, sha256(blob));
  EXPECT_EQ(store_.blobs.at(sha256(blob)), blob);
  EXPECT_LE(most_in_flight_, limits::kTransferCreditFrames);
}

TEST_F(BlobTransferTest, ResumesAnUploadWhereItBrokeOff) {
  const Bytes blob = random_blob(8u << 20, 2);
  const Hash id = sha256(blob);
  pump(client_.upload(id, blob), 10);
  const std::uint64_t before = store_.partial_size(id);
  ASSERT_GT(before, 0u);
  server_.emplace(store_, BlobServer::Limits{kMax, 2});
  std::size_t frames = 0;
  auto messages = client_.upload_again(id);
  const auto want = server_->on_message(peer_, messages[0]).messages;
  const auto response = client_.on_message(want[0].message);
  frames = response.messages.size();
  pump(response.messages);
  EXPECT_EQ(delivered_, id);
  EXPECT_LE(frames * limits::kFrameBytesMax, blob.size() - before + limits::kFrameBytesMax);
}

TEST_F(BlobTransferTest, ResumesADownloadWhereItBrokeOff) {
  const Bytes blob = random_blob(8u << 20, 3);
  ASSERT_TRUE(store_.put(sha256(blob), blob));
  pump(client_.fetch(sha256(blob)), 1);
  pump(client_.fetch(sha256(blob)));
  ASSERT_TRUE(fetched_.has_value());
  EXPECT_EQ(fetched_->blob, blob);
}

TEST_F(BlobTransferTest, RefusesAnUploadThatIsNotWhatItsIdSays) {
  const Bytes blob = random_blob(1000, 4);
  pump(client_.upload(sha256(bytes_of("something else")), blob));
  EXPECT_TRUE(store_.blobs.empty());
  EXPECT_FALSE(delivered_.has_value());
  EXPECT_NE(problem_.find("refused"), std::string::npos);
}

TEST_F(BlobTransferTest, RefusesAnUploadOverTheLimitBeforeAnyByteOfIt) {
  const Bytes blob = random_blob(kMax + 1, 5);
  pump(client_.upload(sha256(blob), blob));
  EXPECT_TRUE(store_.partials.empty());
  EXPECT_NE(problem_.find("too large"), std::string::npos);
}

TEST_F(BlobTransferTest, SaysWhenABlobIsNotHere) {
  pump(client_.fetch(sha256(bytes_of("nowhere"))));
  EXPECT_NE(problem_.find("not here"), std::string::npos);
}

TEST_F(BlobTransferTest, DetectsADownloadWithOtherContent) {
  const Bytes blob = random_blob(1000, 6);
  store_.blobs[sha256(bytes_of("promised"))] = blob;
  pump(client_.fetch(sha256(bytes_of("promised"))));
  EXPECT_FALSE(fetched_.has_value());
  EXPECT_NE(problem_.find("not what was sent for it"), std::string::npos);
}

TEST_F(BlobTransferTest, APeerCannotFillTheDiskWithUnfinishedUploads) {
  for (std::uint64_t i = 0; i < 20; ++i)
    pump(client_.upload(sha256(random_blob(1u << 20, 100 + i)), random_blob(1u << 20, 100 + i)), 2);
  EXPECT_LE(store_.partials.size(), 2u);
}

TEST_F(BlobTransferTest, SurvivesRandomMessages) {
  Prng random(77);
  const Bytes blob = random_blob(1000, 7);
  ASSERT_TRUE(store_.put(sha256(blob), blob));
  const Bytes get = client_.fetch(sha256(blob))[0];
  for (int trial = 0; trial < 20000; ++trial) {
    Bytes message = get;
    message[random.below(message.size())] = static_cast<std::uint8_t>(random.next_u32());
    if (random.chance(0.2)) message.resize(random.below(message.size()));
    const auto response = server_->on_message(peer_, message);
    EXPECT_LE(response.messages.size(), limits::kTransferCreditFrames);
    (void)client_.on_message(message);
  }
}

}  // namespace
}  // namespace muster::wire
