// BlockBudget: how much of one block, and of the time until it closes, each sender may take.
//
// Rules of the daemon that makes blocks, not of the chain: a block that was made before they were,
// or by another daemon, is replayed without them. Two parties are charged. The *asker* is the key
// of the connection: it pays for answers and for signatures that turn out to be bad, so that nobody
// can use up another's budget with forgeries. The *signer*, once its signature is checked, pays for
// the call. Thread safety: none; one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include "base/sign.h"

namespace muster::chain {

// Per block. Times are those that runtime/call_cost.h estimates, in nanoseconds.
struct BlockLimits {
  // Of all extrinsics with their lengths: a block fits into one message (2 MiB) with room for what
  // stands around it.
  std::size_t bytes = 1u << 20;
  std::size_t paid_bytes =
      768u << 10;  // the rest is for free calls: whoever pays cannot keep weights out
  std::size_t signer_bytes = 128u << 10;  // two extrinsics of the largest size
  std::uint64_t time_ns = 0;              // of all calls
  std::uint64_t paid_time_ns = 0;         // likewise
  std::uint64_t signer_time_ns = 0;
  std::uint32_t signer_free_calls =
      8;  // that are checked; a validator needs a commit, a reveal, a commitment
  std::uint64_t asker_time_ns = 0;     // of an asker's answers and signatures
  std::uint64_t accounts_time_ns = 0;  // of all askers that are accounts without a neuron
};

// What a key is to the ledger. Registering costs TAO that does not come back, an account some that
// does, a new key nothing: so strangers share the budget of one asker, and accounts have a bound
// together.
enum class AskerKind : std::uint8_t { kNeuron, kAccount, kStranger };
// Calls take at most a quarter of the interval, so that answers and blocks stay in time; one signer
// or asker takes at most an eighth of that. An interval of under 400 ms counts as one of 400 ms:
// what a few calls need is always there.
[[nodiscard]] BlockLimits block_limits(std::uint32_t block_ms);

// What is used up. Clients get the name.
enum class Overrun : std::uint8_t {
  kNone,
  kExtrinsicTooLarge,
  kBlockBytes,
  kBlockTime,
  kSignerBytes,
  kSignerTime,
  kSignerFreeCalls,
  kAskerTime,
};
// One sentence, with what to do.
[[nodiscard]] std::string_view name_of(Overrun overrun);

class BlockBudget {
 public:
  explicit BlockBudget(const BlockLimits& limits) : limits_(limits) {}

  // Charges `asker` with `time_ns`, unless that is more than it has left.
  [[nodiscard]] Overrun charge_asker(AskerKind kind, const PublicKey& asker, std::uint64_t time_ns);

  struct Cost {
    std::size_t bytes = 0;
    std::uint64_t time_ns = 0;
    bool is_free = false;
  };
  // Whether a call of `signer` may be checked now. A call that alone takes more time than a block
  // or a signer has gets in as the first one.
  [[nodiscard]] Overrun check(const PublicKey& signer, const Cost& cost) const;
  // After its signature was found good. `applied`: it is in the block; else only the check is
  // charged.
  void charge_signer(const PublicKey& signer, const Cost& cost, bool applied);

  // Of the next block.
  void begin_block();

 private:
  struct Used {
    std::size_t bytes = 0;
    std::uint64_t time_ns = 0;
    std::uint32_t free_calls = 0;
  };
  BlockLimits limits_;
  Used block_;
  std::map<PublicKey, Used> signers_;
  std::map<PublicKey, std::uint64_t> askers_;
  std::uint64_t accounts_ns_ = 0, strangers_ns_ = 0;
};

}  // namespace muster::chain
