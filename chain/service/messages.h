// What a ledger's clients ask, and what it answers.
//
// One request, one answer with the same id. Changes are signed extrinsics, so the channel needs no
// trust. Answers that can be large (metagraph, state, block) travel in pages, so that every answer
// fits into a message. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/sign.h"
#include "protocol/ledger_client.h"
#include "protocol/ledger_head.h"

namespace muster::chain {

enum class Question : std::uint8_t {
  kInfo,
  kAccount,
  kMetagraph,
  kState,
  kBlock,
  kBlocks,
  kSubmit
};
constexpr std::uint8_t enum_count(Question) { return 7; }

struct Request {
  std::uint64_t id = 0;
  Question question = Question::kInfo;
  PublicKey account{};        // kAccount
  std::uint16_t netuid = 0;   // kMetagraph
  std::uint64_t number = 0;   // kBlock: which; kBlocks: the first
  std::uint64_t first = 0;    // of a page: the first byte
  std::uint64_t version = 0;  // of a page: of what the pages before it were of; 0: the newest
  Bytes extrinsic{};          // kSubmit
  template <class Archive>
  void serialize(Archive& archive) {
    archive(id, question, account, netuid, number, first, version, extrinsic);
  }
};

struct Answer {
  std::uint64_t id = 0;
  std::string error;   // empty: `body` has what was asked for
  bool later = false;  // with `error`: the same question may be answered later (a budget is used
                       // up, or a page outdated)
  Bytes body;          // an encoded …Answer; of kMetagraph, kState and kBlock an encoded Page
  template <class Archive>
  void serialize(Archive& archive) {
    archive(id, error, later, body);
  }
};

struct InfoAnswer {
  std::string name;
  protocol::LedgerHead head;  // of the last block that is closed and durable
  std::uint32_t block_ms = 0;
  std::uint32_t spec_version = 0;
  std::uint32_t transaction_version = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, head, block_ms, spec_version, transaction_version);
  }
};

struct AccountAnswer {
  std::uint32_t nonce = 0;
  std::uint64_t balance_rao = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(nonce, balance_rao);
  }
};

struct NeuronAnswer {
  protocol::Neuron n;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(n.uid, n.hotkey, n.stake, n.registered_block, n.last_update, n.incentive, n.earned,
            n.permit, n.committed, n.replaced_after);
  }
};

struct MetagraphAnswer {
  std::uint64_t block = 0;
  Hash block_hash;
  std::uint32_t tempo = 0;
  std::uint64_t epoch = 0;
  std::uint64_t next_epoch_block = 0;
  std::uint64_t registration_rao = 0;
  std::uint64_t stake_min = 0;
  std::vector<NeuronAnswer> neurons;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(block, block_hash, tempo, epoch, next_epoch_block, registration_rao, stake_min,
            neurons);
  }
};

// A part of a large answer: a metagraph's or a state's or a block's encoding.
struct Page {
  std::uint64_t version = 0;  // pages of one version belong together
  std::uint64_t bytes = 0;    // of the whole
  Bytes part;                 // from the byte that was asked for
  template <class Archive>
  void serialize(Archive& archive) {
    archive(version, bytes, part);
  }
};

// Encoded blocks in order, as many as fit into a message; none when there is none, or the first
// alone does not fit.
struct BlocksAnswer {
  std::vector<Bytes> blocks;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(blocks);
  }
};

struct SubmitAnswer {
  std::uint64_t block = 0;  // that it will be in
  Hash hash;
  std::string call_error;  // empty: the call did what it asked for
  std::uint64_t fee_rao = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(block, hash, call_error, fee_rao);
  }
};

}  // namespace muster::chain
