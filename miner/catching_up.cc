// How a miner reaches the agreed state when it is behind, or finds itself at another.
#include <algorithm>

#include "miner/miner.h"
#include "protocol/attestation.h"

namespace muster::miner {

Actions Miner::on_stakes(const protocol::ValidatorStakes& stakes, TimeMs now) {
  if (!joining_.under_way() || adopting_) return {};
  if (const auto blob = joining_.take_stakes(stakes)) {
    actions_.push_back(Fetch{*blob});
  } else {
    decline_checkpoint(blob.error(), now);
  }
  return take_actions();
}

Actions Miner::on_adopted(const Hash& theta_root, TimeMs now) {
  MUSTER_CHECK(adopting_, "adopted what was not asked for");
  move_to(*std::exchange(adopting_, {}));
  joining_.finish();
  theta_root_ = theta_root;
  send_ready(now);
  return take_actions();
}

void Miner::consider_offer() {
  if (progress_.training || progress_.applying || adopting_) return;
  if (auto offer = follower_.take_offer(); offer && joining_.take_offer(std::move(*offer)))
    actions_.push_back(AskStakes{});
}

void Miner::take_checkpoint(ByteSpan blob, TimeMs now) {
  if (adopting_) return;  // a second copy of the blob
  auto state = joining_.take_blob(params_, layout_, blob);
  if (!state) return decline_checkpoint(state.error(), now);
  adopt(std::move(state->head),
        std::make_shared<const std::vector<float>>(std::move(state->theta)));
}

void Miner::decline_checkpoint(const Error& why, TimeMs now) {
  actions_.push_back(Note{why.message + "; replaying the rounds instead"});
  joining_.refuse(head().round());
  progress_.fetching = false;  // what came meanwhile was not taken
  send_ready(now);
  advance(now);
}

// From the initial model, or from a checkpoint if one is offered.
void Miner::start_over() {
  started_over_ = head().round();
  actions_.push_back(Note{"θ is not the one that the validators attest before round " +
                          std::to_string(head().round().value) + ": computing it again"});
  adopt(protocol::ChainHead(params_, head().position().run_id).state(), nullptr);
}

void Miner::adopt(protocol::HeadState head, std::shared_ptr<const std::vector<float>> theta) {
  const Round known = std::max(settled_, this->head().round());
  const std::uint64_t missed = head.round > known ? head.round.value - known.value : 0;
  actions_.push_back(Persist{this->head().round(), sign(protocol::Joined{wire::encode(head)})});
  actions_.push_back(Adopt{std::move(theta), missed});
  adopting_ = std::move(head);
}

void Miner::move_to(const protocol::HeadState& state) {
  settled_ = std::max({settled_, head().round(), state.round});
  follower_.adopt(protocol::ChainHead(params_, head().position().run_id, state));
  progress_ = Progress{};
}

// Whoever is at another θ than the validators' majority must not go on as if nothing were wrong.
void Miner::check_own_state() {
  if (std::exchange(progress_.state_checked, true)) return;
  auto heads = ledger_heads(head().position(), follower_.open()->message);
  if (!heads.empty()) actions_.push_back(CompareHeads{std::move(heads)});
  const auto attested = majority_attestation(head().position(), follower_.open()->message);
  if (!attested || attested->state_id != head().state_id() || progress_.accused) return;
  if (attested->theta_root == theta_root_) {
    if (started_over_ && *started_over_ <= head().round()) started_over_.reset();
    return;
  }
  if (!started_over_) return start_over();
  progress_.accused = true;
  const auto& proof = follower_.open()->message.attestations;
  actions_.push_back(Send{sign(protocol::Dispute{protocol::DisputeReason::kStateRoot,
                                                 attested->theta_root, theta_root_, proof})});
  actions_.push_back(Accuse{protocol::DisputeReason::kStateRoot, proof});
}

// At the end there is no next round whose attestations would show a difference.
void Miner::finish_run() {
  if (!follower_.finished() || finished_ || progress_.applying || adopting_ || progress_.accused)
    return;
  if (follower_.finished()->theta_root == theta_root_) {
    finished_ = true;
    actions_.push_back(Finish{});
  } else if (!started_over_) {
    start_over();
  } else {
    progress_.accused = true;
    actions_.push_back(Accuse{protocol::DisputeReason::kStateRoot, {}});
  }
}

}  // namespace muster::miner
