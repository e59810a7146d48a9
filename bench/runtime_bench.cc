// The runtime: what blocks, epochs and extrinsics cost a ledger of many full subnets.
//
//   bench/run.sh runtime -- [--subnets N] [--neurons N] [--reps N]
//
// One core; times are the best of the repetitions. Every validator weighs every neuron.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/check.h"
#include "bench/bench_size.h"
#include "bench/measure.h"
#include "chain/runtime/block_step.h"
#include "chain/runtime/ledger.h"
#include "chain/runtime/payout.h"
#include "chain/runtime/views.h"

namespace muster {
namespace {

using namespace chain;
using namespace chain::runtime;
using bench::seconds;

struct Options {
  std::size_t subnets = bench::small() ? 4 : 128;
  std::size_t neurons = bench::small() ? 16 : 256;
  int reps = bench::small() ? 1 : 50;
};

AccountId account(std::uint32_t number) {
  AccountId id;
  id.bytes[0] = 1;
  for (std::size_t i = 0; i < 4; ++i) id.bytes[31 - i] = static_cast<std::uint8_t>(number >> 8 * i);
  return id;
}

SigningKey signer() { return SigningKey(Seed{1}); }

// A quarter of each subnet's neurons validate; nothing is due while the benchmark runs.
Genesis full_genesis(const Options& options) {
  Genesis genesis;
  genesis.author = account(1);
  genesis.balances = {{account(1), kTao}, {signer().public_key(), 1'000'000 * kTao}};
  std::uint32_t next = 1'000;
  for (std::size_t s = 1; s <= options.subnets; ++s) {
    GenesisSubnet subnet;
    subnet.netuid = static_cast<Netuid>(s);
    subnet.owner_coldkey = account(2);
    subnet.owner_hotkey = account(next++);
    subnet.parameters.tempo = 50'000;
    subnet.parameters.commit_reveal = false;
    for (std::size_t i = 1; i < options.neurons; ++i) {
      const GenesisNeuron neuron{account(100 + static_cast<std::uint32_t>(i)), account(next++)};
      subnet.neurons.push_back(neuron);
      if (i <= options.neurons / 4)
        subnet.stakes.push_back({neuron.coldkey, neuron.hotkey, (100 + i) * kTao});
    }
    genesis.subnets.push_back(std::move(subnet));
  }
  return genesis;
}

void weigh_everyone(State& state, const Options& options) {
  Subnet& subnet = state.subnets.at(1);
  for (std::size_t i = 1; i <= options.neurons / 4; ++i) {
    subnet.neurons.permits[i] = true;
    subnet.mechanisms[0].last_update[i] = state.block;
    Row& row = subnet.mechanisms[0].weights[i];
    for (std::size_t j = 0; j < options.neurons; ++j)
      row.push_back({static_cast<std::uint16_t>(j),
                     static_cast<std::uint16_t>(1 + (i * 7919 + j * 104'729) % 65'535)});
  }
}

void run(const Options& options) {
  const Genesis genesis = full_genesis(options);
  MUSTER_CHECK(validate(genesis).has_value(), "benchmark genesis");
  State state = make_state(genesis);
  Events events;
  step_block(state, events, genesis.author, {});
  const double block = seconds(
      [&] {
        events.clear();
        step_block(state, events, genesis.author, {});
      },
      options.reps);
  std::printf("block without epochs   %8.2f us, %.2f us per subnet\n", block * 1e6,
              block * 1e6 / static_cast<double>(options.subnets));

  weigh_everyone(state, options);
  Journal journal(Journal::Mode::kForget);
  const Context context{state, journal, events, genesis.author};
  const PendingAlpha pending{150 * kTao, 150 * kTao, 0, 60 * kTao};
  state.subnets.at(1).economy.alpha_out += 360 * kTao * static_cast<std::uint64_t>(options.reps);
  const double epoch = seconds([&] { pay_epoch(context, 1, pending); }, options.reps);
  std::printf("epoch and payout       %8.2f us\n", epoch * 1e6);
  const double hash = seconds([&] { (void)state_hash(state); }, std::min(options.reps, 5));
  std::printf("state hash             %8.2f ms of %.1f MB\n", hash * 1e3,
              static_cast<double>(encode_state(state).size()) / 1e6);

  Ledger ledger(genesis);
  std::uint32_t nonce = 0;
  const SigningContext signing = ledger.signing_context({}).value();
  std::vector<Bytes> extrinsics;
  for (int i = 0; i < options.reps; ++i)
    extrinsics.push_back(encode_extrinsic(
        sign_call(AddStake{genesis.subnets[0].owner_hotkey, 1, kTao}, signer(), nonce++, signing)));
  auto next = extrinsics.begin();
  const double submit = seconds(
      [&] {
        const Submission submission = ledger.submit(*next++);
        MUSTER_CHECK(submission.applied() && !submission.error, "benchmark extrinsic");
      },
      options.reps);
  std::printf("add_stake, verified    %8.2f us\n", submit * 1e6);
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  muster::Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    const int number = i + 1 < argc ? std::atoi(argv[i + 1]) : 0;
    if (number < 1 || number > 4'000) {
      std::fprintf(stderr, "bench_runtime: %s needs a number of 1..4000\n", name.c_str());
      return 2;
    }
    if (name == "--subnets") {
      options.subnets = static_cast<std::size_t>(std::min(number, 128));
    } else if (name == "--neurons") {
      options.neurons = static_cast<std::size_t>(std::clamp(number, 4, 256));
    } else if (name == "--reps") {
      options.reps = number;
    } else {
      std::fprintf(stderr, "bench_runtime: unknown option %s\n", name.c_str());
      return 2;
    }
  }
  muster::run(options);
  return 0;
}
