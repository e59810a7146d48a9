// What a ledger's clients ask, and what it answers.
//
// One request, one answer with the same id. Changes are signed extrinsics, so the channel needs no trust; a state travels
// in parts, each with the version that it is of. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/sign.h"
#include "protocol/ledger_client.h"

namespace muster::chain {

enum class Question : std::uint8_t { kInfo, kAccount, kMetagraph, kState, kBlock, kSubmit };
constexpr std::uint8_t enum_count(Question) { return 6; }

struct Request {
  std::uint64_t id = 0;
  Question question = Question::kInfo;
  PublicKey account{};        // kAccount
  std::uint16_t netuid = 0;   // kMetagraph
  std::uint64_t number = 0;   // kBlock: which; kState: the first byte
  Bytes extrinsic{};          // kSubmit
  template <class Archive>
  void serialize(Archive& archive) { archive(id, question, account, netuid, number, extrinsic); }
};

struct Answer {
  std::uint64_t id = 0;
  std::string error;  // empty: `body` has what was asked for
  Bytes body;         // an encoded …Answer
  template <class Archive>
  void serialize(Archive& archive) { archive(id, error, body); }
};

struct InfoAnswer {
  std::string name;
  Hash genesis;
  Hash head;                // hash of the last closed block
  std::uint64_t block = 0;  // its number
  std::uint32_t block_ms = 0;
  std::uint32_t spec_version = 0;
  std::uint32_t transaction_version = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, genesis, head, block, block_ms, spec_version, transaction_version);
  }
};

struct AccountAnswer {
  std::uint32_t nonce = 0;
  std::uint64_t balance_rao = 0;
  template <class Archive>
  void serialize(Archive& archive) { archive(nonce, balance_rao); }
};

struct NeuronAnswer {
  protocol::Neuron n;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(n.uid, n.hotkey, n.role, n.stake, n.registered_block, n.last_update, n.incentive, n.earned);
  }
};

struct MetagraphAnswer {
  std::uint64_t block = 0;
  Hash block_hash;
  std::uint32_t tempo = 0;
  std::uint64_t epoch = 0;
  std::vector<NeuronAnswer> neurons;
  template <class Archive>
  void serialize(Archive& archive) { archive(block, block_hash, tempo, epoch, neurons); }
};

struct StateAnswer {
  std::uint64_t version = 0;  // parts of one version belong together
  std::uint64_t bytes = 0;    // of the whole
  Bytes part;               // from the byte that was asked for
  template <class Archive>
  void serialize(Archive& archive) { archive(version, bytes, part); }
};

struct SubmitAnswer {
  std::uint64_t block = 0;    // that it will be in
  Hash hash;
  std::string call_error;     // empty: the call did what it asked for
  std::uint64_t fee_rao = 0;
  template <class Archive>
  void serialize(Archive& archive) { archive(block, hash, call_error, fee_rao); }
};

}  // namespace muster::chain
