// Envelopes, Merkle roots, ciphers and ZeroMQ with CURVE on loopback.
//
//   bench/run.sh wire
#include <benchmark/benchmark.h>

#include <thread>

#include "bench/bench_size.h"
#include "protocol/signed_message.h"
#include "wire/zmq_transport.h"

namespace muster {
namespace {

const protocol::Position kPosition{sha256(bytes_of("run")), Round{1}, Hash{}};

void BM_EnvelopeSign(benchmark::State& state) {
  const SigningKey key(random_seed());
  for (auto _ : state)
    benchmark::DoNotOptimize(protocol::sign_message(kPosition, protocol::Commit{}, key));
}
BENCHMARK(BM_EnvelopeSign);

void BM_EnvelopeVerify(benchmark::State& state) {
  const Bytes bytes =
      protocol::sign_message(kPosition, protocol::Commit{}, SigningKey(random_seed()));
  for (auto _ : state) benchmark::DoNotOptimize(wire::open_envelope(bytes));
}
BENCHMARK(BM_EnvelopeVerify);

void BM_MerkleRoot(benchmark::State& state) {
  std::vector<Hash> leaves(static_cast<std::size_t>(state.range(0)));
  for (std::size_t i = 0; i < leaves.size(); ++i) leaves[i] = sha256(bytes_of(std::to_string(i)));
  for (auto _ : state) benchmark::DoNotOptimize(merkle_root(leaves));
}
BENCHMARK(BM_MerkleRoot)->Arg(256);

void BM_Aes256Ctr(benchmark::State& state) {
  Bytes data(1u << 20);
  const CipherKey key{};
  const CipherIv iv{};
  for (auto _ : state) aes256_ctr(key, iv, data);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(data.size()));
}
BENCHMARK(BM_Aes256Ctr);

void BM_ZmqRoundTrip(benchmark::State& state) {
  wire::ZmqContext context;
  const SigningKey server_key(random_seed()), client_key(random_seed());
  auto admission = std::make_shared<wire::HotkeyAdmission>();
  admission->set({client_key.public_key()});
  wire::ZmqOptions options;
  options.per_peer = {};  // the transport, not its budgets
  auto server =
      wire::ZmqServer::listen(context, "tcp://127.0.0.1:*", server_key, admission, options).value();
  auto client =
      wire::ZmqClient::connect(context, server->address(), server_key.public_key(), client_key)
          .value();
  std::atomic<bool> stop{false};
  std::thread echo([&] {
    while (!stop) {
      auto incoming = server->receive(20);
      if (incoming && *incoming) (void)server->send((*incoming)->from, (*incoming)->message);
    }
  });
  const Bytes message(static_cast<std::size_t>(state.range(0)), 1);
  for (auto _ : state) {
    if (!client->send(server_key.public_key(), message)) state.SkipWithError("send");
    if (!client->receive(5000).value()) state.SkipWithError("no answer");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0) * 2);
  stop = true;
  echo.join();
}
BENCHMARK(BM_ZmqRoundTrip)->Arg(200)->Arg(262144)->UseRealTime();

}  // namespace
}  // namespace muster
